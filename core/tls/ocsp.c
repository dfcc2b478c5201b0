/*
 * ocsp.c - OCSP questions and answers with OpenSSL's types (RFC 6960); see ocsp.h.
 *
 * Load time and workers' loops; each question is one allocation beside OpenSSL's own.
 */
#include "tls/ocsp.h"

#include "base/mem.h"
#include "tls/internal.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#define OCSP_SKEW_S 300               /* clocks may differ by this much, as nginx has it */
#define OCSP_MAX_CHAIN 100            /* certificates of a PEM text that are looked at */

struct weir_tls_ocsp {
    X509          *certificate, *issuer;
    OCSP_CERTID   *id;
    unsigned char *request;           /* DER */
    size_t         request_len;
    char          *url;               /* OPENSSL_malloc; NULL: none */
    uint8_t        digest[WEIR_TLS_OCSP_ID_LEN];
};

/* -- certificates -- */

static STACK_OF(X509) *
ocsp_read_chain(weir_str_t pem)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    BIO *bio = pem.len <= INT_MAX ? BIO_new_mem_buf(pem.at, (int) pem.len) : NULL;
    X509 *cert;

    while (chain != NULL && bio != NULL && sk_X509_num(chain) < OCSP_MAX_CHAIN) {
        cert = sk_X509_num(chain) == 0 ? PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)
               : PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (cert == NULL) {
            break;
        }
        if (sk_X509_push(chain, cert) <= 0) {
            X509_free(cert);
            break;
        }
    }
    BIO_free(bio);
    ERR_clear_error();                /* the text's end is one */
    return chain;
}

static X509 *
ocsp_find_issuer(X509 *cert, STACK_OF(X509) *among)
{
    for (int i = 0; i < sk_X509_num(among); i++) {
        X509 *candidate = sk_X509_value(among, i);
        if (candidate != cert && X509_check_issued(candidate, cert) == X509_V_OK) {
            X509_up_ref(candidate);
            return candidate;
        }
    }
    return NULL;
}

static char *
ocsp_find_url(X509 *cert)
{
    STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(cert);
    char *url = NULL;

    for (int i = 0; urls != NULL && url == NULL && i < sk_OPENSSL_STRING_num(urls); i++) {
        const char *text = sk_OPENSSL_STRING_value(urls, i);
        if (OPENSSL_strncasecmp(text, "http://", 7) == 0) {
            url = OPENSSL_strdup(text);
        }
    }
    X509_email_free(urls);
    return url;
}

/* -- questions -- */

void
weir_tls_ocsp_destroy(weir_tls_ocsp_t *question)
{
    if (question == NULL) {
        return;
    }
    X509_free(question->certificate);
    X509_free(question->issuer);
    OCSP_CERTID_free(question->id);
    OPENSSL_free(question->request);
    OPENSSL_free(question->url);
    weir_mem_free(question);
}

static bool
ocsp_encode(weir_tls_ocsp_t *question)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = OCSP_CERTID_dup(question->id);
    unsigned char *der = NULL;
    int len;

    weir_assert(question->id != NULL && question->request == NULL);
    if (request == NULL || id == NULL || OCSP_request_add0_id(request, id) == NULL) {
        OCSP_CERTID_free(id);
        OCSP_REQUEST_free(request);
        return false;
    }
    len = i2d_OCSP_REQUEST(request, &question->request);
    OCSP_REQUEST_free(request);
    question->request_len = len > 0 ? (size_t) len : 0;
    len = len > 0 ? i2d_OCSP_CERTID(question->id, &der) : 0;
    if (len > 0) {
        SHA256(der, (size_t) len, question->digest);
    }
    OPENSSL_free(der);
    return len > 0;
}

