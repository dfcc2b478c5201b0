/*
 * story.h - the recorder: the last requests of each worker, in rings in shared memory, for operators who ask why (`weir
 * why`, `weir tail`).
 *
 * A worker writes to the ring of its slot only; a story says by its number whether it is whole, and one that is being
 * written is passed over.  What a dead worker wrote stays until the slot's next owner writes over it.  Only what is
 * told is written, so that a short story costs few lines of cache.
 */
#ifndef WEIR_SHM_STORY_H
#define WEIR_SHM_STORY_H

#include "base/error.h"
#include "shm/zone.h"

#define WEIR_STORY_ATTEMPTS 4
#define WEIR_STORY_VERDICTS 4

/* Texts of a story, in the order in which they are written; each cut to its room. */
enum {
    WEIR_STORY_METHOD, WEIR_STORY_HOST, WEIR_STORY_TARGET, WEIR_STORY_CLIENT, WEIR_STORY_SERVER, WEIR_STORY_LOCATION,
        WEIR_STORY_DETAIL,
    WEIR_STORY_PEER,                                     /* of each attempt */
    WEIR_STORY_VERDICT = WEIR_STORY_PEER + WEIR_STORY_ATTEMPTS,
    WEIR_STORY_TEXTS = WEIR_STORY_VERDICT + WEIR_STORY_VERDICTS
};

typedef struct {
    uint16_t status, cause;
    uint32_t connect_ms, header_ms, response_ms;         /* UINT32_MAX: it did not come to that */
} weir_story_attempt_t;

typedef struct {
    uint64_t number;                                     /* 1, 2, …; 0: it is being written, or never was */
    uint64_t id[2], wall_ms, total_us, received, sent, connection;
    uint32_t pid;
    uint16_t status, cause;
    uint8_t  version, is_tls, has_id, n_verdicts;
    uint32_t n_attempts;                                 /* all of them; the last ones are below */
    uint16_t lengths[WEIR_STORY_TEXTS], used;            /* of bytes */
    weir_story_attempt_t attempts[WEIR_STORY_ATTEMPTS];
    char     bytes[848];                                 /* the texts, one behind the other */
} weir_story_t;

/* Rings of so many stories a worker; once in the life of this instance; 0: none.  false with *error. */
bool weir_stories_start(uint32_t each, weir_error_t *error) WEIR_MUST_USE;
void weir_stories_end(void);
bool weir_stories_are_on(void);
uint32_t weir_stories_each(void);
extern const weir_zone_kind_t weir_stories_zone;

/* The next one of this worker's ring, zeroed but for its bytes, to be filled in and told. */
weir_story_t *weir_story_begin(void);
void          weir_story_end(weir_story_t *story);
/* which: greater than that of the text before. */
void          weir_story_put(weir_story_t *story, unsigned which, weir_str_t text);

/* -- reading a zone's memory -- */
uint32_t weir_stories_slots(const void *memory, uint64_t size);        /* 0: it is none */
/* The last number that slot told; 0: none yet. */
uint64_t weir_stories_last(const void *memory, uint32_t slot);
/* A copy of the story of that number; false: it is not there any more, or not whole. */
bool     weir_stories_read(const void *memory, uint32_t slot, uint64_t number, weir_story_t *story);
/* One of its texts; empty when there is none. */
weir_str_t weir_story_text(const weir_story_t *story, unsigned which);
/* Does it fill its room, so that it may have been longer? */
bool       weir_story_is_cut(const weir_story_t *story, unsigned which);
uint32_t weir_stories_kept(const void *memory);                        /* by each slot */

#endif
