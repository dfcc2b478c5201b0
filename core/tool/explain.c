/*
 * explain.c - see explain.h: the arguments, the requests, and the listener that each comes to.
 *
 *     weir explain 'GET https://host/path?x=1' -H 'Name: value' …
 *     weir explain -                     one request a line of standard input; fields behind it, each after a tab
 */
#include "tool/explain.h"

#include "base/mem.h"
#include "http/http.h"
#include "log/log.h"
#include "proc/master/load.h"
#include "serve/listen.h"
#include "tool/explain_facts.h"
#include "tool/live.h"
#include "tool/traffic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPLAIN_CLIENT     "192.0.2.1"       /* for documentation (RFC 5737) */
#define EXPLAIN_FIELDS_MAX 100
#define EXPLAIN_LINE_MAX   (1024 * 1024)     /* of standard input */

typedef struct {
    const char *request, *file;
    weir_str_t  fields[EXPLAIN_FIELDS_MAX];
    size_t      n_fields;
    weir_addr_t client;
    bool        has_ip, json, live, http2;
} explain_args_t;

typedef struct {
    const explain_args_t *args;
    weir_generation_t    *generation;
    weir_probe_t         *probe;
    weir_explain_knows_t  knows;
    int                   code;
} explain_t;

/* -- arguments -- */

static bool
explain_misuse(const char *what, weir_str_t word, const char *expected)
{
    fprintf(stderr, "weir: explain: %s \"", what);
    weir_traffic_show(stderr, weir_str(word.at, weir_min(word.len, 200)));       /* any client may have made a line */
    fprintf(stderr, "\": expected %s\n", expected);
    return false;
}

static bool
explain_has_controls(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char) text.at[i] < 0x20 && text.at[i] != '\t') {
            return true;
        }
    }
    return false;
}

static bool
explain_add_field(weir_str_t fields[EXPLAIN_FIELDS_MAX], size_t *n, weir_str_t field)
{
    weir_str_t name, value;

    if (!weir_str_cut(field, ':', &name, &value) || name.len == 0 || explain_has_controls(field)) {
        return explain_misuse("invalid field", field, "\"Name: value\"");
    }
    if (*n == EXPLAIN_FIELDS_MAX) {
        fprintf(stderr, "weir: explain: more than %d fields\n", EXPLAIN_FIELDS_MAX);
        return false;
    }
    fields[(*n)++] = field;
    return true;
}

static bool
explain_take_value(explain_args_t *args, const char *option, const char *value)
{
    if (value == NULL) {
        fprintf(stderr, "weir: explain: \"%s\" needs a value\n", option);
        return false;
    }
    if (strcmp(option, "-c") == 0) {
        args->file = value;
        return true;
    }
    if (strcmp(option, "-H") == 0) {
        return explain_add_field(args->fields, &args->n_fields, weir_str_from_z(value));
    }
    args->has_ip = true;
    return weir_addr_from_ip(&args->client, weir_str_from_z(value), 0)
        || explain_misuse("invalid address", weir_str_from_z(value), "the client's IPv4 or IPv6 address");
}

static bool
explain_read_args(explain_args_t *args, char *const *argv)
{
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "-c") == 0 || strcmp(*argv, "-H") == 0 || strcmp(*argv, "--ip") == 0) {
            if (!explain_take_value(args, argv[0], argv[1])) {
                return false;
            }
            argv++;
        } else if (strcmp(*argv, "--json") == 0) {
            args->json = true;
        } else if (strcmp(*argv, "--live") == 0) {
            args->live = true;
        } else if (strcmp(*argv, "--http2") == 0) {
            args->http2 = true;
        } else if ((*argv)[0] == '-' && (*argv)[1] != '\0') {
            return explain_misuse("unknown option", weir_str_from_z(*argv), "-c, -H, --ip, --http2, --json or --live");
        } else if (args->request != NULL) {
            return explain_misuse("a second request", weir_str_from_z(*argv),
                                  "one, or \"-\" for those of standard input");
        } else {
            args->request = *argv;
        }
    }
    if (args->request == NULL) {
        fprintf(stderr, "weir: explain: there is no request: expected 'GET https://host/path', or \"-\" for those of "
                        "standard input\n");
    }
    return args->request != NULL;
}

/* -- a request -- */


