/*
 * resume.c - OpenSSL's callbacks for sessions: tickets under keys of the configuration or of the shared ring, the
 * shared cache, 0-RTT data, and what a client keeps to resume.
 *
 * Runs in workers, inside handshakes.  OpenSSL asks with the context a connection began with; what counts is the one
 * its hello chose.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "tls/internal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>

/* bytes of a session in the cache, a client's certificate among them */
#define RESUME_SESSION_MAX 4096
#define RESUME_EARLY_MAX   16384                     /* bytes of 0-RTT data */

static EVP_CIPHER    *resume_aes256, *resume_aes128;
static pthread_once_t resume_once = PTHREAD_ONCE_INIT;
static bool           resume_early;                  /* atomic */

static void
resume_start(void)
{
    resume_aes256 = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    resume_aes128 = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    weir_assert(resume_aes256 != NULL && resume_aes128 != NULL);
}

/* -- tickets -- */

static bool
resume_use_key(const weir_tls_ticket_key_t *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
               int encrypts)
{
    char sha256[] = "sha256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *) (uintptr_t) key->hmac,
                                          key->is_short ? 16 : sizeof(key->hmac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1
           && EVP_CipherInit_ex(cipher, key->is_short ? resume_aes128 : resume_aes256, NULL, key->aes, iv,
                                encrypts) == 1;
}

static const weir_tls_ticket_key_t *
resume_find_key(const weir_tls_context_t *context, const unsigned char name[16], bool *is_newest)
{
    if (context->n_ticket_keys == 0) {
        return weir_tls_tickets_find(name, is_newest);
    }
    for (size_t i = 0; i < context->n_ticket_keys; i++) {
        if (memcmp(context->ticket_keys[i].name, name, 16) == 0) {
            *is_newest = i == 0;
            return &context->ticket_keys[i];
        }
    }
    return NULL;
}

static int
resume_on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                 int encrypts)
{
    const weir_tls_context_t *context = weir_tls_conn_of_ssl(ssl)->context;
    const weir_tls_ticket_key_t *key;
    bool is_newest = true;

    if (encrypts == 1) {
        key = context->n_ticket_keys != 0 ? &context->ticket_keys[0] : weir_tls_tickets_newest();
        if (key == NULL || RAND_bytes(iv, 16) != 1) {
            return -1;                               /* see weir_tls_resume_limit: not asked without a key */
        }
        memcpy(name, key->name, 16);
        return resume_use_key(key, iv, cipher, mac, 1) ? 1 : -1;
    }
    key = resume_find_key(context, name, &is_newest);
    if (key == NULL) {
        return 0;
    }
    if (!resume_use_key(key, iv, cipher, mac, 0)) {
        return -1;
    }
    /* 2: a new one; 1.3's are used once (RFC 8446 §C.4) */
    return is_newest && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

/* -- the cache -- */

static weir_str_t
resume_id(const SSL_SESSION *session)
{
    unsigned len;
    const unsigned char *id = SSL_SESSION_get_id(session, &len);

    return weir_str((const char *) id, len);
}

static bool
resume_is_stateless(const weir_tls_context_t *context, const SSL *ssl)
{
    return context->tickets && SSL_version(ssl) == TLS1_3_VERSION;
}

/* 0: the session is not kept by reference. */
static int
resume_on_new_server(SSL *ssl, SSL_SESSION *session)
{
    const weir_tls_context_t *context = weir_tls_conn_of_ssl(ssl)->context;
    unsigned char bytes[RESUME_SESSION_MAX], *end = bytes;
    int len;

    if (context->cache == NULL || resume_is_stateless(context, ssl)) {
        return 0;
    }
    len = i2d_SSL_SESSION(session, NULL);
    if (len > 0 && len <= RESUME_SESSION_MAX) {
        len = i2d_SSL_SESSION(session, &end);
        (void) weir_tls_cache_put(context->cache, resume_id(session), weir_str((char *) bytes, (size_t) len),
                                  weir_clock_wall_ms() / 1000 + context->session_timeout_s);
        weir_mem_wipe(bytes, (size_t) len);
    }
    return 0;
}

static SSL_SESSION *
resume_on_get(SSL *ssl, const unsigned char *id, int id_len, int *copy)
{
    const weir_tls_context_t *context = weir_tls_conn_of_ssl(ssl)->context;
    const unsigned char *at;
    char bytes[RESUME_SESSION_MAX];
    SSL_SESSION *session;
    size_t len;

    *copy = 0;
    if (context->cache == NULL || id_len <= 0) {
        return NULL;
    }
    len = weir_tls_cache_get(context->cache, weir_str((const char *) id, (size_t) id_len), bytes, sizeof(bytes),
                             weir_clock_wall_ms() / 1000, false);
    if (len == 0) {
        return NULL;
    }
    at = (unsigned char *) bytes;
    session = d2i_SSL_SESSION(NULL, &at, (long) len);
    weir_mem_wipe(bytes, len);
    return session;
}

static void
resume_on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    const weir_tls_context_t *context = weir_tls_context_of_ctx(ctx);

    if (context != NULL && context->cache != NULL) {
        weir_tls_cache_drop(context->cache, resume_id(session));
    }
}

