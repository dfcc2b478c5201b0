/*
 * listen.h - `listen`: the words of the directive, and the listeners of a generation.
 *
 *     words ──weir_listen_parse──> entries of a server ──weir_listens_add──> listeners of the generation
 *
 * One listener for each address, whichever servers name it, and of one area.  Load time only: the master and a worker's
 * build thread; everything lies in the generation's arena.
 */
#ifndef WEIR_SERVE_LISTEN_H
#define WEIR_SERVE_LISTEN_H

#include "os/sock.h"
#include "serve/area.h"

/* -- the directive -- */

/* A word without a value that one area has beside those of all (ssl, proxy_protocol, backlog= …): what it sets in
 * `flags`. */
typedef struct { const char *word; uint32_t flag; } weir_listen_word_t;

/* What an area says of the directive: its own words, ended by one without a word; the port where none is given. */
typedef struct { const weir_listen_word_t *words; uint16_t port; } weir_listen_syntax_t;

/* One address of one `listen`. */
typedef struct {
    weir_addr_t              addr;
    weir_listen_options_t    options;
    bool                     has_options;    /* one was given: only one `listen` of an address may */
    bool                     is_ssl, is_proxied;
    uint32_t                 flags;          /* of the area's own words */
    const weir_conf_words_t *words;          /* for errors */
} weir_listen_entry_t;

typedef struct { weir_listen_entry_t *at; size_t n; } weir_listen_entries_t;

/* Appends an entry for each address that the words name: a name may have several, a range of ports has. */
bool weir_listen_parse(weir_conf_t *cf, const weir_conf_words_t *words, const weir_listen_syntax_t *syntax,
                       weir_listen_entries_t *list) WEIR_MUST_USE;

/* -- the listeners of a generation -- */

/* The area's own struct begins with it. */
typedef struct weir_listen {
    weir_addr_t           addr;
    weir_str_t            text;              /* "0.0.0.0:80" */
    const weir_area_t    *area;
    weir_listen_options_t options;
    bool                  options_set;
    bool                  is_ssl;            /* every connection begins with a TLS handshake */
    bool                  is_proxied;        /* every connection begins with a PROXY protocol header */
    const weir_conf_words_t *words;          /* of the first `listen` that names it, for errors */
} weir_listen_t;

typedef struct { weir_listen_t **at; size_t n; } weir_listens_t;

/* In the area's build: the listener of the entry's address, made with `size` bytes, zeroed, when it is the first there
 * (*is_first), with what the entry says of it.  NULL: the error is set: it contradicts an entry of before. */
weir_listen_t *weir_listens_add(weir_conf_t *cf, weir_generation_t *generation, const weir_area_t *area,
                                const weir_listen_entry_t *entry, size_t size, bool *is_first) WEIR_MUST_USE;
/* Those of all areas, in the order in which they came. */
weir_listens_t weir_listens_of(const weir_generation_t *generation);
/* NULL: there is no listener. */
weir_listen_t *weir_listens_find(const weir_generation_t *generation, const weir_addr_t *addr);

extern const weir_module_t weir_listens;
extern const size_t        weir_listens_index;

#endif
