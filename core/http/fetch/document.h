/*
 * document.h - documents at an address that all workers need and one of them fetches: the keys of an issuer, the
 * endpoints of an OpenID provider.
 *
 *     shared:   the text and until when it holds · a lease of the worker that fetches now · a mark of a fetch that
 *               was asked for by a request that needs another value · a mark of failures, during which no worker asks
 *     process:  the value that was read from that text · requests that wait
 *
 * A worker that finds that a document is due takes the lease and fetches; what came replaces the text at once and rings
 * for the other workers, which read it.  A lease ends by its time, and when its worker dies.  A value is used until its
 * own end, which is as far behind the time of renewal as `stale` says, while the server is down.  A reload, and a
 * binary upgrade, keep all that is shared.
 *
 * A module has one weir_documents_t for its process (from its life) and a list of documents for each generation.
 */
#ifndef WEIR_HTTP_FETCH_DOCUMENT_H
#define WEIR_HTTP_FETCH_DOCUMENT_H

#include "http/fetch/fetch.h"
#include "shm/entries.h"
#include "shm/zone.h"

typedef struct weir_document      weir_document_t;
typedef struct weir_documents     weir_documents_t;      /* of a process and a module */
typedef struct weir_document_copy weir_document_copy_t;  /* a document in this process */

typedef struct {
    const char *what;                            /* "keys": a plural, for the log */
    weir_str_t  accept;
    void     *(*parse)(weir_str_t text, weir_error_t *error);    /* NULL with *error; keeps nothing of the text */
    void      (*destroy)(void *value);
} weir_document_kind_t;

/* Of a generation. */
struct weir_document {
    const weir_document_kind_t *kind;
    weir_str_t            name;                  /* tells it from the others of the module: its address */
    weir_fetch_url_t      at;                    /* the caller changes it only while it is not busy */
    weir_msec_t           cache, stale, refresh; /* cache 0: as the server says */
    /* This process has another value than before, or knows one from the beginning; NULL: the module need not know. */
    void                (*on_value)(weir_document_t *document, void *value);
    void                 *owner;                 /* the module's */
    const weir_entries_t *shared;                /* from build */
    weir_document_copy_t *copy;                  /* from adopt */
    weir_document_t      *next;                  /* of the generation */
};

/* At build: the generation's list gets its shared memory.  false: cf->error. */
bool weir_documents_bind(weir_conf_t *cf, const weir_zone_kind_t *kind, weir_str_t name,
                         weir_document_t *list) WEIR_MUST_USE;

/* In the module's life. */
weir_documents_t *weir_documents_create(weir_life_t *life);
void              weir_documents_destroy(weir_documents_t *documents);
/* From here on it is fetched, renewed, and may be waited for; again is nothing. */
void              weir_document_adopt(weir_documents_t *documents, weir_generation_t *generation,
                                      weir_document_t *document);
/* The newer generation's was adopted before: what it does not name is asked no more. */
void              weir_document_retire(weir_document_t *document);

/* The value now, good for the time of the call; NULL: there is none (yet). */
void *weir_document_value(const weir_document_t *document);
/* Is it being fetched by this process? */
bool  weir_document_is_busy(const weir_document_t *document);

/* A request that waits; zeroed at first.  on_wake is called in a task or by a timer; the waiter does not wait any more
 * then. */
typedef struct weir_document_waiter {
    weir_list_t           link;
    weir_timer_t          timer;
    weir_document_copy_t *copy;                  /* NULL: it does not wait */
    weir_instant_t        last;                  /* so long at most */
    bool                  wants_other;           /* … for another value than there is: */
    uint64_t              serial;
    void                (*on_wake)(struct weir_document_waiter *waiter);
} weir_document_waiter_t;

/* Waits for a value, when there is none, or else for another one: an unknown key may be a new one.  One such fetch is
 * made in each `refresh`; a request that comes in between waits for the next.  false: it is of no use now (the server
 * has just failed, or too many wait). */
bool weir_document_wait(const weir_document_t *document, weir_http_t *http, weir_document_waiter_t *waiter,
                        void (*on_wake)(weir_document_waiter_t *waiter)) WEIR_MUST_USE;
void weir_document_forget(weir_document_waiter_t *waiter);        /* again is nothing */

#endif
