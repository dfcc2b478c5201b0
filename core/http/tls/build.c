/*
 * build.c - a TLS context for each server that is reached at a listener with `ssl`: its files read, its settings
 * gathered.
 *
 * Load time only (the master, a worker's build thread); what is made is given back with the generation.
 */
#include "http/tls/upstream.h"

#include "base/array.h"
#include "base/mem.h"
#include "http/route/blocks.h"
#include "http/http.h"
#include "os/clock.h"
#include "shm/zone.h"
#include "tls/ocsp.h"
#include "tls/session.h"

typedef struct {
    weir_conf_t        *cf;
    weir_http_server_t *server;
    weir_http_tls_t    *tls;
    const weir_http_tls_conf_t *conf;
    const char         *prefix;             /* of the directives' names */
    weir_tls_settings_t settings;
} build_t;

/* -- files -- */

static bool
build_read(build_t *b, const weir_http_tls_file_t *file, weir_tls_file_t *out)
{
    if (file->path.len == 0) {
        return true;
    }
    b->cf->words = file->words;
    out->name = file->path;
    return weir_conf_file(b->cf, 1, file->path, &out->bytes);
}

/* A file's name, or "data:" and PEM. */
static bool
build_read_name(build_t *b, const weir_http_tls_name_t *name, weir_tls_file_t *out)
{
    weir_str_t text = name->name->parts[0].literal;

    if (weir_str_starts(text, WEIR_STR("data:"))) {
        *out = (weir_tls_file_t) { WEIR_STR("data:"), weir_str_skip(text, sizeof("data:") - 1) };
        return true;
    }
    return build_read(b, &(weir_http_tls_file_t) { text, name->words }, out);
}

static bool
build_pairs(build_t *b)
{
    const weir_http_tls_conf_t *conf = b->conf;
    const weir_http_tls_names_t *certificates = &conf->certificates, *keys = &conf->keys;

    for (size_t i = 0; i < certificates->n; i++) {
        if (i >= keys->n) {
            return weir_conf_error_at(b->cf, certificates->at[i].words,
                                      "no \"%sssl_certificate_key\" is defined for certificate \"%.*s\"", b->prefix,
                                      WEIR_STR_ARG(certificates->at[i].name->source));
        }
        b->tls->is_dynamic |= !certificates->at[i].name->is_constant || !keys->at[i].name->is_constant;
    }
    weir_assert(b->settings.pairs == NULL && b->settings.n_pairs == 0);
    b->settings.is_base = b->tls->is_dynamic;
    if (b->tls->is_dynamic || b->tls->rejects) {
        return true;                        /* each hello tells which */
    }
    b->settings.pairs = weir_new_n(b->cf->arena, weir_tls_pair_t, certificates->n + 1);
    b->settings.n_pairs = certificates->n;
    for (size_t i = 0; i < certificates->n; i++) {
        weir_tls_pair_t *pair = &b->settings.pairs[i];
        if (!build_read_name(b, &certificates->at[i], &pair->certificate)
            || !build_read_name(b, &keys->at[i], &pair->key))
        {
            return false;
        }
    }
    return true;
}

static bool
build_passwords(build_t *b)
{
    weir_tls_file_t file = { .name = WEIR_STR_NONE };
    weir_str_t line, rest;
    size_t n = 1;

    if (!build_read(b, &b->conf->password_file, &file)) {
        return false;
    }
    for (size_t i = 0; i < file.bytes.len; i++) {
        n += file.bytes.at[i] == '\n';
    }
    b->settings.passwords.at = weir_new_n(b->cf->arena, weir_str_t, n);
    for (rest = file.bytes; rest.len != 0;) {
        (void) weir_str_cut(rest, '\n', &line, &rest);
        if (line.len != 0 && line.at[line.len - 1] == '\r') {
            line.len--;
        }
        if (line.len != 0) {
            b->settings.passwords.at[b->settings.passwords.n++] = line;
        }
    }
    return true;
}

static bool
build_ticket_keys(build_t *b)
{
    const weir_http_tls_files_t *files = &b->conf->ticket_keys;
    weir_tls_files_t *keys = &b->settings.ticket_keys;

    keys->at = weir_new_n(b->cf->arena, weir_tls_file_t, files->n + 1);
    for (; keys->n < files->n; keys->n++) {
        if (!build_read(b, &files->at[keys->n], &keys->at[keys->n])) {
            return false;
        }
    }
    return true;
}

