/*
 * split.c - see split.h.  Read and built at load; chosen in workers, in the request's arena.
 */
#include "http/proxy/split.h"

#include "http/proxy/canary.h"
#include "http/proxy/conf.h"
#include "http/answer/return.h"
#include "http/vars/uri_text.h"

/* -- reading -- */

bool
weir_split_read_weight(weir_conf_t *cf, size_t i, weir_str_t text, uint32_t *weight)
{
    return (weir_str_starts(text, WEIR_STR("weight=")) && weir_conf_read_u32(weir_str_skip(text, 7), weight)
            && *weight <= WEIR_SPLIT_WEIGHT_MAX)
        || weir_conf_invalid(cf, i, "weight= with a number from 0 to 1000000");
}

static weir_proxy_target_t *
split_add(weir_conf_t *cf, weir_proxy_targets_t *targets, const weir_proxy_target_t *target)
{
    weir_proxy_target_t *at = weir_conf_list_push(cf, targets, sizeof(*at));

    *at = *target;
    return at;
}

/* The targets of the block being read. */
static weir_proxy_targets_t *
split_targets(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words)
{
    weir_http_location_t *place = cf->block->owner;

    if (place->targets == NULL) {
        place->targets = weir_new(cf->arena, weir_proxy_targets_t);
        place->targets->directive = row->name;
        place->targets->words = *words;
    }
    if (strcmp(place->targets->directive, row->name) != 0) {
        (void) weir_conf_error(cf, 0, "\"%s\" and \"%s\" cannot share the requests of one place", row->name,
                               place->targets->directive);
        return NULL;
    }
    return place->targets;
}

bool
weir_split_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words,
                 const weir_proxy_scheme_t *schemes, weir_proxy_pass_t *pass, weir_proxy_target_t **added)
{
    weir_proxy_target_t target = { .weight = 0 };
    weir_proxy_targets_t *targets;

    *added = NULL;
    if (!weir_proxy_read_pass(cf, row->name, schemes, words->at[1].text, &target.pass)
        || (words->n == 3 && !weir_split_read_weight(cf, 2, words->at[2].text, &target.weight)))
    {
        return false;
    }
    if (pass->url.len != 0 && (words->n == 2 || pass->targets == NULL)) {
        return weir_conf_error(cf, 0, "\"%s\" directive is duplicate: each of several must have a weight=", row->name);
    }
    if (words->n == 2) {
        *pass = target.pass;
        return true;
    }
    targets = split_targets(cf, row, words);
    if (targets == NULL) {
        return false;
    }
    target.text = target.pass.url;
    *added = split_add(cf, targets, &target);
    if (pass->url.len == 0) {
        *pass = target.pass;
        pass->targets = targets;
    }
    return true;
}

bool
weir_split_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words,
                  const weir_proxy_scheme_t *schemes, weir_proxy_pass_t *pass)
{
    weir_proxy_target_t *target;

    if (!weir_split_parse(cf, block->row, words, schemes, pass, &target)) {
        return false;
    }
    block->owner = target;
    return target != NULL;
}

bool
weir_split_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    static const weir_directive_t rows[] = {
        { .name = "request_header", .type = &weir_header_edit_type_request },
        { .name = "response_header", .type = &weir_header_edit_type_response },
    };
    weir_proxy_target_t *target = block->owner;

    for (size_t i = 0; i < weir_countof(rows); i++) {
        if (!weir_str_eq(words->at[0].text, weir_str_from_z(rows[i].name))) {
            continue;
        }
        if (words->n - 1 < rows[i].type->min_args || words->n - 1 > rows[i].type->max_args) {
            return weir_conf_error(cf, 0, "invalid number of arguments in \"%s\" directive (usage: %s)", rows[i].name,
                                   rows[i].type->name);
        }
        return rows[i].type->parse(cf, &rows[i], words, i == 0 ? &target->request : &target->response);
    }
    return weir_conf_error(cf, 0, "\"%.*s\" cannot stand in the block of a \"%s\": expected request_header or "
                           "response_header", WEIR_STR_ARG(words->at[0].text), block->row->name);
}

