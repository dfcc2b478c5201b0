/*
 * pieces.c - see pieces.h.
 */
#include "base/pieces.h"

#include "base/list.h"
#include "base/mem.h"

#include <pthread.h>

#define PIECES_REGION ((size_t) 256 * 1024)
#define PIECES_LEAST  ((size_t) 2048)
#define PIECES_SIZES  5                      /* 2 KiB to 32 KiB, each twice the one before */

typedef struct pieces_region pieces_region_t;

/* Before the bytes of each piece. */
typedef struct piece {
    _Alignas(16) pieces_region_t *region;
    struct piece *next;                      /* of those that are free */
} piece_t;

_Static_assert((PIECES_LEAST << (PIECES_SIZES - 1)) - sizeof(piece_t) == WEIR_PIECE_MAX, "sizes");

struct pieces_region {
    weir_list_t link;                        /* of those of its size that have room */
    piece_t    *free;
    uint32_t    n_taken, n_begun, n;         /* pieces; n_begun: those that were taken ever */
    size_t      size;                        /* of a piece */
};

static pthread_mutex_t pieces_lock = PTHREAD_MUTEX_INITIALIZER;
static weir_list_t     pieces_open[PIECES_SIZES];        /* regions with room; not made at first */
static size_t          pieces_mapped;

static piece_t *
pieces_at(pieces_region_t *region, uint32_t i)
{
    char *first = (char *) region + ((sizeof(*region) + 15) & ~(size_t) 15);

    return (piece_t *) (void *) (first + i * region->size);
}

static pieces_region_t *
pieces_map(size_t size)
{
    pieces_region_t *region = weir_mem_try_map(PIECES_REGION, false);

    if (region != NULL) {
        *region = (pieces_region_t) { .size = size };
        region->n = (uint32_t) ((PIECES_REGION - ((sizeof(*region) + 15) & ~(size_t) 15)) / size);
        pieces_mapped += PIECES_REGION;
    }
    return region;
}

static piece_t *
pieces_take(pieces_region_t *region)
{
    piece_t *piece = region->free;

    weir_assert(region->n_taken < region->n);
    if (piece != NULL) {
        region->free = piece->next;
    } else {
        piece = pieces_at(region, region->n_begun++);
    }
    piece->region = region;
    if (++region->n_taken == region->n) {
        weir_list_remove(&region->link);
    }
    return piece;
}

static unsigned
pieces_class(size_t size)
{
    unsigned class = 0;

    while (PIECES_LEAST << class < size) {
        class++;
    }
    weir_assert(class < PIECES_SIZES);
    return class;
}

void *
weir_piece_take(size_t *size)
{
    unsigned         class = pieces_class(*size + sizeof(piece_t));
    weir_list_t     *open = &pieces_open[class];
    pieces_region_t *region;
    piece_t         *piece = NULL;

    (void) pthread_mutex_lock(&pieces_lock);
    if (open->next == NULL) {
        weir_list_init(open);
    }
    if (!weir_list_empty(open)) {
        region = weir_list_entry(open->next, pieces_region_t, link);
    } else if ((region = pieces_map(PIECES_LEAST << class)) != NULL) {
        weir_list_append(open, &region->link);
    }
    if (region != NULL) {
        piece = pieces_take(region);
        *size = region->size - sizeof(*piece);
    }
    (void) pthread_mutex_unlock(&pieces_lock);
    return piece != NULL ? piece + 1 : NULL;
}

void
weir_piece_give(void *bytes)
{
    piece_t         *piece = (piece_t *) bytes - 1;
    pieces_region_t *region = piece->region;

    (void) pthread_mutex_lock(&pieces_lock);
    weir_assert(region->n_taken > 0);
    if (region->n_taken == region->n) {
        weir_list_append(&pieces_open[pieces_class(region->size)], &region->link);
    }
    piece->next = region->free;
    region->free = piece;
    if (--region->n_taken == 0) {
        weir_list_remove(&region->link);
        pieces_mapped -= PIECES_REGION;
        weir_mem_unmap(region, PIECES_REGION);
    }
    (void) pthread_mutex_unlock(&pieces_lock);
}

size_t
weir_pieces_mapped(void)
{
    return pieces_mapped;
}
