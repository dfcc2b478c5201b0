/*
 * source_read.c - lists of peers as people and programs write them: see weir_source_read in source.h.
 *
 * Either lines as an upstream block has them, `server 10.0.0.1:8080 weight=2 backup;`, or JSON: an array of objects, or
 * an object whose member "servers" is one.  Any process; allocates in the caller's arena.
 *
 * Threat: a list is long, deep or wrong.  Texts, values and peers are counted; a list that is wrong in one place is
 * refused as a whole, with the place.
 */
#include "base/json.h"
#include "conf/lex.h"
#include "upstream/locality.h"
#include "upstream/source.h"

#define READ_PORT         80
#define READ_PRIORITY_MAX 128
#define READ_DEPTH        8
#define READ_VALUES       (WEIR_SOURCE_PEERS * 16)

typedef struct {
    weir_arena_t       *arena;
    weir_source_list_t *list;
    size_t              room;
    bool                allows_unix;
    weir_error_t       *error;
} read_t;

/* -- one peer, in either form -- */

/* NULL: there are too many. */
static weir_source_peer_t *
read_push(read_t *r)
{
    weir_source_list_t *list = r->list;

    if (list->n == WEIR_SOURCE_PEERS) {
        (void) weir_error_set(r->error, "there are more than %d servers", WEIR_SOURCE_PEERS);
        return NULL;
    }
    if (list->n == r->room) {
        size_t room = r->room != 0 ? 2 * r->room : 64;
        weir_source_peer_t *grown = weir_new_n(r->arena, weir_source_peer_t, room);

        if (list->n != 0) {
            memcpy(grown, list->at, list->n * sizeof(*grown));
        }
        list->at = grown;
        r->room = room;
    }
    list->at[list->n] = (weir_source_peer_t) { .weight = 0 };
    return &list->at[list->n++];
}

bool
weir_source_read_address(weir_str_t text, bool allows_unix, uint16_t default_port, weir_addr_t *addr)
{
    weir_hostport_t hp;
    const char     *why;
    uint16_t        port;

    if (!weir_addr_parse_hostport(&hp, text, &why)) {
        return false;
    }
    if (hp.is_unix) {
        return allows_unix && weir_addr_from_unix(addr, hp.host);
    }
    port = hp.has_port ? hp.port : default_port;
    return !hp.is_wildcard && port != 0 && weir_addr_from_ip(addr, hp.host, port);
}

/* NULL, or what is wrong with the value of that member. */
static const char *
read_number(weir_source_peer_t *peer, weir_str_t name, uint64_t value)
{
    if (weir_str_eq(name, WEIR_STR("weight"))) {
        peer->weight = (uint32_t) value;
        return value >= 1 && value <= WEIR_SOURCE_WEIGHT_MAX ? NULL : "a number from 1 to 65535";
    }
    if (weir_str_eq(name, WEIR_STR("max_conns"))) {
        peer->max_conns = (uint32_t) value;
        return value <= UINT32_MAX ? NULL : "a number";
    }
    peer->priority = (uint16_t) value;
    return value <= READ_PRIORITY_MAX ? NULL : "a number from 0 to 128";
}

static bool
read_is_number(weir_str_t name)
{
    return weir_str_eq(name, WEIR_STR("weight")) || weir_str_eq(name, WEIR_STR("max_conns"))
           || weir_str_eq(name, WEIR_STR("priority"));
}

static const char *
read_locality(weir_source_peer_t *peer, weir_str_t value)
{
    peer->locality = value;
    return value.len <= WEIR_SOURCE_TEXT_MAX && weir_locality_is_valid(value) ? NULL
           : "REGION, REGION/ZONE or REGION/ZONE/SUBZONE";
}

/* -- lines -- */

static bool
read_word(read_t *r, const weir_conf_word_t *word, weir_source_peer_t *peer)
{
    weir_str_t  name, value;
    uint64_t    number;
    const char *expected = NULL;

    if (weir_str_eq(word->text, WEIR_STR("backup"))) {
        return peer->backup = true;
    }
    if (weir_str_eq(word->text, WEIR_STR("down"))) {
        return peer->down = true;
    }
    if (!weir_str_cut(word->text, '=', &name, &value)) {
        expected = "weight=, max_conns=, priority=, locality=, backup or down";
    } else if (read_is_number(name)) {
        expected = weir_str_to_u64(value, &number) ? read_number(peer, name, number) : "a number";
    } else if (weir_str_eq(name, WEIR_STR("locality"))) {
        expected = read_locality(peer, value);
    } else {
        expected = "weight=, max_conns=, priority=, locality=, backup or down";
    }
    return expected == NULL || weir_error_set(r->error, "line %u: \"%.*s\": expected %s", word->line,
                                              WEIR_STR_ARG(word->text), expected);
}

