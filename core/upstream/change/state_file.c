/*
 * state_file.c - what is said of a server in words, and the files of `state`: a line of words for each server of a
 * group, as nginx Plus has them, so that its files can be taken over.
 *
 *     server 10.0.0.1:80 weight=2 max_fails=3;
 *
 * Read at load time, from the bundle; written when a change was made at run time (changes.h), by a child of the
 * master's (proc/master/keep.c), or by the one process.
 */
#include "upstream/state_file.h"

#include "base/mem.h"
#include "base/table.h"
#include "conf/module.h"
#include "os/file.h"
#include "upstream/changes.h"
#include "upstream/locality.h"
#include "upstream/source.h"
#include "upstream/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STATE_FILE_MAX_PRIORITY 128
#define STATE_FILE_LINE         1024         /* bytes of a server's, at most */
#define STATE_FILE_LEFT         60           /* s, after which what a kill has left beside a file is removed */
#define STATE_FILE_CHUNK        16384

/* "name=value": is the word that name's?  Then *value is what follows. */
static bool
state_file_option(weir_str_t word, const char *name, weir_str_t *value)
{
    weir_str_t prefix = weir_str_from_z(name);

    if (!weir_str_starts(word, prefix)) {
        return false;
    }
    *value = weir_str_skip(word, prefix.len);
    return true;
}

bool
weir_upstream_read_peer(weir_peer_conf_t *peer, weir_str_t word)
{
    weir_str_t value;

    if (state_file_option(word, "weight=", &value)) {
        return weir_conf_read_u32(value, &peer->weight) && peer->weight != 0;
    }
    if (state_file_option(word, "max_fails=", &value)) {
        return weir_conf_read_u32(value, &peer->max_fails) && peer->max_fails <= WEIR_FAILURES_MAX;
    }
    if (state_file_option(word, "fail_timeout=", &value)) {
        return weir_conf_read_msec(value, &peer->fail_timeout);
    }
    if (state_file_option(word, "slow_start=", &value)) {
        return weir_conf_read_msec(value, &peer->slow_start);
    }
    if (state_file_option(word, "max_conns=", &value)) {
        return weir_conf_read_u32(value, &peer->max_conns);
    }
    if (state_file_option(word, "priority=", &value)) {
        uint32_t priority;

        if (!weir_conf_read_u32(value, &priority) || priority > STATE_FILE_MAX_PRIORITY) {
            return false;
        }
        peer->priority = (uint16_t) priority;
        return true;
    }
    if (state_file_option(word, "locality=", &value)) {
        peer->locality = value;
        return weir_locality_is_valid(value);
    }
    if (state_file_option(word, "route=", &value)) {
        peer->route = value;
        return value.len != 0;
    }
    peer->backup |= weir_str_eq(word, WEIR_STR("backup"));
    peer->down |= weir_str_eq(word, WEIR_STR("down"));
    peer->drain |= weir_str_eq(word, WEIR_STR("drain"));
    return weir_str_eq(word, WEIR_STR("backup")) || weir_str_eq(word, WEIR_STR("down"))
           || weir_str_eq(word, WEIR_STR("drain"));
}

/* -- reading -- */

static bool
state_file_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What is no word: spaces, and comments to the end of their line. */
static weir_str_t
state_file_skip(weir_str_t text)
{
    while (text.len != 0 && (state_file_is_space(text.at[0]) || text.at[0] == '#')) {
        const char *end = text.at[0] == '#' ? weir_str_find(text, '\n') : text.at;

        text = end != NULL ? weir_str_skip(text, (size_t) (end - text.at) + 1) : WEIR_STR_NONE;
    }
    return text;
}

static bool
state_file_ends_word(char c)
{
    return state_file_is_space(c) || c == ';' || c == '{' || c == '}' || c == '"' || c == '\'';
}

static weir_str_t
state_file_word(weir_str_t *text)
{
    weir_str_t word = weir_str(text->at, 0);

    while (word.len < text->len && !state_file_ends_word(text->at[word.len])) {
        word.len++;
    }
    *text = weir_str_skip(*text, word.len);
    return word;
}

bool
weir_state_file_read(weir_str_t text, bool (*each)(void *data, const weir_str_t *words, size_t n, weir_error_t *error),
                     void *data, weir_error_t *error)
{
    weir_str_t words[WEIR_STATE_FILE_WORDS];
    size_t     line = 0, n;

    for (text = state_file_skip(text); text.len != 0; text = state_file_skip(text)) {
        line++;
        for (n = 0; n < WEIR_STATE_FILE_WORDS && text.len != 0 && text.at[0] != ';'; n++) {
            words[n] = state_file_word(&text);
            if (words[n].len == 0) {
                break;
            }
            text = state_file_skip(text);
        }
        if (n < 2 || text.len == 0 || text.at[0] != ';' || !weir_str_eq(words[0], WEIR_STR("server"))) {
            return weir_error_set(error, "server %zu of it is no \"server ADDRESS …;\"", line);
        }
        text = weir_str_skip(text, 1);
        if (!each(data, words, n, error)) {
            return false;
        }
    }
    return true;
}

/* -- writing -- */

