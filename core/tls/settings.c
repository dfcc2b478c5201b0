/*
 * settings.c - what identifies a TLS context: a digest over every setting, another over what is asked of the peer, and
 * a copy for contexts that are made from it later.
 *
 * Load time; any thread.
 */
#include "base/mem.h"
#include "tls/internal.h"

#include <openssl/evp.h>

/* -- digests: every text with its length before it, so that none runs into its neighbour -- */

static void
settings_add(EVP_MD_CTX *md, const void *bytes, size_t len)
{
    uint64_t prefix = len;

    weir_assert(EVP_DigestUpdate(md, &prefix, sizeof(prefix)) == 1
                && EVP_DigestUpdate(md, len != 0 ? bytes : "", len) == 1);
}

static void
settings_add_str(EVP_MD_CTX *md, weir_str_t s)
{
    settings_add(md, s.at, s.len);
}

static void
settings_add_number(EVP_MD_CTX *md, uint64_t n)
{
    settings_add(md, &n, sizeof(n));
}

static void
settings_add_file(EVP_MD_CTX *md, const weir_tls_file_t *file)
{
    settings_add_str(md, file->name);
    settings_add_str(md, file->bytes);
}

static EVP_MD_CTX *
settings_begin(void)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    weir_assert(md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
    return md;
}

static void
settings_end(EVP_MD_CTX *md, uint8_t digest[32])
{
    weir_assert(EVP_DigestFinal_ex(md, digest, NULL) == 1);
    EVP_MD_CTX_free(md);
}

/* Two servers with one policy may resume one another's sessions, so what is verified counts, not where it stands. */
static void
settings_add_policy(EVP_MD_CTX *md, const weir_tls_settings_t *s)
{
    settings_add_number(md, s->verify);
    if (s->verify != WEIR_TLS_VERIFY_OFF) {
        settings_add_number(md, s->verify_depth);
        settings_add_str(md, s->client_ca.bytes);
        settings_add_str(md, s->trusted.bytes);
        settings_add_str(md, s->crl.bytes);
        settings_add_number(md, s->system_roots);
        settings_add_number(md, s->policy);
    }
}

void
weir_tls_settings_policy(const weir_tls_settings_t *settings, uint8_t policy[32])
{
    EVP_MD_CTX *md = settings_begin();

    settings_add_policy(md, settings);
    settings_end(md, policy);
}

void
weir_tls_settings_digest(const weir_tls_settings_t *s, uint8_t digest[32])
{
    EVP_MD_CTX *md = settings_begin();

    settings_add_number(md, (s->is_server ? 1 : 0) | (s->is_base ? 2 : 0));
    for (size_t i = 0; i < s->n_pairs; i++) {
        settings_add_file(md, &s->pairs[i].certificate);
        settings_add_file(md, &s->pairs[i].key);
    }
    settings_add_number(md, s->n_pairs);
    for (size_t i = 0; i < s->passwords.n; i++) {
        settings_add_str(md, s->passwords.at[i]);
    }
    settings_add_number(md, s->passwords.n);
    settings_add_number(md, s->protocols);
    settings_add_str(md, s->ciphers);
    settings_add_str(md, s->curves);
    settings_add_number(md, s->prefer_server_ciphers);
    for (size_t i = 0; i < s->n_commands; i++) {
        settings_add_str(md, s->commands[i].name);
        settings_add_str(md, s->commands[i].value);
    }
    settings_add_number(md, s->n_commands);
    settings_add_file(md, &s->dhparam);
    settings_add_policy(md, s);
    settings_add_file(md, &s->client_ca);
    settings_add_file(md, &s->trusted);
    settings_add_file(md, &s->crl);
    settings_add_number(md, s->session_timeout_s);
    settings_add_number(md, (s->tickets ? 1 : 0) | (s->early_data ? 2 : 0));
    for (size_t i = 0; i < s->ticket_keys.n; i++) {
        settings_add_file(md, &s->ticket_keys.at[i]);
    }
    settings_add_number(md, s->ticket_keys.n);
    settings_add_number(md, (uintptr_t) s->cache);
    settings_add_str(md, s->cache_name);
    settings_add_str(md, s->stapled);
    settings_add_str(md, s->staple_from);
    settings_add_number(md, s->buffer_size);
    settings_end(md, digest);
}

/* -- a copy -- */

struct weir_tls_settings_copy {
    weir_arena_t        arena;
    weir_tls_settings_t settings;
};

static weir_tls_file_t
settings_dup_file(weir_arena_t *arena, weir_tls_file_t file)
{
    return (weir_tls_file_t) { weir_str_dup(arena, file.name), weir_str_dup(arena, file.bytes) };
}

static void
settings_dup_lists(weir_arena_t *arena, weir_tls_settings_t *s, const weir_tls_settings_t *from)
{
    s->passwords.at = weir_new_n(arena, weir_str_t, from->passwords.n + 1);
    for (size_t i = 0; i < from->passwords.n; i++) {
        s->passwords.at[i] = weir_str_dup(arena, from->passwords.at[i]);
    }
    s->commands = weir_new_n(arena, weir_tls_command_t, from->n_commands + 1);
    for (size_t i = 0; i < from->n_commands; i++) {
        s->commands[i].name = weir_str_dup(arena, from->commands[i].name);
        s->commands[i].value = weir_str_dup(arena, from->commands[i].value);
    }
    s->ticket_keys.at = weir_new_n(arena, weir_tls_file_t, from->ticket_keys.n + 1);
    for (size_t i = 0; i < from->ticket_keys.n; i++) {
        s->ticket_keys.at[i] = settings_dup_file(arena, from->ticket_keys.at[i]);
    }
}

weir_tls_settings_copy_t *
weir_tls_settings_keep(const weir_tls_settings_t *settings)
{
    weir_tls_settings_copy_t *copy = weir_mem_need(sizeof(*copy));
    weir_tls_settings_t *s = &copy->settings;

    weir_arena_init(&copy->arena, 4096);
    *s = *settings;
    s->pairs = NULL;
    s->n_pairs = 0;
    settings_dup_lists(&copy->arena, s, settings);
    s->ciphers = weir_str_dup(&copy->arena, s->ciphers);
    s->curves = weir_str_dup(&copy->arena, s->curves);
    s->dhparam = settings_dup_file(&copy->arena, s->dhparam);
    s->client_ca = settings_dup_file(&copy->arena, s->client_ca);
    s->trusted = settings_dup_file(&copy->arena, s->trusted);
    s->crl = settings_dup_file(&copy->arena, s->crl);
    s->cache_name = weir_str_dup(&copy->arena, s->cache_name);
    s->stapled = weir_str_dup(&copy->arena, s->stapled);
    s->staple_from = weir_str_dup(&copy->arena, s->staple_from);
    return copy;
}

const weir_tls_settings_t *
weir_tls_settings_kept(const weir_tls_settings_copy_t *copy)
{
    return &copy->settings;
}

static void
settings_wipe(weir_str_t secret)
{
    weir_mem_wipe((void *) (uintptr_t) secret.at, secret.len);
}

void
weir_tls_settings_forget(weir_tls_settings_copy_t *copy)
{
    if (copy == NULL) {
        return;
    }
    for (size_t i = 0; i < copy->settings.passwords.n; i++) {
        settings_wipe(copy->settings.passwords.at[i]);
    }
    for (size_t i = 0; i < copy->settings.ticket_keys.n; i++) {
        settings_wipe(copy->settings.ticket_keys.at[i].bytes);
    }
    weir_arena_fini(&copy->arena);
    weir_mem_free(copy);
}
