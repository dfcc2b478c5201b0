/*
 * module.c - `servers_url` and `servers_consul`: servers of an upstream block from a list at an address, or from
 * Consul.  Load time, but for the module's life.
 *
 * A token comes from a file, lies in the generation's arena, and is wiped with it.
 */
#include "discovery.h"

#include "base/mem.h"

#define DISCOVERY_INTERVAL 10000             /* ms */
#define DISCOVERY_SOONEST  100
#define DISCOVERY_WAIT     300000            /* ms that Consul may wait for news */
#define DISCOVERY_WAIT_MIN 1000
#define DISCOVERY_WAIT_MAX 600000
#define DISCOVERY_TOKEN    4096              /* bytes */

typedef struct { discovery_t **at; size_t n; } discovery_sources_t;      /* as weir_conf_list_t */

typedef struct { discovery_sources_t lists, consul; } discovery_conf_t;

/* -- a list -- */

static void
list_ask(discovery_asks_t *asks, weir_fetch_spec_t *spec)
{
    spec->if_none_match = weir_str(asks->version, asks->version_len);
}

static bool
list_parse(weir_arena_t *arena, weir_str_t text, weir_source_list_t *list, weir_error_t *error)
{
    return weir_source_read(arena, text, false, list, error);
}

static uint64_t
list_taken(discovery_asks_t *asks, weir_str_t field)
{
    asks->version_len = field.len <= sizeof(asks->version) ? field.len : 0;
    memcpy(asks->version, field.at, asks->version_len);
    return asks->conf->interval.ms;
}

static const discovery_kind_t discovery_list = {
    .wanted = WEIR_STR_INIT("ETag"), .what = "a list", .ask = list_ask, .parse = list_parse, .taken = list_taken,
};

/* -- the directives -- */

static void
discovery_wipe(void *data)
{
    weir_str_t *secret = data;

    weir_mem_wipe((char *) (uintptr_t) secret->at, secret->len);
}

static bool
discovery_read_token(weir_conf_t *cf, size_t word, weir_str_t path, discovery_t *source)
{
    weir_str_t bytes;

    if (!weir_conf_file(cf, word, weir_conf_near_path(cf, path), &bytes)) {
        return false;
    }
    while (bytes.len != 0 && (bytes.at[bytes.len - 1] == '\n' || bytes.at[bytes.len - 1] == '\r')) {
        bytes.len--;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.at[i] <= ' ' || bytes.at[i] >= 0x7f) {
            bytes.len = 0;
        }
    }
    if (bytes.len == 0 || bytes.len > DISCOVERY_TOKEN) {
        return weir_conf_error(cf, word, "\"%.*s\" must have one line without blanks: a token of at most %d bytes",
                               WEIR_STR_ARG(path), DISCOVERY_TOKEN);
    }
    source->authorization = weir_str_printf(cf->arena, "Bearer %.*s", WEIR_STR_ARG(bytes));
    weir_arena_on_cleanup(cf->arena, discovery_wipe, &source->authorization);
    return true;
}

static bool
discovery_option(weir_conf_t *cf, size_t word, discovery_t *source, weir_peer_conf_t *model)
{
    bool       is_consul = source->kind == &discovery_consul, is_mine;
    weir_str_t text = cf->words->at[word].text, name, value;

    if (weir_str_cut(text, '=', &name, &value)) {
        if (weir_str_eq(name, WEIR_STR("token_file"))) {
            return discovery_read_token(cf, word, value, source);
        }
        if (weir_str_eq(name, WEIR_STR("ca")) && value.len != 0) {
            source->authorities = weir_str_dup(cf->arena, value);
            return true;
        }
        if (!is_consul && weir_str_eq(name, WEIR_STR("interval"))) {
            return (weir_conf_read_msec(value, &source->interval) && source->interval.ms >= DISCOVERY_SOONEST)
                   || weir_conf_invalid(cf, word, "a time of 100ms or more such as interval=5s");
        }
        if (is_consul && weir_str_eq(name, WEIR_STR("wait"))) {
            return (weir_conf_read_msec(value, &source->interval) && source->interval.ms >= DISCOVERY_WAIT_MIN
                    && source->interval.ms <= DISCOVERY_WAIT_MAX)
                   || weir_conf_invalid(cf, word, "a time from 1s to 10m such as wait=5m");
        }
        if (is_consul) {
            if (!discovery_consul_option(cf, word, source, name, value, &is_mine)) {
                return false;
            }
            if (is_mine) {
                return true;
            }
        }
    }
    return weir_upstream_read_peer(model, text)
           || weir_conf_invalid(cf, word, is_consul
                                ? "service=, tag=, dc=, ns=, partition=, wait=, token_file=, ca= or a parameter of "
                                  "\"server\""
                                : "interval=, token_file=, ca= or a parameter of \"server\"");
}