/* -- shared memory -- */

static void
build_give_back_zone(void *data)
{
    weir_zone_give_back(data);
}

static void
build_describe_cache(const void *memory, uint64_t size, weir_buf_t *out)
{
    uint64_t held, room;

    if (weir_tls_cache_count(memory, (size_t) size, weir_clock_wall_ms() / 1000, &held, &room)) {
        weir_buf_printf(out, "held=%llu room=%llu", (unsigned long long) held, (unsigned long long) room);
    }
}

static const weir_zone_kind_t build_kind_sessions = { .name = "tls-sessions",
                                                      .layout = 1,
                                                      .describe = build_describe_cache };
static const weir_zone_kind_t build_kind_ocsp = {
    .name = "tls-ocsp", .layout = 2, .fold = weir_entries_fold, .describe = weir_entries_describe,
};

const weir_zone_kind_t *const weir_http_tls_zone_kinds[] = { &build_kind_sessions, &build_kind_ocsp, NULL };

/* NULL: the error is told. */
static weir_zone_t *
build_zone(build_t *b, const weir_http_tls_zone_t *zone, const weir_zone_kind_t *kind, uint64_t size)
{
    weir_zone_id_t id = { .kind = kind, .name = zone->name, .size = size };
    weir_error_t error = { .text = "" };
    weir_zone_t *made = weir_zone_take(&id, &error);

    if (made == NULL) {
        (void) weir_conf_error_at(b->cf, zone->words, "%s", error.text);
    } else {
        weir_arena_on_cleanup(b->cf->arena, build_give_back_zone, made);
    }
    return made;
}

static bool
build_zone_is_another(build_t *b, const weir_http_tls_zone_t *zone)
{
    return weir_conf_error_at(b->cf, zone->words, "the shared memory \"%.*s\" holds something else",
                              WEIR_STR_ARG(zone->name));
}

static bool
build_session_cache(build_t *b)
{
    const weir_http_tls_zone_t *zone = &b->conf->session_cache;
    weir_zone_t *made;

    if (zone->name.len == 0) {
        return true;
    }
    made = build_zone(b, zone, &build_kind_sessions, zone->size);
    if (made == NULL) {
        return false;
    }
    b->settings.cache = weir_tls_cache_open(weir_zone_memory(made), weir_zone_size(made));
    return b->settings.cache != NULL || build_zone_is_another(b, zone);
}

static bool
build_ocsp_cache(build_t *b)
{
    const weir_http_tls_zone_t *zone = &b->conf->ocsp_cache;
    weir_entries_t *entries;
    weir_zone_t *made;

    if (zone->name.len == 0) {
        return true;
    }
    made = build_zone(b, zone, &build_kind_ocsp, weir_entries_bytes(zone->size));
    if (made == NULL) {
        return false;
    }
    entries = weir_new_n(b->cf->arena, weir_entries_t, 1);
    b->tls->ocsp_cache = entries;
    return weir_entries_open(entries, zone->name, weir_zone_memory(made), weir_zone_size(made))
           || build_zone_is_another(b, zone);
}

/* One name, one size: as with nginx, a slip rather than an intention. */
static bool
build_zone_agrees(weir_conf_t *cf, const weir_http_tls_zone_t *zone, const weir_http_tls_zone_t *other)
{
    if (zone->name.len == 0 || !weir_str_eq(zone->name, other->name) || zone->size == other->size) {
        return true;
    }
    return weir_conf_error_at(
        cf, zone->words,
        "the size %llu of the shared memory \"%.*s\" conflicts with the size %llu that was declared before",
        (unsigned long long) zone->size, WEIR_STR_ARG(zone->name), (unsigned long long) other->size);
}