/* Both references are taken over. */
static weir_tls_ocsp_t *
ocsp_create(X509 *certificate, X509 *issuer, const char **why)
{
    weir_tls_ocsp_t *question = weir_mem_try(sizeof(*question));

    weir_assert(certificate != NULL && issuer != NULL);
    *why = "no memory to ask an OCSP responder";
    if (question == NULL) {
        X509_free(certificate);
        X509_free(issuer);
        return NULL;
    }
    *question = (weir_tls_ocsp_t) { .certificate = certificate, .issuer = issuer };
    question->id = OCSP_cert_to_id(NULL, certificate, issuer);
    question->url = ocsp_find_url(certificate);
    if (question->id == NULL || !ocsp_encode(question)) {
        ERR_clear_error();
        weir_tls_ocsp_destroy(question);
        return NULL;
    }
    ERR_clear_error();
    *why = NULL;
    return question;
}

weir_tls_ocsp_t *
weir_tls_ocsp_of_certificate(weir_str_t pem, weir_str_t more, const char **why)
{
    STACK_OF(X509) *chain = ocsp_read_chain(pem), *others = ocsp_read_chain(more);
    weir_tls_ocsp_t *question = NULL;
    X509 *cert = chain != NULL ? sk_X509_value(chain, 0) : NULL, *issuer = NULL;

    *why = "no certificate found";
    if (cert != NULL) {
        issuer = ocsp_find_issuer(cert, chain);
        issuer = issuer != NULL ? issuer : ocsp_find_issuer(cert, others);
        *why = "issuer certificate not found";
    }
    if (issuer != NULL) {
        X509_up_ref(cert);
        question = ocsp_create(cert, issuer, why);
    }
    sk_X509_pop_free(chain, X509_free);
    sk_X509_pop_free(others, X509_free);
    return question;
}

/* The chain that the client's certificate was verified by.  A resumed session does not bring it: then it is found
 * again. */
static STACK_OF(X509) *
ocsp_peer_chain(SSL *ssl, X509 *cert)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    X509_STORE_CTX *ctx;

    if (chain != NULL) {
        return X509_chain_up_ref(chain);
    }
    ctx = X509_STORE_CTX_new();
    if (ctx != NULL && X509_STORE_CTX_init(ctx, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)), cert,
                                           SSL_get_peer_cert_chain(ssl))
        && X509_STORE_CTX_set_default(ctx, "ssl_client") && X509_verify_cert(ctx) > 0)
    {
        chain = X509_STORE_CTX_get1_chain(ctx);
    }
    X509_STORE_CTX_free(ctx);
    return chain;
}

weir_tls_ocsp_t *
weir_tls_ocsp_of_peer(const weir_conn_t *conn, size_t depth, const char **why)
{
    weir_tls_conn_t *tls = weir_tls_conn_of(conn);
    weir_tls_ocsp_t *question = NULL;
    STACK_OF(X509) *chain;
    X509 *cert;
    int n;

    *why = NULL;
    cert = tls != NULL ? SSL_get0_peer_certificate(tls->ssl) : NULL;
    if (cert == NULL) {
        return NULL;
    }
    chain = ocsp_peer_chain(tls->ssl, cert);
    n = chain != NULL ? sk_X509_num(chain) : 0;
    if (n == 0) {
        *why = "the chain of the client's certificate was not found";
    } else if (depth + 1 < (size_t) n) {
        X509 *about = sk_X509_value(chain, (int) depth), *issuer = sk_X509_value(chain, (int) depth + 1);
        X509_up_ref(about);
        X509_up_ref(issuer);
        question = ocsp_create(about, issuer, why);
    } else if (depth == 0) {
        *why = "the client's certificate has no issuer";      /* it is trusted itself: no responder can be asked */
    }
    ERR_clear_error();
    sk_X509_pop_free(chain, X509_free);
    return question;
}

weir_str_t
weir_tls_ocsp_url(const weir_tls_ocsp_t *question)
{
    return weir_str_from_z(question->url);
}

weir_str_t
weir_tls_ocsp_request(const weir_tls_ocsp_t *question)
{
    return weir_str((const char *) question->request, question->request_len);
}

weir_str_t
weir_tls_ocsp_id(const weir_tls_ocsp_t *question)
{
    return weir_str((const char *) question->digest, sizeof(question->digest));
}

