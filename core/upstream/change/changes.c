/*
 * changes.c - see changes.h: the commands, and what each process remembers of them.
 */
#include "upstream/changes.h"

#include "base/list.h"
#include "base/mem.h"
#include "shm/stats.h"
#include "upstream/locality.h"
#include "upstream/source.h"
#include "upstream/state.h"

#include <stdlib.h>
#include <string.h>

#define CHANGES_PORT         80
#define CHANGES_BUCKETS      64              /* at first */
#define CHANGES_MAX_PRIORITY 128
#define CHANGES_SCRATCH      512

/* -- commands -- */

typedef enum { CHANGES_NUMBER, CHANGES_TIME, CHANGES_TEXT, CHANGES_SWITCH } changes_type_t;

typedef struct {
    const char    *name;
    uint32_t       bit;
    changes_type_t type;
    uint32_t       min, max;
    size_t         at;                       /* in weir_change_t */
} changes_option_t;

#define CHANGES_AT(field) offsetof(weir_change_t, field)

static const changes_option_t changes_options[] = {
    { "weight", WEIR_CHANGE_WEIGHT, CHANGES_NUMBER, 1, WEIR_SOURCE_WEIGHT_MAX, CHANGES_AT(peer.weight) },
    { "max_fails", WEIR_CHANGE_MAX_FAILS, CHANGES_NUMBER, 0, WEIR_FAILURES_MAX, CHANGES_AT(peer.max_fails) },
    { "fail_timeout", WEIR_CHANGE_FAIL_TIMEOUT, CHANGES_TIME, 0, 0, CHANGES_AT(peer.fail_timeout) },
    { "max_conns", WEIR_CHANGE_MAX_CONNS, CHANGES_NUMBER, 0, UINT32_MAX, CHANGES_AT(peer.max_conns) },
    { "slow_start", WEIR_CHANGE_SLOW_START, CHANGES_TIME, 0, 0, CHANGES_AT(peer.slow_start) },
    { "priority", WEIR_CHANGE_PRIORITY, CHANGES_NUMBER, 0, CHANGES_MAX_PRIORITY, CHANGES_AT(peer.priority) },
    { "locality", WEIR_CHANGE_LOCALITY, CHANGES_TEXT, 0, 0, CHANGES_AT(peer.locality) },
    { "backup", WEIR_CHANGE_BACKUP, CHANGES_SWITCH, 0, 0, CHANGES_AT(peer.backup) },
    { "down", WEIR_CHANGE_DOWN, CHANGES_SWITCH, 0, 0, CHANGES_AT(peer.down) },
    { "drain", WEIR_CHANGE_DRAIN, CHANGES_SWITCH, 0, 0, CHANGES_AT(is_drained) },
};

/* Text of a member, without control characters; empty: it is none. */
static weir_str_t
changes_text(const json_t *command, const char *name)
{
    const json_t *value = json_object_get(command, name);
    weir_str_t    text = json_is_string(value) ? weir_str(json_string_value(value), json_string_length(value))
                         : WEIR_STR_NONE;

    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char) text.at[i] < 0x20 || text.at[i] == 0x7f) {
            return WEIR_STR_NONE;
        }
    }
    return text;
}

static bool
changes_read_number(weir_change_t *change, const changes_option_t *option, const json_t *value, weir_error_t *error)
{
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;

    if (number < (json_int_t) option->min || number > (json_int_t) option->max) {
        return weir_error_set(error, "\"%s\" is to be a number from %u to %u", option->name, option->min, option->max);
    }
    if (option->bit == WEIR_CHANGE_PRIORITY) {
        change->peer.priority = (uint16_t) number;
    } else {
        *(uint32_t *) (void *) ((char *) change + option->at) = (uint32_t) number;
    }
    return true;
}

static bool
changes_read_option(weir_change_t *change, const changes_option_t *option, const json_t *command, weir_error_t *error)
{
    const json_t *value = json_object_get(command, option->name);
    void         *to = (char *) change + option->at;
    weir_str_t    text = changes_text(command, option->name);

    change->given |= option->bit;
    switch (option->type) {
    case CHANGES_NUMBER:
        return changes_read_number(change, option, value, error);
    case CHANGES_TIME:
        return (text.len != 0 && weir_conf_read_msec(text, to))
               || weir_error_set(error, "\"%s\" is to be a time such as \"10s\"", option->name);
    case CHANGES_TEXT:
        *(weir_str_t *) to = text;
        return (text.len != 0 && text.len <= WEIR_SOURCE_TEXT_MAX && weir_locality_is_valid(text))
               || weir_error_set(error, "\"%s\" is to be REGION, REGION/ZONE or REGION/ZONE/SUBZONE", option->name);
    case CHANGES_SWITCH:
        *(bool *) to = json_is_true(value);
        return json_is_boolean(value) || weir_error_set(error, "\"%s\" is to be true or false", option->name);
    }
    return false;
}

