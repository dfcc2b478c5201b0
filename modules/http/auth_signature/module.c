/*
 * module.c - requests that their clients have signed (RFC 9421), with a digest of the body (RFC 9530): what the
 * directives say, and the module.
 *
 * Load time.  Keys come from files, are the generation's and are wiped with it.
 */
#include "signature.h"

#define SIGNATURE_ZONE_MIN 32768

/* -- signature -- */

static void
signature_forget_keys(void *keys)
{
    weir_jwks_destroy(keys);
}

/* Each key has a name of its own, is good, and is for one of the algorithms. */
static bool
signature_check_keys(weir_conf_t *cf, size_t word, weir_str_t path, const weir_jwks_t *keys)
{
    static const weir_jose_alg_t algs[] = { WEIR_JOSE_HS256, WEIR_JOSE_ES256, WEIR_JOSE_ES384, WEIR_JOSE_ED25519,
                                            WEIR_JOSE_PS512, WEIR_JOSE_RS256 };

    if (weir_jwks_count(keys) == 0) {
        return weir_conf_error(cf, word, "\"%.*s\" has no key", WEIR_STR_ARG(path));
    }
    for (size_t i = 0; i < weir_jwks_count(keys); i++) {
        const weir_jwk_t *key = weir_jwks_at(keys, i);
        weir_str_t        kid = weir_jwk_kid(key);
        const char       *why = NULL;
        size_t            n = 0;

        for (size_t k = 0; k < weir_countof(algs); k++) {
            n += weir_jwk_fits(key, algs[k], WEIR_JOSE_ALGS) == WEIR_JOSE_GOOD;
        }
        if (n == 0 && weir_jwk_fault(key, &why) == WEIR_JOSE_GOOD) {
            why = "no algorithm of RFC 9421 is for it";
        }
        if (n == 0 || kid.len == 0) {
            return weir_conf_error(cf, word, "key %zu of \"%.*s\" (kid \"%.*s\") cannot be used: %s", i + 1,
                                   WEIR_STR_ARG(path), WEIR_STR_ARG(kid), n != 0 ? "it has no \"kid\"" : why);
        }
    }
    return true;
}

/* Of all sets: a name says which key it is. */
static bool
signature_check_names(weir_conf_t *cf, size_t word, const signature_ask_t *ask, const weir_jwks_t *keys)
{
    for (size_t i = 0; i < weir_jwks_count(keys); i++) {
        weir_str_t kid = weir_jwk_kid(weir_jwks_at(keys, i));

        for (size_t s = 0; s < ask->n; s++) {
            size_t end = ask->sets[s].keys == keys ? i : weir_jwks_count(ask->sets[s].keys);

            for (size_t k = 0; k < end; k++) {
                if (weir_str_eq(weir_jwk_kid(weir_jwks_at(ask->sets[s].keys, k)), kid)) {
                    return weir_conf_error(cf, word, "two keys have the kid \"%.*s\"", WEIR_STR_ARG(kid));
                }
            }
        }
    }
    return true;
}

static bool
signature_parse_keys(weir_conf_t *cf, size_t word, weir_str_t name, signature_ask_t *ask)
{
    signature_set_t *set = &ask->sets[ask->n];
    weir_error_t     error = { .text = "" };
    weir_str_t       bytes;

    if (name.len == 0 || weir_conf_has_variables(cf, word, name)) {
        return weir_conf_invalid(cf, word, "keys=file, without variables");
    }
    set->path = weir_conf_near_path(cf, name);
    if (!weir_conf_file(cf, word, set->path, &bytes)) {
        return false;
    }
    set->keys = weir_jwks_parse(bytes, &error);
    if (set->keys == NULL) {
        return weir_conf_error(cf, word, "\"%.*s\" is no JSON Web Key Set: %s", WEIR_STR_ARG(set->path), error.text);
    }
    weir_arena_on_cleanup(cf->arena, signature_forget_keys, set->keys);
    ask->n++;
    return signature_check_keys(cf, word, set->path, set->keys) && signature_check_names(cf, word, ask, set->keys);
}

static bool
signature_is_printable(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < ' ' || text.at[i] > '~' || text.at[i] == '"' || text.at[i] == '\\') {
            return false;
        }
    }
    return text.len != 0;
}