static bool
build_zones_agree(weir_conf_t *cf, const weir_http_conf_t *http)
{
    for (size_t i = 1; i < http->n_servers; i++) {
        const weir_http_tls_conf_t *conf = http->servers[i]->conf[weir_http_ssl_index];
        const weir_http_tls_conf_t *before = http->servers[i - 1]->conf[weir_http_ssl_index];
        for (size_t j = 0; conf != before && j < i; j++) {
            const weir_http_tls_conf_t *other = http->servers[j]->conf[weir_http_ssl_index];
            if (!build_zone_agrees(cf, &conf->session_cache, &other->session_cache)
                || !build_zone_agrees(cf, &conf->ocsp_cache, &other->ocsp_cache))
            {
                return false;
            }
        }
    }
    return true;
}

/* -- what OCSP needs -- */

static void
build_forget_question(void *data)
{
    weir_tls_ocsp_destroy(data);
}

/* Stapling for the first certificate: an answer is about one.  As with nginx what is missing is a warning. */
static bool
build_stapling(build_t *b)
{
    const weir_http_tls_conf_t *conf = b->conf;
    const char *why = NULL;
    weir_str_t url;

    if (!conf->stapling.on || b->settings.stapled.len != 0 || b->tls->rejects) {
        return true;
    }
    if (b->tls->is_dynamic) {
        weir_conf_warn(b->cf, 0, "\"ssl_stapling\" ignored, the certificate's name has variables");
        return true;
    }
    if (b->settings.n_pairs > 1) {
        weir_conf_warn(b->cf, 0, "\"ssl_stapling\" is for the first of several certificates");
    }
    weir_assert(b->settings.n_pairs != 0 && b->tls->staple == NULL);
    b->tls->staple = weir_tls_ocsp_of_certificate(b->settings.pairs[0].certificate.bytes, b->settings.trusted.bytes,
                                                  &why);
    if (b->tls->staple == NULL) {
        weir_conf_warn(b->cf, 0, "\"ssl_stapling\" ignored, %s for certificate \"%.*s\"", why,
                       WEIR_STR_ARG(conf->certificates.at[0].name->source));
        return true;
    }
    weir_arena_on_cleanup(b->cf->arena, build_forget_question, b->tls->staple);
    b->tls->staple_from = conf->stapling_responder;
    url = weir_tls_ocsp_url(b->tls->staple);
    if (conf->stapling_responder.host.len == 0
        && (url.len == 0 || !weir_http_tls_read_responder(b->cf, url, &b->tls->staple_from, &why)))
    {
        weir_conf_warn(b->cf, 0, "\"ssl_stapling\" ignored, %s for certificate \"%.*s\"",
                       url.len == 0 ? "no OCSP responder URL" : why,
                       WEIR_STR_ARG(conf->certificates.at[0].name->source));
        b->tls->staple = NULL;
        return true;
    }
    b->settings.staple_from = weir_str_printf(b->cf->arena, "%s %.*s",
                                              conf->stapling_verify.on ? "verified" : "as it is",
                                              WEIR_STR_ARG(b->tls->staple_from.url));
    return true;
}

static bool
build_client_ocsp(build_t *b)
{
    const weir_http_tls_conf_t *conf = b->conf;

    if (conf->ocsp == WEIR_HTTP_TLS_OCSP_OFF) {
        return true;
    }
    if (conf->verify == WEIR_TLS_VERIFY_OFF || conf->verify == WEIR_TLS_VERIFY_OPTIONAL_NO_CA) {
        return weir_conf_error_at(b->cf, &b->server->block->words,
                                  "\"ssl_ocsp\" needs \"ssl_verify_client on\" or \"ssl_verify_client optional\"");
    }
    b->settings.policy = conf->ocsp;
    b->tls->ocsp_from = conf->ocsp_responder;
    return build_ocsp_cache(b);
}

/* -- one server -- */

static bool
build_verification(build_t *b)
{
    const weir_http_tls_conf_t *conf = b->conf;
    weir_tls_settings_t *s = &b->settings;

    s->verify = (weir_tls_verify_t) conf->verify;
    s->verify_depth = conf->verify_depth;
    if ((conf->verify == WEIR_TLS_VERIFY_ON || conf->verify == WEIR_TLS_VERIFY_OPTIONAL)
        && conf->client_certificate.path.len == 0 && conf->trusted_certificate.path.len == 0)
    {
        return weir_conf_error_at(b->cf, &b->server->block->words,
                                  "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client");
    }
    return build_read(b, &conf->client_certificate, &s->client_ca)
        && build_read(b, &conf->trusted_certificate, &s->trusted) && build_read(b, &conf->crl, &s->crl);
}

