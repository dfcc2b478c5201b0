/*
 * traffic_read.c - requests of a log, a line at a time in a buffer of a fixed size, and of the recorder of an instance.
 */
#include "tool/traffic.h"

#include "base/mem.h"
#include "http/message/syntax.h"
#include "shm/story.h"
#include "tool/attach.h"
#include "tool/explain.h"
#include "tool/log_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READ_FORMATS_MAX 64
#define READ_GIVEN_MAX   64                  /* lists of fields of lines that are addresses */
#define READ_FIELDS_MAX  100

typedef struct {
    weir_traffic_t    *traffic;
    weir_arena_t      *arena;                /* the traffic's: what is given is asked for to the end */
    weir_arena_t       line;                 /* for the line under way */
    weir_log_format_t *formats[READ_FORMATS_MAX];
    size_t             n_formats;
    weir_strs_t       *given[READ_GIVEN_MAX];
    size_t             n_given;
} read_t;

bool
weir_traffic_option(weir_traffic_source_t *source, char *const *argv, size_t *used, bool *good)
{
    const struct { const char *name; const char **to; } valued[] = {
        { "--traffic", &source->log }, { "--format", &source->format }, { "--host", &source->host },
    };

    *used = 1;
    *good = true;
    if (strcmp(argv[0], "--recorder") == 0) {
        return source->recorder = true;
    }
    for (size_t i = 0; i < weir_countof(valued); i++) {
        if (strcmp(argv[0], valued[i].name) == 0) {
            *good = argv[1] != NULL && argv[1][0] != '\0';
            *valued[i].to = argv[1];
            *used = *good ? 2 : 1;
            if (!*good) {
                fprintf(stderr, "weir: %s: \"%s\" needs a value\n", source->tool, argv[0]);
            }
            return true;
        }
    }
    return false;
}

/* -- formats -- */

static bool
read_tells_target(const weir_log_format_t *format)
{
    static const char *const names[] = { "request", "request_uri", "uri", "document_uri" };

    for (size_t i = 0; i < format->n_parts; i++) {
        for (size_t k = 0; k < weir_countof(names) && format->parts[i].is_variable; k++) {
            if (weir_str_eq(format->parts[i].text, weir_str_from_z(names[k]))) {
                return true;
            }
        }
    }
    return false;
}

/* wanted: the one that must be good; NULL: what cannot be read back is left out. */
static bool
read_add_format(read_t *r, weir_str_t name, weir_str_t text, weir_log_line_escape_t escape, const char *wanted,
                const char *tool)
{
    weir_log_format_t *format;
    const char        *why = "it does not tell what was asked";

    if ((wanted != NULL && !weir_str_eq(name, weir_str_from_z(wanted))) || r->n_formats == READ_FORMATS_MAX) {
        return true;
    }
    format = weir_new(r->arena, weir_log_format_t);
    if (weir_log_format_make(r->arena, name, text, escape, format, &why) && read_tells_target(format)) {
        r->formats[r->n_formats++] = format;
        return true;
    }
    if (wanted != NULL) {
        fprintf(stderr, "weir: %s: lines of the log_format \"%s\" cannot be read back: %s\n", tool, wanted, why);
    }
    return wanted == NULL;
}

static bool
read_add_line(read_t *r, const weir_conf_words_t *words, const char *wanted, const char *tool)
{
    weir_log_line_escape_t escape = WEIR_LOG_LINE_DEFAULT;
    weir_str_t             text = WEIR_STR_NONE;

    for (size_t i = 2; i < words->n; i++) {
        weir_str_t word = words->at[i].text;

        if (i == 2 && weir_str_starts(word, WEIR_STR("escape="))) {
            escape = weir_str_ends(word, WEIR_STR("=json"))   ? WEIR_LOG_LINE_JSON
                     : weir_str_ends(word, WEIR_STR("=none")) ? WEIR_LOG_LINE_PLAIN : WEIR_LOG_LINE_DEFAULT;
        } else {
            text = weir_str_concat(r->arena, text, word);
        }
    }
    return words->n < 3 || read_add_format(r, words->at[1].text, text, escape, wanted, tool);
}

