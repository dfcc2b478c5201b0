/*
 * fetch.c - see fetch.h.  Runs in workers; one allocation a fetch, and its body.
 */
#include "http/fetch/fetch.h"

#include "base/mem.h"

#define FETCH_URL_MAX 2048
#define FETCH_TRIES   3
#define FETCH_CONNECT ((weir_msec_t) { 3000 })
#define FETCH_PIECE   4096
#define FETCH_FIELD_MAX 256

static const weir_str_t fetch_http = WEIR_STR_INIT("http://"), fetch_https = WEIR_STR_INIT("https://");

/* -- the address -- */

bool
weir_fetch_is_url(weir_str_t text)
{
    return weir_str_starts_fold(text, fetch_http) || weir_str_starts_fold(text, fetch_https);
}

bool
weir_fetch_read_url(weir_conf_t *cf, size_t word, weir_str_t text, weir_fetch_url_t *url)
{
    weir_hostport_t hp;
    const char     *slash, *why;

    *url = (weir_fetch_url_t) { .is_tls = weir_str_starts_fold(text, fetch_https) };
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char) text.at[i] <= ' ' || (unsigned char) text.at[i] >= 0x7f || text.at[i] == '#'
            || text.at[i] == '$')
        {
            return weir_conf_invalid(cf, word, "an http:// or https:// address without variables, blanks and \"#\"");
        }
    }
    url->text = weir_str_dup(cf->arena, text);
    url->authority = weir_str_skip(url->text, url->is_tls ? fetch_https.len : fetch_http.len);
    slash = weir_str_find(url->authority, '/');
    url->target = slash != NULL ? weir_str_skip(url->authority, (size_t) (slash - url->authority.at)) : WEIR_STR("/");
    url->authority.len = slash != NULL ? (size_t) (slash - url->authority.at) : url->authority.len;
    if (text.len > FETCH_URL_MAX || memchr(url->authority.at, '@', url->authority.len) != NULL
        || memchr(url->authority.at, '?', url->authority.len) != NULL
        || !weir_addr_parse_hostport(&hp, url->authority, &why) || hp.is_unix || hp.is_wildcard || hp.host.len == 0)
    {
        return weir_conf_invalid(cf, word, "an http:// or https:// address with a host");
    }
    url->host = weir_str_dup(cf->arena, hp.host);
    return true;
}

bool
weir_fetch_bind(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_words_t *words,
                weir_str_t authorities, weir_fetch_url_t *url)
{
    weir_http_tls_conf_t    *ssl = &url->tls.ssl;
    const weir_group_conf_t *group;

    cf->words = words;
    group = weir_upstream_for(cf, generation, url->authority, url->is_tls ? 443 : 80);
    if (group != NULL) {
        url->group = group->id;
    }
    if (group == NULL || !url->is_tls) {
        return group != NULL;
    }
    ssl->protocols = WEIR_TLS_V1_2 | WEIR_TLS_V1_3;
    ssl->ciphers = WEIR_STR("DEFAULT");
    ssl->verify_depth = 9;
    ssl->trusted_certificate = (weir_http_tls_file_t) { authorities, words };
    url->tls.verify.on = url->tls.server_name.on = url->tls.session_reuse.on = true;
    return weir_http_tls_build_upstream(cf, words, "", &url->tls);
}

/* -- how long it holds -- */

static bool
fetch_seconds(weir_str_t text, uint64_t *seconds)
{
    if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"') {
        text = weir_str(text.at + 1, text.len - 2);
    }
    if (text.len > 10 && text.at[0] != '0') {
        *seconds = UINT32_MAX;                       /* for ever */
        return true;
    }
    return weir_str_to_u64(text, seconds);
}

uint64_t
weir_fetch_max_age(const weir_fields_t *fields)
{
    uint64_t max_age = UINT64_MAX, said;

    for (uint32_t i = 0; i < fields->n; i++) {
        weir_str_t rest = fields->at[i].value, one, name, value;

        while (fields->at[i].id == WEIR_HEADER_CACHE_CONTROL && rest.len != 0) {
            (void) weir_str_cut(rest, ',', &one, &rest);
            (void) weir_str_cut(weir_str_trim(one), '=', &name, &value);
            if (weir_str_eq_fold(name, WEIR_STR("no-store")) || weir_str_eq_fold(name, WEIR_STR("no-cache"))) {
                max_age = 0;
            } else if (weir_str_eq_fold(name, WEIR_STR("max-age")) && fetch_seconds(weir_str_trim(value), &said)) {
                max_age = weir_min(max_age, said);
            }
        }
    }
    return max_age;
}