static bool
build_sessions(build_t *b)
{
    const weir_http_tls_conf_t *conf = b->conf;
    weir_tls_settings_t *s = &b->settings;

    s->session_timeout_s = (uint32_t) weir_min(conf->session_timeout.ms / 1000, UINT32_MAX / 2);
    s->tickets = conf->session_tickets.on;
    s->early_data = conf->early_data.on;
    if (conf->session_cache.name.len != 0) {
        s->cache_name = weir_str_printf(b->cf->arena, "%.*s:%llu", WEIR_STR_ARG(conf->session_cache.name),
                                        (unsigned long long) conf->session_cache.size);
    }
    return build_ticket_keys(b) && build_session_cache(b);
}

static void
build_wishes(build_t *b)
{
    const weir_http_tls_conf_t *conf = b->conf;
    weir_tls_settings_t *s = &b->settings;

    s->is_server = true;
    s->protocols = conf->protocols;
    s->ciphers = conf->ciphers;
    s->curves = conf->curves;
    s->prefer_server_ciphers = conf->prefer_server_ciphers.on;
    s->buffer_size = (size_t) conf->buffer_size.n;
    s->n_commands = conf->commands.n;
    s->commands = weir_new_n(b->cf->arena, weir_tls_command_t, conf->commands.n + 1);
    for (size_t i = 0; i < conf->commands.n; i++) {
        s->commands[i] = (weir_tls_command_t) { conf->commands.at[i].name, conf->commands.at[i].value };
    }
}

static void
build_release(void *data)
{
    weir_http_tls_t *tls = data;

    weir_http_tls_unstaple(tls);
    weir_http_tls_certs_free(tls);
    weir_tls_context_unref(tls->runs->held);
    weir_tls_context_unref(tls->context);
}

static bool
build_context(build_t *b)
{
    weir_error_t error = { .text = "" };
    weir_tls_file_t stapled = { .name = WEIR_STR_NONE };

    weir_assert(b->tls->context == NULL);
    build_wishes(b);
    if (!build_pairs(b) || !build_passwords(b) || !build_verification(b) || !build_sessions(b) || !build_client_ocsp(b)
        || !build_read(b, &b->conf->dhparam, &b->settings.dhparam) || !build_read(b, &b->conf->stapling_file, &stapled))
    {
        return false;
    }
    if (b->conf->stapling.on) {
        b->settings.stapled = stapled.bytes;
    }
    b->cf->words = &b->server->block->words;
    if (!build_stapling(b)) {
        return false;
    }
    b->tls->context = weir_tls_context_create(&b->settings, &error);
    if (b->tls->context == NULL) {
        const weir_conf_words_t *words = b->conf->certificates.n != 0 ? b->conf->certificates.at[0].words
                                                                      : &b->server->block->words;
        return weir_conf_error_at(b->cf, words, "%s", error.text);
    }
    weir_arena_on_cleanup(b->cf->live, build_release, b->tls);
    return true;
}

static bool
build_server(weir_conf_t *cf, weir_http_server_t *server)
{
    const weir_http_tls_conf_t *conf = server->conf[weir_http_ssl_index];
    build_t b = { .cf = cf, .server = server, .conf = conf, .prefix = "" };
    bool built;

    if (server->tls != NULL || (conf->certificates.n == 0 && !conf->reject_handshake.on)) {
        /* without one of its own: its listener's default server answers the handshake */
        return true;
    }
    b.tls = weir_new(cf->arena, weir_http_tls_t);
    b.tls->runs = weir_new(cf->live, weir_http_tls_runs_t);
    b.tls->conf = conf;
    b.tls->rejects = conf->reject_handshake.on;
    b.tls->folder = cf->conf_dir;
    built = build_context(&b);
    cf->words = &cf->root->words;
    server->tls = b.tls;
    return built;
}

/* -- toward peers -- */