/* Every member is one that the command has. */
static bool
changes_know_members(const weir_change_t *change, const json_t *command, uint32_t may, weir_error_t *error)
{
    const char *name;
    json_t     *value;

    json_object_foreach((json_t *) (uintptr_t) command, name, value) {
        bool known = strcmp(name, "do") == 0 || strcmp(name, "group") == 0 || strcmp(name, "server") == 0
                     || (change->kind == WEIR_CHANGE_REMOVE && strcmp(name, "forget") == 0);

        for (size_t i = 0; i < weir_countof(changes_options) && !known; i++) {
            known = strcmp(name, changes_options[i].name) == 0 && (changes_options[i].bit & may) != 0;
        }
        if (!known) {
            return weir_error_set(error, "\"%.40s\" is not for this command", name);
        }
    }
    return true;
}

/* An address with its port: what a peer's text is. */
static bool
changes_read_server(weir_change_t *change, const json_t *command, weir_error_t *error)
{
    weir_str_t      text = changes_text(command, "server");
    weir_hostport_t hp;
    const char     *why = "";

    if (text.len == 0 || !weir_addr_parse_hostport(&hp, text, &why) || hp.is_wildcard
        || !(hp.is_unix ? weir_addr_from_unix(&change->peer.addr, hp.host)
             : weir_addr_from_ip(&change->peer.addr, hp.host, hp.has_port ? hp.port : CHANGES_PORT)))
    {
        return weir_error_set(error, "\"%.*s\" is no address: \"server\" is to be IP, IP:PORT or unix:PATH; a name is "
                              "for the configuration", (int) weir_min(text.len, (size_t) 100),
                              text.at != NULL ? text.at : "");
    }
    change->peer.text = weir_str(change->text, weir_addr_text(&change->peer.addr, change->text));
    change->peer.server = change->peer.text;
    return true;
}

static bool
changes_read_kind(weir_change_t *change, const json_t *command, uint32_t *may, weir_error_t *error)
{
    const weir_str_t what = changes_text(command, "do");

    *may = WEIR_CHANGE_OF_SET;
    if (weir_str_eq(what, WEIR_STR("upstream.add"))) {
        change->kind = WEIR_CHANGE_ADD;
        *may = UINT32_MAX;
    } else if (weir_str_eq(what, WEIR_STR("upstream.set"))) {
        change->kind = WEIR_CHANGE_SET;
    } else if (weir_str_eq(what, WEIR_STR("upstream.drain"))) {
        change->kind = WEIR_CHANGE_SET;
        change->given = WEIR_CHANGE_DRAIN;
        change->is_drained = true;
        *may = 0;
    } else if (weir_str_eq(what, WEIR_STR("upstream.remove"))) {
        change->kind = WEIR_CHANGE_REMOVE;
        *may = 0;
    } else {
        return weir_error_set(error, "\"do\" is to be upstream.list, upstream.add, upstream.set, upstream.drain or "
                              "upstream.remove");
    }
    return true;
}

bool
weir_change_read(weir_change_t *change, const json_t *command, weir_error_t *error)
{
    uint32_t may;

    memset(change, 0, sizeof(*change));
    change->peer = weir_source_default;
    if (!json_is_object(command)) {
        return weir_error_set(error, "a command is to be a JSON object");
    }
    if (!changes_read_kind(change, command, &may, error) || !changes_know_members(change, command, may, error)) {
        return false;
    }
    change->group = changes_text(command, "group");
    if (change->group.len == 0 || change->group.len > WEIR_CHANGES_GROUP) {
        return weir_error_set(error, "\"group\" is to be the name of an upstream block");
    }
    for (size_t i = 0; i < weir_countof(changes_options); i++) {
        if (json_object_get(command, changes_options[i].name) != NULL
            && !changes_read_option(change, &changes_options[i], command, error))
        {
            return false;
        }
    }
    if (change->kind == WEIR_CHANGE_SET && change->given == 0) {
        return weir_error_set(error, "nothing is to be set");
    }
    change->forgets = json_is_true(json_object_get(command, "forget"));
    return changes_read_server(change, command, error);
}