/* -- asking -- */

struct weir_fetch {
    weir_ask_t      *ask;
    weir_ask_field_t fields[5];
    size_t           n_fields;
    size_t           said;                       /* bytes of texts behind the struct */
    void           (*done)(void *data, const weir_fetched_t *fetched);
    void            *data;
    char            *body;
    size_t           len, cap;
    uint64_t         max_age_s;
    char             status[40];                 /* what was wrong with it */
    uint16_t         code;
    bool             any_status, has_memory;
    weir_str_t       wanted;
    char             field[FETCH_FIELD_MAX];     /* what was wanted */
    size_t           field_len;
};

static void
fetch_free(weir_fetch_t *fetch)
{
    if (fetch->body != NULL) {
        weir_mem_wipe(fetch->body, fetch->cap);      /* what is told of a token is secret */
    }
    weir_mem_free(fetch->body);
    weir_mem_wipe(fetch + 1, fetch->said);
    weir_mem_free(fetch);
}

void
weir_fetch_cancel(weir_fetch_t *fetch)
{
    if (fetch != NULL) {
        weir_ask_cancel(fetch->ask);
        fetch_free(fetch);
    }
}

static void
fetch_take_field(weir_fetch_t *fetch, const weir_fields_t *fields)
{
    fetch->field_len = 0;
    for (uint32_t i = 0; i < fields->n && fetch->wanted.len != 0; i++) {
        const weir_field_t *field = &fields->at[i];

        if (weir_str_eq_fold(field->name, fetch->wanted) && field->value.len <= FETCH_FIELD_MAX) {
            memcpy(fetch->field, field->value.at, field->value.len);
            fetch->field_len = field->value.len;
            return;
        }
    }
}

static void
fetch_on_head(weir_ask_t *ask, const weir_response_head_t *head)
{
    weir_fetch_t *fetch = weir_ask_data(ask);

    fetch->len = 0;
    fetch->code = head->status;
    fetch->max_age_s = weir_fetch_max_age(&head->fields);
    fetch_take_field(fetch, &head->fields);
    if (head->status != 200 && !fetch->any_status) {
        weir_buf_t text;

        weir_buf_init(&text, fetch->status, sizeof(fetch->status) - 1);
        weir_buf_printf(&text, "it answered with status %u", head->status);
        *text.pos = '\0';
        weir_ask_refuse(ask, "another status than 200");
    } else if (weir_fields_first(&head->fields, WEIR_HEADER_CONTENT_ENCODING) != NULL) {
        weir_ask_refuse(ask, "its answer is encoded");
    }
}

/* To more room; what lay in the old one is wiped. */
static void
fetch_move_body(weir_fetch_t *fetch, char *more, size_t cap)
{
    if (fetch->body != NULL) {
        memcpy(more, fetch->body, fetch->len);
        weir_mem_wipe(fetch->body, fetch->cap);
        weir_mem_free(fetch->body);
    }
    fetch->body = more;
    fetch->cap = cap;
}

static void
fetch_on_body(weir_ask_t *ask, weir_str_t bytes)
{
    weir_fetch_t *fetch = weir_ask_data(ask);
    char         *more;

    if (bytes.len > fetch->cap - fetch->len && fetch->has_memory) {
        size_t cap = (fetch->len + bytes.len) * 2 + FETCH_PIECE;

        more = weir_mem_try(cap);
        fetch->has_memory = more != NULL;
        if (more != NULL) {
            fetch_move_body(fetch, more, cap);
        }
    }
    if (fetch->has_memory) {
        memcpy(fetch->body + fetch->len, bytes.at, bytes.len);
        fetch->len += bytes.len;
    }
}

