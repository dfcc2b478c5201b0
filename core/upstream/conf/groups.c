/*
 * groups.c - see groups.h; and the module's life.
 *
 * The build runs in the master, in tools and in a worker's build thread; all of it in the generation's arena.  What
 * runs (groups with their connections, lists that are followed) is the process' own, by the groups' numbers: the
 * configuration itself is not written to while it serves.
 */
#include "upstream/groups.h"

#include "base/buf.h"
#include "base/dns.h"
#include "base/mem.h"
#include "upstream/fill.h"
#include "upstream/numbers.h"
#include "upstream/running.h"

#include <string.h>

#define GROUPS_MAX_NAME 255
#define GROUPS_FEW      16

/* What runs for a group of a generation; by number. */
typedef struct { weir_group_t *group; weir_follow_t *follow; } groups_live_t;

static weir_upstream_groups_t *
groups_of(const weir_generation_t *generation)
{
    return generation->built[weir_upstream_index];
}

/* -- numbers -- */

static void
groups_give_back(void *data)
{
    const weir_upstream_groups_t *groups = data;

    for (size_t i = 0; groups->is_numbered_here && i < groups->all.n; i++) {
        weir_numbers_give_back((*weir_array_at(&groups->all, weir_group_conf_t *, i))->id.number);
    }
}

bool
weir_upstream_groups_begin(weir_conf_t *cf, weir_upstream_groups_t *groups)
{
    weir_table_init(&groups->named, cf->arena);
    weir_table_init(&groups->implied, cf->arena);
    weir_table_init(&groups->stated, cf->arena);
    weir_array_init(&groups->all, cf->arena, sizeof(weir_group_conf_t *), 0);
    weir_array_init(&groups->numbers, cf->arena, sizeof(weir_numbers_said_t), 0);
    groups->is_numbered_here = !weir_bundle_is_replay(cf->bundle)
                               || !weir_bundle_get(cf->bundle, WEIR_STR(WEIR_UPSTREAM_NUMBERS), &groups->said);
    if (!groups->is_numbered_here && groups->said.len % sizeof(weir_numbers_said_t) != 0) {
        return weir_conf_error_at(cf, &cf->root->words, "the bundle has half a number of an upstream");
    }
    weir_arena_on_cleanup(cf->arena, groups_give_back, groups);
    return true;
}

/* The next number of those that came with the bundle.  0: it is not this group's, or no number of its own. */
static uint32_t
groups_next_said(const weir_upstream_groups_t *groups, uint32_t check)
{
    weir_numbers_said_t said;

    if (groups->all.n >= groups->said.len / sizeof(said)) {
        return 0;
    }
    memcpy(&said, groups->said.at + groups->all.n * sizeof(said), sizeof(said));
    return said.check == check && said.number < WEIR_NUMBERS_MAX
           && (said.number >= groups->n_by_number || groups->by_number[said.number] == NULL) ? said.number : 0;
}

/* The tables are the generation's; a group lies in its part. */
static void
groups_put(weir_upstream_groups_t *groups, weir_group_conf_t *group)
{
    uint32_t number = group->id.number, room = groups->n_by_number;

    if (number >= room) {
        weir_group_conf_t **before = groups->by_number;

        for (room = room != 0 ? room : GROUPS_FEW; room <= number; room *= 2) { }
        groups->by_number = weir_new_n(groups->all.arena, weir_group_conf_t *, room);
        if (before != NULL) {
            memcpy(groups->by_number, before, sizeof(*before) * groups->n_by_number);
        }
        groups->n_by_number = room;
    }
    weir_assert(groups->by_number[number] == NULL);
    groups->by_number[number] = group;
    *(weir_group_conf_t **) weir_array_push(&groups->all) = group;
}

bool
weir_upstream_groups_add(weir_conf_t *cf, weir_upstream_groups_t *groups, weir_str_t key, bool is_implied,
                         weir_group_conf_t *group)
{
    weir_numbers_said_t said = { .check = weir_numbers_check(key, is_implied) };

    said.number = groups->is_numbered_here ? weir_numbers_take(key, is_implied) : groups_next_said(groups, said.check);
    if (said.number == 0 && groups->is_numbered_here) {
        return weir_conf_error_at(cf, cf->words, "there are more than %u upstreams, with those of configurations that "
                                  "still serve", (unsigned) WEIR_NUMBERS_MAX - 1);
    }
    if (said.number == 0) {
        return weir_conf_error_at(cf, cf->words, "the bundle has no number of upstream \"%.*s\"",
                                  WEIR_STR_ARG(group->name));
    }
    group->id.number = said.number;
    groups_put(groups, group);
    *(weir_numbers_said_t *) weir_array_push(&groups->numbers) = said;
    (void) weir_table_add(is_implied ? &groups->implied : &groups->named, key, group);
    return true;
}

void
weir_upstream_groups_record(weir_conf_t *cf, weir_generation_t *generation)
{
    const weir_array_t *numbers = &groups_of(generation)->numbers;

    weir_bundle_put(cf->bundle, WEIR_STR(WEIR_UPSTREAM_NUMBERS), weir_str(numbers->at, numbers->n * numbers->item));
}

void
weir_upstream_judge(weir_generation_t *generation, weir_group_id_t group, const weir_uppolicy_t *policy,
                    weir_str_t settings)
{
    weir_group_conf_t *conf = groups_of(generation)->by_number[group.number];

    weir_assert(conf != NULL && conf->n_policies < WEIR_POLICIES_MAX && generation->kept[weir_upstream_index] == NULL);
    conf->policies[conf->n_policies++] = (weir_uppolicy_conf_t) { policy, settings };
    conf->digest = weir_fill_digest(conf);
}

