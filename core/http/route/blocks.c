/*
 * blocks.c - the blocks of http (http, server, location) and what names a server: listen, server_name.
 *
 * Load time only: the master and a worker's build thread.
 */
#include "http/route/blocks.h"
#include "http/route/part.h"

#include <stdio.h>
#include <string.h>

/* -- listen -- */

static const weir_listen_word_t blocks_listen_words[] = {
    { "default_server", WEIR_HTTP_LISTEN_DEFAULT },
    { "default", WEIR_HTTP_LISTEN_DEFAULT },
    { "http2", WEIR_HTTP_LISTEN_HTTP2 },
    { NULL, 0 },
};

static bool
blocks_parse_listen(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                    void *field)
{
    static const weir_listen_syntax_t syntax = { .words = blocks_listen_words, .port = 80 };

    return weir_listen_parse(cf, words, &syntax, field);
}

static const weir_conf_type_t blocks_type_listen = {
    .name = "address", .size = sizeof(weir_listen_entries_t), .min_args = 1, .max_args = 20, .repeats = true,
    .parse = blocks_parse_listen,
};

/* -- server_name -- */

static bool
blocks_parse_names(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_strs_t *names = field;
    weir_str_t *grown = weir_new_n(cf->arena, weir_str_t, names->n + words->n - 1);

    (void) row;
    if (names->n != 0) {
        memcpy(grown, names->at, sizeof(*grown) * names->n);
    }
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t name = words->at[i].text;
        if (name.len == 1 && (name.at[0] == '_' || name.at[0] == '*')) {
            name = weir_str_dup(cf->arena, name);       /* such names are never asked for; people write them by habit */
        }
        if (memchr(name.at ? name.at : "", '/', name.len) != NULL && name.at[0] != '~') {
            return weir_conf_error(cf, i, "the server name \"%.*s\" has a \"/\"", WEIR_STR_ARG(name));
        }
        if (name.len > 1 && name.at[0] == '~') {
            weir_str_t pattern = weir_str_skip(name, 1);
            if (weir_http_captures_announce(cf, i, pattern, weir_hosts_folds(pattern), WEIR_OF_CONNECTION) == NULL) {
                return false;
            }
        }
        grown[names->n++] = name;
    }
    names->at = grown;
    return true;
}

static const weir_conf_type_t blocks_type_names = {
    .name = "name",
    .size = sizeof(weir_strs_t),
    .min_args = 1,
    .max_args = 255,
    .repeats = true,
    .parse = blocks_parse_names,
};

/* -- location -- */

static bool
blocks_location_modifier(weir_http_location_t *location, weir_str_t mod)
{
    weir_rule_t *rule = &location->rule;

    if (weir_str_eq(mod, WEIR_STR("="))) {
        rule->kind = WEIR_PATH_EXACT;
    } else if (weir_str_eq(mod, WEIR_STR("^~"))) {
        rule->kind = WEIR_PATH_PREFIX_FINAL;
    } else if (weir_str_eq(mod, WEIR_STR("~")) || weir_str_eq(mod, WEIR_STR("~*"))) {
        rule->kind = WEIR_PATH_REGEX;
        rule->fold_case = mod.len == 2;
    } else {
        return false;
    }
    return true;
}

/* "location =/x", "location ~x": the modifier may stand against the text, as nginx reads it. */
static void
blocks_location_split(weir_str_t word, weir_str_t *mod, weir_str_t *text)
{
    size_t n = 0;

    if (word.len > 0 && (word.at[0] == '=' || word.at[0] == '~')) {
        n = word.at[0] == '~' && word.len > 1 && word.at[1] == '*' ? 2 : 1;
    } else if (weir_str_starts(word, WEIR_STR("^~"))) {
        n = 2;
    }
    *mod = weir_str(word.at, n);
    *text = weir_str_skip(word, n);
}