static bool
read_find_formats(read_t *r, const weir_conf_block_t *block, const char *wanted, const char *tool)
{
    for (const weir_conf_line_t *line = block->lines; line != NULL; line = line->next) {
        if (strcmp(line->row->name, "log_format") == 0 && !read_add_line(r, line->words, wanted, tool)) {
            return false;
        }
    }
    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        if (!read_find_formats(r, inner, wanted, tool)) {
            return false;
        }
    }
    return true;
}

/* The one that tells most first: a line of a longer format might be taken for one of a shorter. */
static int
read_order(const void *a, const void *b)
{
    size_t x = (*(weir_log_format_t *const *) a)->n_variables, y = (*(weir_log_format_t *const *) b)->n_variables;

    return x > y ? -1 : x < y;
}

static bool
read_formats(read_t *r, const weir_traffic_source_t *source, const weir_generation_t *generation)
{
    static const weir_str_t combined = WEIR_STR_INIT("$remote_addr - $remote_user [$time_local] \"$request\" $status "
                                                     "$body_bytes_sent \"$http_referer\" \"$http_user_agent\"");

    if (!read_add_format(r, WEIR_STR("combined"), combined, WEIR_LOG_LINE_DEFAULT, source->format, source->tool)
        || !read_find_formats(r, generation->root, source->format, source->tool))
    {
        return false;
    }
    if (r->n_formats == 0) {
        fprintf(stderr, "weir: %s: the old configuration has no log_format \"%s\"\n", source->tool, source->format);
        return false;
    }
    qsort(r->formats, r->n_formats, sizeof(r->formats[0]), read_order);
    return true;
}

/* -- lines -- */

static bool
read_is_absolute(weir_str_t target)
{
    return weir_str_starts_fold(target, WEIR_STR("http://")) || weir_str_starts_fold(target, WEIR_STR("https://"));
}

static bool
read_formatted(read_t *r, weir_str_t line)
{
    weir_log_line_t        told;
    weir_traffic_request_t request = { .tls = -1 };
    uint64_t               port;
    size_t                 i = 0;

    while (i < r->n_formats && !weir_log_format_read(r->formats[i], &r->line, line, &told)) {
        i++;
    }
    if (i == r->n_formats || (told.target.at[0] != '/' && !weir_str_eq(told.target, WEIR_STR("*"))
                              && !read_is_absolute(told.target)))
    {
        return false;
    }
    request.method = told.method;
    request.target = told.target;
    request.host = told.host;
    request.is_http2 = told.is_http2;
    request.tls = told.scheme.len == 0 ? -1 : weir_str_eq(told.scheme, WEIR_STR("https"));
    request.port = weir_str_to_u64(told.port, &port) && port <= UINT16_MAX ? (uint16_t) port : 0;
    request.has_client = told.client.len != 0 && weir_addr_from_ip(&request.client, told.client, 0);
    if (!request.has_client) {
        request.has_client = false;
        (void) !weir_addr_from_ip(&request.client, WEIR_STR("192.0.2.1"), 0);
    }
    request.fields = told.fields;
    request.n_fields = told.n_fields;
    request.given = r->formats[i]->given;
    weir_traffic_take(r->traffic, &request);
    return true;
}

/* The variables of these fields, as one list for all lines that have the same; of too many: none is known. */
static weir_strs_t
read_given(read_t *r, const weir_str_t *fields, size_t n)
{
    weir_strs_t *given;
    weir_strs_t  here = { .at = weir_new_n(&r->line, weir_str_t, n + 1) };

    for (size_t i = 0; i < n; i++) {
        weir_str_t name, value;
        char      *text;

        (void) weir_str_cut(fields[i], ':', &name, &value);
        text = weir_alloc_bytes(&r->line, name.len + 5);
        memcpy(text, "http_", 5);
        for (size_t k = 0; k < name.len; k++) {
            text[5 + k] = name.at[k] == '-' ? '_' : weir_char_lower(name.at[k]);
        }
        here.at[here.n++] = weir_str(text, name.len + 5);
    }
    for (size_t i = 0; i < r->n_given; i++) {
        size_t k = 0;

        while (k < n && r->given[i]->n == n && weir_str_eq(r->given[i]->at[k], here.at[k])) {
            k++;
        }
        if (k == n && r->given[i]->n == n) {
            return *r->given[i];
        }
    }
    if (r->n_given == READ_GIVEN_MAX) {
        return (weir_strs_t) { NULL, 0 };
    }
    given = r->given[r->n_given++] = weir_new(r->arena, weir_strs_t);
    given->at = weir_new_n(r->arena, weir_str_t, n + 1);
    for (; given->n < n; given->n++) {
        given->at[given->n] = weir_str_dup(r->arena, here.at[given->n]);
    }
    return *given;
}

