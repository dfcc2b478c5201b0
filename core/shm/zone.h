/*
 * zone.h - named regions of memory that all processes of this instance share, kept over reload.
 *
 * A configuration names one (kind, name, size); it is made when the first generation that names it is built: by the
 * master, as a sealed memfd mapped shared, before it forks or before it hands the descriptor on.  A worker's build
 * finds what the master handed it; it makes none itself.  Two that differ in kind or size are two zones, even of one
 * name, so that a reload with another size begins with an empty one.  The last generation that names a zone takes it
 * along.
 *
 * The first WEIR_ZONE_HEAD bytes are the zone's own head (magic, kind, layout version, size, name): what does not fit
 * is refused, never misread.  Taking and giving back are for any thread; all else is for the thread that runs the loop.
 */
#ifndef WEIR_SHM_ZONE_H
#define WEIR_SHM_ZONE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define WEIR_ZONE_HEAD  256      /* bytes */
#define WEIR_ZONE_MEMFD "weir zone"      /* what /proc calls a zone's descriptor */

typedef struct weir_zone weir_zone_t;

/* What may lie in zones: one constant a kind, which lives as long as the process. */
typedef struct weir_zone_kind {
    const char *name;            /* "tls-sessions", "limit-req" …; shorter than 32 bytes, without blanks */
    uint32_t    layout;          /* version of what lies in it */
    /* What the dead owner of a slot (shm/slots.h) left in it is settled; again is harmless.  NULL: nothing is owned in
     * it. */
    void      (*fold)(void *memory, uint64_t size, uint32_t slot);
    /* A few words on its contents for people, "key=value key=value"; memory is mapped read-only and may be in use; what
     * it says of itself is not trusted.  NULL: nothing to say. */
    void      (*describe)(const void *memory, uint64_t size, weir_buf_t *out);
    /* What of it is kept in the store (shm/saved.h); NULL: nothing. */
    const struct weir_saved_kind *saved;
} weir_zone_kind_t;

typedef struct {
    const weir_zone_kind_t *kind;
    /* of the configuration; empty for one of the instance's own; shorter than 128 bytes */
    weir_str_t              name;
    uint64_t                size;     /* usable bytes */
} weir_zone_id_t;

/* A reference; makes it when it is not there and this process may (weir_zones_may_make).  Its memory is zeroed at
 * first.  NULL with *error. */
weir_zone_t *weir_zone_take(const weir_zone_id_t *id, weir_error_t *error) WEIR_MUST_USE;
void         weir_zone_give_back(weir_zone_t *zone);        /* the last one unmaps it */
void        *weir_zone_memory(const weir_zone_t *zone);     /* behind the head, aligned to 64 */
uint64_t     weir_zone_size(const weir_zone_t *zone);       /* usable bytes */

/* Every zone of a kind that keeps something in the store.  each is called with the lock of zones held. */
void weir_zones_each_saved(void (*each)(void *data, const weir_zone_kind_t *kind, weir_str_t name, void *memory,
                                        uint64_t size), void *data);

/* Every zone's kind settles what the owner of that slot left.  In the master, when the owner is dead. */
void weir_zones_fold(uint32_t slot);

/* Master and single process: true (at first).  A worker says false after the fork. */
void weir_zones_may_make(bool yes);
bool weir_zones_are_made_here(void);

/* -- for the hand-over to a worker that runs already -- */
/* Every zone of this process; each may not come back here.  label: kind, name, size and layout in one text, as adopt
 * wants it. */
void weir_zones_each(void (*each)(void *data, weir_str_t label, int fd), void *data);
/* Every zone of this process as a tool sees it; kind NULL: no configuration of it took it yet.  With the lock held. */
void weir_zones_look(void (*each)(void *data, const weir_zone_kind_t *kind, weir_str_t kind_name, weir_str_t name,
                                  const void *memory, uint64_t size), void *data);
/* fd (taken over) is the zone of that label, unless that memory is there already; kept until weir_zones_drop_unused.
 * Another memory of the same label stays with the generations that have it, and is not taken any more.  What cannot be
 * mapped or has another head is closed and not there. */
void weir_zones_adopt(weir_str_t label, int fd);
void weir_zones_drop_unused(void);

/* -- for tools that look at another process's zones -- */
typedef struct { weir_str_t kind, name; uint64_t size; uint32_t layout; } weir_zone_head_t;
/* Of the first WEIR_ZONE_HEAD bytes of what may be one; the texts point into them.  false: it is none. */
bool weir_zone_read_head(const void *memory, weir_zone_head_t *head) WEIR_MUST_USE;

#endif
