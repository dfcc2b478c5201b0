/*
 * dns.h - messages of the Domain Name System as a stub needs them: a question for addresses or services out, an answer
 * in (RFC 1035 §4, RFC 2308, RFC 2782, RFC 3596, RFC 6891).
 *
 * A question has letters of random case, and its answer has the same ones: some twenty bits more that a forger would
 * have to guess (draft-vixie-dnsext-dns0x20).
 *
 * Pure.
 */
#ifndef WEIR_BASE_DNS_H
#define WEIR_BASE_DNS_H

#include "base/str.h"

#define WEIR_DNS_QUERY_MAX   300          /* bytes of a question */
#define WEIR_DNS_UDP_SIZE    1232         /* what we say we take: passes without fragments */
#define WEIR_DNS_NAME_MAX    253          /* of a name as text */
#define WEIR_DNS_ADDRESSES   1024         /* that are taken from one answer */
#define WEIR_DNS_SERVICES    1024

typedef enum { WEIR_DNS_A = 1, WEIR_DNS_AAAA = 28, WEIR_DNS_SRV = 33 } weir_dns_type_t;

/* What is asked.  Both functions below want the same one. */
typedef struct {
    weir_str_t      name;
    weir_dns_type_t type;
    uint16_t        id;
    bool            is_plain;             /* without EDNS, for servers that do not take it */
    bool            any_case;             /* an answer may have other letters */
    uint8_t         upper[32];            /* a bit for each byte of the name: that letter is a capital */
} weir_dns_question_t;

typedef struct { uint8_t bytes[16]; uint8_t len; } weir_dns_address_t;       /* 4 or 16 */

/* An SRV record (RFC 2782). */
typedef struct {
    uint16_t priority, weight, port;
    uint16_t target;                      /* where its name is in the message: weir_dns_read_host */
} weir_dns_service_t;

typedef enum {
    WEIR_DNS_OK,                          /* there may be no address all the same */
    WEIR_DNS_NO_NAME,                     /* NXDOMAIN */
    WEIR_DNS_FAILED,                      /* the server says it cannot */
    WEIR_DNS_TRUNCATED,                   /* ask again over TCP */
    WEIR_DNS_NO_EDNS,                     /* the server does not understand the question: ask it again plainly */
    WEIR_DNS_OTHER,                       /* not the answer to this question: ignored */
    WEIR_DNS_OTHER_CASE,                  /* it would be, but for the case of its letters */
    WEIR_DNS_MALFORMED,
} weir_dns_result_t;

typedef struct {
    weir_dns_address_t at[WEIR_DNS_ADDRESSES];
    weir_dns_service_t services[WEIR_DNS_SERVICES];
    size_t             n, n_services;
    uint32_t           ttl;               /* the smallest on the way; seconds */
    uint32_t           negative_ttl;      /* how long it holds that there is nothing (RFC 2308 §5); 0: unknown */
    /* with no address: the name that is to be asked for in its place */
    char               alias[WEIR_DNS_NAME_MAX + 2];
    size_t             alias_len;         /* 0: none */
} weir_dns_answer_t;

/* A host's name (or a service's): labels of 1 to 63 bytes, 253 in all, letters, digits, '-' and '_'; one dot at its end
 * does no harm. */
bool   weir_dns_is_name(weir_str_t name);
/* Writes the question for a name that is one; its length.  out has WEIR_DNS_QUERY_MAX bytes. */
size_t weir_dns_write_query(char *out, const weir_dns_question_t *question);
/* The answer to that question.  Addresses or services of the name, or of what its CNAMEs and DNAMEs lead to inside the
 * answer, are appended to `answer`; when they lead out of it, answer->alias is where to.  Only OK, NO_NAME, FAILED and
 * TRUNCATED come from a server that knows the question. */
weir_dns_result_t weir_dns_read_answer(weir_str_t message, const weir_dns_question_t *question,
                                       weir_dns_answer_t *answer);
/* A service's target as text in lower case; its length.  0: it is no host's name, or "." (there is no such service). */
size_t weir_dns_read_host(weir_str_t message, uint16_t at, char out[WEIR_DNS_NAME_MAX + 2]);

#endif
