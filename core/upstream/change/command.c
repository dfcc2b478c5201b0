/*
 * command.c - see command.h.
 */
#include "upstream/command.h"

#include "base/table.h"
#include "shm/stats.h"
#include "upstream/balancer.h"
#include "upstream/fill.h"
#include "upstream/follow.h"
#include "upstream/lists.h"
#include "upstream/state.h"
#include "upstream/state_file.h"

#include <string.h>

#define COMMAND_CHUNK 16384

/* -- what the configuration has -- */

/* The addresses of the group that was asked about last, since many changes of one come together. */
static struct {
    const weir_group_conf_t *group;
    uint64_t                 serial;         /* of its generation */
    weir_arena_t             arena;
    weir_table_t             peers;          /* weir_peer_conf_t by text */
} command_known;

static const weir_peer_conf_t *
command_find(const weir_generation_t *generation, const weir_group_conf_t *group, weir_str_t text)
{
    if (command_known.group != group || command_known.serial != generation->serial) {
        if (command_known.group != NULL) {
            weir_arena_fini(&command_known.arena);
        }
        command_known.group = group;
        command_known.serial = generation->serial;
        weir_arena_init(&command_known.arena, COMMAND_CHUNK);
        weir_table_init(&command_known.peers, &command_known.arena);
        for (size_t i = 0; i < group->n_peers; i++) {
            weir_table_add(&command_known.peers, group->peers[i].text, &group->peers[i]);
        }
    }
    return weir_table_find(&command_known.peers, text);
}

/* Names and lists say peers that only workers know. */
static bool
command_has_sources(const weir_group_conf_t *group)
{
    return group->follow != NULL;
}

bool
weir_upstream_check(weir_generation_t *generation, weir_change_t *change, weir_error_t *error)
{
    const weir_group_conf_t *group = weir_upstream_find(generation, change->group);
    const weir_change_t     *before;
    bool                     is_configured, is_there;

    if (group == NULL) {
        return weir_error_set(error, "there is no upstream \"%.*s\"", WEIR_STR_ARG(change->group));
    }
    change->group = group->name;
    if (group->state.len != 0 && !weir_state_file_can_say(&change->peer)) {
        return weir_error_set(error, "\"%.*s\" cannot be kept in \"%.*s\": expected an address and a locality without "
                              "spaces, quotes and any of ;{}", WEIR_STR_ARG(change->peer.text),
                              WEIR_STR_ARG(group->state));
    }
    if ((change->given & WEIR_CHANGE_SLOW_START) != 0 && change->peer.slow_start.ms != 0
        && group->balancer->is_steady)
    {
        return weir_error_set(error, "slow_start may not be used with %s, which upstream \"%.*s\" has",
                              group->balancer->name, WEIR_STR_ARG(group->name));
    }
    before = weir_changes_find(group->name, change->peer.text);
    is_configured = command_find(generation, group, change->peer.text) != NULL;
    is_there = before != NULL ? before->kind != WEIR_CHANGE_REMOVE : is_configured;
    if (change->kind == WEIR_CHANGE_ADD && is_there) {
        return weir_error_set(error, "\"%.*s\" is in upstream \"%.*s\" already", WEIR_STR_ARG(change->peer.text),
                              WEIR_STR_ARG(group->name));
    }
    if (change->kind != WEIR_CHANGE_ADD && !is_there
        && (!command_has_sources(group) || (before != NULL && before->kind == WEIR_CHANGE_REMOVE)))
    {
        return weir_error_set(error, "there is no \"%.*s\" in upstream \"%.*s\"", WEIR_STR_ARG(change->peer.text),
                              WEIR_STR_ARG(group->name));
    }
    if (change->kind == WEIR_CHANGE_ADD && is_configured) {
        /* it comes back as it is configured, with what is given */
        change->kind = change->given != 0 ? WEIR_CHANGE_SET : WEIR_CHANGE_REMOVE;
        change->forgets = change->given == 0;
        return true;
    }
    change->forgets = change->kind == WEIR_CHANGE_REMOVE && !is_configured && !command_has_sources(group);
    return true;
}

static void
command_prune(void *data, weir_str_t name)
{
    weir_generation_t       *generation = data;
    const weir_group_conf_t *group = weir_upstream_find(generation, name);

    if (group == NULL) {
        weir_changes_forget(name, UINT64_MAX);
    } else if (group->state.len != 0) {
        weir_changes_forget(name, weir_upstream_changes(generation));
    }
}

