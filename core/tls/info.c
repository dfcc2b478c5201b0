/*
 * info.c - what a TLS connection can tell, as text.
 *
 * Runs in workers; texts are in the caller's arena.
 */
#include "tls/info.h"

#include "base/buf.h"
#include "base/mem.h"
#include "os/clock.h"
#include "tls/internal.h"
#include "tls/verify.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static bool
info_z(weir_arena_t *arena, const char *text, weir_str_t *value)
{
    *value = text != NULL ? weir_str_dup(arena, weir_str_from_z(text)) : WEIR_STR_NONE;
    return value->len != 0;
}

static weir_str_t
info_hex(weir_arena_t *arena, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char *text = weir_alloc_bytes(arena, 2 * len + 1);

    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return weir_str(text, 2 * len);
}

static bool
info_from_bio(weir_arena_t *arena, BIO *bio, weir_str_t *value)
{
    char *at;
    long len = BIO_get_mem_data(bio, &at);

    *value = len > 0 ? weir_str_dup(arena, weir_str(at, (size_t) len)) : WEIR_STR_NONE;
    BIO_free(bio);
    return value->len != 0;
}

/* -- the handshake -- */

static bool
info_ciphers(const SSL *ssl, weir_arena_t *arena, weir_str_t *value)
{
    unsigned char *raw;
    size_t len = (size_t) SSL_get0_raw_cipherlist((SSL *) (uintptr_t) ssl, &raw), room = 0;
    char *text, *at;

    if (len == 0 || raw == NULL) {
        return false;
    }
    for (size_t i = 0; i + 1 < len; i += 2) {
        const SSL_CIPHER *cipher = SSL_CIPHER_find((SSL *) (uintptr_t) ssl, raw + i);
        room += 1 + (cipher != NULL ? strlen(SSL_CIPHER_get_name(cipher)) : sizeof("0x0000"));
    }
    text = at = weir_alloc_bytes(arena, room + 1);
    for (size_t i = 0; i + 1 < len; i += 2) {
        const SSL_CIPHER *cipher = SSL_CIPHER_find((SSL *) (uintptr_t) ssl, raw + i);
        weir_str_t name = cipher != NULL ? weir_str_from_z(SSL_CIPHER_get_name(cipher))
                                         : weir_str_printf(arena, "0x%02x%02x", raw[i], raw[i + 1]);
        memcpy(at, name.at, name.len);
        at += name.len;
        *at++ = ':';
    }
    *value = weir_str(text, at != text ? (size_t) (at - text) - 1 : 0);
    return value->len != 0;
}

static weir_str_t
info_group(weir_arena_t *arena, int nid)
{
    const char *name = (nid & TLSEXT_nid_unknown) != 0 ? NULL : OBJ_nid2sn(nid);

    return name != NULL ? weir_str_dup(arena, weir_str_from_z(name))
           : weir_str_printf(arena, "0x%04x", (unsigned) nid & 0xffff);
}

static bool
info_curves(SSL *ssl, weir_arena_t *arena, weir_str_t *value)
{
    int n = (int) SSL_get1_groups(ssl, NULL), *nids;
    weir_str_t text = WEIR_STR_NONE;

    if (n <= 0 || n > 1024) {
        return false;
    }
    nids = weir_new_n(arena, int, (size_t) n);
    n = (int) SSL_get1_groups(ssl, nids);
    for (int i = 0; i < n; i++) {
        weir_str_t name = info_group(arena, nids[i]);
        text = i == 0 ? name : weir_str_printf(arena, "%.*s:%.*s", WEIR_STR_ARG(text), WEIR_STR_ARG(name));
    }
    *value = text;
    return value->len != 0;
}

static bool
info_curve(SSL *ssl, weir_arena_t *arena, weir_str_t *value)
{
    int nid = (int) SSL_get_negotiated_group(ssl);

    if (nid == NID_undef) {
        return false;
    }
    *value = info_group(arena, nid);
    return true;
}

/* The names of RFC 8446 §4.2.3 for what OpenSSL keeps apart. */
static bool
info_sigalg(SSL *ssl, weir_arena_t *arena, weir_str_t *value)
{
    int type = NID_undef, digest = NID_undef;

    if (SSL_get_signature_type_nid(ssl, &type) != 1) {
        return false;
    }
    if (type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448) {
        return info_z(arena, type == EVP_PKEY_ED25519 ? "ed25519" : "ed448", value);
    }
    if (SSL_get_signature_nid(ssl, &digest) != 1) {
        return false;
    }
    *value = weir_str_lower(arena, weir_str_printf(arena, "%s_%s", type == EVP_PKEY_RSA_PSS ? "rsa_pss_rsae"
                                                   : type == EVP_PKEY_RSA               ? "rsa_pkcs1"
                                                   : type == EVP_PKEY_EC                ? "ecdsa"
                                                                                        : OBJ_nid2sn(type),
                                                   OBJ_nid2sn(digest)));
    return true;
}

