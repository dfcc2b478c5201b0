/*
 * identity.c - see identity.h.
 */
#include "tls/identity.h"

#include "tls/info.h"
#include "tls/internal.h"
#include "tls/verify.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

static X509 *
identity_certificate(const weir_conn_t *conn)
{
    const weir_tls_conn_t *tls = conn != NULL ? weir_tls_conn_of(conn) : NULL;

    return tls != NULL ? SSL_get0_peer_certificate(tls->ssl) : NULL;
}

bool
weir_tls_identity_is_verified(const weir_conn_t *conn)
{
    return identity_certificate(conn) != NULL && weir_tls_verify_result(conn) == WEIR_TLS_VERIFIED;
}

weir_str_t
weir_tls_identity_fingerprint(const weir_conn_t *conn, weir_arena_t *arena)
{
    static const char digits[] = "0123456789abcdef";
    const X509       *cert = identity_certificate(conn);
    unsigned char     digest[EVP_MAX_MD_SIZE];
    unsigned          len = 0;
    char             *text;

    if (cert == NULL || X509_digest(cert, EVP_sha256(), digest, &len) != 1) {
        return WEIR_STR_NONE;
    }
    text = weir_alloc_bytes(arena, 2 * len);
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    return weir_str(text, 2 * len);
}

weir_str_t
weir_tls_identity_subject(const weir_conn_t *conn, weir_arena_t *arena)
{
    weir_str_t subject = WEIR_STR_NONE;

    return weir_tls_info(conn, WEIR_TLS_CLIENT_S_DN, arena, &subject) ? subject : WEIR_STR_NONE;
}

/* false: there is something in it that no name has. */
static bool
identity_text(const ASN1_STRING *string, const char *prefix, bool is_host, weir_arena_t *arena, weir_str_t *name)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(string);
    size_t               n = (size_t) ASN1_STRING_length(string), len = strlen(prefix);
    char                *text;

    for (size_t i = 0; i < n; i++) {
        if (bytes[i] < ' ' || bytes[i] == 0x7f) {
            return false;
        }
    }
    text = weir_alloc_bytes(arena, len + n);
    memcpy(text, prefix, len);
    for (size_t i = 0; i < n; i++) {
        text[len + i] = (char) (is_host && bytes[i] >= 'A' && bytes[i] <= 'Z' ? bytes[i] | 0x20 : bytes[i]);
    }
    *name = weir_str(text, len + n);
    return n != 0;
}

static bool
identity_address(const ASN1_STRING *string, weir_arena_t *arena, weir_str_t *name)
{
    char text[INET6_ADDRSTRLEN];
    int  len = ASN1_STRING_length(string);

    if ((len != 4 && len != 16)
        || inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(string), text, sizeof(text)) == NULL)
    {
        return false;
    }
    *name = weir_str_printf(arena, "ip:%s", text);
    return true;
}

static bool
identity_name(const GENERAL_NAME *name, weir_arena_t *arena, weir_str_t *text)
{
    switch (name->type) {
    case GEN_DNS:
        return identity_text(name->d.dNSName, "dns:", true, arena, text);
    case GEN_EMAIL:
        return identity_text(name->d.rfc822Name, "email:", false, arena, text);
    case GEN_URI:
        return identity_text(name->d.uniformResourceIdentifier, "uri:", false, arena, text);
    case GEN_IPADD:
        return identity_address(name->d.iPAddress, arena, text);
    default:
        return false;
    }
}

size_t
weir_tls_identity_names(const weir_conn_t *conn, weir_arena_t *arena, weir_str_t names[WEIR_TLS_IDENTITY_NAMES])
{
    const X509    *cert = identity_certificate(conn);
    GENERAL_NAMES *all = cert != NULL ? X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL) : NULL;
    size_t         n = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(all) && i < WEIR_TLS_IDENTITY_NAMES; i++) {
        n += identity_name(sk_GENERAL_NAME_value(all, i), arena, &names[n]);
    }
    GENERAL_NAMES_free(all);
    return n;
}