void
weir_upstream_prune_changes(weir_generation_t *generation)
{
    weir_changes_each_group(command_prune, generation);
    weir_changes_hold_rows();
}

/* -- lists -- */

/* Of what there is now: those of names and lists as a worker has found them last. */
static void
command_fill(weir_arena_t *arena, weir_group_conf_t *group)
{
    const weir_follow_conf_t *follow = group->follow;
    weir_follow_known_t      *known;

    if (follow == NULL) {
        return;
    }
    known = weir_new_n(arena, weir_follow_known_t, follow->n);
    for (size_t i = 0; i < follow->n; i++) {
        weir_lists_place_t place = { .entries = follow->entries };
        weir_source_list_t list;

        if (follow->servers[i].source == NULL) {
            continue;
        }
        known[i] = (weir_follow_known_t) { follow->servers[i].source->loaded.at, follow->servers[i].source->loaded.n,
                                           follow->servers[i].source->loaded.n != 0 };
        place.name = follow->servers[i].source->key;
        if (weir_lists_read(&place, &list)) {
            weir_source_peer_t *peers = weir_new_n(arena, weir_source_peer_t, list.n);

            for (size_t k = 0; k < list.n; k++) {
                peers[k] = list.at[k];
                peers[k].server = weir_str_dup(arena, list.at[k].server);
                peers[k].locality = weir_str_dup(arena, list.at[k].locality);
            }
            known[i] = (weir_follow_known_t) { peers, list.n, true };
            weir_source_free(&list);
        }
    }
    weir_upstream_fill(arena, group, follow, known);
}

static json_t *
command_text(weir_str_t text)
{
    json_t *value = json_stringn(text.at != NULL ? text.at : "", text.len);

    return value != NULL ? value : json_string("?");         /* no UTF-8 */
}

static const char *
command_state(const weir_peer_conf_t *peer, const weir_peer_look_t *seen, bool is_removed)
{
    const struct { uint64_t why; const char *word; } words[] = {
        { WEIR_BARRED_DOWN, "down" }, { WEIR_BARRED_BUT_BOUND, "drained" }, { WEIR_BARRED_CHECK, "unhealthy" },
        { WEIR_BARRED_UNPROVEN, "unproven" }, { WEIR_BARRED_EJECTED, "ejected" },
    };

    if (is_removed || peer->down) {
        return is_removed ? "removed" : "down";
    }
    for (size_t i = 0; i < weir_countof(words); i++) {
        if ((seen->barred & words[i].why) != 0) {
            return words[i].word;
        }
    }
    return seen->is_marked ? "failed" : "up";
}

static void
command_put_peer(json_t *servers, const weir_group_conf_t *group, const weir_peer_conf_t *said, const char *from)
{
    const weir_change_t *change = weir_changes_find(group->name, said->text);
    weir_peer_conf_t     peer = *said;
    weir_peer_look_t     seen;
    char                 name[WEIR_CHANGES_GROUP + WEIR_ADDR_TEXT + 2];
    weir_buf_t           b;
    json_t              *row = json_object();

    if (change != NULL && change->kind != WEIR_CHANGE_REMOVE) {
        weir_change_apply(change, &peer);
    }
    weir_buf_init(&b, name, sizeof(name));
    weir_buf_printf(&b, "%.*s%c%.*s", WEIR_STR_ARG(group->name), WEIR_STATS_SEPARATOR, WEIR_STR_ARG(said->text));
    (void) weir_state_look(weir_buf_str(&b), &seen);
    (void) json_object_set_new(row, "server", command_text(said->text));
    (void) json_object_set_new(row, "from", json_string(from));
    if (!weir_str_eq(said->server, said->text)) {
        (void) json_object_set_new(row, "name", command_text(said->server));
    }
    (void) json_object_set_new(row, "state", json_string(command_state(&peer, &seen, change != NULL
                                                                       && change->kind == WEIR_CHANGE_REMOVE)));
    (void) json_object_set_new(row, "changed", json_boolean(change != NULL));
    (void) json_object_set_new(row, "weight", json_integer(peer.weight));
    (void) json_object_set_new(row, "max_fails", json_integer(peer.max_fails));
    (void) json_object_set_new(row, "fail_timeout_ms", json_integer((json_int_t) peer.fail_timeout.ms));
    (void) json_object_set_new(row, "max_conns", json_integer(peer.max_conns));
    (void) json_object_set_new(row, "priority", json_integer(peer.priority));
    (void) json_object_set_new(row, "backup", json_boolean(peer.backup));
    if (peer.locality.len != 0) {
        (void) json_object_set_new(row, "locality", command_text(peer.locality));
    }
    (void) json_object_set_new(row, "fails", json_integer(seen.fails));
    (void) json_object_set_new(row, "active", json_integer(seen.in_use));
    (void) json_array_append_new(servers, row);
}