static bool
info_session_id(SSL *ssl, weir_arena_t *arena, weir_str_t *value)
{
    const SSL_SESSION *session = SSL_get0_session(ssl);
    const unsigned char *id;
    unsigned len = 0;

    if (session == NULL) {
        return false;
    }
    id = SSL_SESSION_get_id(session, &len);
    *value = info_hex(arena, id, len);
    return len != 0;
}

/* -- the client's certificate -- */

static bool
info_pem(X509 *cert, weir_arena_t *arena, weir_str_t *value)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1) {
        BIO_free(bio);
        return false;
    }
    return info_from_bio(arena, bio, value);
}

/* For a header: every line but the first begins with a tab, and the last has no end. */
static weir_str_t
info_folded(weir_arena_t *arena, weir_str_t pem)
{
    size_t lines = 0, at = 0;
    char *text;

    while (pem.len != 0 && pem.at[pem.len - 1] == '\n') {
        pem.len--;
    }
    for (size_t i = 0; i < pem.len; i++) {
        lines += pem.at[i] == '\n';
    }
    text = weir_alloc_bytes(arena, pem.len + lines + 1);
    for (size_t i = 0; i < pem.len; i++) {
        text[at++] = pem.at[i];
        if (pem.at[i] == '\n') {
            text[at++] = '\t';
        }
    }
    return weir_str(text, at);
}

static weir_str_t
info_escaped(weir_arena_t *arena, weir_str_t pem)
{
    size_t     size = 3 * pem.len + 1;
    weir_buf_t text;

    weir_buf_init(&text, weir_alloc_bytes(arena, size), size);
    weir_buf_add_percent(&text, pem);
    return weir_buf_str(&text);
}

static bool
info_name(const X509_NAME *name, bool legacy, weir_arena_t *arena, weir_str_t *value)
{
    BIO *bio;

    if (legacy) {
        char *text = X509_NAME_oneline(name, NULL, 0);
        bool has = info_z(arena, text, value);
        OPENSSL_free(text);
        return has;
    }
    bio = BIO_new(BIO_s_mem());
    if (bio == NULL || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0) {
        BIO_free(bio);
        return false;
    }
    return info_from_bio(arena, bio, value);
}

/* The first of the certificate's alternative names of this type; a name with a NUL in it is none. */
static bool
info_alt_name(const X509 *cert, int type, weir_arena_t *arena, weir_str_t *value)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool           has = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !has; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == type) {
            const ASN1_STRING *text = type == GEN_URI ? name->d.uniformResourceIdentifier : name->d.dNSName;
            weir_str_t         found = weir_str((const char *) ASN1_STRING_get0_data(text),
                                                (size_t) ASN1_STRING_length(text));

            has = found.len != 0 && memchr(found.at, 0, found.len) == NULL;
            *value = has ? weir_str_dup(arena, found) : WEIR_STR_NONE;
        }
    }
    GENERAL_NAMES_free(names);
    return has;
}

static bool
info_principal(const X509 *cert, weir_arena_t *arena, weir_str_t *value)
{
    return info_alt_name(cert, GEN_URI, arena, value) || info_alt_name(cert, GEN_DNS, arena, value)
        || info_name(X509_get_subject_name(cert), false, arena, value);
}

static bool
info_serial(X509 *cert, weir_arena_t *arena, weir_str_t *value)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL || i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(cert)) < 0) {
        BIO_free(bio);
        return false;
    }
    return info_from_bio(arena, bio, value);
}

static bool
info_time(const ASN1_TIME *time, weir_arena_t *arena, weir_str_t *value)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL || ASN1_TIME_print(bio, time) != 1) {
        BIO_free(bio);
        return false;
    }
    return info_from_bio(arena, bio, value);
}

static bool
info_days_left(X509 *cert, weir_arena_t *arena, weir_str_t *value)
{
    int days = 0, seconds = 0;

    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)) != 1) {
        return false;
    }
    *value = weir_str_printf(arena, "%d", days > 0 ? days : 0);
    return true;
}

static bool
info_fingerprint(X509 *cert, weir_arena_t *arena, weir_str_t *value)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (X509_digest(cert, EVP_sha1(), digest, &len) != 1) {
        return false;
    }
    *value = info_hex(arena, digest, len);
    return true;
}