static bool
blocks_location_nesting(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    const weir_http_location_t *inner = block->owner, *outer = block->parent->owner;
    weir_str_t name = inner->name;

    if (block->parent->context != WEIR_IN_LOCATION) {
        return true;
    }
    if (outer->is_named || outer->rule.kind == WEIR_PATH_EXACT) {
        return weir_conf_error_at(cf, words, "location \"%.*s\" cannot be inside the %s location \"%.*s\"",
                                  WEIR_STR_ARG(name), outer->is_named ? "named" : "exact", WEIR_STR_ARG(outer->name));
    }
    if (inner->is_named) {
        return weir_conf_error_at(cf, words, "named location \"%.*s\" can be on the server level only",
                                  WEIR_STR_ARG(name));
    }
    if (inner->rule.kind != WEIR_PATH_REGEX && outer->rule.kind != WEIR_PATH_REGEX
        && !weir_str_starts(inner->rule.text, outer->rule.text))
    {
        return weir_conf_error_at(cf, words, "location \"%.*s\" is outside location \"%.*s\"", WEIR_STR_ARG(name),
                                  WEIR_STR_ARG(outer->name));
    }
    return true;
}

static bool
blocks_location_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    weir_http_location_t *location = weir_new(cf->arena, weir_http_location_t);
    weir_str_t mod, text;

    if (words->n == 3) {
        mod = words->at[1].text;
        text = words->at[2].text;
        location->name = weir_str_printf(cf->arena, "%.*s %.*s", WEIR_STR_ARG(mod), WEIR_STR_ARG(text));
    } else {
        blocks_location_split(words->at[1].text, &mod, &text);
        location->name = words->at[1].text;
    }
    location->rule.text = text;
    location->rule.value = location;
    location->is_named = mod.len == 0 && text.len > 1 && text.at[0] == '@';
    if ((words->n == 3 || mod.len != 0) && !blocks_location_modifier(location, mod)) {
        return weir_conf_error_at(cf, words, "invalid location modifier \"%.*s\": expected =, ^~, ~ or ~*",
                                  WEIR_STR_ARG(mod));
    }
    if (text.len == 0) {
        return weir_conf_error_at(cf, words, "location \"%.*s\" names no path", WEIR_STR_ARG(location->name));
    }
    if (!location->is_named && location->rule.kind != WEIR_PATH_REGEX && text.at[0] != '/') {
        weir_conf_warn(cf, words->n - 1, "location \"%.*s\" does not begin with \"/\": no request will match it",
                       WEIR_STR_ARG(location->name));
    }
    if (location->rule.kind == WEIR_PATH_REGEX
        && weir_http_captures_announce(cf, words->n - 1, text, location->rule.fold_case, WEIR_OF_REQUEST) == NULL)
    {
        return false;
    }
    block->owner = location;
    location->block = block;
    return blocks_location_nesting(cf, block, words);
}

/* GET is HEAD too. */
static bool
blocks_limit_except_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    weir_http_location_t *location = block->parent->owner;

    for (size_t i = 1; i < words->n; i++) {
        weir_method_t method = weir_method_parse(words->at[i].text);

        if (method == WEIR_METHOD_OTHER || method == WEIR_METHOD_TRACE || method == WEIR_METHOD_CONNECT) {
            return weir_conf_error(cf, i, "invalid method \"%.*s\"", WEIR_STR_ARG(words->at[i].text));
        }
        location->methods |= 1u << method | (method == WEIR_METHOD_GET ? 1u << WEIR_METHOD_HEAD : 0);
    }
    return weir_http_part_opened(cf, block, words);
}

static bool
blocks_http_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    (void) block;
    (void) words;
    weir_http_captures_open(cf);
    return true;
}

static bool
blocks_server_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    weir_http_server_t *server = weir_new(cf->arena, weir_http_server_t);

    (void) words;
    server->block = block;
    block->owner = server;
    return true;
}

/* -- extend -- */

/* The first name of a server that is being read; empty: it has none. */
static weir_str_t
blocks_first_name(const weir_conf_block_t *block)
{
    const weir_http_blocks_conf_t *conf = weir_conf_of(block, weir_http_blocks_index);

    return block->context == WEIR_IN_SERVER && conf != NULL && conf->names.n != 0 ? conf->names.at[0]
           : WEIR_STR_NONE;
}

