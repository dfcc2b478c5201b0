/*
 * source.h - lists of peers that come from outside while Weir runs: a name's records, a file, a list at an address, a
 * registry.
 *
 * A source is a line of an upstream block.  It gives its whole list whenever that has changed; the group keeps the one
 * that was given last, whatever happens to the source.  What is given is merged with the block's other lines, in their
 * order, and the running group is changed: peers that stay keep what is known of them.
 *
 *     shared:   the list of each source, packed  ·  a lease: which worker asks
 *     worker:   its copy of the list
 *
 * One worker asks for all: the one that has the lease.  Its ops->begin is called, by the loop, when it is to ask from
 * now on, and ops->end when it is no longer.  What it gives is read by the others at once.  A lease ends when its
 * worker dies or leaves; another worker begins then.  Where there is no room in shared memory each worker asks for
 * itself.  A worker that starts, and a generation that is adopted, begin with the last list.
 */
#ifndef WEIR_UPSTREAM_SOURCE_H
#define WEIR_UPSTREAM_SOURCE_H

#include "upstream/group.h"

#define WEIR_SOURCE_PEERS      10000         /* of one list; readers refuse longer ones */
#define WEIR_SOURCE_WEIGHT_MAX 65535
#define WEIR_SOURCE_TEXT_MAX   255           /* bytes of a locality, of a server's name */

/* One peer of a list.  Texts are copied when it is given. */
typedef struct {
    weir_addr_t addr;                        /* with its port */
    weir_str_t  server;                      /* what the log calls it; empty: as the source is called */
    weir_str_t  locality;                    /* empty: the source's */
    uint32_t    weight;                      /* 1 … WEIR_SOURCE_WEIGHT_MAX; 0: the source's */
    uint32_t    max_conns;                   /* 0: the source's */
    uint16_t    priority;                    /* added to the source's */
    bool        backup, down;                /* or the source's */
} weir_source_peer_t;

typedef struct {
    weir_source_peer_t *at;
    size_t              n;
} weir_source_list_t;

typedef struct weir_source weir_source_t;

/* A source in a worker, while that follows it for a generation: it is found at its end where it was at its begin. */
typedef struct {
    const weir_source_t *source;
    weir_generation_t   *generation;
    void                *state;              /* the source's own, between begin and end */
} weir_source_run_t;

typedef struct {
    void (*begin)(weir_source_run_t *run);   /* This worker asks. */
    void (*end)(weir_source_run_t *run);     /* … no more; once for each begin.  Nothing is given after it. */
} weir_source_ops_t;

/* Of a generation; not written to while it serves.  The module that declared it fills ops and owner in while the
 * configuration is read. */
struct weir_source {
    weir_str_t               name;           /* tells it from the others of its group; for the log */
    weir_str_t               key;            /* of group and name, in shared memory */
    weir_peer_conf_t         model;          /* what a peer is unless its list says otherwise */
    const weir_source_ops_t *ops;
    void                    *owner;
    uint64_t                 bit;            /* its own among the group's, for statistics; 0: there are many */
    weir_source_list_t       loaded;         /* what the load has found; of the generation */
    const weir_group_conf_t *group;          /* from the build of upstream on */
};

/* While a directive inside `upstream` is read (cf->block is that block): the block has this source, behind what it has
 * already.  NULL: cf->error. */
weir_source_t *weir_upstream_declare(weir_conf_t *cf, weir_str_t name, const weir_peer_conf_t *model);
/* A parameter as `server` has them: weight=, max_fails=, backup …  false: it is none, or wrong. */
bool weir_upstream_read_peer(weir_peer_conf_t *peer, weir_str_t word) WEIR_MUST_USE;
/* What a `server` is without parameters. */
extern const weir_peer_conf_t weir_source_default;

/* Between begin and end: its list from now on; the same again is nothing new.  n is at most WEIR_SOURCE_PEERS. */
void weir_source_give(weir_source_run_t *run, const weir_source_peer_t *peers, size_t n);

/* For statistics (source_stats.c), between begin and end: it has answered, with a list or that the one before holds; or
 * it has not. */
typedef enum {
    WEIR_SOURCE_SILENT,                      /* no server answered */
    WEIR_SOURCE_REFUSED,                     /* the server says that it cannot */
    WEIR_SOURCE_ABSENT,                      /* there is no such name, or file */
    WEIR_SOURCE_MALFORMED,                   /* what came is no list */
    WEIR_SOURCE_REASONS
} weir_source_reason_t;
void weir_source_confirm(weir_source_run_t *run);
void weir_source_failed(weir_source_run_t *run, weir_source_reason_t reason);

/* What is known of it; good for the time of the call. */
const weir_source_peer_t *weir_source_list(const weir_source_run_t *run, size_t *n);

/* The loop of the worker in which it runs. */
weir_loop_t *weir_source_loop(const weir_source_run_t *run);

/* -- lists as people write them -- */
/* Lines or JSON (source_read.c).  In the arena; texts may point into what was read.  false: *error. */
bool weir_source_read(weir_arena_t *arena, weir_str_t text, bool allows_unix, weir_source_list_t *list,
                      weir_error_t *error) WEIR_MUST_USE;
/* An address, perhaps with a port, or unix:PATH; no name. */
bool weir_source_read_address(weir_str_t text, bool allows_unix, uint16_t default_port,
                              weir_addr_t *addr) WEIR_MUST_USE;

/* -- lists as values -- */
/* On the heap, texts and all in one block; at NULL: no memory, when n is not 0. */
weir_source_list_t weir_source_copy(const weir_source_peer_t *peers, size_t n);
void               weir_source_free(weir_source_list_t *list);
bool               weir_source_eq(const weir_source_peer_t *a, size_t n_a, const weir_source_peer_t *b, size_t n_b);
/* As bytes, for shared memory and the way back.  pack: how many; out has room for so many or is NULL. */
size_t             weir_source_pack(const weir_source_peer_t *peers, size_t n, char *out);
/* false: no such bytes, or no memory. */
bool               weir_source_unpack(weir_str_t bytes, weir_source_list_t *list) WEIR_MUST_USE;

#endif
