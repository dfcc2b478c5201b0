/*
 * verify.h - what the outcome of a certificate's verification means (weir_tls_verify_result).
 */
#ifndef WEIR_TLS_VERIFY_H
#define WEIR_TLS_VERIFY_H

#include <stdbool.h>

#define WEIR_TLS_VERIFIED 0L                      /* X509_V_OK */

/* Nothing is wrong but that no trusted authority signed it: what ssl_verify_client optional_no_ca lets pass. */
bool        weir_tls_verify_is_untrusted(long result);
const char *weir_tls_verify_text(long result);    /* constant text */

#endif
