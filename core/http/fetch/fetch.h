/*
 * fetch.h - a document at an http:// or https:// address that Weir itself needs (keys of an issuer, what an
 * authorization server says of a token): the address as a directive says it, and one GET of it, or one POST to it.
 *
 * The address' host is an upstream block, or is resolved when the configuration is read.  Of https:// the certificate
 * and its name are verified, by the authorities of the system or by those of a file.  What comes is gathered whole,
 * up to a limit; answers other than 200 are failures, unless the caller wants to read them.
 */
#ifndef WEIR_HTTP_FETCH_H
#define WEIR_HTTP_FETCH_H

#include "http/exchange/ask.h"
#include "http/tls/upstream.h"

typedef struct {
    weir_str_t                    text, authority, host, target;     /* host without its port */
    bool                          is_tls;
    weir_group_id_t               group;         /* bound at build; so is this: */
    weir_http_tls_upstream_conf_t tls;
} weir_fetch_url_t;

/* Does the text begin as an address does? */
bool weir_fetch_is_url(weir_str_t text);
/* Word `i`.  false: cf->error. */
bool weir_fetch_read_url(weir_conf_t *cf, size_t word, weir_str_t text, weir_fetch_url_t *url) WEIR_MUST_USE;
/* At build.  words: of the directive, kept; authorities: a file's path, or empty.  false: cf->error. */
bool weir_fetch_bind(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_words_t *words,
                     weir_str_t authorities, weir_fetch_url_t *url) WEIR_MUST_USE;

typedef struct weir_fetch weir_fetch_t;

/* What is asked.  All texts are copied, and wiped afterwards: they may be secrets. */
typedef struct {
    weir_str_t  accept;
    weir_str_t  authorization;                   /* the field's value; empty: none is sent */
    weir_str_t  body, type;                      /* of a POST; body.at NULL: it is a GET */
    bool        may_repeat;                      /* asking twice does no harm, although it is a POST */
    bool        any_status;                      /* an answer with another status than 200 is no failure */
    weir_str_t  if_none_match;                   /* of a GET; empty: not sent */
    weir_str_t  wanted;                          /* the name of a field of the answer; constant text */
    weir_msec_t patience;                        /* how long the server may be silent; 0: the default */
    size_t      max_body;                        /* of the answer */
    weir_msec_t limit;                           /* for all of it */
} weir_fetch_spec_t;

typedef struct {
    weir_str_t  body;                            /* at NULL: it failed, */
    const char *why;                             /* … for this reason; good for the time of the call, as is body */
    uint16_t    status;                          /* 200 without any_status */
    weir_str_t  field;                           /* the value of what was wanted; empty: none, or a long one */
    uint64_t    max_age_s;                       /* of Cache-Control; UINT64_MAX: it says nothing */
} weir_fetched_t;

/* url, and the generation that it is of, live until done or cancel.  done is called once, by the loop.  NULL: no
 * memory. */
weir_fetch_t *weir_fetch(weir_http_t *http, const weir_generation_t *generation, const weir_fetch_url_t *url,
                         const weir_fetch_spec_t *spec,
                         void (*done)(void *data, const weir_fetched_t *fetched), void *data) WEIR_MUST_USE;
void          weir_fetch_cancel(weir_fetch_t *fetch);            /* NULL is fine */

/* max-age of a Cache-Control field; UINT64_MAX: it says nothing; no-store and no-cache are 0 (RFC 9111 §5.2). */
uint64_t      weir_fetch_max_age(const weir_fields_t *fields);

#endif
