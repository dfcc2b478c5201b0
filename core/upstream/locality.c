/*
 * locality.c - see locality.h.  Runs at load time.
 */
#include "upstream/locality.h"

#define LOCALITY_NAMES       3
#define LOCALITY_MAX_PERCENT 10000

extern const size_t weir_locality_module_index;

bool
weir_locality_is_valid(weir_str_t locality)
{
    weir_str_t name, rest = locality;
    size_t     n = 0;

    for (bool more = true; more; n++) {
        more = weir_str_cut(rest, '/', &name, &rest);
        if (name.len == 0 || n == LOCALITY_NAMES) {
            return false;
        }
    }
    return true;
}

uint8_t
weir_locality_distance(weir_str_t own, weir_str_t peer)
{
    weir_str_t mine, theirs;
    uint8_t    differ = 0;
    bool       more = own.len != 0, is_same = true;

    while (more) {
        more = weir_str_cut(own, '/', &mine, &own);
        (void) weir_str_cut(peer, '/', &theirs, &peer);
        is_same = is_same && weir_str_eq(mine, theirs);
        differ += !is_same;
    }
    return differ;
}

/* -- directives -- */

static bool
locality_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    weir_str_t text = words->at[1].text;

    *(weir_str_t *) field = text;
    return weir_locality_is_valid(text) || weir_conf_invalid(cf, 1, "REGION, REGION/ZONE or REGION/ZONE/SUBZONE");
}

static const weir_conf_type_t locality_type = {
    .name = "region[/zone[/subzone]]", .size = sizeof(weir_str_t), .min_args = 1, .max_args = 1,
    .parse = locality_parse,
};

/* "1.4": in percent. */
static bool
locality_parse_factor(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                      void *field)
{
    weir_str_t whole, part = WEIR_STR_NONE;
    uint64_t   number = 0, hundredths = 0;
    bool       has_point = weir_str_cut(words->at[1].text, '.', &whole, &part);

    if (!weir_str_to_u64(whole, &number)
        || (has_point && (part.len == 0 || part.len > 2 || !weir_str_to_u64(part, &hundredths))))
    {
        return weir_conf_invalid(cf, 1, "a factor such as 1.4, with at most two decimals");
    }
    hundredths = weir_min(number, LOCALITY_MAX_PERCENT) * 100 + (part.len == 1 ? hundredths * 10 : hundredths);
    if (hundredths < 100 || hundredths > LOCALITY_MAX_PERCENT) {
        return weir_conf_invalid(cf, 1, "a factor from 1 to 100");
    }
    *(uint32_t *) field = (uint32_t) hundredths;
    return true;
}

static const weir_conf_type_t locality_type_factor = {
    .name = "factor", .size = sizeof(uint32_t), .min_args = 1, .max_args = 1, .parse = locality_parse_factor,
};

static const weir_directive_t locality_directives[] = {
    WEIR_DIRECTIVE_OF(weir_locality_settings_t, own, "locality", &locality_type, .where = WEIR_IN_HTTP,
                      .help = "Says where this gateway is; servers of an upstream block with the same locality are "
                              "asked before others."),
    WEIR_DIRECTIVE_OF(weir_locality_settings_t, overprovisioning, "overprovisioning", &locality_type_factor,
                      .where = WEIR_IN_HTTP | WEIR_IN_UPSTREAM, .dflt = "1.4",
                      .help = "Sets how much more than its share the healthy part of a set of servers takes before "
                              "the next set gets requests."),
    WEIR_DIRECTIVES_END
};

const weir_module_t weir_locality_module = {
    .name = "locality_module",
    .area = "Upstreams",
    .conf_size = sizeof(weir_locality_settings_t),
    .directives = locality_directives,
};

weir_locality_settings_t
weir_locality_settings(const weir_conf_block_t *block)
{
    const weir_locality_settings_t *conf = weir_conf_of(block, weir_locality_module_index);
    weir_locality_settings_t        settings = *(const weir_locality_settings_t *) weir_conf_of(block->parent,
            weir_locality_module_index);

    if (conf != NULL && weir_conf_is_set(block, weir_locality_module_index, "overprovisioning")) {
        settings.overprovisioning = conf->overprovisioning;
    }
    return settings;
}