static bool
read_line(read_t *r, const weir_conf_words_t *words)
{
    weir_source_peer_t *peer;

    if (!weir_str_eq(words->at[0].text, WEIR_STR("server")) || words->n < 2) {
        return weir_error_set(r->error, "line %u: \"%.*s\": expected server ADDRESS …;", words->line,
                              WEIR_STR_ARG(words->at[0].text));
    }
    peer = read_push(r);
    if (peer == NULL) {
        return false;
    }
    if (!weir_source_read_address(words->at[1].text, r->allows_unix, READ_PORT, &peer->addr)) {
        return weir_error_set(r->error, "line %u: \"%.*s\": expected an address, not a name, and perhaps a port",
                              words->line, WEIR_STR_ARG(words->at[1].text));
    }
    for (size_t i = 2; i < words->n; i++) {
        if (!read_word(r, &words->at[i], peer)) {
            return false;
        }
    }
    return true;
}

static bool
read_lines(read_t *r, weir_str_t text)
{
    weir_lex_t        lex;
    weir_conf_words_t words;
    weir_error_t      error = { .text = "" };

    weir_lex_init(&lex, r->arena, text, "list");
    for ( ;; ) {
        switch (weir_lex_next(&lex, &words, &error)) {
        case WEIR_LEX_SIMPLE:
            if (!read_line(r, &words)) {
                return false;
            }
            break;
        case WEIR_LEX_END:
            return true;
        case WEIR_LEX_BAD:
            return weir_error_set(r->error, "%s", error.text);
        default:
            return weir_error_set(r->error, "line %u: there are no blocks in a list of servers", words.line);
        }
    }
}

/* -- JSON -- */

static bool
read_member(read_t *r, size_t i, const weir_json_t *member, weir_source_peer_t *peer)
{
    const char *expected = NULL;
    int64_t     number;

    if (read_is_number(member->name)) {
        expected = weir_json_to_whole(member, &number) && number >= 0 ? read_number(peer, member->name,
                                                                                    (uint64_t) number)
                                                                      : "a number";
    } else if (weir_str_eq(member->name, WEIR_STR("locality"))) {
        expected = member->kind == WEIR_JSON_STRING ? read_locality(peer, member->text) : "a text";
    } else if (weir_str_eq(member->name, WEIR_STR("backup")) || weir_str_eq(member->name, WEIR_STR("down"))) {
        bool *which = weir_str_eq(member->name, WEIR_STR("down")) ? &peer->down : &peer->backup;

        *which = member->kind == WEIR_JSON_TRUE;
        expected = *which || member->kind == WEIR_JSON_FALSE ? NULL : "true or false";
    } else if (weir_str_eq(member->name, WEIR_STR("server"))) {
        expected = member->kind == WEIR_JSON_STRING
                   && weir_source_read_address(member->text, r->allows_unix, READ_PORT, &peer->addr)
                   ? NULL : "an address, not a name, and perhaps a port";
    }
    return expected == NULL || weir_error_set(r->error, "server %zu: \"%.*s\": expected %s", i,
                                              WEIR_STR_ARG(member->name), expected);
}

static bool
read_object(read_t *r, size_t i, const weir_json_t *object)
{
    weir_source_peer_t *peer = read_push(r);

    if (peer == NULL) {
        return false;
    }
    if (object->kind != WEIR_JSON_OBJECT || weir_json_get(object, WEIR_STR("server")) == NULL) {
        return weir_error_set(r->error, "server %zu: expected an object with a member \"server\"", i);
    }
    for (const weir_json_t *member = object->first; member != NULL; member = member->next) {
        if (!read_member(r, i, member, peer)) {
            return false;
        }
    }
    return true;
}

static bool
read_json(read_t *r, weir_str_t text)
{
    weir_json_limits_t limits = { .depth = READ_DEPTH, .values = READ_VALUES };
    const weir_json_t *root;
    size_t             i = 0;

    switch (weir_json_parse(r->arena, text, limits, &root)) {
    case WEIR_JSON_GOOD: break;
    case WEIR_JSON_TOO_LARGE: return weir_error_set(r->error, "it has too many values or is too deep");
    case WEIR_JSON_DUPLICATE: return weir_error_set(r->error, "an object in it has two members of one name");
    default: return weir_error_set(r->error, "it is no JSON");
    }
    if (root->kind == WEIR_JSON_OBJECT) {
        root = weir_json_get(root, WEIR_STR("servers"));
    }
    if (root == NULL || root->kind != WEIR_JSON_ARRAY) {
        return weir_error_set(r->error, "expected an array of servers, or an object with one as \"servers\"");
    }
    for (const weir_json_t *object = root->first; object != NULL; object = object->next) {
        if (!read_object(r, i++, object)) {
            return false;
        }
    }
    return true;
}

bool
weir_source_read(weir_arena_t *arena, weir_str_t text, bool allows_unix, weir_source_list_t *list, weir_error_t *error)
{
    weir_str_t begin = weir_str_trim(text);
    read_t     r = { .arena = arena, .list = list, .allows_unix = allows_unix, .error = error };

    *list = (weir_source_list_t) { NULL, 0 };
    while (begin.len != 0 && (begin.at[0] == '\n' || begin.at[0] == '\r')) {
        begin = weir_str_trim(weir_str_skip(begin, 1));
    }
    return begin.len != 0 && (begin.at[0] == '{' || begin.at[0] == '[') ? read_json(&r, text) : read_lines(&r, text);
}
