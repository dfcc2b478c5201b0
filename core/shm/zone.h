/*
 * zone.h - named regions of memory that all processes of this instance share, kept over reload.
 *
 * A configuration names one (kind, name, size); it is made when the first generation that names it is built: by the master, as a
 * sealed memfd mapped shared, before it forks or before it hands the descriptor on.  A worker's build finds what the master handed
 * it; it makes none itself.  Two that differ in kind or size are two zones, even of one name, so that a reload with another size
 * begins with an empty one.  The last generation that names a zone takes it along.
 *
 * The first 64 bytes are the zone's own head (magic, kind, layout version, size): what does not fit is refused, never misread.
 * Taking and giving back are for any thread; all else is for the thread that runs the loop.
 */
#ifndef WEIR_SHM_ZONE_H
#define WEIR_SHM_ZONE_H

#include "base/error.h"
#include "base/str.h"

typedef struct weir_zone weir_zone_t;

typedef struct {
    weir_str_t kind;             /* what lies in it: "tls-sessions", "tls-tickets" …; shorter than 32 bytes */
    weir_str_t name;             /* of the configuration; empty for one of the instance's own; shorter than 128 bytes */
    uint64_t   size;             /* usable bytes */
    uint32_t   layout;           /* version of what lies in it */
} weir_zone_id_t;

/* A reference; makes it when it is not there and this process may (weir_zones_may_make).  Its memory is zeroed at first.
 * NULL with *error. */
weir_zone_t *weir_zone_take(const weir_zone_id_t *id, weir_error_t *error) WEIR_MUST_USE;
void         weir_zone_give_back(weir_zone_t *zone);        /* the last one unmaps it */
void        *weir_zone_memory(const weir_zone_t *zone);     /* behind the head, aligned to 64 */
uint64_t     weir_zone_size(const weir_zone_t *zone);       /* usable bytes */

/* Master and single process: true (at first).  A worker says false after the fork. */
void weir_zones_may_make(bool yes);

/* -- for the hand-over to a worker that runs already -- */
/* Every zone of this process; each may not come back here.  label: kind, name, size and layout in one text, as adopt wants it. */
void weir_zones_each(void (*each)(void *data, weir_str_t label, int fd), void *data);
/* fd (taken over) is the zone of that label, if it is not there yet; kept until weir_zones_drop_unused.  What cannot be mapped or has
 * another head is closed and not there. */
void weir_zones_adopt(weir_str_t label, int fd);
void weir_zones_drop_unused(void);

#endif