static json_t *
changes_write_option(const weir_change_t *change, const changes_option_t *option)
{
    const void *at = (const char *) change + option->at;
    char        text[32];

    switch (option->type) {
    case CHANGES_NUMBER:
        return json_integer(option->bit == WEIR_CHANGE_PRIORITY ? change->peer.priority : *(const uint32_t *) at);
    case CHANGES_TIME:
        (void) snprintf(text, sizeof(text), "%llums", (unsigned long long) ((const weir_msec_t *) at)->ms);
        return json_string(text);
    case CHANGES_TEXT:
        return json_stringn(((const weir_str_t *) at)->at, ((const weir_str_t *) at)->len);
    case CHANGES_SWITCH:
        return json_boolean(*(const bool *) at);
    }
    return NULL;
}

json_t *
weir_change_write(const weir_change_t *change)
{
    static const char *const kinds[] = { "upstream.add", "upstream.set", "upstream.remove" };
    json_t *command = json_object();

    (void) json_object_set_new(command, "do", json_string(kinds[change->kind]));
    (void) json_object_set_new(command, "group", json_stringn(change->group.at, change->group.len));
    (void) json_object_set_new(command, "server", json_stringn(change->peer.text.at, change->peer.text.len));
    for (size_t i = 0; i < weir_countof(changes_options); i++) {
        if ((change->given & changes_options[i].bit) != 0) {
            (void) json_object_set_new(command, changes_options[i].name,
                                       changes_write_option(change, &changes_options[i]));
        }
    }
    if (change->forgets) {
        (void) json_object_set_new(command, "forget", json_true());
    }
    return command;
}

void
weir_change_apply(const weir_change_t *change, weir_peer_conf_t *conf)
{
    const uint32_t          given = change->given;
    const weir_peer_conf_t *peer = &change->peer;

    conf->weight = (given & WEIR_CHANGE_WEIGHT) != 0 ? peer->weight : conf->weight;
    conf->max_fails = (given & WEIR_CHANGE_MAX_FAILS) != 0 ? peer->max_fails : conf->max_fails;
    conf->max_conns = (given & WEIR_CHANGE_MAX_CONNS) != 0 ? peer->max_conns : conf->max_conns;
    conf->fail_timeout = (given & WEIR_CHANGE_FAIL_TIMEOUT) != 0 ? peer->fail_timeout : conf->fail_timeout;
    conf->slow_start = (given & WEIR_CHANGE_SLOW_START) != 0 ? peer->slow_start : conf->slow_start;
    conf->priority = (given & WEIR_CHANGE_PRIORITY) != 0 ? peer->priority : conf->priority;
    conf->locality = (given & WEIR_CHANGE_LOCALITY) != 0 ? peer->locality : conf->locality;
    conf->backup = (given & WEIR_CHANGE_BACKUP) != 0 ? peer->backup : conf->backup;
    conf->down = conf->down && (given & WEIR_CHANGE_DOWN) == 0;      /* bars say it (members.c) */
    conf->drain = conf->drain && (given & WEIR_CHANGE_DRAIN) == 0;
}

/* -- what is remembered -- */

typedef struct changes_entry changes_entry_t;
struct changes_entry {
    weir_list_t      link;                   /* of its group's */
    changes_entry_t *next;                   /* of its bucket */
    uint64_t         hash;
    weir_change_t    change;                 /* its texts lie behind the entry */
    uint64_t         number;                 /* of the last change */
    uint32_t         stats;                  /* the row of one that was added, held */
};

typedef struct {
    weir_list_t link;                        /* of all */
    weir_list_t entries;
    size_t      name_len;
    char        name[WEIR_CHANGES_GROUP];
} changes_group_t;

static struct {
    weir_list_t       groups;
    changes_entry_t **buckets;
    size_t            n_buckets, n;
    uint64_t          number;
} changes;

static uint64_t
changes_hash(weir_str_t group, weir_str_t text)
{
    return weir_str_hash(text, weir_str_hash(group, 0));
}

