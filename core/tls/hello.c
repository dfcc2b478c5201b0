/*
 * hello.c - what a server makes of a client's hello: its name chooses the context, its protocols are matched with ours,
 * and a staple goes with the certificate.
 *
 * Runs in workers, inside handshakes; allocates nothing of its own.  The hello comes from a client: every length is
 * checked before what it measures (RFC 6066 §3, RFC 7301 §3.1).
 */
#include "base/mem.h"
#include "tls/internal.h"

#include <openssl/err.h>

/* The default of OpenSSL 3.0, for a connection that moves from a context with groups of its own to one without. */
#define HELLO_GROUPS "X25519:P-256:X448:P-521:P-384"

/* -- the name -- */

static bool
hello_is_name_byte(unsigned char c)
{
    return c > ' ' && c < 0x7f && c != '/' && c != '\\' && c != ':' && c != '@' && c != '?' && c != '#' && c != '%';
}

/* A list of one host_name.  false: malformed, or a name that no server can have. */
static bool
hello_read_name(weir_tls_conn_t *tls, const unsigned char *at, size_t len)
{
    size_t n;

    if (len < 5 || ((size_t) at[0] << 8 | at[1]) != len - 2 || at[2] != TLSEXT_NAMETYPE_host_name) {
        return false;
    }
    n = (size_t) at[3] << 8 | at[4];
    if (n != len - 5 || n == 0 || n >= sizeof(tls->server_name)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = at[5 + i];
        if (!hello_is_name_byte(c) || (c == '.' && (i == 0 || at[5 + i - 1] == '.'))) {
            /* an empty label, such as those of ".." */
            return false;
        }
        tls->server_name[i] = (char) (c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    if (n > 1 && tls->server_name[n - 1] == '.') {
        n--;
    }
    tls->server_name[n] = '\0';
    return true;
}

/* -- the context -- */

static void
hello_use(weir_tls_conn_t *tls, weir_tls_context_t *context)
{
    const weir_tls_context_t *before = tls->context;
    SSL *ssl = tls->ssl;
    SSL_CTX *ctx = context->ctx;
    uint64_t options = SSL_CTX_get_options(ctx);

    (void) SSL_set_SSL_CTX(ssl, ctx);
    (void) SSL_clear_options(ssl, SSL_get_options(ssl) & ~options);
    (void) SSL_set_options(ssl, options);
    (void) SSL_set_min_proto_version(ssl, (int) SSL_CTX_get_min_proto_version(ctx));
    (void) SSL_set_max_proto_version(ssl, (int) SSL_CTX_get_max_proto_version(ctx));
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(ctx), SSL_CTX_get_verify_callback(ctx));
    SSL_set_verify_depth(ssl, SSL_CTX_get_verify_depth(ctx));
    (void) SSL_set_session_id_context(ssl, context->policy, sizeof(context->policy));
    (void) SSL_set_max_send_fragment(ssl, context->fragment);
    (void) SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(ctx));
    if (context->groups != NULL || before->groups != NULL) {
        (void) SSL_set1_groups_list(ssl, context->groups != NULL ? context->groups : HELLO_GROUPS);
    }
    tls->context = weir_tls_context_ref(context);
    weir_tls_context_unref((weir_tls_context_t *) (uintptr_t) before);
}

static int
hello_on_hello(SSL *ssl, int *alert, void *data WEIR_UNUSED)
{
    weir_tls_conn_t *tls = weir_tls_conn_of_ssl(ssl);
    weir_tls_context_t *context;
    const unsigned char *at;
    size_t len;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &at, &len) == 1 && !hello_read_name(tls, at, len)) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        tls->server_name[0] = '\0';
        return SSL_CLIENT_HELLO_ERROR;
    }
    context = tls->acceptor->choose(tls->owner, weir_str_from_z(tls->server_name));
    if (context == NULL) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (context != tls->context) {
        hello_use(tls, context);
    }
    weir_tls_resume_limit(ssl, context);
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* The name was looked at above; that it was taken notice of is told to the client. */
static int
hello_on_name(SSL *ssl, int *alert WEIR_UNUSED, void *data WEIR_UNUSED)
{
    return weir_tls_conn_of_ssl(ssl)->server_name[0] != '\0' ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static int
hello_on_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                   unsigned in_len,
                   void *data WEIR_UNUSED)
{
    weir_tls_conn_t *tls = weir_tls_conn_of_ssl(ssl);
    weir_str_t ours = tls->acceptor->protocols(tls->owner);
    unsigned char *chosen;

    if (SSL_select_next_proto(&chosen, out_len, (const unsigned char *) ours.at, (unsigned) ours.len, in,
                              in_len) != OPENSSL_NPN_NEGOTIATED)
    {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int
hello_on_status(SSL *ssl, void *data WEIR_UNUSED)
{
    const weir_tls_context_t *context = weir_tls_conn_of_ssl(ssl)->context;
    unsigned char *copy;

    if (context->stapled == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    copy = OPENSSL_memdup(context->stapled, context->stapled_len);
    if (copy == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    (void) SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long) context->stapled_len);
    return SSL_TLSEXT_ERR_OK;
}

void
weir_tls_hello_prepare(weir_tls_context_t *context)
{
    SSL_CTX *ctx = context->ctx;

    SSL_CTX_set_client_hello_cb(ctx, hello_on_hello, NULL);
    (void) SSL_CTX_set_tlsext_servername_callback(ctx, hello_on_name);
    SSL_CTX_set_alpn_select_cb(ctx, hello_on_protocols, NULL);
    (void) SSL_CTX_set_tlsext_status_cb(ctx, hello_on_status);
}