static void
fetch_on_end(weir_ask_t *ask, weir_cause_t cause, const char *detail)
{
    weir_fetch_t  *fetch = weir_ask_data(ask);
    weir_fetched_t fetched = { .status = fetch->code, .max_age_s = fetch->max_age_s,
                               .field = { fetch->field, fetch->field_len } };

    fetch->ask = NULL;
    if (cause == WEIR_CAUSE_NONE && fetch->has_memory) {
        fetched.body = weir_str(fetch->body != NULL ? fetch->body : "", fetch->len);
    } else {
        fetched.why = cause == WEIR_CAUSE_NONE ? "no memory"
                      : cause == WEIR_CAUSE_UPSTREAM_ANSWER && fetch->status[0] != '\0' ? fetch->status
                      : detail != NULL ? detail : weir_cause_row(cause)->help;
    }
    fetch->done(fetch->data, &fetched);
    fetch_free(fetch);
}

static const weir_ask_handler_t fetch_handler = { .on_head = fetch_on_head, .on_body = fetch_on_body,
                                                  .on_end = fetch_on_end };

/* A copy behind the struct. */
static weir_str_t
fetch_keep(weir_fetch_t *fetch, weir_str_t text)
{
    char *copy = (char *) (fetch + 1) + fetch->said;

    memcpy(copy, text.at != NULL ? text.at : "", text.len);
    fetch->said += text.len;
    return weir_str(copy, text.len);
}

static void
fetch_add_field(weir_fetch_t *fetch, weir_str_t name, weir_str_t value)
{
    weir_assert(fetch->n_fields < weir_countof(fetch->fields));
    if (value.len != 0) {
        fetch->fields[fetch->n_fields++] = (weir_ask_field_t) { name, fetch_keep(fetch, value) };
    }
}

weir_fetch_t *
weir_fetch(weir_http_t *http, const weir_generation_t *generation, const weir_fetch_url_t *url,
           const weir_fetch_spec_t *spec,
           void (*done)(void *data, const weir_fetched_t *fetched), void *data)
{
    static const weir_str_t identity = WEIR_STR_INIT("identity");
    size_t          said = spec->accept.len + spec->authorization.len + spec->body.len + spec->type.len + identity.len
                           + spec->if_none_match.len;
    weir_fetch_t   *fetch = weir_mem_try(sizeof(*fetch) + said);
    weir_question_t q = {
        .http = http,
        .to = weir_upstream_running(generation, url->group),
        .codec = &weir_peer_h1,
        .conf = weir_ask_conf(),
        .method = spec->body.at != NULL ? WEIR_STR("POST") : WEIR_STR("GET"),
        .target = url->target,
        .host = url->authority,
        .may_repeat = spec->body.at == NULL || spec->may_repeat,
        .tries = FETCH_TRIES,
        .limit = spec->limit,
        .max_body = spec->max_body,
        .handler = &fetch_handler,
        .data = fetch,
    };

    if (fetch == NULL) {
        return NULL;
    }
    *fetch = (weir_fetch_t) { .done = done, .data = data, .max_age_s = UINT64_MAX, .has_memory = true,
                              .any_status = spec->any_status, .wanted = spec->wanted };
    fetch_add_field(fetch, WEIR_STR("Accept"), spec->accept);
    fetch_add_field(fetch, WEIR_STR("Accept-Encoding"), identity);
    fetch_add_field(fetch, WEIR_STR("Authorization"), spec->authorization);
    fetch_add_field(fetch, WEIR_STR("If-None-Match"), spec->if_none_match);
    if (spec->body.at != NULL) {
        fetch_add_field(fetch, WEIR_STR("Content-Type"), spec->type);
        q.body = fetch_keep(fetch, spec->body);
    }
    q.fields = fetch->fields;
    q.n_fields = fetch->n_fields;
    q.conf.connect_timeout = FETCH_CONNECT;
    q.conf.read_timeout = spec->patience.ms != 0 ? spec->patience : q.conf.read_timeout;
    if (url->is_tls) {
        q.secure = (weir_upsecure_t) { .context = url->tls.built->context, .name = url->host, .sends_name = true,
                                       .verifies = true, .resumes = true };
    }
    fetch->ask = weir_ask(&q);
    if (fetch->ask == NULL) {
        fetch_free(fetch);
        return NULL;
    }
    return fetch;
}