/* -- 0-RTT -- */

static int
resume_on_early(SSL *ssl, void *data WEIR_UNUSED)
{
    uint8_t random[32];

    return weir_tls_conn_of_ssl(ssl)->context->early_data
           && SSL_get_client_random(ssl, random, sizeof(random)) == sizeof(random)
           && weir_tls_strikes_first(random, weir_clock_now().ms);
}

bool
weir_tls_some_early_data(void)
{
    return __atomic_load_n(&resume_early, __ATOMIC_RELAXED);
}

/* -- a client's -- */

static int
resume_on_new_client(SSL *ssl, SSL_SESSION *session)
{
    weir_tls_slot_t *slot = weir_tls_conn_of_ssl(ssl)->slot;

    if (slot == NULL || SSL_SESSION_is_resumable(session) != 1) {
        return 0;
    }
    SSL_SESSION_free(slot->session);
    slot->session = session;
    return 1;                                        /* the reference is ours now */
}

void
weir_tls_slot_fini(weir_tls_slot_t *slot)
{
    SSL_SESSION_free(slot->session);
    slot->session = NULL;
}

/* -- of every context -- */

void
weir_tls_resume_limit(SSL *ssl, const weir_tls_context_t *context)
{
    bool issues = context->tickets && (context->n_ticket_keys != 0 || weir_tls_tickets_newest() != NULL);

    weir_assert(context->is_server);
    if (!issues) {
        (void) SSL_set_options(ssl, SSL_OP_NO_TICKET);
        if (context->cache == NULL) {
            (void) SSL_set_num_tickets(ssl, 0);
        }
    }
    (void) SSL_set_max_early_data(ssl, context->early_data && issues ? RESUME_EARLY_MAX : 0);
}

void
weir_tls_resume_prepare(weir_tls_context_t *context)
{
    SSL_CTX *ctx = context->ctx;

    weir_assert(ctx != NULL);
    (void) pthread_once(&resume_once, resume_start);
    if (!context->is_server) {
        (void) SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, resume_on_new_client);
        return;
    }
    (void) SSL_CTX_set_session_cache_mode(ctx,
                                          SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL
                                          | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_sess_set_new_cb(ctx, resume_on_new_server);
    SSL_CTX_sess_set_get_cb(ctx, resume_on_get);
    SSL_CTX_sess_set_remove_cb(ctx, resume_on_remove);
    (void) SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, resume_on_ticket);
    SSL_CTX_set_allow_early_data_cb(ctx, resume_on_early, NULL);
    (void) SSL_CTX_set_max_early_data(ctx, context->early_data ? RESUME_EARLY_MAX : 0);
    (void) SSL_CTX_set_recv_max_early_data(ctx, RESUME_EARLY_MAX);
    if (context->early_data) {
        __atomic_store_n(&resume_early, true, __ATOMIC_RELAXED);
    }
}
