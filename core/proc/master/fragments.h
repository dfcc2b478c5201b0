/*
 * fragments.h - the master's fragments of the configuration: what is live, what is asked for, what is refused and why.
 *
 *     change (puts and removals, all or nothing) --> waits --> round --> accepted --> live with a generation
 *                                                                |
 *                                                                +----> refused, and why; what was live stays
 *
 * A fragment is a row: its name, where it comes from (a file below the folder of `fragments`, or the control socket),
 * the version that is live, and the one that was refused last.  Nobody changes a fragment that comes from elsewhere.
 *
 * A round takes all changes that wait and asks for a build of what is live with all of them on top.  If that is
 * refused, it parts them: those whose fragments the errors name are refused first, then those without which the others
 * can be built.  The builds of a round are bounded; what is not settled by then is refused.  So a bad change harms
 * itself alone, and what came together costs one build where all of it is good.
 *
 * Pure but for the heap: what a build is says who runs the round.  Runs in the master, or in the single process.
 */
#ifndef WEIR_PROC_MASTER_FRAGMENTS_H
#define WEIR_PROC_MASTER_FRAGMENTS_H

#include "base/list.h"
#include "conf/fragment.h"
#include "conf/generation.h"

#define WEIR_FRAGMENTS_MAX    32768          /* rows */
#define WEIR_FRAGMENTS_BYTES  ((size_t) 128 << 20)    /* of live trees, and so of those that wait */
#define WEIR_FRAGMENTS_BUILDS 64             /* of one round */

typedef enum { WEIR_FRAGMENT_OF_FILE, WEIR_FRAGMENT_OF_SOCKET } weir_fragment_from_t;

/* A tree that is kept: counted, of the heap. */
typedef struct {
    uint32_t refs;
    uint64_t digest;
    size_t   len;
    char     bytes[];
} weir_fragment_version_t;

/* NULL: there is no memory. */
weir_fragment_version_t *weir_fragment_version_create(weir_str_t tree) WEIR_MUST_USE;
weir_fragment_version_t *weir_fragment_version_ref(weir_fragment_version_t *version);
void                     weir_fragment_version_unref(weir_fragment_version_t *version);      /* NULL: nothing */

typedef struct {
    char                    *name;           /* heap */
    weir_fragment_from_t     from;
    weir_fragment_version_t *live;           /* NULL: none is */
    uint64_t                 since;          /* generation */
    weir_fragment_version_t *refused;        /* the last that was; NULL: the last was accepted, or could not be read */
    weir_error_t            *why;            /* heap; NULL: the last was accepted */
    uint64_t                 n_accepted, n_refused;
} weir_fragment_row_t;

/* -- changes -- */

typedef struct {
    char                    *name;           /* heap */
    weir_fragment_version_t *version;        /* NULL: it is removed */
    bool                     has_digest;     /* only if the one that is live has this digest (0: if none is) */
    uint64_t                 digest;
} weir_fragment_item_t;

/*
 *     WAITS --> ACCEPTED --> LIVE --> freed
 *       |           |
 *       +-----------+--> CONFLICT, REFUSED --> freed
 */
typedef enum {
    WEIR_FRAGMENTS_WAITS, WEIR_FRAGMENTS_ACCEPTED, WEIR_FRAGMENTS_LIVE,
    WEIR_FRAGMENTS_CONFLICT,                 /* it is not as things are: nothing was built for it */
    WEIR_FRAGMENTS_REFUSED,
} weir_fragments_state_t;

typedef struct weir_fragments_change weir_fragments_change_t;
struct weir_fragments_change {
    weir_list_t            link;
    weir_fragment_from_t   from;
    weir_fragment_item_t  *items;            /* heap; a name at most once */
    size_t                 n, cap;
    weir_fragments_state_t state;
    uint64_t               serial;           /* of the generation that it is live with */
    weir_error_t           error;            /* of CONFLICT and REFUSED */
    bool                   is_in;            /* of a round: in what is built now */
    bool                   is_restored;      /* it was live in another process: a row stays though it is refused */
    /* It is LIVE in all workers, in CONFLICT or REFUSED, and freed behind this; may be NULL. */
    void                 (*on_end)(weir_fragments_change_t *change);
    void                  *data;
};

