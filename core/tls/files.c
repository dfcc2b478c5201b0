/*
 * files.c - certificates, keys, authorities, revocation lists and DH groups, from PEM text into an SSL_CTX.
 *
 * Load time, and when a certificate's name has variables; any thread.  What a file is wrong about is told with
 * OpenSSL's own words.
 */
#include "base/mem.h"
#include "tls/internal.h"

#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>

size_t
weir_tls_take_errors(char *text, size_t cap)
{
    const char *data;
    unsigned long code;
    size_t len = 0;
    int flags;

    if (cap == 0) {
        return 0;
    }
    text[0] = '\0';
    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *reason = ERR_reason_error_string(code);
        int n;

        if (cap - len < 32) {
            continue;                                /* the queue is emptied all the same */
        }
        if (reason != NULL) {
            n = snprintf(text + len, cap - len, "%s%s", len != 0 ? "; " : "", reason);
        } else if (ERR_SYSTEM_ERROR(code)) {
            n = snprintf(text + len, cap - len, "%ssystem error %d", len != 0 ? "; " : "", (int) ERR_GET_REASON(code));
        } else {
            n = snprintf(text + len, cap - len, "%serror %08lX", len != 0 ? "; " : "", code);
        }
        len = weir_min(len + (size_t) (n > 0 ? n : 0), cap - 1);
        if ((flags & ERR_TXT_STRING) != 0 && data[0] != '\0' && cap - len > 8) {
            n = snprintf(text + len, cap - len, " (%s)", data);
            len = weir_min(len + (size_t) (n > 0 ? n : 0), cap - 1);
        }
    }
    return len;
}

bool
weir_tls_error(weir_error_t *error, const char *fmt, ...)
{
    char what[512], why[400];
    va_list args;

    va_start(args, fmt);
    (void) vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (weir_tls_take_errors(why, sizeof(why)) != 0) {
        return weir_error_set(error, "%s: %s", what, why);
    }
    return weir_error_set(error, "%s", what);
}

static BIO *
files_open(const weir_tls_file_t *file, weir_error_t *error)
{
    BIO *bio;

    ERR_clear_error();
    if (file->bytes.len > INT32_MAX) {
        (void) weir_error_set(error, "\"%.*s\" is too large", WEIR_STR_ARG(file->name));
        return NULL;
    }
    bio = BIO_new_mem_buf(file->bytes.len != 0 ? file->bytes.at : "", (int) file->bytes.len);
    if (bio == NULL) {
        (void) weir_tls_error(error, "\"%.*s\" cannot be read", WEIR_STR_ARG(file->name));
    }
    return bio;
}

/* Nothing more in a PEM text is no error. */
static bool
files_is_at_end(void)
{
    unsigned long code = ERR_peek_last_error();

    if (code != 0 && (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE)) {
        return false;
    }
    ERR_clear_error();
    return true;
}

/* -- a certificate with its chain, and its key -- */

static int
files_no_password(char *out, int size, int writing, void *data)
{
    (void) out;
    (void) size;
    (void) writing;
    (void) data;
    return -1;                                       /* never asks the terminal */
}

static bool
files_use_certificate(SSL_CTX *ctx, const weir_tls_file_t *file, weir_error_t *error)
{
    BIO *bio = files_open(file, error);
    bool used = false;
    X509 *cert;

    if (bio == NULL) {
        return false;
    }
    cert = PEM_read_bio_X509_AUX(bio, NULL, files_no_password, NULL);
    if (cert == NULL || SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_clear_chain_certs(ctx) != 1) {
        (void) weir_tls_error(error, "cannot load certificate \"%.*s\"", WEIR_STR_ARG(file->name));
    } else {
        X509 *more;
        while ((more = PEM_read_bio_X509(bio, NULL, files_no_password, NULL)) != NULL) {
            if (SSL_CTX_add0_chain_cert(ctx, more) != 1) {
                X509_free(more);
                break;
            }
        }
        used = files_is_at_end() || weir_tls_error(error, "cannot load the chain in \"%.*s\"",
                                                   WEIR_STR_ARG(file->name));
    }
    X509_free(cert);
    BIO_free(bio);
    return used;
}

static int
files_password(char *out, int size, int writing WEIR_UNUSED, void *data)
{
    const weir_str_t *password = data;

    if (password->len > (size_t) size) {
        return -1;
    }
    memcpy(out, password->at, password->len);
    return (int) password->len;
}

static EVP_PKEY *
files_read_key(const weir_tls_file_t *file, weir_strs_t passwords, weir_error_t *error)
{
    EVP_PKEY *key = NULL;
    BIO *bio;

    for (size_t i = 0; key == NULL && (i == 0 || i < passwords.n); i++) {
        bio = files_open(file, error);
        if (bio == NULL) {
            return NULL;
        }
        key = passwords.n == 0 ? PEM_read_bio_PrivateKey(bio, NULL, files_no_password, NULL)
                               : PEM_read_bio_PrivateKey(bio, NULL, files_password, &passwords.at[i]);
        BIO_free(bio);
    }
    if (key == NULL) {
        (void) weir_tls_error(error, "cannot load certificate key \"%.*s\"", WEIR_STR_ARG(file->name));
    }
    return key;
}

