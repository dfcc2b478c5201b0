/*
 * state_file.c - what is said of a server in words, and the files of `state`: a line of words for each server of a
 * group, as nginx Plus has them, so that its files can be taken over.
 *
 *     server 10.0.0.1:80 weight=2 max_fails=3;
 *
 * Read at load time, from the bundle; written by the master when a change was made at run time (changes.h).
 */
#include "upstream/state_file.h"

#include "conf/module.h"
#include "upstream/locality.h"
#include "upstream/source.h"
#include "upstream/state.h"

#define STATE_FILE_MAX_PRIORITY 128

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