static bool
explain_split_url(weir_str_t url, weir_explain_url_t *to)
{
    size_t n = 0;

    if (weir_str_starts(url, WEIR_STR("https://"))) {
        to->is_tls = true;
        url = weir_str_skip(url, 8);
    } else if (weir_str_starts(url, WEIR_STR("http://"))) {
        url = weir_str_skip(url, 7);
    } else {
        return false;
    }
    while (n < url.len && url.at[n] != '/' && url.at[n] != '?') {
        n++;
    }
    to->authority = weir_str(url.at, n);
    to->target = weir_str_skip(url, n);
    return n != 0;
}

/* METHOD URL [HTTP/1.1]; a URL alone is a GET. */
bool
weir_explain_read_request(weir_str_t text, weir_explain_url_t *to, const char **what, weir_str_t *word)
{
    weir_str_t  first, rest, url, version = WEIR_STR_NONE;
    const char *why;

    *to = (weir_explain_url_t) { .method = WEIR_STR("GET") };
    text = weir_str_trim(text);
    url = text;
    if (weir_str_cut(text, ' ', &first, &rest)) {
        to->method = first;
        if (!weir_str_cut(weir_str_trim(rest), ' ', &url, &version)) {
            url = weir_str_trim(rest);
        }
    }
    version = weir_str_trim(version);
    *what = "invalid request";
    *word = text;
    if (explain_has_controls(text) || to->method.len == 0 || !explain_split_url(url, to)
        || (version.len != 0 && !weir_str_eq(version, WEIR_STR("HTTP/1.1"))))
    {
        return false;
    }
    *what = "invalid host";
    *word = to->authority;
    if (!weir_addr_parse_hostport(&to->hp, to->authority, &why) || to->hp.is_unix || to->hp.is_wildcard) {
        return false;
    }
    to->port = to->hp.has_port ? to->hp.port : to->is_tls ? 443 : 80;
    return true;
}

weir_str_t
weir_explain_head(weir_arena_t *arena, weir_str_t method, weir_str_t target, weir_str_t host,
                  const weir_str_t *fields, size_t n)
{
    size_t     size = method.len + target.len + host.len + 64;
    bool       has_host = false;
    weir_buf_t out;

    for (size_t i = 0; i < n; i++) {
        size += fields[i].len + 2;
        has_host = has_host || (fields[i].len > 4 && weir_str_eq_fold(weir_str(fields[i].at, 5), WEIR_STR("host:")));
    }
    weir_buf_init(&out, weir_alloc_bytes(arena, size), size);
    weir_buf_add_str(&out, method);
    weir_buf_add_char(&out, ' ');
    weir_buf_add_str(&out, target);
    weir_buf_add_lit(&out, " HTTP/1.1\r\n");
    if (!has_host) {
        weir_buf_add_lit(&out, "Host: ");
        weir_buf_add_str(&out, host);
        weir_buf_add_lit(&out, "\r\n");
    }
    for (size_t i = 0; i < n; i++) {
        weir_buf_add_str(&out, fields[i]);
        weir_buf_add_lit(&out, "\r\n");
    }
    weir_buf_add_lit(&out, "\r\n");
    weir_assert(!out.full);
    return weir_buf_str(&out);
}

/* The target as a client of HTTP/1.1 sends it. */
static weir_str_t
explain_target(weir_arena_t *arena, weir_str_t target)
{
    return target.len != 0 && target.at[0] == '/' ? target
           : weir_str_printf(arena, "/%.*s", WEIR_STR_ARG(target));
}

/* A field that HTTP/2 has not (RFC 9113 §8.2.2); NULL: all may be. */
static const char *
explain_http2_problem(const weir_str_t *fields, size_t n)
{
    static const char *const none[] = { "connection", "proxy-connection", "keep-alive", "transfer-encoding",
                                        "upgrade" };
    weir_str_t               name, value;

    for (size_t i = 0; i < n; i++) {
        (void) weir_str_cut(fields[i], ':', &name, &value);
        for (size_t k = 0; k < weir_countof(none); k++) {
            if (weir_str_eq_fold(name, weir_str_from_z(none[k]))) {
                return "a field of the connection in a request of HTTP/2";
            }
        }
        if (weir_str_eq_fold(name, WEIR_STR("te")) && !weir_str_eq(weir_str_trim(value), WEIR_STR("trailers"))) {
            return "TE of a request of HTTP/2 is trailers, or is not there";
        }
    }
    return NULL;
}

/* -- the listener -- */