static bool
blocks_refuse_name(weir_conf_t *cf, weir_str_t name)
{
    weir_conf_block_t *const *blocks;
    size_t                    n_blocks = weir_conf_parts(cf, &blocks), n = 0;
    const char              **names = weir_new_n(cf->arena, const char *, n_blocks + 1), *near;

    for (size_t i = 0; i < n_blocks; i++) {
        if (blocks_first_name(blocks[i]).len != 0) {
            names[n++] = weir_str_to_z(cf->arena, blocks_first_name(blocks[i]));
        }
    }
    near = weir_conf_nearest(name, names, n);
    if (near != NULL) {
        return weir_conf_error(cf, 2, "no server has the first name \"%.*s\", did you mean \"%s\"?",
                               WEIR_STR_ARG(name), near);
    }
    return weir_conf_error(cf, 2, "no server has the first name \"%.*s\"", WEIR_STR_ARG(name));
}

/* The one server with this first name: cf->block is http, in which all others have been read. */
static weir_conf_block_t *
blocks_extended(weir_conf_t *cf, const weir_conf_words_t *words)
{
    weir_str_t         name = words->at[2].text;
    weir_conf_block_t *const *blocks, *found = NULL;
    size_t             n = weir_conf_parts(cf, &blocks);

    if (!weir_str_eq(words->at[1].text, WEIR_STR("server"))) {
        (void) weir_conf_invalid(cf, 1, "\"server\"");
        return NULL;
    }
    for (size_t i = 0; i < n && name.len != 0; i++) {
        weir_conf_block_t *block = blocks[i];

        if (!weir_str_eq_fold(blocks_first_name(block), name)) {
            continue;
        }
        if (found != NULL) {
            (void) weir_conf_error(cf, 2, "\"%.*s\" is the first name of two servers (%s, %s)", WEIR_STR_ARG(name),
                                   weir_conf_place(cf->arena, &found->words),
                                   weir_conf_place(cf->arena, &block->words));
            return NULL;
        }
        found = block;
    }
    if (found == NULL) {
        (void) blocks_refuse_name(cf, name);
    }
    return found;
}

static const weir_directive_t blocks_directives[] = {
    WEIR_BLOCK("http", WEIR_IN_HTTP, .where = WEIR_IN_MAIN, .single = true, .opened = blocks_http_opened,
               .help = "Holds everything about HTTP."),
    WEIR_BLOCK("server", WEIR_IN_SERVER, .where = WEIR_IN_HTTP, .is_part = true, .opened = blocks_server_opened,
               .help = "Defines a virtual server, which is chosen by address, port and host name."),
    WEIR_BLOCK("extend", WEIR_IN_SERVER, .where = WEIR_IN_HTTP, .block_min_args = 2, .block_max_args = 2,
               .extends = blocks_extended, .args = "server name",
               .help = "Adds what stands in it to the server that has this as its first server_name."),
    WEIR_BLOCK("location", WEIR_IN_LOCATION, .where = WEIR_IN_SERVER | WEIR_IN_LOCATION, .block_min_args = 1,
               .block_max_args = 2, .opened = blocks_location_opened, .args = "[= | ~ | ~* | ^~] uri | @name",
               .help = "Says what happens to requests whose path matches."),
    WEIR_BLOCK("limit_except", WEIR_IN_LIMIT_EXCEPT, .where = WEIR_IN_LOCATION, .block_min_args = 1,
               .block_max_args = 255, .single = true, .opened = blocks_limit_except_opened, .args = "method...",
               .help = "Holds what applies in the location to all methods but these; GET includes HEAD."),
    WEIR_DIRECTIVE_OF(
        weir_http_blocks_conf_t, listens, "listen", &blocks_type_listen, .where = WEIR_IN_SERVER,
        .args = "address[:port] | port | unix:path [default_server] [ssl] [http2] [proxy_protocol] [option…]",
        .help = "Names an address that the server is reached at; without any it is *:80."),
    WEIR_DIRECTIVE_OF(
        weir_http_blocks_conf_t, names, "server_name", &blocks_type_names, .where = WEIR_IN_SERVER, .args = "name…",
        .help = "Lists the host names of the server: exact ones, *.wildcard, wildcard.*, .both or ~regex."),
    WEIR_DIRECTIVES_END
};

const weir_module_t weir_http_blocks = {
    .name = "http_blocks",
    .area = "HTTP",
    .conf_size = sizeof(weir_http_blocks_conf_t),
    .directives = blocks_directives,
    .build = weir_http_build,
};