static bool
state_file_is_word(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (state_file_ends_word(text.at[i])) {
            return false;
        }
    }
    return true;
}

bool
weir_state_file_can_say(const weir_peer_conf_t *peer)
{
    return state_file_is_word(peer->text) && state_file_is_word(peer->locality);
}

typedef struct {
    char                    *at;
    size_t                   len, cap;
    bool                     good;
    const weir_group_conf_t *group;
    weir_table_t             said;           /* its peers by text */
} state_file_out_t;

static bool
state_file_room(state_file_out_t *out)
{
    size_t cap = out->cap * 2 + 64 * STATE_FILE_LINE;
    char  *grown;

    if (out->cap - out->len >= STATE_FILE_LINE) {
        return true;
    }
    grown = weir_mem_try_resize(out->at, cap);
    out->at = grown != NULL ? grown : out->at;
    out->cap = grown != NULL ? cap : out->cap;
    return grown != NULL;
}

/* What is as it is without a word is not said. */
static void
state_file_put(state_file_out_t *out, const weir_peer_conf_t *peer, bool is_down, bool is_drained)
{
    const weir_peer_conf_t *usual = &weir_source_default;
    weir_buf_t              b;

    out->good = out->good && state_file_room(out);
    if (!out->good) {
        return;
    }
    weir_buf_init(&b, out->at + out->len, STATE_FILE_LINE);
    weir_buf_printf(&b, "server %.*s", WEIR_STR_ARG(peer->text));
    if (peer->weight != usual->weight) {
        weir_buf_printf(&b, " weight=%u", peer->weight);
    }
    if (peer->max_fails != usual->max_fails) {
        weir_buf_printf(&b, " max_fails=%u", peer->max_fails);
    }
    if (peer->fail_timeout.ms != usual->fail_timeout.ms) {
        weir_buf_printf(&b, " fail_timeout=%llums", (unsigned long long) peer->fail_timeout.ms);
    }
    if (peer->max_conns != 0) {
        weir_buf_printf(&b, " max_conns=%u", peer->max_conns);
    }
    if (peer->slow_start.ms != 0) {
        weir_buf_printf(&b, " slow_start=%llums", (unsigned long long) peer->slow_start.ms);
    }
    if (peer->priority != 0) {
        weir_buf_printf(&b, " priority=%u", (unsigned) peer->priority);
    }
    if (peer->locality.len != 0) {
        weir_buf_printf(&b, " locality=%.*s", WEIR_STR_ARG(peer->locality));
    }
    if (peer->route.len != 0) {
        weir_buf_printf(&b, " route=%.*s", WEIR_STR_ARG(peer->route));
    }
    weir_buf_printf(&b, "%s%s%s;\n", peer->backup ? " backup" : "", is_down ? " down" : "", is_drained ? " drain" : "");
    out->good = !b.full;
    out->len += weir_buf_len(&b);
}

static void
state_file_put_said(state_file_out_t *out, const weir_peer_conf_t *said)
{
    const weir_change_t *change = weir_changes_find(out->group->name, said->text);
    weir_peer_conf_t     peer = *said;
    bool                 is_down = said->down, is_drained = said->drain;

    if (change != NULL && change->kind == WEIR_CHANGE_REMOVE) {
        return;
    }
    if (change != NULL) {
        weir_change_apply(change, &peer);
        is_down = (change->given & WEIR_CHANGE_DOWN) != 0 ? change->peer.down : is_down;
        is_drained = (change->given & WEIR_CHANGE_DRAIN) != 0 ? change->is_drained : is_drained;
    }
    state_file_put(out, &peer, is_down, is_drained);
}

static void
state_file_put_added(void *data, const weir_change_t *change)
{
    state_file_out_t *out = data;

    if (change->kind == WEIR_CHANGE_ADD && weir_table_find(&out->said, change->peer.text) == NULL) {
        state_file_put(out, &change->peer, change->peer.down, change->is_drained);
    }
}

int
weir_state_file_write(const weir_group_conf_t *group)
{
    state_file_out_t out = { .good = true, .group = group };
    weir_arena_t     arena;
    int              number = 0;

    weir_arena_init(&arena, STATE_FILE_CHUNK);
    weir_table_init(&out.said, &arena);
    for (size_t i = 0; i < group->n_peers; i++) {
        weir_table_add(&out.said, group->peers[i].text, &group->peers[i]);
        state_file_put_said(&out, &group->peers[i]);
    }
    weir_changes_each(group->name, state_file_put_added, &out);
    weir_arena_fini(&arena);
    if (!out.good) {
        number = ENOMEM;
    } else {
        weir_file_sweep(group->state.at, STATE_FILE_LEFT);
        number = weir_file_write_durable(group->state.at, weir_str(out.at, out.len)) ? 0 : errno;
    }
    weir_mem_free(out.at);
    return number;
}

void
weir_state_file_fault(const weir_group_conf_t *group, int number, weir_error_t *error)
{
    (void) weir_error_set(error, "it holds until the instance ends, but cannot be kept in \"%.*s\": %s",
                          WEIR_STR_ARG(group->state),
                          number == ECHILD ? "the process that writes it was ended" : strerror(number));
}
