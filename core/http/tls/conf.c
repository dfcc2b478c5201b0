/*
 * conf.c - the ssl_* directives of the http part: what nginx's ngx_http_ssl_module takes, with its contexts, defaults
 * and inheritance.
 *
 * Load time only.  Names of files are kept here; build.c reads the files of the servers that speak TLS.
 */
#include "http/tls/upstream.h"
#include "conf/life.h"

#define CONF_ARGS                                                                                                      \
    weir_conf_t *cf WEIR_UNUSED, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field

#define CONF_ZONE_MIN  32768          /* bytes of a cache of sessions: nginx's eight pages */
#define CONF_BUILTIN_SESSIONS 20480   /* of a builtin cache that does not say how many, as OpenSSL's */
#define CONF_BUILTIN_MAX      1000000
#define CONF_SESSION_BYTES    256     /* what a session takes of a zone, about */
#define CONF_NAME_MAX  100            /* bytes of a zone's name */

static const weir_conf_words_t *
conf_keep_words(weir_conf_t *cf, const weir_conf_words_t *words)
{
    weir_conf_words_t *kept = weir_new(cf->arena, weir_conf_words_t);

    *kept = *words;
    return kept;
}

/* -- files -- */

static weir_http_tls_file_t
conf_file(weir_conf_t *cf, const weir_conf_words_t *words)
{
    weir_str_t name = words->at[1].text;
    weir_http_tls_file_t file = { .words = conf_keep_words(cf, words) };

    if (name.len != 0) {
        file.path = weir_conf_near_path(cf, name);
    }
    return file;
}

static bool
conf_parse_file(CONF_ARGS)
{
    *(weir_http_tls_file_t *) field = conf_file(cf, words);
    return true;
}

static bool
conf_parse_files(CONF_ARGS)
{
    if (words->at[1].text.len == 0) {
        return weir_conf_invalid(cf, 1, "a file");
    }
    *(weir_http_tls_file_t *) weir_conf_list_push(cf, field, sizeof(weir_http_tls_file_t)) = conf_file(cf, words);
    return true;
}

const weir_conf_type_t weir_http_tls_type_file = {
    .name = "file", .size = sizeof(weir_http_tls_file_t), .min_args = 1, .max_args = 1, .parse = conf_parse_file,
};

static const weir_conf_type_t conf_type_files = {
    .name = "file", .size = sizeof(weir_http_tls_files_t), .min_args = 1, .max_args = 1, .repeats = true,
    .parse = conf_parse_files, .item = sizeof(weir_http_tls_file_t),
};

/* A certificate or key: a file's name or "data:" and PEM, either with variables. */
static bool
conf_parse_name(CONF_ARGS)
{
    weir_str_t text = words->at[1].text;
    weir_http_tls_name_t name = { .words = conf_keep_words(cf, words) };
    bool is_ours = weir_str_starts(weir_str_from_z(row->name), WEIR_STR("ssl_"));

    if (text.len == 0 && !is_ours) {
        return true;                        /* toward peers: none, whatever the outer block says */
    }
    if (text.len == 0) {
        return weir_conf_invalid(cf, 1, "a file, or \"data:\" and PEM");
    }
    if (weir_str_starts(text, WEIR_STR("engine:")) || weir_str_starts(text, WEIR_STR("store:"))) {
        return weir_conf_error(
            cf, 1, "keys of engines and stores are not supported in \"%s\" directive: name a PEM file", row->name);
    }
    if (!weir_str_starts(text, WEIR_STR("data:")) && (text.at[0] != '$' || words->at[1].is_literal)) {
        text = weir_conf_near_path(cf, text);
    }
    /* a handshake's: nothing is asked yet */
    name.name = weir_conf_template_of(cf, 1, text, is_ours ? WEIR_SUBJECT(WEIR_OF_CONNECTION) : cf->subjects);
    if (name.name == NULL) {
        return false;
    }
    *(weir_http_tls_name_t *) weir_conf_list_push(cf, field, sizeof(name)) = name;
    return true;
}

