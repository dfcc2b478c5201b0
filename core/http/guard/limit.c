/*
 * limit.c - see limit.h.  Load time, but for the names of statuses.
 */
#include "http/guard/limit.h"

#include "http/record/story.h"
#include "http/vars/uri_text.h"
#include "shm/stats.h"

const weir_conf_enum_t weir_limit_levels[] = {
    { "info", WEIR_LOG_INFO },
    { "notice", WEIR_LOG_NOTICE },
    { "warn", WEIR_LOG_WARN },
    { "error", WEIR_LOG_ERROR },
    { NULL, 0 },
};

bool
weir_limit_read_zone(weir_conf_t *cf, const weir_conf_words_t *words, weir_limit_zone_t *zone, size_t *at)
{
    weir_bytes_t size;
    weir_str_t   text, size_text;

    for (*at = 2; *at < words->n && !weir_str_starts(words->at[*at].text, WEIR_STR("zone=")); (*at)++) {}
    if (*at == words->n) {
        return weir_conf_error(cf, 0, "\"%.*s\" must have \"zone=name:size\"", WEIR_STR_ARG(words->at[0].text));
    }
    text = weir_str_skip(words->at[*at].text, sizeof("zone=") - 1);
    if (!weir_str_cut(text, ':', &zone->name, &size_text) || zone->name.len == 0 || zone->name.len > 100
        || !weir_conf_read_bytes(size_text, &size))
    {
        return weir_conf_invalid(cf, *at, "zone=name:size, the size such as 10m");
    }
    if (size.n < WEIR_LIMIT_ZONE_MIN) {
        return weir_conf_error(cf, *at, "zone \"%.*s\" is too small: %d bytes at least", WEIR_STR_ARG(zone->name),
                               WEIR_LIMIT_ZONE_MIN);
    }
    zone->size = size.n;
    zone->words = *words;
    zone->key = weir_conf_template(cf, 1, words->at[1].text);
    return zone->key != NULL;
}

void *
weir_limit_find_zone(const weir_conf_list_t *zones, size_t item, weir_str_t name)
{
    for (size_t i = 0; i < zones->n; i++) {
        weir_limit_zone_t *zone = (weir_limit_zone_t *) (void *) ((char *) zones->at + i * item);

        if (weir_str_eq(zone->name, name)) {
            return zone;
        }
    }
    return NULL;
}

weir_str_t
weir_limit_key(weir_request_t *req, const weir_limit_zone_t *zone)
{
    return weir_uri_text_plain(req, zone->key);
}

static void
limit_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

void *
weir_limit_take_zone(weir_conf_t *cf, const weir_limit_zone_t *zone, const weir_zone_kind_t *kind, uint64_t bytes)
{
    weir_zone_id_t id = { .kind = kind, .name = zone->name, .size = bytes };
    weir_error_t   error = { .text = "" };
    weir_zone_t   *made = weir_zone_take(&id, &error);

    weir_assert(zone->name.len != 0);
    if (made == NULL) {
        (void) weir_conf_error_at(cf, &zone->words, "%s", error.text);
        return NULL;
    }
    weir_arena_on_cleanup(cf->arena, limit_give_back, made);
    return weir_zone_memory(made);
}

bool
weir_limit_no_zone(weir_conf_t *cf, const weir_conf_words_t *words, const char *directive, weir_str_t name)
{
    return weir_conf_error_at(cf, words, "there is no zone \"%.*s\": it needs a \"%s\" in http", WEIR_STR_ARG(name),
                              directive);
}

bool
weir_limit_status_text(weir_limit_status_t status, weir_str_t *value)
{
    static const weir_str_t texts[] = {
        [WEIR_LIMIT_NONE] = WEIR_STR_INIT(""),
        [WEIR_LIMIT_PASSED] = WEIR_STR_INIT("PASSED"),
        [WEIR_LIMIT_DELAYED] = WEIR_STR_INIT("DELAYED"),
        [WEIR_LIMIT_REJECTED] = WEIR_STR_INIT("REJECTED"),
        [WEIR_LIMIT_DELAYED_DRY_RUN] = WEIR_STR_INIT("DELAYED_DRY_RUN"),
        [WEIR_LIMIT_REJECTED_DRY_RUN] = WEIR_STR_INIT("REJECTED_DRY_RUN"),
    };

    weir_assert((unsigned) status < weir_countof(texts));
    *value = texts[status];
    return status != WEIR_LIMIT_NONE;
}

