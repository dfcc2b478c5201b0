/*
 * tickets.h - one ticket key, and how handshakes find the keys that session.h's master rotates; inside core/tls only.
 */
#ifndef WEIR_TLS_TICKETS_H
#define WEIR_TLS_TICKETS_H

#include "tls/session.h"

typedef struct {
    uint8_t  name[16], hmac[32], aes[32];
    uint64_t created_s;                           /* wall clock */
    bool     is_short;                            /* 16 bytes each of hmac and aes, as nginx's files of 48 bytes */
} weir_tls_ticket_key_t;

/* Borrowed until the next call; NULL: no ring, or no key in it. */
const weir_tls_ticket_key_t *weir_tls_tickets_newest(void);
const weir_tls_ticket_key_t *weir_tls_tickets_find(const uint8_t name[16], bool *is_newest);

#endif
