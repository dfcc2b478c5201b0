/*
 * split_clients.c - `split_clients STRING $variable { 10% a; * b; }`: shares of all clients, each client always in the
 * same one.
 *
 * The string's hash (MurmurHash2, 32 bits) falls into one of the shares, laid one behind the other over the hash's
 * range, as nginx lays them: a client is in the same share with both.  Runs in workers; the string is of the request's
 * arena.
 */
#include "http/module.h"

#include "http/route/captures.h"
#include "http/vars/uri_text.h"

#define SPLIT_WHOLE 10000                    /* hundredths of a percent */

typedef struct split_share {
    struct split_share *next;
    uint32_t            below;               /* hashes that are; for the rest ("*") all are */
    bool                is_rest;
    weir_str_t          value;
} split_share_t;

typedef struct {
    weir_http_definition_t definition;
    const weir_template_t *source;
    split_share_t         *shares, **end;
    uint32_t               sum, below;       /* so far */
} split_t;

/* -- a request -- */

static uint32_t
split_word(const char *at)
{
    const unsigned char *bytes = (const unsigned char *) at;

    return bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16 | (uint32_t) bytes[3] << 24;
}

/* MurmurHash2 by Austin Appleby (public domain), seed 0, reading words as little-endian. */
static uint32_t
split_hash(weir_str_t text)
{
    const uint32_t factor = 0x5bd1e995;
    uint32_t       hash = (uint32_t) text.len, word, tail = 0;
    size_t         at = 0;

    for (; text.len - at >= 4; at += 4) {
        word = split_word(text.at + at) * factor;
        word = (word ^ word >> 24) * factor;
        hash = hash * factor ^ word;
    }
    for (size_t i = text.len; i > at; i--) {
        tail = tail << 8 | (unsigned char) text.at[i - 1];
    }
    if (text.len != at) {
        hash = (hash ^ tail) * factor;
    }
    hash = (hash ^ hash >> 13) * factor;
    return hash ^ hash >> 15;
}

static bool
split_get(const void *data, weir_request_t *req, weir_str_t *value)
{
    const split_t *split = data;
    uint32_t       hash = split_hash(weir_uri_text_plain(req, split->source));

    weir_assert(split->source != NULL && split->sum <= SPLIT_WHOLE);
    *value = WEIR_STR("");
    for (const split_share_t *share = split->shares; share != NULL; share = share->next) {
        if (hash < share->below || share->is_rest) {
            *value = share->value;
            break;
        }
    }
    return true;
}

/* -- reading -- */

static bool
split_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    split_t *split = weir_new(cf->arena, split_t);

    split->source = weir_conf_template(cf, 1, words->at[1].text);
    split->end = &split->shares;
    split->definition = (weir_http_definition_t) { .get = split_get, .data = split, .subject = WEIR_OF_NONE };
    block->owner = split;
    if (split->source == NULL || !weir_http_define(cf, 2, words->at[2].text, &split->definition)) {
        return false;
    }
    weir_template_makes(split->source, cf->vars, split->definition.slot);
    return true;
}

/* "0.5%", "12%", "33.33%": hundredths of a percent, not 0; false: something else. */
static bool
split_read_percent(weir_str_t text, uint32_t *hundredths)
{
    weir_str_t whole, part = WEIR_STR_NONE;
    uint64_t   number, decimals = 0;

    if (!weir_str_ends(text, WEIR_STR("%"))) {
        return false;
    }
    text.len--;
    if (!weir_str_cut(text, '.', &whole, &part)) {
        whole = text;
    }
    if (!weir_str_to_u64(whole, &number) || number > 100 || part.len > 2
        || (part.len != 0 && !weir_str_to_u64(part, &decimals)))
    {
        return false;
    }
    *hundredths = (uint32_t) (number * 100 + (part.len == 1 ? decimals * 10 : decimals));
    return *hundredths != 0;
}

static bool
split_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    split_t       *split = block->owner;
    split_share_t *share = weir_new(cf->arena, split_share_t);
    uint32_t       hundredths = 0;

    if (words->n != 2) {
        return weir_conf_error(cf, 0, "invalid number of the split_clients parameters");
    }
    share->value = words->at[1].text.len != 0 ? words->at[1].text : WEIR_STR("");
    share->is_rest = weir_str_eq(words->at[0].text, WEIR_STR("*"));
    if (!share->is_rest && !split_read_percent(words->at[0].text, &hundredths)) {
        return weir_conf_error(cf, 0, "invalid percent value \"%.*s\"", WEIR_STR_ARG(words->at[0].text));
    }
    split->sum = share->is_rest ? SPLIT_WHOLE : split->sum + hundredths;
    if (split->sum > SPLIT_WHOLE) {
        return weir_conf_error(cf, 0, "percent total is greater than 100%%");
    }
    split->below += (uint32_t) (hundredths * UINT64_C(0xffffffff) / SPLIT_WHOLE);
    share->below = split->below;
    *split->end = share;
    split->end = &share->next;
    return true;
}

static const weir_directive_t split_directives[] = {
    WEIR_BLOCK("split_clients", WEIR_IN_DATA, .where = WEIR_IN_HTTP, .args = "string $variable", .block_min_args = 2,
               .block_max_args = 2,
               .opened = split_opened, .line = split_line,
               .help = "Makes a variable by shares of a text's hash: each line is a percentage, or * for the rest, "
                       "and a value."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_split_clients = { .name = "http_split_clients", .area = "Variables",
                                                     .directives = split_directives };
