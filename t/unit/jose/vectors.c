/*
 * vectors.c - Wycheproof's vectors for JWS, JWE and JWK: what is valid is accepted, what is invalid is refused; valid
 * ones that are refused on purpose are listed here by name, with the result.
 */
#include "jose/jwe.h"
#include "jose/jws.h"
#include "os/file.h"

#include "../tap.h"
#include "../vectors.h"

typedef struct { const char *file; int first, last; weir_jose_result_t result; const char *why; } refused_t;

static const refused_t refused[] = {
    { "encryption", 100, 105, WEIR_JOSE_ALGORITHM, "RSA1_5 is not taken" },
    { "encryption", 112, 112, WEIR_JOSE_ALGORITHM, "RSA1_5 is not taken" },
    { "encryption", 128, 128, WEIR_JOSE_ALGORITHM, "RSA1_5 is not taken (RFC 7520 §5.1)" },
    { "encryption", 135, 135, WEIR_JOSE_ZIP, "zip is not taken (RFC 7520 §5.9)" },
    { "signature", 346, 346, WEIR_JOSE_KEY_MISMATCH, "the key says PS256, the token PS384" },
    { "signature", 347, 347, WEIR_JOSE_KEY_MISMATCH, "the key says ES521, which is no algorithm" },
    { "signature", 350, 350, WEIR_JOSE_KEY_MISMATCH, "the key says PS256, the token PS384" },
    { "signature", 351, 351, WEIR_JOSE_KEY_MISMATCH, "the key says ES521, which is no algorithm" },
    /* These two are called invalid, and are the valid 357 byte for byte: the suite lost their padding. */
    { "signature", 367, 367, WEIR_JOSE_GOOD, NULL },
    { "signature", 370, 370, WEIR_JOSE_GOOD, NULL },
    { "signature", 372, 372, WEIR_JOSE_MALFORMED, "a '?' in base64url" },
    { "signature", 373, 373, WEIR_JOSE_MALFORMED, "a '?' in base64url" },
};

static const refused_t *
on_purpose(const char *file, int id)
{
    for (size_t i = 0; i < weir_countof(refused); i++) {
        if (strcmp(refused[i].file, file) == 0 && id >= refused[i].first && id <= refused[i].last) {
            return &refused[i];
        }
    }
    return NULL;
}

static weir_jose_result_t
verify(weir_arena_t *arena, weir_str_t token, weir_jwks_t *keys)
{
    const weir_jwk_t  *used;
    weir_jws_t         jws;
    weir_jose_result_t result = weir_jws_read(arena, token, &jws);

    return result == WEIR_JOSE_GOOD ? weir_jws_verify(&jws, keys, WEIR_JOSE_ALL_ALGS, &used) : result;
}

static weir_jose_result_t
decrypt(weir_arena_t *arena, weir_str_t token, weir_jwks_t *keys, const weir_json_t *test)
{
    const weir_jwk_t  *used;
    weir_jwe_t         jwe;
    weir_str_t         plain, want;
    char               hex[8192];
    weir_jose_result_t result = weir_jwe_read(arena, token, &jwe);

    if (result == WEIR_JOSE_GOOD) {
        result = weir_jwe_decrypt(arena, &jwe, keys, WEIR_JOSE_ALL_ALGS, &plain, &used);
    }
    if (result == WEIR_JOSE_GOOD) {
        for (size_t i = 0; i < plain.len && i < 4000; i++) {
            sprintf(hex + 2 * i, "%02x", (unsigned char) plain.at[i]);
        }
        if (!weir_json_get_string(test, WEIR_STR("pt"), &want) || want.len != 2 * plain.len
            || memcmp(want.at, hex, want.len) != 0)
        {
            printf("# the plaintext is another one\n");
            return WEIR_JOSE_MEMORY;
        }
    }
    return result;
}

static void
run_group(const char *file, const weir_json_t *group, int *n, int *wrong)
{
    const weir_json_t *key = weir_json_get(group, WEIR_STR("public")), *one;
    bool               is_jwe = strcmp(file, "encryption") == 0;
    weir_error_t       error = { .text = "" };
    weir_jwks_t       *keys;

    if (key == NULL || is_jwe) {
        key = weir_json_get(group, WEIR_STR("private"));
    }
    keys = weir_jwks_parse(key->text, &error);
    if (keys == NULL) {
        printf("# %s\n", error.text);
        (*wrong)++;
        return;
    }
    one = weir_json_get(group, WEIR_STR("tests"))->first;
    for (; one != NULL; one = one->next) {
        weir_arena_t       arena;
        weir_str_t         token, said;
        weir_jose_result_t result = WEIR_JOSE_MALFORMED;
        const refused_t   *row;
        int64_t            id;
        bool               is_valid;

        weir_arena_init(&arena, 4096);
        if (!weir_json_to_whole(weir_json_get(one, WEIR_STR("tcId")), &id)
            || !weir_json_get_string(one, WEIR_STR("result"), &said))
        {
            exit(1);
        }
        /* One in the JSON serialisation may stand there as an object. */
        if (weir_json_get_string(one, is_jwe ? WEIR_STR("jwe") : WEIR_STR("jws"), &token)) {
            result = is_jwe ? decrypt(&arena, token, keys, one) : verify(&arena, token, keys);
        }
        row = on_purpose(file, (int) id);
        is_valid = weir_str_eq(said, WEIR_STR("valid"));
        (*n)++;
        if (row != NULL ? is_valid != (row->why != NULL) || result != row->result : is_valid != (result == WEIR_JOSE_GOOD)) {
            printf("# %s %d: %.*s, but %d\n", file, (int) id, WEIR_STR_ARG(said), (int) result);
            (*wrong)++;
        } else if (row != NULL && row->why != NULL) {
            printf("# %s %d is refused on purpose: %s\n", file, (int) id, row->why);
        }
        weir_arena_fini(&arena);
    }
    weir_jwks_destroy(keys);
}

static void
run(const char *file, int want)
{
    static const weir_json_limits_t limits = { .depth = 16, .values = 100000 };
    char                            name[100];
    const char                     *path;
    weir_arena_t                    arena;
    weir_str_t                      text;
    const weir_json_t              *json;
    int                             n = 0, wrong = 0;

    snprintf(name, sizeof(name), "jose/json_web_%s_test.json", file);
    path = vectors_path(name);
    if (path == NULL) {
        return;
    }
    weir_arena_init(&arena, 65536);
    if (!weir_file_read(&arena, path, 8 << 20, &text)
        || weir_json_parse(&arena, text, limits, &json) != WEIR_JSON_GOOD)
    {
        ok(false, path);
        return;
    }
    json = weir_json_get(json, WEIR_STR("testGroups"));
    for (const weir_json_t *group = json->first; group != NULL; group = group->next) {
        run_group(file, group, &n, &wrong);
    }
    is_int(n, want, name);
    is_int(wrong, 0, "all of them as they should be");
    weir_arena_fini(&arena);
}

int
main(void)
{
    run("signature", 401);
    run("encryption", 139);
    run("key", 26);
    ok(true, "done");
    return done();
}
