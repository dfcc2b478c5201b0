/*
 * locality.c - see locality.h.  Runs at load time.
 */
#include "upstream/locality.h"

#define LOCALITY_NAMES       3
#define LOCALITY_ZONES       64
#define LOCALITY_CALLERS     1000000
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

/* The peer is in that zone: it shares all of the zone's names. */
static bool
locality_is_in(weir_str_t peer, weir_str_t zone)
{
    return weir_locality_distance(zone, peer) == 0;
}

uint8_t
weir_locality_place(const weir_locality_settings_t *settings, weir_str_t peer)
{
    if (settings->zones.n == 0) {
        return weir_locality_distance(settings->own, peer);
    }
    for (size_t i = 0; i < settings->zones.n; i++) {
        if (locality_is_in(peer, settings->zones.at[i].locality)) {
            return (uint8_t) i;
        }
    }
    return (uint8_t) settings->zones.n;
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

/* "50%"; "off" is 0. */
static bool
locality_parse_percent(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                       void *field)
{
    weir_str_t text = words->at[1].text;
    uint64_t   percent = 0;

    if (!weir_str_eq(text, WEIR_STR("off"))
        && (text.len < 2 || text.at[text.len - 1] != '%' || !weir_str_to_u64(weir_str(text.at, text.len - 1), &percent)
            || percent > 100))
    {
        return weir_conf_invalid(cf, 1, "a part such as 50%, at most 100%, or off");
    }
    *(uint32_t *) field = (uint32_t) percent;
    return true;
}

static const weir_conf_type_t locality_type_percent = {
    .name = "percent%|off", .size = sizeof(uint32_t), .min_args = 1, .max_args = 1, .parse = locality_parse_percent,
};

/* "eu/de/a:3" */
static bool
locality_read_zone(weir_str_t word, weir_caller_zone_t *zone)
{
    weir_str_t number;
    uint64_t   callers;

    if (!weir_str_cut(word, ':', &zone->locality, &number) || !weir_locality_is_valid(zone->locality)
        || !weir_str_to_u64(number, &callers) || callers == 0 || callers > LOCALITY_CALLERS)
    {
        return false;
    }
    zone->callers = (uint32_t) callers;
    return true;
}

/* One is within another, or is the same: a peer could be of both. */
static bool
locality_overlaps(const weir_caller_zones_t *zones, weir_str_t locality)
{
    for (size_t i = 0; i < zones->n; i++) {
        if (locality_is_in(zones->at[i].locality, locality) || locality_is_in(locality, zones->at[i].locality)) {
            return true;
        }
    }
    return false;
}

static bool
locality_parse_zones(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                     void *field)
{
    weir_caller_zones_t *zones = field;
    weir_str_t           list = words->at[1].text, word;
    bool                 more = true;

    if (weir_str_eq(list, WEIR_STR("off"))) {
        *zones = (weir_caller_zones_t) { .n = 0 };
        return true;
    }
    if (!weir_str_starts(list, WEIR_STR("callers="))) {
        return weir_conf_invalid(cf, 1, "callers=REGION/ZONE/SUBZONE:NUMBER,…, or off");
    }
    list = weir_str_skip(list, 8);
    zones->at = weir_new_n(cf->arena, weir_caller_zone_t, LOCALITY_ZONES);
    while (more) {
        weir_caller_zone_t zone;

        more = weir_str_cut(list, ',', &word, &list);
        if (!locality_read_zone(word, &zone)) {
            return weir_conf_error(cf, 1, "invalid zone of callers \"%.*s\", expected REGION/ZONE/SUBZONE:NUMBER",
                                   WEIR_STR_ARG(word));
        }
        if (zones->n == LOCALITY_ZONES) {
            return weir_conf_error(cf, 1, "there may be %d zones of callers at most", LOCALITY_ZONES);
        }
        if (locality_overlaps(zones, zone.locality)) {
            return weir_conf_error(cf, 1, "zone of callers \"%.*s\" is part of another one, or stands twice",
                                   WEIR_STR_ARG(zone.locality));
        }
        zones->at[zones->n++] = zone;
    }
    return true;
}

static const weir_conf_type_t locality_type_zones = {
    .name = "callers=locality:number,...|off", .size = sizeof(weir_caller_zones_t), .min_args = 1, .max_args = 1,
    .parse = locality_parse_zones,
};

static const weir_directive_t locality_directives[] = {
    WEIR_DIRECTIVE_OF(weir_locality_settings_t, own, "locality", &locality_type,
                      .where = WEIR_IN_MAIN | WEIR_IN_HTTP,
                      .help = "Says where this gateway is; servers of an upstream block with the same locality are "
                              "asked before others."),
    WEIR_DIRECTIVE_OF(weir_locality_settings_t, overprovisioning, "overprovisioning", &locality_type_factor,
                      .where = WEIR_IN_HTTP | WEIR_IN_UPSTREAM, .dflt = "1.4",
                      .help = "Sets how much more than its share the healthy part of a set of servers takes before "
                              "the next set gets requests."),
    WEIR_DIRECTIVE_OF(weir_locality_settings_t, panic, "panic", &locality_type_percent,
                      .where = WEIR_IN_HTTP | WEIR_IN_UPSTREAM, .dflt = "off",
                      .help = "Sets of what part of healthy servers all of a set are used, when the healthy ones of "
                              "all sets are not enough."),
    WEIR_DIRECTIVE_OF(weir_locality_settings_t, zones, "zone_aware", &locality_type_zones,
                      .where = WEIR_IN_HTTP | WEIR_IN_UPSTREAM,
                      .help = "Says how many gateways there are in each place, so that each gives servers near it what "
                              "they can take without more to do than others."),
    WEIR_DIRECTIVES_END
};

/* The gateway's own comes first.  false: none is. */
static bool
locality_put_own_first(weir_caller_zones_t *zones, weir_str_t own)
{
    for (size_t i = 0; i < zones->n; i++) {
        weir_caller_zone_t zone = zones->at[i];

        if (locality_is_in(own, zone.locality)) {
            zones->at[i] = zones->at[0];
            zones->at[0] = zone;
            return true;
        }
    }
    return zones->n == 0;
}

static const weir_locality_settings_t *
locality_said(const weir_conf_block_t *block, const char *directive)
{
    for (; block != NULL; block = block->parent) {
        const weir_locality_settings_t *conf = weir_conf_of(block, weir_locality_module_index);

        if (conf != NULL && weir_conf_is_set(block, weir_locality_module_index, directive)) {
            return conf;
        }
    }
    return NULL;
}

static bool
locality_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    weir_locality_settings_t       *conf = conf_;
    const weir_locality_settings_t *own = locality_said(block, "locality");

    if (conf->zones.n == 0 || !weir_conf_is_set(block, weir_locality_module_index, "zone_aware")) {
        return true;
    }
    if (own == NULL) {
        return weir_conf_error_at(cf, &block->words, "zone_aware needs to know where this gateway is: `locality`");
    }
    if (!locality_put_own_first(&conf->zones, own->own)) {
        return weir_conf_error_at(cf, &block->words, "zone_aware has no callers in \"%.*s\", where this gateway is",
                                  WEIR_STR_ARG(own->own));
    }
    return true;
}

const weir_module_t weir_locality_module = {
    .name = "locality_module",
    .area = "Upstreams",
    .conf_size = sizeof(weir_locality_settings_t),
    .directives = locality_directives,
    .check = locality_check,
};

weir_locality_settings_t
weir_locality_settings(const weir_conf_block_t *block)
{
    weir_locality_settings_t        settings = *(const weir_locality_settings_t *) weir_conf_of(block->parent,
            weir_locality_module_index);
    const weir_locality_settings_t *said;

    said = locality_said(block, "locality");
    settings.own = said != NULL ? said->own : settings.own;
    said = locality_said(block, "overprovisioning");
    settings.overprovisioning = said != NULL ? said->overprovisioning : settings.overprovisioning;
    said = locality_said(block, "panic");
    settings.panic = said != NULL ? said->panic : settings.panic;
    said = locality_said(block, "zone_aware");
    settings.zones = said != NULL ? said->zones : settings.zones;
    return settings;
}