static bool
signature_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    signature_ask_t *ask = field;

    *ask = (signature_ask_t) { .realm = WEIR_STR("api") };
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return true;
    }
    ask->is_on = true;
    ask->sets = weir_new_n(cf->arena, signature_set_t, words->n);
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t name, value, *text;

        (void) weir_str_cut(words->at[i].text, '=', &name, &value);
        if (weir_str_eq(name, WEIR_STR("keys"))) {
            if (!signature_parse_keys(cf, i, value, ask)) {
                return false;
            }
            continue;
        }
        text = weir_str_eq(name, WEIR_STR("label")) ? &ask->label : weir_str_eq(name, WEIR_STR("tag")) ? &ask->tag
               : weir_str_eq(name, WEIR_STR("realm")) ? &ask->realm : NULL;
        if (text == NULL || !signature_is_printable(value)) {
            return weir_conf_invalid(cf, i, "keys=file, label=name, tag=text or realm=text");
        }
        *text = weir_str_dup(cf->arena, value);
    }
    return ask->n != 0 || weir_conf_error(cf, 0, "\"signature\" must have \"keys=file\"");
}

static const weir_conf_type_t signature_type = {
    .name = "keys=file ... [label=name] [tag=text] [realm=text] | off", .size = sizeof(signature_ask_t), .min_args = 1,
    .max_args = 16, .parse = signature_parse,
};

/* -- signature_require -- */

static bool
signature_parse_require(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                        void *field)
{
    weir_strs_t *require = field;

    require->n = 0;
    require->at = weir_new_n(cf->arena, weir_str_t, words->n);
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return true;
    }
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t name = weir_str_lower(cf->arena, words->at[i].text);

        if (!signature_is_component(name)) {
            return weir_conf_invalid(cf, i, "the name of a field, @method, @authority, @scheme, @target-uri, "
                                     "@request-target, @path, @query, or off");
        }
        require->at[require->n++] = name;
    }
    return true;
}

static const weir_conf_type_t signature_type_require = {
    .name = "component ... | off", .size = sizeof(weir_strs_t), .min_args = 1, .max_args = 64,
    .parse = signature_parse_require,
};

/* -- signature_nonce -- */

static bool
signature_parse_nonce(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                      void *field)
{
    signature_zone_t  *zone = weir_new(cf->arena, signature_zone_t);
    weir_conf_words_t *kept = weir_new(cf->arena, weir_conf_words_t);
    weir_str_t         text = words->at[1].text, size_text;
    weir_bytes_t       size;

    *kept = *words;
    zone->words = kept;
    *(signature_zone_t **) field = zone;
    if (weir_str_eq(text, WEIR_STR("off"))) {
        return true;
    }
    if (!weir_str_starts(text, WEIR_STR("zone="))
        || !weir_str_cut(weir_str_skip(text, sizeof("zone=") - 1), ':', &zone->name, &size_text)
        || zone->name.len == 0 || zone->name.len > 100 || !weir_conf_read_bytes(size_text, &size)
        || size.n < SIGNATURE_ZONE_MIN || weir_keyed_cells((size_t) size.n) == 0)
    {
        return weir_conf_invalid(cf, 1, "zone=name:size, the size 32k or more, or off");
    }
    zone->name = weir_str_dup(cf->arena, zone->name);
    zone->size = size.n;
    return true;
}

static const weir_conf_type_t signature_type_nonce = {
    .name = "zone=name:size | off", .size = sizeof(signature_zone_t *), .min_args = 1, .max_args = 1,
    .parse = signature_parse_nonce,
};

/* -- checks and build -- */

static bool
signature_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    const signature_conf_t *conf = conf_;

    return !conf->ask.is_on || !signature_has_nonces(conf) || conf->max_age.ms != 0
           || weir_conf_error_at(cf, &block->words, "\"signature_nonce\" needs a \"signature_max_age\": a nonce is "
                                 "remembered so long");
}

typedef struct { signature_zone_t **at; size_t n; } signature_zones_t;

