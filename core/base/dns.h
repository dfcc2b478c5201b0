/*
 * dns.h - messages of the Domain Name System as a stub needs them: a question for addresses out, an answer in (RFC 1035
 * §4, RFC 3596, RFC 6891).
 *
 * Pure.
 */
#ifndef WEIR_BASE_DNS_H
#define WEIR_BASE_DNS_H

#include "base/str.h"

#define WEIR_DNS_QUERY_MAX   300          /* bytes of a question */
#define WEIR_DNS_UDP_SIZE    1232         /* what we say we take: passes without fragments */
#define WEIR_DNS_NAME_MAX    253          /* of a name as text */
#define WEIR_DNS_ADDRESSES   64           /* that are taken from one answer */

typedef enum { WEIR_DNS_A = 1, WEIR_DNS_AAAA = 28 } weir_dns_type_t;

typedef struct { uint8_t bytes[16]; uint8_t len; } weir_dns_address_t;       /* 4 or 16 */

typedef enum {
    WEIR_DNS_OK,                          /* there may be no address all the same */
    WEIR_DNS_NO_NAME,                     /* NXDOMAIN */
    WEIR_DNS_FAILED,                      /* the server says it cannot */
    WEIR_DNS_TRUNCATED,                   /* ask again over TCP */
    WEIR_DNS_OTHER,                       /* not the answer to this question: ignored */
    WEIR_DNS_MALFORMED,
} weir_dns_result_t;

typedef struct {
    weir_dns_address_t at[WEIR_DNS_ADDRESSES];
    size_t             n;
    uint32_t           ttl;               /* the smallest on the way; seconds */
    /* with no address: the name that is to be asked for in its place */
    char               alias[WEIR_DNS_NAME_MAX + 2];
    size_t             alias_len;         /* 0: none */
} weir_dns_answer_t;

/* A host's name: labels of 1 to 63 bytes, 253 in all, letters, digits, '-' and '_'; one dot at its end does no harm. */
bool   weir_dns_is_name(weir_str_t name);
/* Writes the question for a name that is one; its length. */
size_t weir_dns_write_query(char *out, uint16_t id, weir_str_t name, weir_dns_type_t type);
/* The answer to that question.  Addresses of the name, or of what its CNAMEs and DNAMEs lead to inside the answer, are
 * appended to `answer`; when
 * they lead out of it, answer->alias is where to. */
weir_dns_result_t weir_dns_read_answer(weir_str_t message, uint16_t id, weir_str_t name, weir_dns_type_t type,
                                       weir_dns_answer_t *answer);

#endif
