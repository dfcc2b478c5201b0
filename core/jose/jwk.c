/*
 * jwk.c - a set's text becomes keys; which of them a token means.  See jwk.h.
 *
 * Load time, and in workers when an issuer's set has changed.  One heap block a set and what OpenSSL makes; texts are
 * decoded in an arena that is wiped.
 */
#include "jose/internal.h"

#include "base/mem.h"

#include <openssl/err.h>
#include <string.h>

#define JWK_SET_VALUES 20000

/* -- what a key says of itself -- */

static void
jwk_fault(weir_jwk_t *key, weir_jose_result_t fault, const char *why)
{
    if (key->fault == WEIR_JOSE_GOOD) {
        key->fault = fault;
        key->why = why;
    }
}

static void
jwk_read_type(weir_jwk_t *key, const weir_json_t *json)
{
    static const struct { weir_str_t name; weir_jose_kty_t kty; } types[] = {
        { WEIR_STR_INIT("RSA"), WEIR_JOSE_RSA }, { WEIR_STR_INIT("EC"), WEIR_JOSE_EC },
        { WEIR_STR_INIT("OKP"), WEIR_JOSE_OKP }, { WEIR_STR_INIT("oct"), WEIR_JOSE_OCT },
    };
    static const struct { const char *name; weir_jose_kty_t kty; } curves[] = {
        { "P-256", WEIR_JOSE_EC }, { "P-384", WEIR_JOSE_EC }, { "P-521", WEIR_JOSE_EC },
        { "Ed25519", WEIR_JOSE_OKP }, { "Ed448", WEIR_JOSE_OKP }, { "X25519", WEIR_JOSE_OKP },
        { "X448", WEIR_JOSE_OKP },
    };
    weir_str_t text;

    key->kty = WEIR_JOSE_OTHER;
    if (!weir_json_get_string(json, WEIR_STR("kty"), &text)) {
        jwk_fault(key, WEIR_JOSE_KEY_BROKEN, "it has no \"kty\"");
        return;
    }
    for (size_t i = 0; i < weir_countof(types); i++) {
        if (weir_str_eq(types[i].name, text)) {
            key->kty = types[i].kty;
        }
    }
    if (key->kty == WEIR_JOSE_OTHER) {
        jwk_fault(key, WEIR_JOSE_KEY_MISMATCH, "its type is not known");
    }
    if (key->kty != WEIR_JOSE_EC && key->kty != WEIR_JOSE_OKP) {
        return;
    }
    if (!weir_json_get_string(json, WEIR_STR("crv"), &text)) {
        jwk_fault(key, WEIR_JOSE_KEY_BROKEN, "it has no \"crv\"");
        return;
    }
    for (size_t i = 0; i < weir_countof(curves); i++) {
        if (curves[i].kty == key->kty && weir_str_eq(weir_str_from_z(curves[i].name), text)) {
            key->curve = curves[i].name;
        }
    }
    if (key->curve == NULL) {
        jwk_fault(key, WEIR_JOSE_KEY_MISMATCH, "its curve is not known");
    }
}

/* "use" and "key_ops": both hold. */
static void
jwk_read_use(weir_jwk_t *key, const weir_json_t *json)
{
    static const weir_str_t decrypting[] = {
        WEIR_STR_INIT("decrypt"), WEIR_STR_INIT("unwrapKey"), WEIR_STR_INIT("deriveKey"), WEIR_STR_INIT("deriveBits"),
    };
    const weir_json_t *use = weir_json_get(json, WEIR_STR("use")), *ops = weir_json_get(json, WEIR_STR("key_ops"));
    bool               verifies = ops == NULL, decrypts = ops == NULL;

    if ((use != NULL && use->kind != WEIR_JSON_STRING) || (ops != NULL && ops->kind != WEIR_JSON_ARRAY)) {
        jwk_fault(key, WEIR_JOSE_KEY_BROKEN, "its \"use\" or \"key_ops\" is of the wrong type");
        return;
    }
    for (const weir_json_t *op = ops != NULL ? ops->first : NULL; op != NULL; op = op->next) {
        if (op->kind != WEIR_JSON_STRING) {
            jwk_fault(key, WEIR_JOSE_KEY_BROKEN, "an entry of \"key_ops\" is no text");
            return;
        }
        verifies = verifies || weir_str_eq(op->text, WEIR_STR("verify"));
        for (size_t i = 0; i < weir_countof(decrypting); i++) {
            decrypts = decrypts || weir_str_eq(op->text, decrypting[i]);
        }
    }
    key->verifies = verifies && (use == NULL || weir_str_eq(use->text, WEIR_STR("sig")));
    key->decrypts = decrypts && (use == NULL || weir_str_eq(use->text, WEIR_STR("enc")));
}