/* A zone may be named by several lines. */
static bool
signature_build_zone(weir_conf_t *cf, signature_zones_t *zones, signature_zone_t *zone)
{
    for (size_t i = 0; i < zones->n && zone->table == NULL; i++) {
        if (weir_str_eq(zones->at[i]->name, zone->name)) {
            zone->table = zones->at[i]->table;
            return zones->at[i]->size == zone->size
                   || weir_conf_error_at(cf, zone->words, "the zone \"%.*s\" has another size in another line",
                                         WEIR_STR_ARG(zone->name));
        }
    }
    if (zone->table == NULL) {
        if (!signature_nonce_open(cf, zone)) {
            return false;
        }
        *(signature_zone_t **) weir_conf_list_push(cf, zones, sizeof(zone)) = zone;
    }
    return true;
}

static bool
signature_build_block(weir_conf_t *cf, signature_zones_t *zones, weir_conf_block_t *block)
{
    signature_conf_t *conf = block->confs != NULL ? block->confs[weir_http_auth_signature_index] : NULL;

    if (conf != NULL && (block->context & (WEIR_IN_ANY | WEIR_IN_PART | WEIR_IN_ROUTE)) != 0 && conf->ask.is_on
        && signature_has_nonces(conf) && !signature_build_zone(cf, zones, conf->nonces))
    {
        return false;
    }
    for (weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        if (!signature_build_block(cf, zones, inner)) {
            return false;
        }
    }
    return true;
}

static bool
signature_build(weir_conf_t *cf, weir_generation_t *generation)
{
    signature_zones_t zones = { .n = 0 };

    return signature_build_block(cf, &zones, generation->root);
}

/* -- the module -- */

static const weir_directive_t signature_directives[] = {
    WEIR_DIRECTIVE_OF(signature_conf_t, ask, "signature", &signature_type, .where = WEIR_IN_ANY | WEIR_IN_LIMIT_EXCEPT,
                      .dflt = "off",
                      .help = "Asks for a request that its client has signed (RFC 9421) with a key of these JSON Web "
                              "Key Sets."),
    WEIR_DIRECTIVE_OF(signature_conf_t, require, "signature_require", &signature_type_require,
                      .where = WEIR_IN_ANY | WEIR_IN_LIMIT_EXCEPT,
                      .dflt = "@method @authority @path @query content-digest",
                      .help = "Lists the components that a signature must cover; content-digest where there is a "
                              "body."),
    WEIR_DIRECTIVE(signature_conf_t, max_age, "signature_max_age", .where = WEIR_IN_ANY, .dflt = "5m", .max = "365d",
                   .help = "Sets how old a signature may be; 0: as old as it likes."),
    WEIR_DIRECTIVE(signature_conf_t, skew, "signature_skew", .where = WEIR_IN_ANY, .dflt = "5s", .max = "1d",
                   .help = "Sets how much clocks may differ where times of signatures are looked at."),
    WEIR_DIRECTIVE_OF(signature_conf_t, nonces, "signature_nonce", &signature_type_nonce, .where = WEIR_IN_ANY,
                      .args = "zone=name:size | off",
                      .help = "Asks for a nonce, and remembers it in shared memory, so that no signature is good "
                              "twice."),
    WEIR_DIRECTIVE(signature_conf_t, max_body, "signature_max_body", .where = WEIR_IN_ANY, .dflt = "8m", .max = "1g",
                   .help = "Limits the size of a body whose digest is looked at."),
    WEIR_DIRECTIVE_OF(signature_conf_t, dry_run, "signature_dry_run", &weir_type_enum, .values = weir_dry_run_values,
                      .where = WEIR_IN_ANY, .args = "on | off",
                      .help = "Judges signatures and logs, but refuses nothing."),
    WEIR_DIRECTIVES_END
};

static bool
signature_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const signature_conf_t *) conf)->ask.is_on;
}

static const weir_zone_kind_t *const signature_kinds[] = { &signature_nonce_kind, NULL };

const weir_http_module_t weir_http_auth_signature = {
    .name = "http_auth_signature",
    .area = "Signatures",
    .conf_size = sizeof(signature_conf_t),
    .directives = signature_directives,
    .variables = signature_variables,
    .zone_kinds = signature_kinds,
    .check = signature_check,
    .build = signature_build,
    .on = { [WEIR_PHASE_ACCESS] = signature_access, [WEIR_PHASE_PRECONTENT] = signature_precontent },
    .enabled = signature_enabled,
    .after = "http_access http_auth_basic http_api_key",
};