static changes_group_t *
changes_group(weir_str_t name, bool makes)
{
    changes_group_t *group;

    if (changes.groups.next == NULL) {
        weir_list_init(&changes.groups);
    }
    for (weir_list_t *at = changes.groups.next; at != &changes.groups; at = at->next) {
        group = weir_list_entry(at, changes_group_t, link);
        if (weir_str_eq(weir_str(group->name, group->name_len), name)) {
            return group;
        }
    }
    if (!makes) {
        return NULL;
    }
    weir_assert(name.len <= WEIR_CHANGES_GROUP);
    group = weir_mem_need(sizeof(*group));
    weir_list_init(&group->entries);
    group->name_len = name.len;
    memcpy(group->name, name.at, name.len);
    weir_list_append(&changes.groups, &group->link);
    return group;
}

static changes_entry_t **
changes_bucket(uint64_t hash)
{
    return &changes.buckets[hash & (changes.n_buckets - 1)];
}

static changes_entry_t *
changes_find(weir_str_t group, weir_str_t text)
{
    uint64_t         hash = changes_hash(group, text);
    changes_entry_t *entry = changes.n_buckets != 0 ? *changes_bucket(hash) : NULL;

    while (entry != NULL && (entry->hash != hash || !weir_str_eq(entry->change.group, group)
                             || !weir_str_eq(entry->change.peer.text, text)))
    {
        entry = entry->next;
    }
    return entry;
}