/* -- answers -- */

/* The issuer signed it, or a signer that the issuer gave a certificate for that: no other, whatever is trusted
 * otherwise. */
static bool
ocsp_is_signed(const weir_tls_ocsp_t *question, OCSP_BASICRESP *basic)
{
    STACK_OF(X509) *known = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    bool is_signed = false;

    if (known != NULL && store != NULL && sk_X509_push(known, question->issuer) > 0
        && X509_STORE_add_cert(store, question->issuer) == 1
        && X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1)
    {
        is_signed = OCSP_basic_verify(basic, known, store, OCSP_TRUSTOTHER) == 1;
    }
    X509_STORE_free(store);
    sk_X509_free(known);
    return is_signed;
}

static uint64_t
ocsp_seconds_until(ASN1_GENERALIZEDTIME *time, uint64_t wall_s)
{
    ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t) wall_s);
    uint64_t until = 0;
    int days, seconds;

    if (now != NULL && time != NULL && ASN1_TIME_diff(&days, &seconds, now, time) && days >= 0 && seconds >= 0) {
        until = wall_s + (uint64_t) days * 86400 + (uint64_t) seconds;
    }
    ASN1_TIME_free(now);
    return until;
}

static weir_tls_ocsp_status_t
ocsp_read_basic(const weir_tls_ocsp_t *question, OCSP_BASICRESP *basic, bool verify, uint64_t wall_s, uint64_t *until_s,
                const char **why)
{
    ASN1_GENERALIZEDTIME *revoked, *from, *to = NULL;
    int status, reason;

    weir_assert(question->issuer != NULL && basic != NULL);
    *why = "the OCSP answer is not signed by the issuer or on its behalf";
    if (verify && !ocsp_is_signed(question, basic)) {
        return WEIR_TLS_OCSP_INVALID;
    }
    *why = "the OCSP answer is about another certificate";
    if (OCSP_resp_find_status(basic, question->id, &status, &reason, &revoked, &from, &to) != 1) {
        return WEIR_TLS_OCSP_INVALID;
    }
    *why = "the OCSP answer is too old, or of a time to come";
    if (OCSP_check_validity(from, to, OCSP_SKEW_S, -1) != 1) {
        return WEIR_TLS_OCSP_INVALID;
    }
    *until_s = ocsp_seconds_until(to, wall_s);
    switch (status) {
    case V_OCSP_CERTSTATUS_GOOD:
        *why = "the certificate is good";
        return WEIR_TLS_OCSP_GOOD;
    case V_OCSP_CERTSTATUS_REVOKED:
        *why = "the certificate was revoked";
        return WEIR_TLS_OCSP_REVOKED;
    default:
        *why = "the OCSP responder does not know the certificate";
        return WEIR_TLS_OCSP_UNKNOWN;
    }
}

weir_tls_ocsp_status_t
weir_tls_ocsp_read(const weir_tls_ocsp_t *question, weir_str_t der, bool verify, uint64_t wall_s, uint64_t *until_s,
                   const char **why)
{
    weir_tls_ocsp_status_t status = WEIR_TLS_OCSP_INVALID;
    const unsigned char *at = (const unsigned char *) der.at, *end = at + der.len;
    OCSP_BASICRESP *basic = NULL;
    OCSP_RESPONSE *response;

    *until_s = 0;
    *why = "the OCSP answer is malformed";
    if (der.len == 0 || der.len > WEIR_TLS_OCSP_ANSWER_MAX) {
        return status;
    }
    response = d2i_OCSP_RESPONSE(NULL, &at, (long) der.len);
    if (response != NULL && at == end) {
        *why = "the OCSP responder refused to answer";
        if (OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL) {
            *why = "the OCSP answer is malformed";
            basic = OCSP_response_get1_basic(response);
        }
    }
    if (basic != NULL) {
        status = ocsp_read_basic(question, basic, verify, wall_s, until_s, why);
    }
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return status;
}