/* Does the key's type go with an algorithm? */
static bool
jwk_is_for(const weir_jwk_t *key, weir_jose_alg_t alg)
{
    const weir_jose_alg_row_t *row = weir_jose_alg(alg);

    if (row->role == WEIR_JOSE_GIVES_KEY && row->kty == WEIR_JOSE_EC) {      /* ECDH: on either kind of curve */
        return key->kty == WEIR_JOSE_EC || (key->kty == WEIR_JOSE_OKP && key->curve != NULL && key->curve[0] == 'X');
    }
    if (row->kty != key->kty || (row->curve != NULL && (key->curve == NULL || strcmp(row->curve, key->curve) != 0))) {
        return false;
    }
    return key->kty != WEIR_JOSE_OKP || (key->curve != NULL && key->curve[0] == 'E');
}

static void
jwk_read_alg(weir_jwk_t *key, const weir_json_t *json)
{
    const weir_json_t *alg = weir_json_get(json, WEIR_STR("alg"));

    if (alg == NULL) {
        return;
    }
    if (alg->kind != WEIR_JSON_STRING) {
        jwk_fault(key, WEIR_JOSE_KEY_BROKEN, "its \"alg\" is no text");
    } else if (!weir_jose_find_alg(alg->text, &key->alg)) {
        jwk_fault(key, WEIR_JOSE_KEY_MISMATCH, "its algorithm is not known");
    } else if (!jwk_is_for(key, key->alg)) {
        jwk_fault(key, WEIR_JOSE_KEY_MISMATCH, "its algorithm does not go with its type");
    } else {
        key->has_alg = true;
        if (weir_jose_alg(key->alg)->role == WEIR_JOSE_SIGNS) {
            key->decrypts = false;
        } else {
            key->verifies = false;
        }
    }
}

static void
jwk_read(weir_jwks_t *keys, weir_jwk_t *key, const weir_json_t *json, weir_arena_t *scratch)
{
    const weir_json_t *kid = weir_json_get(json, WEIR_STR("kid"));

    (void) EVP_Digest(json->text.at, json->text.len, key->print, NULL, EVP_sha256(), NULL);
    if (json->kind != WEIR_JSON_OBJECT) {
        key->kty = WEIR_JOSE_OTHER;
        jwk_fault(key, WEIR_JOSE_KEY_BROKEN, "it is no object");
        return;
    }
    if (kid != NULL && kid->kind == WEIR_JSON_STRING) {
        key->kid = weir_str_dup(&keys->arena, kid->text);
        keys->has_kids = true;
    } else if (kid != NULL) {
        jwk_fault(key, WEIR_JOSE_KEY_BROKEN, "its \"kid\" is no text");
    }
    jwk_read_type(key, json);
    jwk_read_use(key, json);
    jwk_read_alg(key, json);
    if (key->kty == WEIR_JOSE_EC) {
        key->decrypts = key->decrypts && weir_json_get(json, WEIR_STR("d")) != NULL;
    } else if (key->kty == WEIR_JOSE_RSA) {
        key->decrypts = key->decrypts && weir_json_get(json, WEIR_STR("d")) != NULL;
    } else if (key->kty == WEIR_JOSE_OKP && key->curve != NULL) {
        key->verifies = key->verifies && key->curve[0] == 'E';
        key->decrypts = key->decrypts && key->curve[0] == 'X' && weir_json_get(json, WEIR_STR("d")) != NULL;
    }
    if (key->fault == WEIR_JOSE_GOOD) {
        weir_jwk_read_material(key, json, scratch);
    }
    if (!key->verifies && !key->decrypts) {
        jwk_fault(key, WEIR_JOSE_KEY_MISMATCH, "it may neither verify nor decrypt");
    }
}

/* -- sets -- */

/* What no key has in itself: two of one name and type, and secrets among public keys, which a public key's text could
 * be taken for. */