static bool
discovery_parse(weir_conf_t *cf, const weir_conf_words_t *words, void *field, const discovery_kind_t *kind)
{
    discovery_t     *source = weir_new(cf->arena, discovery_t);
    weir_peer_conf_t model = weir_source_default;
    weir_buf_t       name;
    char             room[512];

    source->kind = kind;
    source->words = words;
    source->interval.ms = kind == &discovery_consul ? DISCOVERY_WAIT : DISCOVERY_INTERVAL;
    if (!weir_fetch_is_url(words->at[1].text)) {
        return weir_conf_invalid(cf, 1, "an http:// or https:// address");
    }
    if (!weir_fetch_read_url(cf, 1, words->at[1].text, &source->url)) {
        return false;
    }
    for (size_t i = 2; i < words->n; i++) {
        if (!discovery_option(cf, i, source, &model)) {
            return false;
        }
    }
    if (kind == &discovery_consul && !discovery_consul_bind(cf, source)) {
        return false;
    }
    weir_buf_init(&name, room, sizeof(room));
    weir_buf_printf(&name, "%.*s %.*s %.*s", WEIR_STR_ARG(words->at[0].text), WEIR_STR_ARG(source->url.authority),
                    WEIR_STR_ARG(source->target.len != 0 ? source->target : source->url.target));
    source->source = weir_upstream_declare(cf, weir_buf_str(&name), &model);
    if (source->source == NULL) {
        return false;
    }
    source->source->ops = &discovery_ops;
    source->source->owner = source;
    *(discovery_t **) weir_conf_list_push(cf, field, sizeof(source)) = source;
    return true;
}

static bool
discovery_parse_list(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                     void *field)
{
    return discovery_parse(cf, words, field, &discovery_list);
}

static bool
discovery_parse_consul(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                       void *field)
{
    return discovery_parse(cf, words, field, &discovery_consul);
}

static const weir_conf_type_t discovery_type_list = {
    .name = "address", .size = sizeof(weir_conf_list_t), .min_args = 1, .max_args = 255, .repeats = true,
    .parse = discovery_parse_list, .item = sizeof(discovery_t *),
};
static const weir_conf_type_t discovery_type_consul = {
    .name = "address", .size = sizeof(weir_conf_list_t), .min_args = 2, .max_args = 255, .repeats = true,
    .parse = discovery_parse_consul, .item = sizeof(discovery_t *),
};

#define DISCOVERY_PEER "[weight=number] [max_fails=number] [fail_timeout=time] [max_conns=number] [priority=number] " \
                       "[locality=region[/zone[/subzone]]] [backup] [down]"

static const weir_directive_t discovery_directives[] = {
    WEIR_DIRECTIVE_OF(discovery_conf_t, lists, "servers_url", &discovery_type_list, .where = WEIR_IN_UPSTREAM,
                      .args = "address [interval=time] [token_file=file] [ca=file] " DISCOVERY_PEER,
                      .help = "Adds the servers that a list at an http:// or https:// address has, and follows it "
                              "while Weir runs."),
    WEIR_DIRECTIVE_OF(discovery_conf_t, consul, "servers_consul", &discovery_type_consul, .where = WEIR_IN_UPSTREAM,
                      .args = "address service=name [tag=name] [dc=name] [ns=name] [partition=name] [wait=time] "
                              "[token_file=file] [ca=file] " DISCOVERY_PEER,
                      .help = "Adds the healthy instances of a service that Consul knows, and follows them while Weir "
                              "runs."),
    WEIR_DIRECTIVES_END
};

/* -- build and life -- */

static bool
discovery_bind(weir_conf_t *cf, weir_generation_t *generation, const discovery_sources_t *sources)
{
    for (size_t i = 0; i < sources->n; i++) {
        discovery_t *source = sources->at[i];

        if (!weir_fetch_bind(cf, generation, source->words, source->authorities, &source->url)) {
            return false;
        }
        if (weir_group_id_eq(source->url.group, source->source->group->id)) {
            return weir_conf_error_at(cf, source->words, "an upstream cannot be asked for its own servers");
        }
    }
    return true;
}

static bool
discovery_build(weir_conf_t *cf, weir_generation_t *generation)
{
    for (weir_conf_block_t *http = cf->root->first; http != NULL; http = http->next) {
        for (weir_conf_block_t *block = http->first; block != NULL; block = block->next) {
            const discovery_conf_t *conf = block->context == WEIR_IN_UPSTREAM ? weir_conf_of(block,
                                                                                             weir_http_discovery_index)
                                                                              : NULL;

            if (conf != NULL && (!discovery_bind(cf, generation, &conf->lists)
                                 || !discovery_bind(cf, generation, &conf->consul)))
            {
                return false;
            }
        }
    }
    return true;
}

static void
discovery_adopt(weir_life_t *life, weir_generation_t *generation)
{
    generation->kept[weir_http_discovery_index] = life;
}

static const struct weir_module_life discovery_life = { .adopt = discovery_adopt };

const weir_http_module_t weir_http_discovery = {
    .name = "http_discovery",
    .area = "Upstreams",
    .conf_size = sizeof(discovery_conf_t),
    .directives = discovery_directives,
    .build = discovery_build,
    .life = &discovery_life,
};
