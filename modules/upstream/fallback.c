/*
 * fallback.c - `fallback` in an upstream block: the group or the location that has the requests which this group does
 * not take.
 *
 * Groups are bound to one another when all of them are there.  What is done in a request is in http/proxy/fallback.c.
 */
#include "upstream/module.h"

extern const size_t weir_upstream_fallback_index;

#define FALLBACK_CHAIN 16                    /* groups in a row, at most */

typedef struct {
    weir_str_t               to;             /* empty: it was not said */
    const weir_conf_words_t *words;
} fallback_said_t;

typedef struct { fallback_said_t said; } fallback_conf_t;

/* -- the policy: it only counts -- */

typedef struct { weir_state_part_t *part; } fallback_state_t;

static void
fallback_begin(weir_uppolicy_of_t *of)
{
    ((fallback_state_t *) of->state)->part = weir_state_part(of->group, NULL, "fallback");
}

static void
fallback_count(weir_uppolicy_of_t *of, weir_pick_t *pick WEIR_UNUSED)
{
    weir_state_part_count(((fallback_state_t *) of->state)->part);
}

static const weir_told_t fallback_tells[] = {
    { .name = "used", .help = "Requests that went to the fallback of the group.", .kind = WEIR_TOLD_COUNT },
};

static void
fallback_tell(const weir_uppolicy_of_t *of, const weir_peer_t *peer, uint64_t *numbers)
{
    if (peer == NULL) {
        numbers[0] = weir_state_part_counted(((const fallback_state_t *) of->state)->part);
    }
}

static const weir_uppolicy_t fallback_policy = {
    .name = "fallback",
    .group_size = sizeof(fallback_state_t),
    .begin = fallback_begin,
    .fell_back = fallback_count,
    .tells = fallback_tells,
    .n_tells = weir_countof(fallback_tells),
    .tell = fallback_tell,
};

static const weir_uppolicy_t *
fallback_judge(const void *conf, weir_str_t *settings)
{
    *settings = WEIR_STR("");
    return ((const fallback_conf_t *) conf)->said.to.len != 0 ? &fallback_policy : NULL;
}

/* -- the directive -- */

static bool
fallback_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    fallback_said_t *said = field;
    weir_str_t       to = words->at[1].text;

    if (to.len == 0 || (to.len == 1 && to.at[0] == '@')) {
        return weir_conf_invalid(cf, 1, "the name of an upstream block or @location");
    }
    *said = (fallback_said_t) { to, words };
    return true;
}

static bool
fallback_bind(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block)
{
    const fallback_said_t *said = &((const fallback_conf_t *) weir_conf_of(block, weir_upstream_fallback_index))->said;
    weir_group_conf_t     *group = weir_upstream_find(generation, block->words.at[1].text), *to;

    if (said->to.len == 0) {
        return true;
    }
    weir_assert(group != NULL);
    if (said->to.at[0] == '@') {
        group->fallback_location = said->to;
        return true;
    }
    to = weir_upstream_find(generation, said->to);
    if (to != NULL) {
        group->fallback = to->id;
    }
    return to != NULL
           || weir_conf_error_at(cf, said->words, "the fallback \"%.*s\" of upstream \"%.*s\" is no upstream block",
                                 WEIR_STR_ARG(said->to), WEIR_STR_ARG(group->name));
}

static bool
fallback_check_chain(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block)
{
    const fallback_said_t   *said = &((const fallback_conf_t *) weir_conf_of(block,
                                                                             weir_upstream_fallback_index))->said;
    const weir_group_conf_t *first = weir_upstream_find(generation, block->words.at[1].text), *at = first;

    for (unsigned n = 0; weir_group_id_is(at->fallback); n++) {
        at = weir_upstream_by_id(generation, at->fallback);
        if (at == first) {
            return weir_conf_error_at(cf, said->words, "the fallbacks of upstream \"%.*s\" come back to it",
                                      WEIR_STR_ARG(first->name));
        }
        if (n == FALLBACK_CHAIN) {
            return weir_conf_error_at(cf, said->words, "upstream \"%.*s\" has more than %u fallbacks in a row, or they "
                                      "go in a circle", WEIR_STR_ARG(first->name), FALLBACK_CHAIN);
        }
    }
    return true;
}

static bool
fallback_each(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *in,
              bool (*each)(weir_conf_t *, weir_generation_t *, const weir_conf_block_t *))
{
    for (const weir_conf_block_t *block = in->first; block != NULL; block = block->next) {
        bool is_group = block->context == WEIR_IN_UPSTREAM && block->confs[weir_upstream_fallback_index] != NULL;

        if ((is_group && !each(cf, generation, block))
            || (block->context == WEIR_IN_HTTP && !fallback_each(cf, generation, block, each)))
        {
            return false;
        }
    }
    return true;
}

static bool
fallback_build(weir_conf_t *cf, weir_generation_t *generation)
{
    return fallback_each(cf, generation, cf->root, fallback_bind)
           && fallback_each(cf, generation, cf->root, fallback_check_chain);
}

static const weir_conf_type_t fallback_type = {
    .name = "upstream|@location", .size = sizeof(fallback_said_t), .min_args = 1, .max_args = 1,
    .parse = fallback_parse,
};

static const weir_directive_t fallback_directives[] = {
    WEIR_DIRECTIVE_OF(fallback_conf_t, said, "fallback", &fallback_type, .where = WEIR_IN_UPSTREAM,
                      .help = "Names the group or the location that has the requests which this group does not take."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_fallback = {
    .name = "upstream_fallback",
    .area = "Upstreams",
    .conf_size = sizeof(fallback_conf_t),
    .directives = fallback_directives,
    .build = fallback_build,
    .judge = fallback_judge,
};