bool
weir_split_take_return(weir_conf_t *cf, weir_conf_block_t *block, uint16_t status, weir_str_t text, bool *is_target)
{
    bool is_place = (block->context & (WEIR_IN_LOCATION | WEIR_IN_ROUTE | WEIR_IN_PART)) != 0;
    weir_http_location_t *place = is_place ? block->owner : NULL;
    weir_proxy_target_t target = { .status = status };

    *is_target = place != NULL && place->targets != NULL && weir_str_starts(text, WEIR_STR("weight="));
    if (!*is_target) {
        return true;
    }
    if (!weir_conf_read_u32(weir_str_skip(text, 7), &target.weight) || target.weight > WEIR_SPLIT_WEIGHT_MAX) {
        return weir_conf_error_at(cf, &block->words, "\"return %u %.*s\": expected weight= with a number from 0 to %u",
                                  status, WEIR_STR_ARG(text), WEIR_SPLIT_WEIGHT_MAX);
    }
    target.text = weir_str_printf(cf->arena, "return %u", status);
    (void) split_add(cf, place->targets, &target);
    return true;
}

/* -- building -- */

/* Keys find a target by its name, wherever it stands; of two of one name the second has another. */
static uint64_t
split_seed(const weir_proxy_targets_t *targets, size_t i)
{
    uint64_t seed = 0;

    for (size_t k = 0; k < i; k++) {
        seed += weir_str_eq(targets->at[k].text, targets->at[i].text);
    }
    return weir_str_hash(targets->at[i].text, seed);
}

bool
weir_split_build(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block,
                 weir_proxy_targets_t *targets)
{
    uint32_t gcd = 0;
    uint64_t sum = 0;

    if (targets->is_built) {
        return true;
    }
    targets->is_built = true;
    for (size_t i = 0; i < targets->n; i++) {
        gcd = weir_share_divisor(targets->at[i].weight, gcd);
    }
    if (gcd == 0) {
        return weir_conf_error_at(cf, &targets->words, "each target of this place has weight=0: none would answer");
    }
    for (size_t i = 0; i < targets->n; i++) {
        sum += targets->at[i].weight / gcd;
        targets->at[i].below = sum;
        targets->at[i].seed = split_seed(targets, i);
    }
    if (sum >= UINT64_C(1) << 31) {
        return weir_conf_error_at(cf, &targets->words, "the weights of this place are too large together");
    }
    return weir_share_build(cf, generation, &targets->share, weir_share_name(cf->arena, block, "targets", 0), sum)
        && weir_canary_build(cf, generation, block, targets);
}

/* -- choosing -- */

static const weir_proxy_target_t *
split_by_turn(const weir_proxy_targets_t *targets)
{
    uint64_t position = weir_share_next(&targets->share);
    size_t i = 0;

    while (position >= targets->at[i].below) {
        i++;
        weir_assert(i < targets->n);
    }
    return &targets->at[i];
}

/* -log2(x / 2^64), in 2^-24: from 0 to 2^30. */
static uint64_t
split_minus_log(uint64_t x)
{
    uint32_t zeros = x != 0 ? (uint32_t) __builtin_clzll(x) : 63;
    uint64_t mantissa = x != 0 ? x << zeros : UINT64_C(1) << 63, fraction = 0;

    for (int bit = 0; bit < 24; bit++) {                       /* squaring doubles the logarithm */
        unsigned __int128 square = (unsigned __int128) mantissa * mantissa;

        fraction <<= 1;
        if (square >> 127) {
            fraction |= 1;
            mantissa = (uint64_t) (square >> 64);
        } else {
            mantissa = (uint64_t) (square >> 63);
        }
    }
    return ((uint64_t) (zeros + 1) << 24) - fraction;
}

/* Weighted rendezvous: each target draws for the key, and the best one has it.  So a key goes from one target to
 * another only where the one has lost weight, or the other has won some. */
static const weir_proxy_target_t *
split_by_key(const weir_proxy_targets_t *targets, weir_str_t key)
{
    const weir_proxy_target_t *best = NULL;
    uint64_t best_log = 0;

    for (size_t i = 0; i < targets->n; i++) {
        const weir_proxy_target_t *target = &targets->at[i];
        uint64_t log = target->weight != 0 ? split_minus_log(weir_str_hash(key, target->seed)) : 0;

        if (target->weight != 0 && (best == NULL || log * best->weight < best_log * target->weight)) {
            best = target;
            best_log = log;
        }
    }
    return best;
}

const weir_proxy_target_t *
weir_split_choose(weir_request_t *req, const weir_proxy_targets_t *targets, const weir_template_t *key)
{
    weir_str_t text = key != NULL ? weir_uri_text_plain(req, key) : WEIR_STR_NONE;

    if (targets->canary != NULL && weir_canary_takes(targets, text)) {
        return targets->taken;
    }
    return text.len != 0 ? split_by_key(targets, text) : split_by_turn(targets);
}
