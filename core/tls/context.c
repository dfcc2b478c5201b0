/*
 * context.c - making TLS contexts, and the register that gives equal settings the context there is.
 *
 * Load time, any thread: the register has a lock.  What is in a context does not change once it is made, but its
 * staple.
 */
#include "tls/context.h"

#include "base/mem.h"
#include "tls/internal.h"

#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t     context_lock = PTHREAD_MUTEX_INITIALIZER;
static weir_tls_context_t *context_first;
static int                 context_index = -1;      /* of SSL_CTX's ex data */

static pthread_once_t context_once = PTHREAD_ONCE_INIT;

static void
context_start(void)
{
    context_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    weir_assert(context_index >= 0);
}

weir_tls_context_t *
weir_tls_context_of_ctx(const SSL_CTX *ctx)
{
    return SSL_CTX_get_ex_data(ctx, context_index);
}

/* -- what is wished for -- */

static bool
context_set_protocols(SSL_CTX *ctx, const weir_tls_settings_t *s, weir_error_t *error)
{
    static const struct { uint32_t bit; int version; uint64_t off; } known[] = {
        { WEIR_TLS_V1_0, TLS1_VERSION, SSL_OP_NO_TLSv1 },
        { WEIR_TLS_V1_1, TLS1_1_VERSION, SSL_OP_NO_TLSv1_1 },
        { WEIR_TLS_V1_2, TLS1_2_VERSION, SSL_OP_NO_TLSv1_2 },
        { WEIR_TLS_V1_3, TLS1_3_VERSION, SSL_OP_NO_TLSv1_3 },
    };
    int min = 0, max = 0;

    for (size_t i = 0; i < weir_countof(known); i++) {
        if ((s->protocols & known[i].bit) == 0) {
            (void) SSL_CTX_set_options(ctx, known[i].off);
            continue;
        }
        min = min == 0 ? known[i].version : min;
        max = known[i].version;
    }
    if (SSL_CTX_set_min_proto_version(ctx, min) != 1 || SSL_CTX_set_max_proto_version(ctx, max) != 1) {
        return weir_tls_error(error, "these protocol versions cannot be had");
    }
    return true;
}

static const char *
context_z(weir_str_t s, char *room, size_t cap)
{
    if (s.len >= cap || memchr(s.at, '\0', s.len) != NULL) {
        return NULL;
    }
    memcpy(room, s.at, s.len);
    room[s.len] = '\0';
    return room;
}

static bool
context_set_groups(weir_tls_context_t *context, weir_str_t groups, weir_error_t *error)
{
    char text[1024];

    if (context_z(groups, text, sizeof(text)) == NULL || SSL_CTX_set1_groups_list(context->ctx, text) != 1) {
        return weir_tls_error(error, "the curves \"%.*s\" cannot be had", WEIR_STR_ARG(groups));
    }
    weir_mem_free(context->groups);
    context->groups = weir_mem_need(groups.len + 1);
    memcpy(context->groups, text, groups.len);
    return true;
}