/* -- asking for groups -- */

const weir_group_conf_t *
weir_upstream_by_id(const weir_generation_t *generation, weir_group_id_t id)
{
    const weir_upstream_groups_t *groups = groups_of(generation);

    weir_assert(id.number != 0 && groups != NULL && id.number < groups->n_by_number);
    weir_assert(groups->by_number[id.number] != NULL);
    return groups->by_number[id.number];
}

weir_group_t *
weir_upstream_running(const weir_generation_t *generation, weir_group_id_t id)
{
    const groups_live_t          *live = generation->kept[weir_upstream_index];
    const weir_upstream_groups_t *groups = groups_of(generation);

    if (live == NULL) {
        return NULL;
    }
    weir_assert(id.number != 0 && id.number < groups->n_by_number && live[id.number].group != NULL);
    return live[id.number].group;
}

weir_group_conf_t *
weir_upstream_find(weir_generation_t *generation, weir_str_t name)
{
    const weir_upstream_groups_t *groups = generation->built[weir_upstream_index];
    char                     lower[GROUPS_MAX_NAME];

    if (groups == NULL || name.len > sizeof(lower)) {
        return NULL;
    }
    for (size_t i = 0; i < name.len; i++) {
        lower[i] = weir_char_lower(name.at[i]);
    }
    return weir_table_find(&groups->named, weir_str(lower, name.len));
}

size_t
weir_upstream_list(const weir_generation_t *generation, weir_group_conf_t *const **first)
{
    const weir_upstream_groups_t *groups = generation->built[weir_upstream_index];

    *first = groups != NULL ? groups->all.at : NULL;
    return groups != NULL ? groups->all.n : 0;
}

const weir_group_conf_t *
weir_upstream_at(weir_generation_t *generation, size_t i)
{
    weir_upstream_groups_t *groups = generation->built[weir_upstream_index];
    weir_group_conf_t *conf = groups != NULL && i < groups->all.n
                              ? *weir_array_at(&groups->all, weir_group_conf_t *, i) : NULL;

    return conf != NULL && weir_upstream_find(generation, conf->name) == conf ? conf : NULL;     /* the others follow */
}

uint64_t
weir_upstream_changes(const weir_generation_t *generation)
{
    const weir_upstream_groups_t *groups = generation->built[weir_upstream_index];

    return groups != NULL ? groups->changes : 0;
}

weir_group_conf_t *
weir_upstream_known(weir_generation_t *generation, weir_str_t authority, uint16_t default_port)
{
    const weir_upstream_groups_t *groups = generation->built[weir_upstream_index];
    weir_group_conf_t *group = weir_upstream_find(generation, authority);
    weir_hostport_t hp;
    const char *why;
    char key[GROUPS_MAX_NAME + 64];
    weir_buf_t b;

    if (group != NULL || groups == NULL || authority.len > GROUPS_MAX_NAME
        || !weir_addr_parse_hostport(&hp, authority, &why))
    {
        return group;
    }
    weir_buf_init(&b, key, sizeof(key));
    weir_buf_printf(&b, "%s%s%.*s%s %u %u", hp.is_unix ? "unix:" : "", hp.is_v6_literal ? "[" : "",
                    WEIR_STR_ARG(hp.host), hp.is_v6_literal ? "]" : "",
                    (unsigned) (hp.has_port ? hp.port : default_port), (unsigned) default_port);
    return weir_table_find(&groups->implied, weir_buf_str(&b));
}

/* -- in a process that serves -- */

weir_groups_t *
weir_upstream_groups(const weir_life_t *life)
{
    return life->kept[weir_upstream_index];
}

static void
groups_stop(void *data)
{
    weir_generation_t            *generation = data;
    const weir_upstream_groups_t *groups = groups_of(generation);
    groups_live_t                *live = generation->kept[weir_upstream_index];

    for (size_t i = 0; i < groups->all.n; i++) {
        groups_live_t *one = &live[(*weir_array_at(&groups->all, weir_group_conf_t *, i))->id.number];

        weir_assert(one->group != NULL);
        if (one->follow != NULL) {
            weir_follow_stop(one->follow);
        }
        weir_group_unref(one->group);
    }
    generation->kept[weir_upstream_index] = NULL;
}

void
weir_upstream_start(weir_generation_t *generation, weir_groups_t *groups)
{
    const weir_upstream_groups_t *all = groups_of(generation);
    groups_live_t                *live;

    if (all == NULL) {
        return;
    }
    weir_assert(generation->kept[weir_upstream_index] == NULL);
    live = generation->kept[weir_upstream_index] = weir_new_n(&generation->live, groups_live_t, all->n_by_number);
    for (size_t i = 0; i < all->all.n; i++) {
        const weir_group_conf_t *conf = *weir_array_at(&all->all, weir_group_conf_t *, i);
        groups_live_t           *one = &live[conf->id.number];

        weir_assert(one->group == NULL);
        if (conf->follow != NULL) {
            one->follow = weir_follow_start(groups, generation, conf);
            one->group = weir_follow_group(one->follow);
        } else {
            one->group = weir_group_attach(groups, conf);
        }
    }
    weir_arena_on_cleanup(&generation->live, groups_stop, generation);
}

void
weir_upstream_stop_following(weir_generation_t *generation)
{
    const weir_upstream_groups_t *groups = groups_of(generation);
    const groups_live_t          *live = generation->kept[weir_upstream_index];

    for (uint32_t i = 0; live != NULL && i < groups->n_by_number; i++) {
        if (live[i].follow != NULL) {
            weir_follow_retire(live[i].follow);
        }
    }
}
