/*
 * verify.c - OpenSSL's verification results, named.  Pure.
 */
#include "tls/verify.h"

#include <openssl/x509.h>

bool
weir_tls_verify_is_untrusted(long result)
{
    switch (result) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return true;
    default:
        return false;
    }
}

const char *
weir_tls_verify_text(long result)
{
    return X509_verify_cert_error_string(result);
}