typedef struct { json_t *servers; const weir_group_conf_t *group; const weir_table_t *said; } command_list_t;

static void
command_put_added(void *data, const weir_change_t *change)
{
    const command_list_t *list = data;

    if (change->kind == WEIR_CHANGE_ADD && weir_table_find(list->said, change->peer.text) == NULL) {
        weir_peer_conf_t peer = change->peer;

        peer.down = false;
        command_put_peer(list->servers, list->group, &peer, "run time");
    }
}

static json_t *
command_list_group(const weir_group_conf_t *of)
{
    weir_group_conf_t group = *of;
    weir_arena_t      arena;
    weir_table_t      said;
    json_t           *servers = json_array(), *answer;
    command_list_t    list = { servers, &group, &said };

    weir_arena_init(&arena, COMMAND_CHUNK);
    weir_table_init(&said, &arena);
    weir_states_use(group.states);
    command_fill(&arena, &group);
    for (size_t i = 0; i < group.n_peers; i++) {
        weir_addr_t addr;
        weir_hostport_t hp;
        const char *why;
        bool is_address = weir_addr_parse_hostport(&hp, group.peers[i].server, &why)
                          && (hp.is_unix || weir_addr_from_ip(&addr, hp.host, 0));

        weir_table_add(&said, group.peers[i].text, &group.peers[i]);
        command_put_peer(servers, &group, &group.peers[i],
                         is_address || group.follow == NULL ? "configuration" : "name");
    }
    weir_changes_each(group.name, command_put_added, &list);
    weir_states_use(0);
    weir_arena_fini(&arena);
    answer = json_pack("{s:b,s:o,s:o}", "ok", 1, "group", command_text(group.name), "servers", servers);
    return answer != NULL ? answer : json_pack("{s:s}", "error", "there is no memory");
}

/* -- every group -- */

typedef struct {
    const weir_generation_t *generation;
    const weir_group_conf_t *group;
    json_t                  *groups;
    size_t                   added, removed, all;
} command_count_t;

static void
command_count(void *data, const weir_change_t *change)
{
    command_count_t *count = data;
    bool             is_said = command_find(count->generation, count->group, change->peer.text) != NULL;

    count->all++;
    count->added += change->kind == WEIR_CHANGE_ADD && !is_said;
    count->removed += change->kind == WEIR_CHANGE_REMOVE && is_said;
}

static void
command_put_group(command_count_t *count, const weir_group_conf_t *group)
{
    count->group = group;
    count->added = count->removed = count->all = 0;
    weir_changes_each(group->name, command_count, count);
    (void) json_array_append_new(count->groups,
                                 json_pack("{s:o,s:I,s:I}", "group", command_text(group->name), "servers",
                                           (json_int_t) (group->n_peers + count->added - count->removed),
                                           "changed", (json_int_t) count->all));
}

json_t *
weir_upstream_tell(weir_generation_t *generation, const json_t *command)
{
    const json_t            *name = json_object_get(command, "group");
    const weir_group_conf_t *group;
    command_count_t          count = { .generation = generation };

    if (name == NULL) {
        count.groups = json_array();
        for (size_t i = 0; (group = weir_upstream_at(generation, i)) != NULL; i++) {
            command_put_group(&count, group);
        }
        return json_pack("{s:b,s:o}", "ok", 1, "groups", count.groups);
    }
    group = json_is_string(name) ? weir_upstream_find(generation, weir_str_from_z(json_string_value(name))) : NULL;
    if (group == NULL) {
        return json_pack("{s:o}", "error", json_sprintf("there is no upstream \"%.100s\"", json_is_string(name)
                                                        ? json_string_value(name) : ""));
    }
    return command_list_group(group);
}