static void
jwks_compare(weir_jwks_t *keys)
{
    bool has_public = false;

    for (size_t i = 0; i < keys->n; i++) {
        weir_jwk_t *key = &keys->at[i];

        has_public = has_public || (key->verifies && key->kty != WEIR_JOSE_OCT && key->kty != WEIR_JOSE_OTHER);
        for (size_t k = 0; k < i && key->kid.at != NULL; k++) {
            weir_jwk_t *other = &keys->at[k];

            if (other->kid.at != NULL && weir_str_eq(other->kid, key->kid) && other->kty == key->kty
                && ((other->verifies && key->verifies) || (other->decrypts && key->decrypts)))
            {
                jwk_fault(key, WEIR_JOSE_KEY_BROKEN, "another key has its \"kid\"");
                jwk_fault(other, WEIR_JOSE_KEY_BROKEN, "another key has its \"kid\"");
            }
        }
    }
    for (size_t i = 0; i < keys->n && has_public; i++) {
        if (keys->at[i].kty == WEIR_JOSE_OCT && keys->at[i].verifies) {
            jwk_fault(&keys->at[i], WEIR_JOSE_KEY_BROKEN, "it is a secret among public keys");
        }
    }
}

static bool
jwks_fill(weir_jwks_t *keys, const weir_json_t *json, weir_arena_t *scratch, weir_error_t *error)
{
    const weir_json_t *list = weir_json_get(json, WEIR_STR("keys"));

    if (json->kind != WEIR_JSON_OBJECT) {
        return weir_error_set(error, "a set of keys must be a JSON object");
    }
    if (list == NULL && weir_json_get(json, WEIR_STR("kty")) == NULL) {
        return weir_error_set(error, "a set of keys must have \"keys\", a key \"kty\"");
    }
    if (list != NULL && list->kind != WEIR_JSON_ARRAY) {
        return weir_error_set(error, "\"keys\" must be an array");
    }
    if (list != NULL && list->n > WEIR_JWKS_MAX) {
        return weir_error_set(error, "a set may have at most %d keys", WEIR_JWKS_MAX);
    }
    keys->n = list != NULL ? list->n : 1;
    keys->at = weir_new_n(&keys->arena, weir_jwk_t, keys->n + 1);
    json = list != NULL ? list->first : json;
    for (size_t i = 0; i < keys->n; i++, json = list != NULL ? json->next : NULL) {
        jwk_read(keys, &keys->at[i], json, scratch);
    }
    jwks_compare(keys);
    return true;
}

weir_jwks_t *
weir_jwks_parse(weir_str_t text, weir_error_t *error)
{
    static const weir_json_limits_t limits = { .depth = 16, .values = JWK_SET_VALUES };
    weir_jwks_t                    *keys = weir_mem_try(sizeof(*keys));
    weir_arena_t                    scratch;
    const weir_json_t              *json;
    bool                            is_good;

    if (keys == NULL) {
        (void) weir_error_set(error, "no memory");
        return NULL;
    }
    memset(keys, 0, sizeof(*keys));
    weir_arena_init(&keys->arena, 1024);
    weir_arena_init(&scratch, 8192);
    keys->digest = EVP_MD_CTX_new();
    if (keys->digest == NULL || text.len > WEIR_JWKS_TEXT_MAX) {
        is_good = weir_error_set(error, keys->digest == NULL ? "no memory" : "it is longer than 1 MiB");
    } else {
        switch (weir_json_parse(&scratch, text, limits, &json)) {
        case WEIR_JSON_GOOD:      is_good = jwks_fill(keys, json, &scratch, error); break;
        case WEIR_JSON_DUPLICATE: is_good = weir_error_set(error, "an object has a member twice"); break;
        case WEIR_JSON_TOO_LARGE: is_good = weir_error_set(error, "it has too many values or is too deep"); break;
        default:                  is_good = weir_error_set(error, "it is not JSON"); break;
        }
    }
    ERR_clear_error();
    weir_arena_wipe(&scratch);
    weir_arena_fini(&scratch);
    if (!is_good) {
        weir_jwks_destroy(keys);
        return NULL;
    }
    return keys;
}

void
weir_jwks_destroy(weir_jwks_t *keys)
{
    if (keys == NULL) {
        return;
    }
    for (size_t i = 0; i < keys->n; i++) {
        weir_jwk_wipe(&keys->at[i]);
    }
    EVP_MD_CTX_free(keys->digest);
    weir_arena_fini(&keys->arena);
    weir_mem_free(keys);
}

size_t weir_jwks_count(const weir_jwks_t *keys) { return keys->n; }

const weir_jwk_t *
weir_jwks_at(const weir_jwks_t *keys, size_t i)
{
    weir_assert(i < keys->n);
    return &keys->at[i];
}