static void
changes_grow(void)
{
    size_t            n = changes.n_buckets != 0 ? changes.n_buckets * 4 : CHANGES_BUCKETS, old = changes.n_buckets;
    changes_entry_t **before = changes.buckets;

    changes.buckets = weir_mem_need(n * sizeof(*changes.buckets));
    changes.n_buckets = n;
    for (size_t i = 0; i < old; i++) {
        for (changes_entry_t *entry = before[i], *next; entry != NULL; entry = next) {
            changes_entry_t **bucket = changes_bucket(entry->hash);

            next = entry->next;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    weir_mem_free(before);
}

static void
changes_drop(changes_entry_t *entry)
{
    changes_entry_t **at = changes_bucket(entry->hash);

    while (*at != entry) {
        at = &(*at)->next;
    }
    *at = entry->next;
    weir_list_remove(&entry->link);
    weir_assert(changes.n > 0);
    changes.n--;
    weir_stats_let_go(entry->stats);
    weir_mem_free(entry);
}

/* The row of a peer that no configuration names: the master makes it, workers find it. */
static uint32_t
changes_hold_row(const weir_change_t *change)
{
    weir_arena_t scratch;
    uint32_t     group, row;

    if (!weir_stats_is_on()) {
        return 0;
    }
    weir_arena_init(&scratch, CHANGES_SCRATCH);
    group = weir_stats_row(&scratch, WEIR_STATS_UPSTREAM, change->group, 0);
    row = weir_stats_row(&scratch, WEIR_STATS_PEER,
                         weir_str_printf(&scratch, "%.*s%c%.*s", WEIR_STR_ARG(change->group), WEIR_STATS_SEPARATOR,
                                         WEIR_STR_ARG(change->peer.text)), group);
    weir_stats_hold(row);
    weir_arena_fini(&scratch);
    return row;
}

/* At the end of its group's. */
static changes_entry_t *
changes_make(const weir_change_t *change)
{
    changes_entry_t *entry = weir_mem_need(sizeof(*entry) + change->group.len + change->peer.locality.len);
    char            *texts = (char *) (entry + 1);

    if (changes.n >= changes.n_buckets) {
        changes_grow();
    }
    entry->change = *change;
    entry->change.group = weir_str_put(&texts, change->group);
    entry->change.peer.locality = weir_str_put(&texts, change->peer.locality);
    entry->change.peer.text.at = entry->change.peer.server.at = entry->change.text;
    entry->hash = changes_hash(change->group, change->peer.text);
    entry->next = *changes_bucket(entry->hash);
    *changes_bucket(entry->hash) = entry;
    weir_list_append(&changes_group(change->group, true)->entries, &entry->link);
    changes.n++;
    if (change->kind == WEIR_CHANGE_ADD) {
        entry->stats = changes_hold_row(change);
        entry->change.peer.stats = entry->stats;
    }
    return entry;
}

/* What is given now, over what was given before. */
static void
changes_merge(weir_change_t *into, const weir_change_t *change)
{
    bool is_down = (change->given & WEIR_CHANGE_DOWN) != 0 ? change->peer.down : into->peer.down;

    into->given |= change->given;
    weir_change_apply(change, &into->peer);
    into->peer.down = is_down;
    if ((change->given & WEIR_CHANGE_DRAIN) != 0) {
        into->is_drained = change->is_drained;
    }
}

uint64_t
weir_changes_number(void)
{
    return changes.number;
}

bool
weir_changes_put(uint64_t number, const weir_change_t *change)
{
    changes_entry_t *entry = changes_find(change->group, change->peer.text);


    weir_assert(number >= changes.number);
    changes.number = number;

    if (change->kind == WEIR_CHANGE_SET && entry != NULL && entry->change.kind != WEIR_CHANGE_REMOVE) {
        changes_merge(&entry->change, change);
        entry->number = number;
        return true;
    }
    if (entry != NULL) {
        changes_drop(entry);
    }
    if (change->kind == WEIR_CHANGE_REMOVE && change->forgets) {
        return true;
    }
    if (changes.n >= WEIR_CHANGES_MAX) {
        return false;
    }
    changes_make(change)->number = number;
    return true;
}

const weir_change_t *
weir_changes_find(weir_str_t group, weir_str_t text)
{
    const changes_entry_t *entry = changes_find(group, text);

    return entry != NULL ? &entry->change : NULL;
}

void
weir_changes_each(weir_str_t name, void (*each)(void *data, const weir_change_t *change), void *data)
{
    const changes_group_t *group = changes.n != 0 ? changes_group(name, false) : NULL;

    for (const weir_list_t *at = group != NULL ? group->entries.next : NULL; group != NULL && at != &group->entries;
         at = at->next)
    {
        each(data, &weir_list_entry(at, changes_entry_t, link)->change);
    }
}

void
weir_changes_each_group(void (*each)(void *data, weir_str_t group), void *data)
{
    for (weir_list_t *at = changes.groups.next, *next; at != NULL && at != &changes.groups; at = next) {
        const changes_group_t *group = weir_list_entry(at, changes_group_t, link);

        next = at->next;
        each(data, weir_str(group->name, group->name_len));
    }
}

typedef struct { void (*each)(void *data, const char *line); void *data; } changes_lines_t;

static void
changes_tell_line(void *data, const weir_change_t *change)
{
    const changes_lines_t *lines = data;
    json_t                *command = weir_change_write(change);
    char                  *text = json_dumps(command, JSON_COMPACT);

    if (text != NULL) {
        lines->each(lines->data, text);
    }
    free(text);
    json_decref(command);
}

static void
changes_tell_group(void *data, weir_str_t group)
{
    weir_changes_each(group, changes_tell_line, data);
}

void
weir_changes_each_line(void (*each)(void *data, const char *line), void *data)
{
    changes_lines_t lines = { each, data };

    weir_changes_each_group(changes_tell_group, &lines);
}

bool
weir_changes_load(weir_str_t lines)
{
    weir_str_t line;
    bool       good = true;

    while (weir_str_cut(lines, '\n', &line, &lines)) {
        json_t       *command = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL);
        weir_error_t  error;
        weir_change_t change;

        good = weir_change_read(&change, command, &error) && weir_changes_put(changes.number + 1, &change) && good;
        json_decref(command);
    }
    return good && lines.len == 0;
}

static void
changes_hold_row_of(changes_entry_t *entry)
{
    if (entry->change.kind == WEIR_CHANGE_ADD && entry->stats < WEIR_STATS_KINDS) {
        entry->change.peer.stats = entry->stats = changes_hold_row(&entry->change);
    }
}

void
weir_changes_hold_rows(void)
{
    for (size_t i = 0; i < changes.n_buckets; i++) {
        for (changes_entry_t *entry = changes.buckets[i]; entry != NULL; entry = entry->next) {
            changes_hold_row_of(entry);
        }
    }
}

size_t
weir_changes_count(void)
{
    return changes.n;
}

void
weir_changes_forget(weir_str_t name, uint64_t until)
{
    changes_group_t *group = changes_group(name, false);

    if (group == NULL) {
        return;
    }
    for (weir_list_t *at = group->entries.next, *next; at != &group->entries; at = next) {
        changes_entry_t *entry = weir_list_entry(at, changes_entry_t, link);

        next = at->next;
        if (entry->number <= until) {
            changes_drop(entry);
        }
    }
    if (weir_list_empty(&group->entries)) {
        weir_list_remove(&group->link);
        weir_mem_free(group);
    }
}