static bool
info_verify(const weir_conn_t *conn, const X509 *cert, weir_arena_t *arena, weir_str_t *value)
{
    long result = weir_tls_verify_result(conn);

    if (cert == NULL || result == WEIR_TLS_VERIFIED) {
        *value = cert == NULL ? WEIR_STR("NONE") : WEIR_STR("SUCCESS");
    } else {
        *value = weir_str_printf(arena, "FAILED:%s", weir_tls_verify_text(result));
    }
    return true;
}

static bool
info_of_certificate(const weir_conn_t *conn, weir_tls_info_t what, weir_arena_t *arena, weir_str_t *value)
{
    X509 *cert = SSL_get0_peer_certificate(weir_tls_conn_of(conn)->ssl);

    if (what == WEIR_TLS_CLIENT_VERIFY) {
        return info_verify(conn, cert, arena, value);
    }
    if (cert == NULL) {
        return false;
    }
    switch (what) {
    case WEIR_TLS_CLIENT_CERT:
    case WEIR_TLS_CLIENT_RAW_CERT:
    case WEIR_TLS_CLIENT_ESCAPED_CERT:
        if (!info_pem(cert, arena, value)) {
            return false;
        }
        if (what != WEIR_TLS_CLIENT_RAW_CERT) {
            *value = what == WEIR_TLS_CLIENT_CERT ? info_folded(arena, *value) : info_escaped(arena, *value);
        }
        return true;
    case WEIR_TLS_CLIENT_FINGERPRINT:
        return info_fingerprint(cert, arena, value);
    case WEIR_TLS_CLIENT_S_DN:
    case WEIR_TLS_CLIENT_S_DN_LEGACY:
        return info_name(X509_get_subject_name(cert), what == WEIR_TLS_CLIENT_S_DN_LEGACY, arena, value);
    case WEIR_TLS_CLIENT_I_DN:
    case WEIR_TLS_CLIENT_I_DN_LEGACY:
        return info_name(X509_get_issuer_name(cert), what == WEIR_TLS_CLIENT_I_DN_LEGACY, arena, value);
    case WEIR_TLS_CLIENT_PRINCIPAL:
        return info_principal(cert, arena, value);
    case WEIR_TLS_CLIENT_SERIAL:
        return info_serial(cert, arena, value);
    case WEIR_TLS_CLIENT_V_START:
        return info_time(X509_get0_notBefore(cert), arena, value);
    case WEIR_TLS_CLIENT_V_END:
        return info_time(X509_get0_notAfter(cert), arena, value);
    case WEIR_TLS_CLIENT_V_REMAIN:
        return info_days_left(cert, arena, value);
    default:
        return false;
    }
}

bool
weir_tls_info(const weir_conn_t *conn, weir_tls_info_t what, weir_arena_t *arena, weir_str_t *value)
{
    const weir_tls_conn_t *tls = weir_tls_conn_of(conn);
    bool has;

    *value = WEIR_STR_NONE;
    if (tls == NULL) {
        return false;
    }
    switch (what) {
    case WEIR_TLS_PROTOCOL:
        return info_z(arena, SSL_get_version(tls->ssl), value);
    case WEIR_TLS_CIPHER:
        return info_z(arena, SSL_get_cipher_name(tls->ssl), value);
    case WEIR_TLS_CIPHERS:
        has = info_ciphers(tls->ssl, arena, value);
        break;
    case WEIR_TLS_CURVE:
        has = info_curve(tls->ssl, arena, value);
        break;
    case WEIR_TLS_CURVES:
        has = info_curves(tls->ssl, arena, value);
        break;
    case WEIR_TLS_SIGALG:
        has = info_sigalg(tls->ssl, arena, value);
        break;
    case WEIR_TLS_SERVER_NAME:
        return info_z(arena, tls->is_server ? tls->server_name
                      : SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name), value);
    case WEIR_TLS_ALPN:
        *value = weir_tls_protocol(conn);
        return value->len != 0;
    case WEIR_TLS_SESSION_ID:
        return info_session_id(tls->ssl, arena, value);
    case WEIR_TLS_SESSION_REUSED:
        *value = weir_tls_was_resumed(conn) ? WEIR_STR("r") : WEIR_STR(".");
        return true;
    case WEIR_TLS_EARLY_DATA:
        *value = weir_tls_is_early(conn) ? WEIR_STR("1") : WEIR_STR_NONE;
        return value->len != 0;
    default:
        has = info_of_certificate(conn, what, arena, value);
        break;
    }
    ERR_clear_error();
    return has;
}
