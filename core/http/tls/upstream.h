/*
 * upstream.h - TLS toward peers as the configuration says it: proxy_ssl_*, grpc_ssl_*; rows that a proxying module puts
 * among its own.
 *
 * Load time; weir_http_tls_toward in workers.
 */
#ifndef WEIR_HTTP_TLS_UPSTREAM_H
#define WEIR_HTTP_TLS_UPSTREAM_H

#include "http/tls/conf.h"
#include "upstream/group.h"

typedef struct {
    /* of it: certificates … crl, ciphers, protocols, commands, verify_depth */
    weir_http_tls_conf_t   ssl;
    weir_flag_t            verify, server_name, session_reuse;
    const weir_template_t *name;
    weir_http_tls_t       *built;               /* NULL: the way to the peer is plain */
} weir_http_tls_upstream_conf_t;

/* Of a location that passes requests to https:// or grpcs://: conf->built.  words: where an error is told.  prefix:
 * "proxy_". */
bool weir_http_tls_build_upstream(weir_conf_t *cf, const weir_conf_words_t *words, const char *prefix,
                                  weir_http_tls_upstream_conf_t *conf) WEIR_MUST_USE;

/* How a request's connection to its peer is secured; texts in the request's arena.  default_name: where nothing else is
 * said; a port behind it is left out.  false: the certificate that variables named cannot be had (logged). */
bool weir_http_tls_toward(const weir_http_tls_upstream_conf_t *conf, weir_request_t *req, weir_str_t default_name,
                          weir_upsecure_t *secure) WEIR_MUST_USE;

extern const weir_conf_type_t weir_http_tls_type_file, weir_http_tls_type_names, weir_http_tls_type_commands,
    weir_http_tls_type_cache;
extern const weir_conf_enum_t weir_http_tls_protocols[];

/* T: the module's conf struct · F: its field of the type above · P: "proxy", "grpc". */
#define WEIR_HTTP_TLS_UPSTREAM_ROWS(T, F, P) \
    WEIR_DIRECTIVE_OF(T, F.ssl.certificates, P "_ssl_certificate", &weir_http_tls_type_names, .where = WEIR_IN_ANY, \
                      .help = "Names the PEM file of the certificate that is shown to peers that ask for one; " \
                              "its name may have variables."),                                                        \
    WEIR_DIRECTIVE_OF(T, F.ssl.keys, P "_ssl_certificate_key", &weir_http_tls_type_names, .where = WEIR_IN_ANY, \
                      .help = "Names the PEM file of that certificate's key."),                                       \
    WEIR_DIRECTIVE_OF(T, F.ssl.certificate_cache, P "_ssl_certificate_cache", &weir_http_tls_type_cache, \
        .where = WEIR_IN_ANY, \
                      .dflt = "off", \
                        .help = "Sets how many certificates whose names have variables each worker keeps, and " \
                                "how long."),                                                                         \
    WEIR_DIRECTIVE(T, F.ssl.ciphers, P "_ssl_ciphers", .where = WEIR_IN_ANY, .dflt = "DEFAULT", \
                   .help = "Lists the ciphers of TLS 1.2 and before toward peers, in OpenSSL's notation."),           \
    WEIR_DIRECTIVE_OF(T, F.ssl.commands, P "_ssl_conf_command", &weir_http_tls_type_commands, .where = WEIR_IN_ANY, \
                      .help = "Runs a command of OpenSSL's own configuration for connections to peers."),             \
    WEIR_DIRECTIVE_OF(T, F.ssl.crl, P "_ssl_crl", &weir_http_tls_type_file, .where = WEIR_IN_ANY, \
                      .help = "Names the PEM file of lists of revoked certificates."),                                \
    WEIR_DIRECTIVE(T, F.name, P "_ssl_name", .where = WEIR_IN_ANY, \
                   .help = "Sets the name that is asked for and that a peer's certificate must have; " \
                           "the default is the host of " P "_pass."),                                                 \
    WEIR_DIRECTIVE_OF(T, F.ssl.password_file, P "_ssl_password_file", &weir_http_tls_type_file, .where = WEIR_IN_ANY, \
                      .help = "Names a file of passwords for keys, one per line, which are tried in turn."),          \
    WEIR_DIRECTIVE_OF(T, F.ssl.protocols, P "_ssl_protocols", &weir_type_mask, .where = WEIR_IN_ANY, \
                      .values = weir_http_tls_protocols, .dflt = "TLSv1.2 TLSv1.3", \
                        .help = "Lists the versions of TLS that are spoken to peers."),                               \
    WEIR_DIRECTIVE(T, F.server_name, P "_ssl_server_name", .where = WEIR_IN_ANY, .dflt = "off", \
                   .help = "Tells the peer the name that is asked for (SNI)."),                                       \
    WEIR_DIRECTIVE(T, F.session_reuse, P "_ssl_session_reuse", .where = WEIR_IN_ANY, .dflt = "on", \
                   .help = "Resumes TLS sessions with peers."),                                                       \
    WEIR_DIRECTIVE_OF(T, F.ssl.trusted_certificate, P "_ssl_trusted_certificate", &weir_http_tls_type_file, \
        .where = WEIR_IN_ANY, \
                      .help = "Names the PEM file of authorities for peers' certificates; without it those of " \
                              "the system are trusted."),                                                             \
    WEIR_DIRECTIVE(T, F.verify, P "_ssl_verify", .where = WEIR_IN_ANY, .dflt = "off", \
                   .help = "Verifies the peer's certificate and its name."),                                          \
    WEIR_DIRECTIVE(T, F.ssl.verify_depth, P "_ssl_verify_depth", .where = WEIR_IN_ANY, .dflt = "1", .max = "100", \
                   .help = "Limits how many certificates may stand between a peer's and the root.")

#endif