uint32_t
weir_limit_stats_row(weir_conf_t *cf, const char *what, weir_str_t zone)
{
    return weir_stats_row(cf->arena, WEIR_STATS_LIMIT,
                          weir_str_printf(cf->arena, "%s%c%.*s", what, WEIR_STATS_SEPARATOR, WEIR_STR_ARG(zone)), 0);
}

void
weir_limit_judged(weir_request_t *req, const char *policy, weir_str_t name, uint32_t row,
                  weir_limit_status_t status)
{
    weir_stats_row_t *mine = weir_stats_mine(row);
    weir_str_t        verdict;

    if (weir_limit_status_text(status, &verdict)) {
        mine->requests++;
        mine->count[status - WEIR_LIMIT_PASSED]++;
        weir_http_story_judged(req, policy, name, verdict);
    }
}

/* -- what was counted -- */

struct weir_limited { struct weir_limited *next; const void *what; bool is_rehearsal; };

bool
weir_limit_counts(const weir_request_t *req, const void *what, bool is_of_server, bool is_rehearsal)
{
    if (req->is_sub && is_of_server) {
        return false;
    }
    for (const struct weir_limited *at = req->limited; at != NULL; at = at->next) {
        if (at->what == what && (is_rehearsal || !at->is_rehearsal)) {
            return false;
        }
    }
    return true;
}

static void
limit_push(weir_request_t *req, const void *what, bool is_rehearsal)
{
    struct weir_limited *limited = weir_new(&req->arena, struct weir_limited);

    *limited = (struct weir_limited) { req->limited, what, is_rehearsal };
    req->limited = limited;
}

void
weir_limit_counted(weir_request_t *req, const void *what, bool is_rehearsal)
{
    weir_assert(what != NULL);
    limit_push(req, what, is_rehearsal);
}

void
weir_limit_copy(weir_request_t *to, const weir_request_t *from)
{
    weir_assert(to != from && to->limited == NULL);     /* it was just made */
    to->rehearsal.is_over = from->rehearsal.is_over;
    for (const struct weir_limited *at = from->limited; at != NULL; at = at->next) {
        limit_push(to, at->what, at->is_rehearsal);
    }
}

/* -- what is told to the client -- */

/* A zone's name as a string of RFC 9651; what cannot stand in one is left out. */
static weir_str_t
limit_quoted(weir_request_t *req, weir_str_t name)
{
    char  *text = weir_alloc(&req->arena, name.len + 2);
    size_t n = 0;

    text[n++] = '"';
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] >= ' ' && name.at[i] <= '~' && name.at[i] != '"' && name.at[i] != '\\') {
            text[n++] = name.at[i];
        }
    }
    text[n++] = '"';
    weir_assert(n >= 2 && n <= name.len + 2);
    return weir_str(text, n);
}

/* One more element of a list. */
static void
limit_add(weir_request_t *req, const char *name, weir_str_t value)
{
    weir_field_t *field = weir_fields_find(&req->res.fields, weir_str_from_z(name));

    if (field != NULL && (field->flags & WEIR_FIELD_DROP) == 0) {
        weir_field_set_value(field, weir_str_printf(&req->arena, "%.*s, %.*s", WEIR_STR_ARG(field->value),
                                                    WEIR_STR_ARG(value)));
        return;
    }
    (void) weir_fields_add(&req->res.fields, &req->arena, WEIR_HEADER_OTHER, weir_str_from_z(name), value, 0);
}

static void
limit_tell_when(weir_request_t *req, uint64_t seconds)
{
    weir_str_t said = weir_response_value(req, WEIR_HEADER_RETRY_AFTER);
    uint64_t   before = 0;

    seconds = weir_max(seconds, 1);
    if (said.at != NULL && weir_str_to_u64(said, &before) && before >= seconds) {
        return;
    }
    weir_response_drop(req, WEIR_HEADER_RETRY_AFTER);
    weir_response_add(req, WEIR_HEADER_RETRY_AFTER, weir_str_printf(&req->arena, "%llu", (unsigned long long) seconds));
}

void
weir_limit_tell(weir_request_t *req, weir_str_t name, const weir_limit_told_t *told)
{
    weir_str_t quoted = limit_quoted(req, name);

    limit_add(req, "RateLimit-Policy",
              weir_str_printf(&req->arena, "%.*s;q=%llu;w=%llu", WEIR_STR_ARG(quoted), (unsigned long long) told->quota,
                              (unsigned long long) told->window_s));
    limit_add(req, "RateLimit",
              weir_str_printf(&req->arena, "%.*s;r=%llu;t=%llu", WEIR_STR_ARG(quoted), (unsigned long long) told->left,
                              (unsigned long long) told->reset_s));
    if (told->refused) {
        limit_tell_when(req, told->retry_s);
    }
}