bool
weir_jwks_has_print(const weir_jwks_t *keys, const uint8_t print[WEIR_JWK_PRINT])
{
    for (size_t i = 0; i < keys->n; i++) {
        if (memcmp(keys->at[i].print, print, WEIR_JWK_PRINT) == 0) {
            return keys->at[i].fault == WEIR_JOSE_GOOD;
        }
    }
    return false;
}

weir_str_t     weir_jwk_kid(const weir_jwk_t *key) { return key->kid; }
const uint8_t *weir_jwk_print(const weir_jwk_t *key) { return key->print; }

weir_jose_result_t
weir_jwk_fault(const weir_jwk_t *key, const char **why)
{
    *why = key->why;
    return key->fault;
}

/* -- which one -- */

weir_jose_result_t
weir_jwk_fits(const weir_jwk_t *key, weir_jose_alg_t alg, weir_jose_alg_t enc)
{
    const weir_jose_alg_row_t *row = weir_jose_alg(alg);
    bool                       signs = row->role == WEIR_JOSE_SIGNS;

    if (key->fault != WEIR_JOSE_GOOD) {
        return key->fault;
    }
    if (!jwk_is_for(key, alg) || !(signs ? key->verifies : key->decrypts)) {
        return WEIR_JOSE_KEY_MISMATCH;
    }
    /* A key for `dir` may say the algorithm of the content (RFC 7520 §5.6). */
    if (key->has_alg && key->alg != alg && !(alg == WEIR_JOSE_DIR && key->alg == enc)
        && !(alg == WEIR_JOSE_EDDSA && (key->alg == WEIR_JOSE_ED25519 || key->alg == WEIR_JOSE_ED448))
        && !(key->alg == WEIR_JOSE_EDDSA && (alg == WEIR_JOSE_ED25519 || alg == WEIR_JOSE_ED448)))
    {
        return WEIR_JOSE_KEY_MISMATCH;
    }
    if (signs && key->kty == WEIR_JOSE_OCT) {
        return key->secret_len >= row->bytes ? WEIR_JOSE_GOOD : WEIR_JOSE_KEY_WEAK;
    }
    if (!signs && key->kty == WEIR_JOSE_OCT
        && key->secret_len != (alg == WEIR_JOSE_DIR ? weir_jose_alg(enc)->bytes : row->bytes))
    {
        return WEIR_JOSE_KEY_MISMATCH;
    }
    return WEIR_JOSE_GOOD;
}

/* What says most, of two results that are not GOOD. */
static weir_jose_result_t
jwks_nearer(weir_jose_result_t a, weir_jose_result_t b)
{
    static const weir_jose_result_t order[] = {
        WEIR_JOSE_MEMORY, WEIR_JOSE_SIGNATURE, WEIR_JOSE_DECRYPT, WEIR_JOSE_KEY_WEAK, WEIR_JOSE_KEY_BROKEN,
        WEIR_JOSE_KEY_MISMATCH,
    };

    for (size_t i = 0; i < weir_countof(order); i++) {
        if (a == order[i] || b == order[i]) {
            return order[i];
        }
    }
    return WEIR_JOSE_KEY_UNKNOWN;
}

weir_jose_result_t
weir_jwks_find(weir_jwks_t *keys, weir_str_t kid, weir_jose_alg_t alg, weir_jose_alg_t enc, weir_jwks_try_t *attempt,
               void *data, const weir_jwk_t **used)
{
    weir_jose_result_t nearest = WEIR_JOSE_KEY_UNKNOWN, result;
    bool               is_named = false;
    size_t             tried = 0;

    for (size_t i = 0; i < keys->n && kid.at != NULL; i++) {
        is_named = is_named || (keys->at[i].kid.at != NULL && weir_str_eq(keys->at[i].kid, kid));
    }
    for (size_t i = 0; i < keys->n && tried < WEIR_JWK_TRIES; i++) {
        weir_jwk_t *key = &keys->at[i];

        /* Named: that one.  Else, with a name: those that have none.  Without: any. */
        if (kid.at != NULL && (is_named ? key->kid.at == NULL || !weir_str_eq(key->kid, kid) : key->kid.at != NULL)) {
            continue;
        }
        result = weir_jwk_fits(key, alg, enc);
        if (result == WEIR_JOSE_GOOD) {
            tried++;
            result = attempt(keys, key, data);
            if (result == WEIR_JOSE_GOOD) {
                *used = key;
                return WEIR_JOSE_GOOD;
            }
        }
        nearest = jwks_nearer(nearest, result);
    }
    return kid.at != NULL && !is_named && keys->has_kids ? WEIR_JOSE_KEY_UNKNOWN : nearest;
}