bool
weir_tls_use_pair(SSL_CTX *ctx, const weir_tls_pair_t *pair, weir_strs_t passwords, weir_error_t *error)
{
    EVP_PKEY *key;
    bool used;

    if (!files_use_certificate(ctx, &pair->certificate, error)) {
        return false;
    }
    key = files_read_key(&pair->key, passwords, error);
    if (key == NULL) {
        return false;
    }
    used = SSL_CTX_use_PrivateKey(ctx, key) == 1
           || weir_tls_error(error, "the key \"%.*s\" is not that of the certificate \"%.*s\"",
                             WEIR_STR_ARG(pair->key.name),
                             WEIR_STR_ARG(pair->certificate.name));
    EVP_PKEY_free(key);
    return used;
}

/* -- authorities that are trusted -- */

/* Every certificate of the file is trusted; its name goes to names, unless NULL. */
static bool
files_trust(SSL_CTX *ctx, const weir_tls_file_t *file, STACK_OF(X509_NAME) *names, weir_error_t *error)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    BIO *bio = files_open(file, error);
    size_t n = 0;
    X509 *cert;
    bool fine = true;

    if (bio == NULL) {
        return false;
    }
    while (fine && (cert = PEM_read_bio_X509_AUX(bio, NULL, files_no_password, NULL)) != NULL) {
        X509_NAME *name = names != NULL ? X509_NAME_dup(X509_get_subject_name(cert)) : NULL;
        fine = X509_STORE_add_cert(store, cert) == 1
               && (names == NULL || (name != NULL && sk_X509_NAME_push(names, name) > 0));
        if (!fine) {
            X509_NAME_free(name);
        }
        X509_free(cert);
        n++;
    }
    fine = fine && n != 0 && files_is_at_end();
    BIO_free(bio);
    return fine || weir_tls_error(error, "cannot load CA certificates \"%.*s\"", WEIR_STR_ARG(file->name));
}

static bool
files_use_crl(SSL_CTX *ctx, const weir_tls_file_t *file, weir_error_t *error)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    BIO *bio = files_open(file, error);
    bool fine = true;
    X509_CRL *crl;
    size_t n = 0;

    if (bio == NULL) {
        return false;
    }
    while (fine && (crl = PEM_read_bio_X509_CRL(bio, NULL, files_no_password, NULL)) != NULL) {
        fine = X509_STORE_add_crl(store, crl) == 1;
        X509_CRL_free(crl);
        n++;
    }
    fine = fine && n != 0 && files_is_at_end();
    BIO_free(bio);
    if (!fine) {
        return weir_tls_error(error, "cannot load CRL \"%.*s\"", WEIR_STR_ARG(file->name));
    }
    (void) X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return true;
}

static bool
files_use_client_ca(SSL_CTX *ctx, const weir_tls_file_t *file, weir_error_t *error)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

    weir_assert(names != NULL);
    if (!files_trust(ctx, file, names, error)) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return false;
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    return true;
}

bool
weir_tls_use_authorities(SSL_CTX *ctx, const weir_tls_settings_t *s, weir_error_t *error)
{
    if (s->client_ca.name.len != 0 && !files_use_client_ca(ctx, &s->client_ca, error)) {
        return false;
    }
    if (s->trusted.name.len != 0 && !files_trust(ctx, &s->trusted, NULL, error)) {
        return false;
    }
    if (s->system_roots && SSL_CTX_set_default_verify_paths(ctx) != 1) {
        return weir_tls_error(error, "the system's trusted certificates cannot be loaded");
    }
    return s->crl.name.len == 0 || files_use_crl(ctx, &s->crl, error);
}

bool
weir_tls_use_dhparam(SSL_CTX *ctx, const weir_tls_file_t *file, weir_error_t *error)
{
    EVP_PKEY *group;
    BIO *bio;

    if (file->name.len == 0) {
        return true;
    }
    bio = files_open(file, error);
    if (bio == NULL) {
        return false;
    }
    group = PEM_read_bio_Parameters(bio, NULL);
    BIO_free(bio);
    if (group == NULL || (EVP_PKEY_is_a(group, "DH") != 1 && EVP_PKEY_is_a(group, "DHX") != 1)    /* X9.42: -dsaparam */
        || SSL_CTX_set0_tmp_dh_pkey(ctx, group) != 1)
    {
        EVP_PKEY_free(group);
        return weir_tls_error(error, "cannot load DH parameters \"%.*s\"", WEIR_STR_ARG(file->name));
    }
    return true;
}