static bool
context_set_ciphers(weir_tls_context_t *context, const weir_tls_settings_t *s, weir_error_t *error)
{
    char text[4096];

    if (s->ciphers.len != 0
        && (context_z(s->ciphers, text, sizeof(text)) == NULL || SSL_CTX_set_cipher_list(context->ctx, text) != 1))
    {
        return weir_tls_error(error, "the ciphers \"%.*s\" cannot be had", WEIR_STR_ARG(s->ciphers));
    }
    if (s->prefer_server_ciphers) {
        (void) SSL_CTX_set_options(context->ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    }
    return s->curves.len == 0 || weir_str_eq(s->curves, WEIR_STR("auto"))
           || context_set_groups(context, s->curves, error);
}

static bool
context_run_commands(weir_tls_context_t *context, const weir_tls_settings_t *s, weir_error_t *error)
{
    SSL_CONF_CTX *conf;
    bool fine = true;

    if (s->n_commands == 0) {
        return true;
    }
    conf = SSL_CONF_CTX_new();
    weir_assert(conf != NULL);
    (void) SSL_CONF_CTX_set_flags(conf, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SHOW_ERRORS | SSL_CONF_FLAG_CERTIFICATE
                                            | (s->is_server ? SSL_CONF_FLAG_SERVER : SSL_CONF_FLAG_CLIENT));
    SSL_CONF_CTX_set_ssl_ctx(conf, context->ctx);
    for (size_t i = 0; fine && i < s->n_commands; i++) {
        const weir_tls_command_t *command = &s->commands[i];
        char name[128], value[4096];
        ERR_clear_error();
        fine = context_z(command->name, name, sizeof(name)) != NULL
               && context_z(command->value, value, sizeof(value)) != NULL
               && SSL_CONF_cmd(conf, name, value) > 0;
        if (!fine) {
            (void) weir_tls_error(error, "SSL_CONF_cmd(\"%.*s\", \"%.*s\") failed", WEIR_STR_ARG(command->name),
                                  WEIR_STR_ARG(command->value));
        } else if (weir_str_eq_fold(command->name, WEIR_STR("Groups"))
                   || weir_str_eq_fold(command->name, WEIR_STR("Curves")))
        {
            fine = context_set_groups(context, command->value, error);
        }
    }
    fine = fine && (SSL_CONF_CTX_finish(conf) == 1 || weir_tls_error(error, "SSL_CONF_CTX_finish() failed"));
    SSL_CONF_CTX_free(conf);
    return fine;
}

/* A server takes any certificate, or none, in the handshake: the request gets an answer that says what is wrong. */
static int
context_accept_any(int ok WEIR_UNUSED, X509_STORE_CTX *store WEIR_UNUSED)
{
    return 1;
}

static bool
context_set_verification(weir_tls_context_t *context, const weir_tls_settings_t *s, weir_error_t *error)
{
    context->verify = s->verify;
    context->verify_depth = s->verify_depth;
    weir_tls_settings_policy(s, context->policy);
    if (s->verify != WEIR_TLS_VERIFY_OFF) {
        SSL_CTX_set_verify(context->ctx, SSL_VERIFY_PEER, s->is_server ? context_accept_any : NULL);
        SSL_CTX_set_verify_depth(context->ctx, (int) s->verify_depth);
    }
    if (SSL_CTX_set_session_id_context(context->ctx, context->policy, sizeof(context->policy)) != 1) {
        return weir_tls_error(error, "SSL_CTX_set_session_id_context() failed");
    }
    return weir_tls_use_authorities(context->ctx, s, error);
}

static bool
context_set_ticket_keys(weir_tls_context_t *context, const weir_tls_settings_t *s, weir_error_t *error)
{
    if (s->ticket_keys.n == 0) {
        return true;
    }
    context->ticket_keys = weir_mem_need(s->ticket_keys.n * sizeof(*context->ticket_keys));
    context->n_ticket_keys = s->ticket_keys.n;
    for (size_t i = 0; i < s->ticket_keys.n; i++) {
        const weir_tls_file_t *file = &s->ticket_keys.at[i];
        weir_tls_ticket_key_t *key = &context->ticket_keys[i];
        const char *at = file->bytes.at;

        if (file->bytes.len == 48) {                 /* name, AES-128, HMAC; both short keys stand for long ones */
            memcpy(key->name, at, 16);
            memcpy(key->aes, at + 16, 16);
            memcpy(key->hmac, at + 32, 16);
            key->is_short = true;
        } else if (file->bytes.len == 80) {          /* name, HMAC, AES-256 */
            memcpy(key->name, at, 16);
            memcpy(key->hmac, at + 16, 32);
            memcpy(key->aes, at + 48, 32);
        } else {
            return weir_error_set(error, "\"%.*s\" must be 48 or 80 bytes", WEIR_STR_ARG(file->name));
        }
    }
    return true;
}

bool
weir_tls_context_staple(weir_tls_context_t *context, weir_str_t der)
{
    unsigned char *copy = OPENSSL_memdup(der.at, der.len);

    if (copy == NULL) {
        return false;
    }
    OPENSSL_free(context->stapled);
    context->stapled = copy;
    context->stapled_len = der.len;
    return true;
}

void
weir_tls_context_unstaple(weir_tls_context_t *context)
{
    OPENSSL_free(context->stapled);
    context->stapled = NULL;
    context->stapled_len = 0;
}

static bool
context_set_modes(weir_tls_context_t *context, const weir_tls_settings_t *s, weir_error_t *error)
{
    SSL_CTX *ctx = context->ctx;

    (void) SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_ANTI_REPLAY
                                        | (s->tickets ? 0 : SSL_OP_NO_TICKET));
    (void) SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT);
    (void) SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ENABLE_PARTIAL_WRITE
                                     | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    context->fragment = (long) weir_max(weir_min(s->buffer_size, 16384), 512);
    (void) SSL_CTX_set_max_send_fragment(ctx, context->fragment);
    if (s->session_timeout_s != 0) {
        (void) SSL_CTX_set_timeout(ctx, (long) s->session_timeout_s);
    }
    context->tickets = s->tickets;
    context->early_data = s->early_data;
    context->cache = s->cache;
    context->session_timeout_s = s->session_timeout_s;
    return s->stapled.len == 0 || weir_tls_context_staple(context, s->stapled) || weir_error_set(error, "no memory");
}

/* -- making one -- */

static void
context_destroy(weir_tls_context_t *context)
{
    SSL_CTX_free(context->ctx);
    OPENSSL_free(context->stapled);
    if (context->ticket_keys != NULL) {
        weir_mem_wipe(context->ticket_keys, context->n_ticket_keys * sizeof(*context->ticket_keys));
    }
    weir_mem_free(context->ticket_keys);
    weir_mem_free(context->groups);
    weir_tls_settings_forget(context->settings);
    weir_mem_free(context);
}