bool
weir_http_tls_build_upstream(weir_conf_t *cf, const weir_conf_words_t *words, const char *prefix,
                             weir_http_tls_upstream_conf_t *conf)
{
    weir_error_t error = { .text = "" };
    build_t b = { .cf = cf, .conf = &conf->ssl, .prefix = prefix, .tls = weir_new(cf->arena, weir_http_tls_t) };
    weir_tls_settings_t *s = &b.settings;

    b.tls->conf = &conf->ssl;
    b.tls->runs = weir_new(cf->live, weir_http_tls_runs_t);
    b.tls->folder = cf->conf_dir;
    b.tls->may_have_none = true;
    conf->ssl.prefer_server_ciphers.on = conf->ssl.early_data.on = false;
    conf->ssl.buffer_size.n = 16384;
    build_wishes(&b);
    s->is_server = false;
    s->tickets = conf->session_reuse.on;
    s->verify = conf->verify.on ? WEIR_TLS_VERIFY_ON : WEIR_TLS_VERIFY_OFF;
    s->verify_depth = conf->ssl.verify_depth;
    s->system_roots = conf->verify.on && conf->ssl.trusted_certificate.path.len == 0;
    if (!build_pairs(&b) || !build_passwords(&b) || !build_read(&b, &conf->ssl.trusted_certificate, &s->trusted)
        || !build_read(&b, &conf->ssl.crl, &s->crl))
    {
        return false;
    }
    cf->words = words;
    b.tls->context = weir_tls_context_create(s, &error);
    if (b.tls->context == NULL) {
        return weir_conf_error_at(cf, conf->ssl.certificates.n != 0 ? conf->ssl.certificates.at[0].words : words, "%s",
                                  error.text);
    }
    weir_arena_on_cleanup(cf->live, build_release, b.tls);
    conf->built = b.tls;
    return true;
}

/* -- upstreams that are reached over TLS -- */

/* NULL: no peer is reached there over TLS. */
static const weir_http_listen_t *
build_find_listen(const weir_http_conf_t *http, const weir_addr_t *addr)
{
    const weir_listen_t *listen = weir_listens_find(http->generation, addr);

    return listen != NULL && listen->is_ssl ? weir_container_of(listen, weir_http_listen_t, base) : NULL;
}

static bool
build_on_listen(weir_conf_t *cf, weir_http_server_t *server, const weir_http_listen_t *listen,
                const weir_conf_words_t *words)
{
    const weir_http_tls_conf_t *conf = server->conf[weir_http_ssl_index];
    const weir_http_tls_conf_t *of_default = listen->default_server->conf[weir_http_ssl_index];

    if (conf->certificates.n == 0 && !conf->reject_handshake.on
        && (server == listen->default_server || of_default->certificates.n == 0))
    {
        return weir_conf_error_at(cf, words, "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive");
    }
    return build_server(cf, server);
}

static bool
build_listens_of(weir_conf_t *cf, const weir_http_conf_t *http, weir_http_server_t *server)
{
    const weir_http_blocks_conf_t *blocks = weir_conf_of(server->block, weir_http_blocks_index);
    const weir_http_listen_t *listen;
    weir_addr_t standard;

    for (size_t i = 0; i < blocks->listens.n; i++) {
        listen = build_find_listen(http, &blocks->listens.at[i].addr);
        if (listen != NULL && !build_on_listen(cf, server, listen, blocks->listens.at[i].words)) {
            return false;
        }
    }
    if (blocks->listens.n == 0 && weir_addr_from_ip(&standard, WEIR_STR("0.0.0.0"), 80)) {
        listen = build_find_listen(http, &standard);
        return listen == NULL || build_on_listen(cf, server, listen, &server->block->words);
    }
    return true;
}

/* Where it asks by OCSP. */
static bool
build_responders(weir_conf_t *cf, weir_generation_t *generation, weir_http_server_t *server)
{
    cf->words = &server->block->words;
    return server->tls == NULL
           || (weir_http_tls_bind_responder(cf, generation, &server->tls->staple_from)
               && weir_http_tls_bind_responder(cf, generation, &server->tls->ocsp_from));
}

bool
weir_http_tls_build(weir_conf_t *cf, weir_generation_t *generation)
{
    const weir_http_conf_t *http = weir_http_conf_of(generation);

    for (size_t i = 0; http != NULL && i < http->n_servers; i++) {
        if (!build_listens_of(cf, http, http->servers[i]) || !build_responders(cf, generation, http->servers[i])) {
            return false;
        }
    }
    return http == NULL || build_zones_agree(cf, http);
}