const weir_conf_type_t weir_http_tls_type_names = {
    .name = "file", .size = sizeof(weir_http_tls_names_t), .min_args = 1, .max_args = 1, .repeats = true,
    .parse = conf_parse_name, .item = sizeof(weir_http_tls_name_t),
};

/* -- commands -- */

/* The commands of SSL_CONF_cmd(3) whose value is a file or a folder. */
static bool
conf_command_names_file(weir_str_t name)
{
    static const char *const names[] = {
        "Certificate",  "PrivateKey",    "ServerInfoFile", "ChainCAPath",  "ChainCAFile",  "VerifyCAPath",
        "VerifyCAFile", "RequestCAFile", "RequestCAPath",  "ClientCAFile", "ClientCAPath", "DHParameters",
    };

    for (size_t i = 0; i < weir_countof(names); i++) {
        if (weir_str_eq_fold(name, weir_str_from_z(names[i]))) {
            return true;
        }
    }
    return false;
}

static bool
conf_parse_command(CONF_ARGS)
{
    weir_http_tls_command_t command = { words->at[1].text, words->at[2].text };

    if (conf_command_names_file(command.name) && command.value.len != 0) {
        command.value = weir_conf_near_path(cf, command.value);
    }
    *(weir_http_tls_command_t *) weir_conf_list_push(cf, field, sizeof(command)) = command;
    return true;
}

const weir_conf_type_t weir_http_tls_type_commands = {
    .name = "name value", .size = sizeof(weir_http_tls_commands_t), .min_args = 2, .max_args = 2, .repeats = true,
    .parse = conf_parse_command, .item = sizeof(weir_http_tls_command_t),
};

/* -- ssl_certificate_cache off | max=N [inactive=time] [valid=time] -- */

static bool
conf_cache_option(weir_str_t word, weir_http_tls_cache_t *cache)
{
    weir_str_t name, value;

    if (!weir_str_cut(word, '=', &name, &value)) {
        return false;
    }
    if (weir_str_eq(name, WEIR_STR("max"))) {
        return weir_conf_read_u32(value, &cache->max) && cache->max != 0;
    }
    if (weir_str_eq(name, WEIR_STR("inactive"))) {
        return weir_conf_read_msec(value, &cache->inactive);
    }
    return weir_str_eq(name, WEIR_STR("valid")) && weir_conf_read_msec(value, &cache->valid);
}

static bool
conf_parse_cache(CONF_ARGS)
{
    weir_http_tls_cache_t *cache = field;

    *cache = (weir_http_tls_cache_t) { .inactive = { 10000 }, .valid = { 60000 } };
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return true;
    }
    for (size_t i = 1; i < words->n; i++) {
        if (!conf_cache_option(words->at[i].text, cache)) {
            return weir_conf_invalid(cf, i, "off, or max=number with inactive=time and valid=time");
        }
    }
    return cache->max != 0
           || weir_conf_error(cf, 1, "\"ssl_certificate_cache\" must have the \"max\" parameter");
}

const weir_conf_type_t weir_http_tls_type_cache = {
    .name = "off | max=number [inactive=time] [valid=time]", .size = sizeof(weir_http_tls_cache_t), .min_args = 1,
    .max_args = 3, .parse = conf_parse_cache,
};

/* -- ssl_session_cache off | none | shared:name:size; ssl_ocsp_cache off | shared:name:size -- */

static bool
conf_zone(weir_conf_t *cf, const weir_conf_words_t *words, size_t word, weir_http_tls_zone_t *zone)
{
    weir_str_t kind, rest, size;
    weir_bytes_t bytes;

    (void) weir_str_cut(words->at[word].text, ':', &kind, &rest);
    if (!weir_str_cut(rest, ':', &zone->name, &size) || zone->name.len == 0 || zone->name.len > CONF_NAME_MAX) {
        return weir_conf_invalid(cf, word, "shared:name:size");
    }
    if (!weir_conf_read_bytes(size, &bytes)) {
        return weir_conf_invalid(cf, word, "shared:name:size, the size such as 10m");
    }
    if (bytes.n < CONF_ZONE_MIN) {
        return weir_conf_error(cf, word, "the cache \"%.*s\" is too small: %d bytes at least", WEIR_STR_ARG(zone->name),
                               CONF_ZONE_MIN);
    }
    zone->size = bytes.n;
    zone->words = conf_keep_words(cf, words);
    return true;
}