static bool
context_fill(weir_tls_context_t *context, const weir_tls_settings_t *s, weir_error_t *error)
{
    if (!context_set_modes(context, s, error) || !context_set_protocols(context->ctx, s, error)
        || !context_set_ciphers(context, s, error) || !context_set_verification(context, s, error)
        || !context_set_ticket_keys(context, s, error) || !weir_tls_use_dhparam(context->ctx, &s->dhparam, error))
    {
        return false;
    }
    for (size_t i = 0; i < s->n_pairs; i++) {
        if (!weir_tls_use_pair(context->ctx, &s->pairs[i], s->passwords, error)) {
            return false;
        }
    }
    if (!context_run_commands(context, s, error)) {
        return false;
    }
    if (s->is_server) {
        weir_tls_hello_prepare(context);
    }
    if (s->is_base) {
        context->settings = weir_tls_settings_keep(s);
    }
    weir_tls_resume_prepare(context);
    return true;
}

static weir_tls_context_t *
context_make(const weir_tls_settings_t *s, weir_error_t *error)
{
    weir_tls_context_t *context = weir_mem_need(sizeof(*context));

    (void) pthread_once(&context_once, context_start);
    ERR_clear_error();
    context->refs = 1;
    context->is_server = s->is_server;
    context->ctx = SSL_CTX_new(s->is_server ? TLS_server_method() : TLS_client_method());
    if (context->ctx == NULL || SSL_CTX_set_ex_data(context->ctx, context_index, context) != 1) {
        (void) weir_tls_error(error, "SSL_CTX_new() failed");
    } else if (context_fill(context, s, error)) {
        ERR_clear_error();
        return context;
    }
    context_destroy(context);
    return NULL;
}

/* -- the register -- */

static weir_tls_context_t *
context_find(const uint8_t digest[32])
{
    weir_tls_context_t *context = context_first;

    while (context != NULL && memcmp(context->digest, digest, sizeof(context->digest)) != 0) {
        context = context->next;
    }
    return context != NULL ? weir_tls_context_ref(context) : NULL;
}

weir_tls_context_t *
weir_tls_context_create(const weir_tls_settings_t *settings, weir_error_t *error)
{
    weir_tls_context_t *context, *made;
    uint8_t digest[32];

    weir_tls_settings_digest(settings, digest);
    (void) pthread_mutex_lock(&context_lock);
    context = context_find(digest);
    (void) pthread_mutex_unlock(&context_lock);
    if (context != NULL) {
        return context;
    }
    made = context_make(settings, error);
    if (made == NULL) {
        return NULL;
    }
    memcpy(made->digest, digest, sizeof(digest));
    (void) pthread_mutex_lock(&context_lock);
    context = context_find(digest);
    if (context == NULL) {
        made->is_registered = true;
        made->next = context_first;
        context_first = made;
    }
    (void) pthread_mutex_unlock(&context_lock);
    if (context != NULL) {
        context_destroy(made);
        return context;
    }
    return made;
}

weir_tls_context_t *
weir_tls_context_with_pairs(const weir_tls_context_t *base, const weir_tls_pair_t *pairs, size_t n, weir_error_t *error)
{
    weir_tls_settings_t settings;

    weir_assert(base->settings != NULL);
    settings = *weir_tls_settings_kept(base->settings);
    settings.pairs = (weir_tls_pair_t *) (uintptr_t) pairs;
    settings.n_pairs = n;
    settings.is_base = false;
    return context_make(&settings, error);
}

weir_tls_context_t *
weir_tls_context_ref(weir_tls_context_t *context)
{
    (void) __atomic_add_fetch(&context->refs, 1, __ATOMIC_RELAXED);
    return context;
}

bool
weir_tls_contexts_want_tickets(void)
{
    const weir_tls_context_t *context;

    (void) pthread_mutex_lock(&context_lock);
    for (context = context_first; context != NULL; context = context->next) {
        if (context->is_server && context->tickets && context->n_ticket_keys == 0) {
            break;
        }
    }
    (void) pthread_mutex_unlock(&context_lock);
    return context != NULL;
}

/* Not the last: without the lock, which a build thread may have. */
static bool
context_drop_one_of_many(weir_tls_context_t *context)
{
    uint32_t refs = __atomic_load_n(&context->refs, __ATOMIC_RELAXED);

    while (refs > 1) {
        if (__atomic_compare_exchange_n(&context->refs, &refs, refs - 1, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

static void
context_unregister(weir_tls_context_t *context)
{
    weir_tls_context_t **at = &context_first;

    while (*at != context) {
        at = &(*at)->next;
    }
    *at = context->next;
}

void
weir_tls_context_unref(weir_tls_context_t *context)
{
    bool last;

    if (context == NULL || context_drop_one_of_many(context)) {
        return;
    }
    (void) pthread_mutex_lock(&context_lock);            /* a search must not find what goes */
    last = __atomic_sub_fetch(&context->refs, 1, __ATOMIC_ACQ_REL) == 0;
    if (last && context->is_registered) {
        context_unregister(context);
    }
    (void) pthread_mutex_unlock(&context_lock);
    if (last) {
        context_destroy(context);
    }
}

bool
weir_tls_context_same_policy(const weir_tls_context_t *a, const weir_tls_context_t *b)
{
    return a == b || memcmp(a->policy, b->policy, sizeof(a->policy)) == 0;
}

weir_tls_verify_t
weir_tls_context_verify(const weir_tls_context_t *context)
{
    return context->verify;
}