/* How well the listener's address suits; 0: it is of another port or area. */
static unsigned
explain_suits(const weir_listen_t *listen, const weir_explain_url_t *url, const weir_addr_t *host)
{
    unsigned suits;

    if (listen->area != &weir_http_area || weir_addr_is_unix(&listen->addr)
        || weir_addr_port(&listen->addr) != url->port)
    {
        return 0;
    }
    suits = host != NULL && weir_addr_eq(&listen->addr, host)   ? 6
          : weir_addr_is_wildcard(&listen->addr)
                && listen->addr.any.sa_family == (host != NULL ? host->any.sa_family : AF_INET) ? 4
          : weir_addr_is_wildcard(&listen->addr)                ? 2
                                                                : 1;
    return suits * 2 + (listen->is_ssl == url->is_tls);
}

const weir_http_listen_t *
weir_explain_find_listener(const weir_generation_t *generation, const weir_explain_url_t *url, size_t *n)
{
    weir_listens_t listens = weir_listens_of(generation);
    const weir_listen_t *best = NULL;
    weir_addr_t addr;
    const weir_addr_t *host = weir_addr_from_ip(&addr, url->hp.host, url->port) ? &addr : NULL;

    *n = 0;
    for (size_t i = 0; i < listens.n; i++) {
        unsigned suits = explain_suits(listens.at[i], url, host);

        *n += suits != 0;
        if (suits != 0 && (best == NULL || suits > explain_suits(best, url, host))) {
            best = listens.at[i];
        }
    }
    if (best != NULL && host != NULL && weir_addr_eq(&best->addr, host)) {
        *n = 1;
    }
    return best != NULL ? weir_container_of(best, weir_http_listen_t, base) : NULL;
}

/* -- one after another -- */

static void
explain_tell(const explain_t *e, json_t *facts)
{
    if (facts == NULL) {
        return;
    }
    if (e->args->json) {
        weir_explain_dump(facts);
    } else {
        weir_explain_print(facts);
    }
    json_decref(facts);
}

static bool
explain_decides(void *data, const weir_probe_answer_t *answer, const weir_http_location_t *place, size_t module)
{
    const explain_t *e = data;

    return weir_explain_decides(e->generation, &e->knows, answer, place, module);
}

static bool
explain_policy_stops(const weir_probe_answer_t *answer)
{
    bool stops = answer->arrived && answer->cause == WEIR_CAUSE_ACCESS_DEFAULT;

    for (const weir_probe_judgement_t *j = answer->judgements; j != NULL; j = j->next) {
        stops = stops || (answer->status != 0 && j->verdict == WEIR_PROBE_REFUSED);
    }
    return stops;
}

/* NULL: it is no request, which was said. */
static json_t *
explain_one(explain_t *e, weir_str_t text, const weir_str_t *fields, size_t n_fields)
{
    weir_probe_answer_t  answer = { .status = 0 };
    weir_probe_request_t request = { .client = e->args->client, .is_http2 = e->args->http2,
                                     .decides = explain_decides, .data = e };
    weir_explain_case_t  c = { .generation = e->generation, .shown = text, .knows = &e->knows,
                               .probe = e->probe, .request = &request, .answer = &answer };
    weir_explain_url_t        url;
    weir_arena_t         arena;
    json_t              *facts;
    const char          *what;
    weir_str_t           word;
    int                  code;

    if (!weir_explain_read_request(text, &url, &what, &word)) {
        (void) explain_misuse(what, word, strcmp(what, "invalid host") == 0
                                              ? "a name or an address, and a port or none"
                                              : "a method and an address, as in 'GET https://host/path?x=1'");
        e->code = WEIR_EXPLAIN_MISUSE;
        return NULL;
    }
    weir_arena_init(&arena, 4096);
    c.listen = request.listen = weir_explain_find_listener(e->generation, &url, &c.n_listens);
    request.is_tls = url.is_tls;
    if (c.listen == NULL) {
        c.problem = "no server listens at this port";
    } else if (url.is_tls && !c.listen->base.is_ssl) {
        c.listen = NULL;
        c.problem = "the server at this port does not speak TLS";
    } else if (e->args->http2 && !url.is_tls && !c.listen->is_http2
               && !c.listen->default_server->core->http2.on) {
        c.problem = "the server at this port does not speak HTTP/2 without TLS";
    } else if (!e->args->http2 || (c.problem = explain_http2_problem(fields, n_fields)) == NULL) {
        request.text = weir_explain_head(&arena, url.method, explain_target(&arena, url.target), url.authority, fields,
                                         n_fields);
        weir_probe_ask(e->probe, &request, &answer, &c.problem);
    }
    facts = weir_explain_facts(&c, &code);
    if (c.listen != NULL && c.problem == NULL && explain_policy_stops(&answer)) {
        request.decides = NULL;                  /* once more, without policies: what is behind them */
        weir_probe_ask(e->probe, &request, &answer, &c.problem);
        weir_explain_behind(&c, facts);
    }
    e->code = code > e->code ? code : e->code;
    weir_arena_fini(&arena);
    return facts;
}

