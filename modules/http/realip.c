/*
 * realip.c - set_real_ip_from, real_ip_header and real_ip_recursive: the client's address as trusted proxies tell it.
 *
 * First of all in a server, and again in a location that trusts others; from then on the request's client is the one
 * told, for guards, limits, variables and logs.  The connection keeps its own, so other requests of it are judged by
 * themselves.  Runs in workers; all of the request's arena.
 */
#include "http/module.h"

#include "http/guard/forwarded.h"
#include "serve/proxy_protocol.h"
#include "http/vars/vars.h"

typedef struct {
    weir_cidrs_t trusted;
    weir_str_t   header;
    weir_flag_t  recursive;
    bool         is_proxied;         /* `real_ip_header proxy_protocol`; from .check on */
} realip_conf_t;

extern const size_t weir_http_realip_index;

/* What the connection began with, if the sender of the field, *addr, is trusted. */
static bool
realip_proxied(const weir_request_t *req, const realip_conf_t *conf, weir_addr_t *addr)
{
    if (req->client->proxied == NULL || req->client->proxied->source.len == 0
        || !weir_forwarded_trusts(&conf->trusted, addr))
    {
        return false;
    }
    *addr = req->client->proxied->source;
    return true;
}

static weir_step_t
realip_find(weir_request_t *req, const void *conf_)
{
    const realip_conf_t *conf = conf_;
    weir_client_t       *told;
    weir_addr_t          addr = weir_addr_from_endpoint(&req->client->addr);
    weir_str_t           list;
    char                 text[WEIR_ADDR_TEXT];

    weir_assert(conf->trusted.n != 0);
    if (weir_request_kept(req, weir_http_realip_index) != NULL) {
        return WEIR_NEXT;
    }
    if (conf->is_proxied) {
        if (!realip_proxied(req, conf, &addr)) {
            return WEIR_NEXT;
        }
    } else {
        list = weir_fields_join(&req->head.fields, conf->header, &req->arena);
        if (list.len == 0 || !weir_forwarded_addr(&addr, list, &conf->trusted, conf->recursive.on)) {
            return WEIR_NEXT;
        }
    }
    weir_request_keep(req, weir_http_realip_index, req->client);
    told = weir_alloc(&req->arena, sizeof(*told));
    *told = *req->client;
    told->addr = weir_addr_to_endpoint(&addr);
    told->text = weir_str_dup(&req->arena, weir_str(text, weir_addr_text_ip(&addr, text)));
    req->client = told;
    return WEIR_NEXT;
}

static bool
realip_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const realip_conf_t *) conf)->trusted.n != 0;
}

/* -- variables: the connected address -- */

static const weir_client_t *
realip_client(const weir_request_t *req)
{
    const weir_client_t *client = weir_request_kept(req, weir_http_realip_index);

    return client != NULL ? client : req->client;
}

static bool
realip_get_addr(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    (void) arena;
    (void) ref;
    *value = realip_client(subject)->text;
    return true;
}

static bool
realip_get_port(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    uint16_t port = ntohs(realip_client(subject)->addr.port);

    (void) ref;
    return port != 0 && weir_vars_number(arena, port, value);
}

/* -- directives -- */

static bool
realip_parse_from(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *list)
{
    (void) row;
    (void) words;
    return weir_forwarded_read_trusted(cf, 1, list);
}

static bool
realip_parse_header(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    (void) row;
    if (!weir_syntax_is_token(words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "the name of a header field");
    }
    *(weir_str_t *) field = weir_str_dup(cf->arena, words->at[1].text);
    return true;
}

static bool
realip_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    realip_conf_t *conf = conf_;

    (void) cf;
    (void) block;
    conf->is_proxied = weir_str_eq(conf->header, WEIR_STR("proxy_protocol"));
    return true;
}

static const weir_conf_type_t realip_type_from = {
    .name = "address | network/bits | name | unix:", .size = sizeof(weir_cidrs_t), .min_args = 1, .max_args = 1,
    .repeats = true,
    .parse = realip_parse_from, .item = sizeof(weir_cidr_t),
};
static const weir_conf_type_t realip_type_header = {
    .name = "field | proxy_protocol", .size = sizeof(weir_str_t), .min_args = 1, .max_args = 1,
    .parse = realip_parse_header,
};

static const weir_directive_t realip_directives[] = {
    WEIR_DIRECTIVE_OF(realip_conf_t, trusted, "set_real_ip_from", &realip_type_from, .where = WEIR_IN_ANY,
                      .help = "Trusts these proxies to say which client they speak for."),
    WEIR_DIRECTIVE_OF(realip_conf_t, header, "real_ip_header", &realip_type_header, .where = WEIR_IN_ANY,
                      .dflt = "X-Real-IP",
                      .help = "Names the field in which trusted proxies name the client, or proxy_protocol for what "
                              "the connection began with."),
    WEIR_DIRECTIVE(realip_conf_t, recursive, "real_ip_recursive", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Takes the last address that is not a trusted proxy's, instead of the last one."),
    WEIR_DIRECTIVES_END
};

static const weir_variable_t realip_variables[] = {
    { "realip_remote_addr", .subject = WEIR_OF_REQUEST, .get = realip_get_addr,
      .help = "The address that is connected, whichever client it speaks for." },
    { "realip_remote_port", .subject = WEIR_OF_REQUEST, .get = realip_get_port, .help = "Its port." },
    WEIR_VARIABLES_END
};

const weir_http_module_t weir_http_realip = {
    .name = "http_realip",
    .area = "Access",
    .conf_size = sizeof(realip_conf_t),
    .directives = realip_directives,
    .variables = realip_variables,
    .check = realip_check,
    .on = { [WEIR_PHASE_REWRITE] = realip_find },
    .pure = 1u << WEIR_PHASE_REWRITE,
    .enabled = realip_enabled,
};