static bool
conf_is_builtin(weir_str_t text)
{
    return weir_str_eq(text, WEIR_STR("builtin")) || weir_str_starts(text, WEIR_STR("builtin:"));
}

/* `builtin` or `builtin:sessions`: one zone, of so many sessions, for all blocks that say the same. */
static bool
conf_builtin_zone(weir_conf_t *cf, const weir_conf_words_t *words, size_t word, weir_http_tls_zone_t *zone)
{
    weir_str_t text = words->at[word].text, kind, number;
    uint32_t   sessions = CONF_BUILTIN_SESSIONS;

    if (weir_str_cut(text, ':', &kind, &number)
        && (!weir_conf_read_u32(number, &sessions) || sessions == 0 || sessions > CONF_BUILTIN_MAX))
    {
        return weir_conf_invalid(cf, word, "builtin or builtin:number of sessions");
    }
    zone->name = weir_str_dup(cf->arena, text);
    zone->size = weir_max((uint64_t) sessions * CONF_SESSION_BYTES, CONF_ZONE_MIN);
    zone->words = conf_keep_words(cf, words);
    return true;
}

static bool
conf_parse_session_cache(CONF_ARGS)
{
    weir_str_t text = words->at[1].text;
    size_t     builtin = 0, shared = 0;

    if (words->n == 2 && (weir_str_eq(text, WEIR_STR("off")) || weir_str_eq(text, WEIR_STR("none")))) {
        return true;
    }
    for (size_t i = 1; i < words->n; i++) {
        if (conf_is_builtin(words->at[i].text)) {
            weir_conf_warn(
                cf, i,
                "a \"builtin\" cache would serve one worker only: \"ssl_session_cache\" uses a cache that all workers "
                "share");
            builtin = i;
        } else if (shared == 0 && weir_str_starts(words->at[i].text, WEIR_STR("shared:"))) {
            shared = i;
        } else {
            return weir_conf_invalid(cf, i, "off, none or shared:name:size");
        }
    }
    if (shared == 0) {
        return conf_builtin_zone(cf, words, builtin, field);
    }
    return conf_zone(cf, words, shared, field);
}

static bool
conf_parse_ocsp_cache(CONF_ARGS)
{
    weir_str_t text = words->at[1].text;

    if (weir_str_eq(text, WEIR_STR("off"))) {
        return true;
    }
    return weir_str_starts(text, WEIR_STR("shared:")) ? conf_zone(cf, words, 1, field)
                                                      : weir_conf_invalid(cf, 1, "off or shared:name:size");
}

static const weir_conf_type_t conf_type_session_cache = {
    .name = "off | none | shared:name:size", .size = sizeof(weir_http_tls_zone_t), .min_args = 1, .max_args = 2,
    .parse = conf_parse_session_cache,
};

static const weir_conf_type_t conf_type_ocsp_cache = {
    .name = "off | shared:name:size", .size = sizeof(weir_http_tls_zone_t), .min_args = 1, .max_args = 1,
    .parse = conf_parse_ocsp_cache,
};

/* -- responders -- */

static bool
conf_parse_responder(CONF_ARGS)
{
    const char *why;

    return weir_http_tls_split_responder(cf->arena, words->at[1].text, field, &why)
        || weir_conf_error(cf, 1, "%s: \"%.*s\" in \"%s\" directive", why, WEIR_STR_ARG(words->at[1].text), row->name);
}

static const weir_conf_type_t conf_type_responder = {
    .name = "url",
    .size = sizeof(weir_http_tls_responder_t),
    .min_args = 1,
    .max_args = 1,
    .parse = conf_parse_responder,
};

/* -- `ssl on` -- */

static bool
conf_parse_gone(CONF_ARGS)
{
    (void) words;
    (void) field;
    return weir_conf_error(cf, 0, "the \"ssl\" directive is obsolete: use \"listen ... ssl\" instead");
}