weir_fragments_change_t *weir_fragments_change_create(weir_fragment_from_t from);
/* version: a reference that is taken over; NULL: a removal.  NULL: the name is there already. */
weir_fragment_item_t    *weir_fragments_change_add(weir_fragments_change_t *change, weir_str_t name,
                                                   weir_fragment_version_t *version);
void                     weir_fragments_change_free(weir_fragments_change_t *change);

/* -- the table -- */

typedef struct {
    weir_fragment_row_t **rows;              /* heap; by name */
    size_t                n, cap;
    weir_list_t           changes;           /* in the order in which they came */
    uint64_t              n_accepted, n_refused;      /* changes */
    /* A version of it is refused that was not refused before; may be NULL. */
    void                (*on_refusal)(const weir_fragment_row_t *row);
} weir_fragment_table_t;

void weir_fragments_init(weir_fragment_table_t *table);
void weir_fragments_fini(weir_fragment_table_t *table);
weir_fragment_row_t *weir_fragments_find(const weir_fragment_table_t *table, weir_str_t name);      /* NULL: none */
/* Made when there is none.  NULL: there are too many. */
weir_fragment_row_t *weir_fragments_row(weir_fragment_table_t *table, weir_str_t name, weir_fragment_from_t from);
/* version: NULL: it could not even be read, and no round judges it.  The same again is not counted again. */
void weir_fragments_refuse(weir_fragment_table_t *table, weir_fragment_row_t *row, weir_fragment_version_t *version,
                           const weir_error_t *error);
/* What was refused of it is gone; a row without a live version goes with it. */
void weir_fragments_forget_refusal(weir_fragment_table_t *table, weir_fragment_row_t *row);
/* Files are nobody's business any more: their rows are gone. */
void weir_fragments_drop_files(weir_fragment_table_t *table);
/* From now on it waits for the next round. */
void weir_fragments_ask(weir_fragment_table_t *table, weir_fragments_change_t *change);
bool weir_fragments_are_asked(const weir_fragment_table_t *table);       /* whether any change does */

/* -- a round -- */

typedef struct {
    void  *data;
    /* These fragments with the rest; from: of each.  true: a candidate that replaces the one of the build before.
     * false with errors: the one before stays.  false without one: the round is over, and the rest is bad. */
    bool (*build)(void *data, weir_fragments_t set, const weir_fragment_from_t *from, weir_conf_errors_t *errors);
    bool   is_fresh;                         /* the rest is new too: there is to be a candidate without changes */
} weir_fragments_ops_t;

typedef enum {
    WEIR_FRAGMENTS_BUILT,                    /* the last candidate has all that is ACCEPTED now */
    WEIR_FRAGMENTS_SAME,                     /* nothing is accepted: no candidate is wanted */
    WEIR_FRAGMENTS_REST_IS_BAD,              /* the rest with what is live has errors; all that waited waits */
} weir_fragments_result_t;

weir_fragments_result_t weir_fragments_round(weir_fragment_table_t *table, const weir_fragments_ops_t *ops,
                                             weir_conf_errors_t *errors) WEIR_MUST_USE;
/* Behind a round: what it has accepted is live with that generation. */
void weir_fragments_commit(weir_fragment_table_t *table, uint64_t serial);
/* Behind a round: the candidate could not be used after all. */
void weir_fragments_give_up(weir_fragment_table_t *table, const weir_error_t *error);
/* All workers have the generation: changes that are live with it, or were refused, end. */
void weir_fragments_end(weir_fragment_table_t *table, uint64_t serial);

#endif
