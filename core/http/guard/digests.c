/*
 * digests.c - see digests.h.
 */
#include "http/guard/digests.h"

#include "os/sys.h"

#include <openssl/evp.h>

#define DIGESTS_SECRET 32

/* What stands before the entries: one process writes it, once. */
typedef struct {
    _Alignas(64) uint64_t state;                     /* 0: nothing · 1: being written · 2: there */
    uint8_t               secret[DIGESTS_SECRET];
} digests_head_t;

void
weir_digests_fold(void *memory, uint64_t size, uint32_t slot)
{
    weir_entries_fold((char *) memory + sizeof(digests_head_t), size - sizeof(digests_head_t), slot);
}

void
weir_digests_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    weir_entries_describe((const char *) memory + sizeof(digests_head_t), size - sizeof(digests_head_t), out);
}

static void
digests_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

static void
digests_close(void *data)
{
    weir_digests_t *digests = data;

    EVP_MD_CTX_free(digests->ctx);
    EVP_MD_free(digests->md);
}

/* The process that makes the zone fills the secret in; a worker finds it. */
static bool
digests_take_secret(digests_head_t *head)
{
    uint64_t none = 0;

    if (__atomic_compare_exchange_n(&head->state, &none, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        if (weir_sys_random(head->secret, sizeof(head->secret)) != 0) {
            __atomic_store_n(&head->state, 0, __ATOMIC_RELEASE);
            return false;
        }
        __atomic_store_n(&head->state, 2, __ATOMIC_RELEASE);
    }
    return __atomic_load_n(&head->state, __ATOMIC_ACQUIRE) == 2;
}

weir_digests_t *
weir_digests_open(weir_conf_t *cf, const weir_conf_words_t *words, const weir_zone_kind_t *kind, weir_str_t name,
                  uint64_t size)
{
    uint64_t        bytes = weir_entries_bytes(size) + sizeof(digests_head_t);
    weir_zone_id_t  id = { .kind = kind, .name = name, .size = bytes };
    weir_error_t    error = { .text = "" };
    weir_zone_t    *zone = weir_zone_take(&id, &error);
    weir_digests_t *digests;
    char           *memory;

    if (zone == NULL) {
        (void) weir_conf_error_at(cf, words, "%s", error.text);
        return NULL;
    }
    weir_arena_on_cleanup(cf->arena, digests_give_back, zone);
    memory = weir_zone_memory(zone);
    digests = weir_new(cf->arena, weir_digests_t);
    digests->secret = ((digests_head_t *) (void *) memory)->secret;
    if (!digests_take_secret((digests_head_t *) (void *) memory)
        || !weir_entries_open(&digests->entries, weir_str_from_z(kind->name), memory + sizeof(digests_head_t),
                              weir_zone_size(zone) - sizeof(digests_head_t)))
    {
        (void) weir_conf_error_at(cf, words, "the shared memory \"%s\" cannot be used", kind->name);
        return NULL;
    }
    weir_arena_on_cleanup(cf->arena, digests_close, digests);
    digests->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    digests->ctx = EVP_MD_CTX_new();
    if (digests->md == NULL || digests->ctx == NULL || EVP_DigestInit_ex2(digests->ctx, digests->md, NULL) != 1) {
        (void) weir_conf_error_at(cf, words, "no memory");
        return NULL;
    }
    return digests;
}

void
weir_digests_key(const weir_digests_t *digests, const weir_str_t *texts, size_t n, weir_digest_t *digest)
{
    bool is_good = EVP_DigestInit_ex2(digests->ctx, digests->md, NULL) == 1
                   && EVP_DigestUpdate(digests->ctx, digests->secret, DIGESTS_SECRET) == 1;

    for (size_t i = 0; is_good && i < n; i++) {
        uint64_t len = texts[i].len;

        is_good = EVP_DigestUpdate(digests->ctx, &len, sizeof(len)) == 1
                  && EVP_DigestUpdate(digests->ctx, texts[i].at, texts[i].len) == 1;
    }
    is_good = is_good && EVP_DigestFinal_ex(digests->ctx, digest->bytes, NULL) == 1;
    weir_assert(is_good);                            /* no memory is asked for here */
}