static const weir_conf_type_t conf_type_gone = {
    .name = "on or off", .size = sizeof(weir_flag_t), .min_args = 1, .max_args = 1, .parse = conf_parse_gone,
};

/* -- the rows -- */

const weir_conf_enum_t weir_http_tls_protocols[] = {
    { "TLSv1", WEIR_TLS_V1_0 },
    { "TLSv1.1", WEIR_TLS_V1_1 },
    { "TLSv1.2", WEIR_TLS_V1_2 },
    { "TLSv1.3", WEIR_TLS_V1_3 },
    { NULL, 0 },
};

static const weir_conf_enum_t conf_verify[] = {
    { "off", WEIR_TLS_VERIFY_OFF }, { "on", WEIR_TLS_VERIFY_ON }, { "optional", WEIR_TLS_VERIFY_OPTIONAL },
    { "optional_no_ca", WEIR_TLS_VERIFY_OPTIONAL_NO_CA }, { NULL, 0 },
};

static const weir_conf_enum_t conf_ocsp[] = {
    { "off", WEIR_HTTP_TLS_OCSP_OFF },
    { "on", WEIR_HTTP_TLS_OCSP_ON },
    { "leaf", WEIR_HTTP_TLS_OCSP_LEAF },
    { NULL, 0 },
};

#define CONF_IN (WEIR_IN_HTTP | WEIR_IN_SERVER)
#define CONF(field, name, ...) WEIR_DIRECTIVE(weir_http_tls_conf_t, field, name, .where = CONF_IN, __VA_ARGS__)
#define CONF_OF(field, name, conf_type, ...) \
    WEIR_DIRECTIVE_OF(weir_http_tls_conf_t, field, name, conf_type, .where = CONF_IN, __VA_ARGS__)