/* A line of standard input; NULL as above. */
static json_t *
explain_line(explain_t *e, weir_str_t line)
{
    weir_str_t fields[EXPLAIN_FIELDS_MAX], text, rest, field;
    size_t     n = e->args->n_fields;

    memcpy(fields, e->args->fields, sizeof(fields));
    (void) weir_str_cut(line, '\t', &text, &rest);
    while (rest.len != 0) {
        (void) weir_str_cut(rest, '\t', &field, &rest);
        if (!explain_add_field(fields, &n, field)) {
            e->code = WEIR_EXPLAIN_MISUSE;
            return NULL;
        }
    }
    return explain_one(e, text, fields, n);
}

/* One line without its end, of which so much as fits into the room is kept; *len: of all of it.  false: there is
 * none. */
static bool
explain_next_line(FILE *from, char *room, size_t size, size_t *len)
{
    int c = getc_unlocked(from);

    *len = 0;
    if (c == EOF) {
        return false;
    }
    for (; c != EOF && c != '\n'; c = getc_unlocked(from)) {
        if (*len < size) {
            room[*len] = (char) c;
        }
        (*len)++;
    }
    while (*len != 0 && *len <= size && room[*len - 1] == '\r') {
        (*len)--;
    }
    return true;
}

static void
explain_lines(explain_t *e)
{
    char  *room = weir_mem_need(EXPLAIN_LINE_MAX);
    size_t len;

    while (explain_next_line(stdin, room, EXPLAIN_LINE_MAX, &len)) {
        if (len > EXPLAIN_LINE_MAX) {
            fprintf(stderr, "weir: explain: a line of more than %d bytes\n", EXPLAIN_LINE_MAX);
            e->code = WEIR_EXPLAIN_MISUSE;
        } else if (len != 0) {
            explain_tell(e, explain_line(e, weir_str(room, len)));
        }
    }
    weir_mem_free(room);
}

/* -- the configuration -- */

static weir_generation_t *
explain_load(const weir_conf_source_t *before, const explain_args_t *args, weir_arena_t *arena)
{
    weir_conf_source_t source = *before;
    weir_error_t       error = { .text = "" };

    source.keeps_lines = true;
    if (args->file != NULL) {
        source.file = args->file[0] == '/' ? weir_str_from_z(args->file)
                                           : weir_str_printf(arena, "%.*s%s", WEIR_STR_ARG(source.prefix), args->file);
    }
    return args->live ? weir_live_load(&source, NULL) : weir_load(&source, 1, NULL, &error);
}

int
weir_tool_explain(const weir_conf_source_t *source, char *const *argv)
{
    static explain_args_t  args;
    /* what a request would be logged for is no fault of the caller */
    static weir_log_sink_t nowhere = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_EMERG, .fd = -1 };
    explain_t             e = { .args = &args };
    weir_arena_t          arena;

    if (!weir_addr_from_ip(&args.client, WEIR_STR(EXPLAIN_CLIENT), 0) || !explain_read_args(&args, argv)) {
        return WEIR_EXPLAIN_MISUSE;
    }
    weir_arena_init(&arena, 4096);
    e.generation = explain_load(source, &args, &arena);
    weir_arena_fini(&arena);
    if (e.generation == NULL) {
        return WEIR_EXPLAIN_FAILED;
    }
    weir_log_use(&nowhere);
    e.knows = (weir_explain_knows_t) { .has_ip = args.has_ip, .has_fields = true };
    weir_explain_find_made(e.generation, &e.knows);
    e.probe = weir_probe_create(e.generation);
    if (e.probe == NULL) {
        fprintf(stderr, "weir: explain: an event loop cannot be made (%d: %s)\n", errno, strerror(errno));
        weir_generation_unref(e.generation);
        return WEIR_EXPLAIN_FAILED;
    }
    if (strcmp(args.request, "-") == 0) {
        explain_lines(&e);
    } else {
        explain_tell(&e, explain_one(&e, weir_str_from_z(args.request), args.fields, args.n_fields));
    }
    weir_log_use(NULL);
    weir_probe_destroy(e.probe);
    weir_generation_unref(e.generation);
    return e.code;
}