static bool
read_has_controls(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char) text.at[i] < 0x20 || text.at[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

/* As `weir explain -` reads them. */
static bool
read_address(read_t *r, weir_str_t line)
{
    weir_traffic_request_t request = { .tls = -1 };
    weir_explain_url_t     url;
    weir_str_t             fields[READ_FIELDS_MAX], text, rest, field, name, value, word;
    const char            *what;

    (void) weir_str_cut(line, '\t', &text, &rest);
    if (!weir_explain_read_request(text, &url, &what, &word) || !weir_syntax_is_token(url.method)) {
        return false;
    }
    while (rest.len != 0) {
        (void) weir_str_cut(rest, '\t', &field, &rest);
        if (request.n_fields == READ_FIELDS_MAX || !weir_str_cut(field, ':', &name, &value)
            || !weir_syntax_is_token(name) || read_has_controls(value))
        {
            return false;
        }
        fields[request.n_fields++] = field;
    }
    request.url = &url;
    request.method = url.method;
    request.target = url.target.len != 0 && url.target.at[0] == '/' ? url.target
                     : weir_str_printf(&r->line, "/%.*s", WEIR_STR_ARG(url.target));
    request.host = url.authority;
    request.fields = fields;
    request.given = read_given(r, fields, request.n_fields);
    request.shown = text;
    (void) !weir_addr_from_ip(&request.client, WEIR_STR("192.0.2.1"), 0);
    weir_traffic_take(r->traffic, &request);
    return true;
}

static void
read_line(read_t *r, weir_str_t line)
{
    while (line.len != 0 && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    if (line.len != 0) {
        if (!read_formatted(r, line) && !read_address(r, line)) {
            weir_traffic_skip(r->traffic, line);
        }
        weir_arena_reset(&r->line);
    }
}

/* Each line of it; one that does not fit into the room is passed over to its end. */
static bool
read_lines(read_t *r, FILE *from)
{
    char  *room = weir_mem_need(WEIR_TRAFFIC_LINE_MAX);
    size_t n = 0, got;
    bool   is_long = false;

    while ((got = fread(room + n, 1, WEIR_TRAFFIC_LINE_MAX - n, from)) != 0) {
        char *at = room, *end;

        n += got;
        while ((end = memchr(at, '\n', (size_t) (room + n - at))) != NULL) {
            if (is_long) {
                is_long = false;
                weir_traffic_skip_long(r->traffic);
            } else {
                read_line(r, weir_str(at, (size_t) (end - at)));
            }
            at = end + 1;
        }
        n = (size_t) (room + n - at);
        memmove(room, at, n);
        if (n == WEIR_TRAFFIC_LINE_MAX) {
            is_long = true;
            n = 0;
        }
    }
    if (is_long) {
        weir_traffic_skip_long(r->traffic);
    } else {
        read_line(r, weir_str(room, n));
    }
    weir_mem_free(room);
    return ferror(from) == 0;
}

static bool
read_file(read_t *r, const weir_traffic_source_t *source)
{
    bool  is_stdin = strcmp(source->log, "-") == 0, good;
    FILE *from = is_stdin ? stdin : fopen(source->log, "re");

    if (from == NULL) {
        fprintf(stderr, "weir: %s: open() \"%s\" failed (%d: %s)\n", source->tool, source->log, errno, strerror(errno));
        return false;
    }
    good = read_lines(r, from);
    if (!good) {
        fprintf(stderr, "weir: %s: read() \"%s\" failed (%d: %s)\n", source->tool, source->log, errno,
                strerror(errno));
    }
    if (!is_stdin) {
        (void) fclose(from);
    }
    return good;
}

bool
weir_traffic_read_log(weir_traffic_t *traffic, const weir_traffic_source_t *source, const weir_generation_t *formats)
{
    const weir_traffic_sums_t *sums = weir_traffic_sums(traffic);
    read_t                    *r = weir_mem_need(sizeof(*r));
    bool                       good;

    memset(r, 0, sizeof(*r));
    r->traffic = traffic;
    r->arena = weir_traffic_arena(traffic);
    weir_arena_init(&r->line, 65536);
    good = read_formats(r, source, formats) && read_file(r, source);
    if (good && sums->lines != 0 && sums->judged == 0) {
        fprintf(stderr, "weir: %s: none of the %llu lines of \"%s\" is a request in combined, in a log_format of the "
                "old configuration, or as METHOD URL; the first: ", source->tool, (unsigned long long) sums->lines,
                source->log);
        weir_traffic_show(stderr, weir_str_from_z(sums->samples[0]));
        (void) fputc('\n', stderr);
        good = false;
    }
    weir_arena_fini(&r->line);
    weir_mem_free(r);
    return good;
}

/* -- the recorder -- */

typedef struct { weir_traffic_t *traffic; bool any; } read_recorder_t;

static void
read_story(weir_traffic_t *traffic, const weir_story_t *story)
{
    weir_traffic_request_t request = { .tls = story->is_tls != 0 };
    weir_str_t             client = weir_story_text(story, WEIR_STORY_CLIENT);

    request.method = weir_story_text(story, WEIR_STORY_METHOD);
    request.target = weir_story_text(story, WEIR_STORY_TARGET);
    request.host = weir_story_text(story, WEIR_STORY_HOST);
    request.place = weir_story_text(story, WEIR_STORY_LOCATION);
    request.has_place = request.place.len != 0;
    request.is_http2 = story->version == 20;
    request.is_cut = weir_story_is_cut(story, WEIR_STORY_TARGET) || weir_story_is_cut(story, WEIR_STORY_HOST)
                     || weir_story_is_cut(story, WEIR_STORY_METHOD);
    if (!weir_syntax_is_token(request.method) || request.target.len == 0 || read_has_controls(request.target)
        || memchr(request.target.at, ' ', request.target.len) != NULL || read_has_controls(request.host))
    {
        weir_traffic_skip(traffic, request.target);
        return;
    }
    request.has_client = weir_addr_from_ip(&request.client, client, 0);
    if (!request.has_client) {
        (void) !weir_addr_from_ip(&request.client, WEIR_STR("192.0.2.1"), 0);
    }
    weir_traffic_take(traffic, &request);
}

static void
read_zone(void *data, const weir_zone_head_t *head, const weir_zone_kind_t *kind, const void *memory)
{
    read_recorder_t *r = data;
    weir_story_t     story;

    if (kind != &weir_stories_zone) {
        return;
    }
    r->any = true;
    for (uint32_t slot = 0; slot < weir_stories_slots(memory, head->size); slot++) {
        uint64_t last = weir_stories_last(memory, slot), kept = weir_stories_kept(memory);

        for (uint64_t number = last; number != 0 && number + kept > last; number--) {
            if (weir_stories_read(memory, slot, number, &story)) {
                read_story(r->traffic, &story);
            }
        }
    }
}

bool
weir_traffic_read_recorder(weir_traffic_t *traffic, pid_t pid, const char *tool)
{
    read_recorder_t r = { .traffic = traffic };
    weir_error_t    error = { .text = "" };

    if (!weir_attach_zones(pid, read_zone, &r, &error)) {
        fprintf(stderr, "weir: %s: %s\n", tool, error.text);
        return false;
    }
    if (!r.any) {
        fprintf(stderr, "weir: %s: process %d records nothing (recorder_requests 0)\n", tool, (int) pid);
    }
    return true;
}