static const weir_directive_t conf_directives[] = {
    /* Weir's own certificate */
    CONF_OF(certificates, "ssl_certificate", &weir_http_tls_type_names,
            .help = "Names the PEM file of a server's certificate with its chain behind it; it may stand several "
                    "times, for keys of different types."),
    CONF_OF(keys, "ssl_certificate_key", &weir_http_tls_type_names,
            .help = "Names the PEM file of the key of the ssl_certificate in the same place."),
    CONF_OF(certificate_cache, "ssl_certificate_cache", &weir_http_tls_type_cache, .dflt = "off",
            .help = "Sets how many certificates whose names have variables each worker keeps, how long after their "
                    "last use, and when their files are read anew."),
    CONF_OF(password_file, "ssl_password_file", &weir_http_tls_type_file,
            .help = "Names a file of passwords for keys, one per line, which are tried in turn."),
    CONF(reject_handshake, "ssl_reject_handshake", .dflt = "off",
         .help = "Refuses TLS handshakes for this server's names."),

    /* what is spoken */
    CONF_OF(protocols, "ssl_protocols", &weir_type_mask, .values = weir_http_tls_protocols, .dflt = "TLSv1.2 TLSv1.3",
            .args = "[TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]", .help = "Lists the versions of TLS that are spoken."),
    CONF(ciphers, "ssl_ciphers", .dflt = "HIGH:!aNULL:!MD5",
         .help = "Lists the ciphers of TLS 1.2 and before, in OpenSSL's notation."),
    CONF(prefer_server_ciphers, "ssl_prefer_server_ciphers", .dflt = "off",
         .help = "Chooses the cipher by the server's order instead of the client's."),
    CONF(curves, "ssl_ecdh_curve", .dflt = "auto",
         .help = "Lists the groups for the key exchange, with colons between them; auto leaves the choice to "
                 "OpenSSL."),
    CONF_OF(dhparam, "ssl_dhparam", &weir_http_tls_type_file,
            .help = "Names the PEM file of parameters for DHE ciphers."),
    CONF_OF(commands, "ssl_conf_command", &weir_http_tls_type_commands,
            .help = "Runs a command of OpenSSL's own configuration, such as Ciphersuites."),
    CONF(buffer_size, "ssl_buffer_size", .dflt = "16k", .min = "512", .max = "16k",
         .help = "Limits the size of a TLS record that is sent."),
    CONF(early_data, "ssl_early_data", .dflt = "off",
         .help = "Accepts early data of TLS 1.3, once over all workers and for safe methods only."),

    /* sessions */
    CONF_OF(session_cache, "ssl_session_cache", &conf_type_session_cache, .dflt = "none",
            .help = "Sets the cache of sessions, which all workers share and a reload keeps."),
    CONF(session_timeout, "ssl_session_timeout", .dflt = "5m", .min = "1s",
         .help = "Limits how long a session may be resumed."),
    CONF(session_tickets, "ssl_session_tickets", .dflt = "on", .help = "Gives sessions to clients as tickets."),
    CONF_OF(ticket_keys, "ssl_session_ticket_key", &conf_type_files,
            .help = "Names a file of 48 or 80 random bytes that encrypts tickets; the first one encrypts, all "
                    "decrypt; without any, keys rotate by themselves."),

    /* clients' certificates */
    CONF_OF(verify, "ssl_verify_client", &weir_type_enum, .values = conf_verify, .dflt = "off",
            .args = "on | off | optional | optional_no_ca", .help = "Asks clients for a certificate."),
    CONF(verify_depth, "ssl_verify_depth", .dflt = "1", .max = "100",
         .help = "Limits how many certificates may stand between a client's and the root."),
    CONF_OF(client_certificate, "ssl_client_certificate", &weir_http_tls_type_file,
            .help = "Names the PEM file of the authorities that verify clients' certificates; their names are sent "
                    "to clients."),
    CONF_OF(trusted_certificate, "ssl_trusted_certificate", &weir_http_tls_type_file,
            .help = "Names a PEM file of authorities like ssl_client_certificate, whose names are not sent; it also "
                    "verifies OCSP answers."),
    CONF_OF(crl, "ssl_crl", &weir_http_tls_type_file, .help = "Names the PEM file of lists of revoked certificates."),

    /* OCSP */
    CONF(stapling, "ssl_stapling", .dflt = "off",
         .help = "Staples OCSP answers about the server's certificate to handshakes."),
    CONF_OF(stapling_file, "ssl_stapling_file", &weir_http_tls_type_file,
            .help = "Staples what is in this file (DER) instead of asking for it."),
    CONF_OF(stapling_responder, "ssl_stapling_responder", &conf_type_responder,
            .help = "Asks this OCSP responder instead of the one that the certificate names."),
    CONF(stapling_verify, "ssl_stapling_verify", .dflt = "off",
         .help = "Verifies OCSP answers against ssl_trusted_certificate."),
    CONF_OF(ocsp, "ssl_ocsp", &weir_type_enum, .values = conf_ocsp, .dflt = "off", .args = "on | off | leaf",
            .help = "Asks an OCSP responder about clients' certificates: about the whole chain, or the client's own "
                    "alone (leaf)."),
    CONF_OF(ocsp_responder, "ssl_ocsp_responder", &conf_type_responder,
            .help = "Asks this OCSP responder about clients' certificates instead of the one that each names; host "
                    "names in certificates are not resolved."),
    CONF_OF(ocsp_cache, "ssl_ocsp_cache", &conf_type_ocsp_cache, .dflt = "off",
            .help = "Sets the cache of answers about clients' certificates, which all workers share."),

    WEIR_DIRECTIVE_OF(weir_http_tls_conf_t, gone, "ssl", &conf_type_gone, .where = CONF_IN, .args = "on | off",
                      .help = "Is obsolete and refused: `listen ... ssl` turns TLS on."),
    WEIR_DIRECTIVES_END
};

static void
conf_end(weir_life_t *life)
{
    (void) life;
    weir_http_tls_stop();
}

static const struct weir_module_life conf_life = { .end = conf_end };

const weir_module_t weir_http_ssl = {
    .life = &conf_life,
    .name = "http_ssl",
    .area = "TLS",
    .conf_size = sizeof(weir_http_tls_conf_t),
    .directives = conf_directives,
    .build = weir_http_tls_build,
    .zone_kinds = weir_http_tls_zone_kinds,
};
