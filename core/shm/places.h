/*
 * places.h - named places in shared memory: for each name that some process holds there is one record that all
 * processes see, and a gauge that each process keeps for itself and all can add up.
 *
 * What a peer of an upstream group has done lies in such a place: workers find it by the peer's name when they begin to
 * use the peer, and go to it by a pointer from then on.  Names may be taken by workers at any time, so that peers that
 * a resolver finds have places, too.
 *
 * shm/holds.h counts the processes that hold a name, so that a process that is killed at any instruction gives back
 * what it held and its gauges are 0 again.  A place that no process holds may become another name's; until then it
 * keeps what is in it for the case that the name comes back.
 *
 * A record changes by single atomic words.  It is zeroed by each process that is the first to find another name in it;
 * when two processes do so at the same time, what one of them wrote in between may be lost.  So nothing may depend on a
 * record's first microseconds, nor on sums in a record that must be taken back: that is what gauges are for.
 */
#ifndef WEIR_SHM_PLACES_H
#define WEIR_SHM_PLACES_H

#include "shm/holds.h"
#include "shm/slots.h"

#define WEIR_PLACES_RECORD 128               /* bytes of a record, its first word included, which is the place's own */

/* A process's view of a zone's memory; may be copied; lives as long as the memory. */
typedef struct {
    weir_holds_t        holds;
    struct places_head *head;                /* in shared memory, as all below */
    char               *records;
    uint32_t           *gauges;              /* a row a slot */
} weir_places_t;

/* One name that this process holds. */
typedef struct {
    weir_hold_t hold;
    void       *record;
    uint32_t   *gauge;                       /* of this process: no other writes it */
} weir_place_t;

/* Bytes of memory for so many names at one time; most of it is touched only as it is needed.  0: too many. */
uint64_t weir_places_bytes(uint64_t names);
/* Formats zeroed memory, aligned to 64, or finds it formatted.  false: it holds something else. */
bool     weir_places_open(void *memory, uint64_t size, weir_places_t *places) WEIR_MUST_USE;

/* Of a process that has a slot.  false: there is no room for another name. */
bool     weir_places_take(const weir_places_t *places, weir_str_t name, weir_place_t *place) WEIR_MUST_USE;
/* Each time that it was taken.  Its gauge is 0 when this process does not hold the name any more. */
void     weir_places_drop(const weir_places_t *places, const weir_place_t *place);

/* The gauges of all processes. */
uint32_t weir_places_sum(const weir_places_t *places, const weir_place_t *place);
/* One more on this process's gauge, unless there are `max` in all processes already.  There are never more than `max`
 * that were admitted.  false: there were, or two processes met at the last one that was free. */
bool     weir_places_admit(const weir_places_t *places, const weir_place_t *place, uint32_t max) WEIR_MUST_USE;

/* Of a name that this process need not hold: its record and the sum of its gauges, as of now; NULL: no process holds
 * it.  The record is for looking only, and for now: it may be another name's in the next moment. */
const void *weir_places_look(const weir_places_t *places, weir_str_t name, uint32_t *sum);

/* Each record of a name that some process holds, in another process's memory: for looking only. */
void     weir_places_each(const void *memory, uint64_t size, void (*each)(void *data, const void *record), void *data);

/* For weir_zone_kind_t. */
void     weir_places_fold(void *memory, uint64_t size, uint32_t slot);
void     weir_places_describe(const void *memory, uint64_t size, weir_buf_t *out);

#endif
