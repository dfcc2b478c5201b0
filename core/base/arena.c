/*
 * arena.c - chunks from the heap, or mapped one by one, bumped through.
 *
 * Ordinary chunks are bumped; a request for more than a quarter of a chunk gets a chunk of its own, so that no chunk
 * is abandoned with much room left.  Runs in every process.  Under AddressSanitizer room that was not given out is
 * poisoned and pieces are kept apart, so that an overrun is seen.
 */
#include "base/arena.h"

#include "base/mem.h"
#include "base/pieces.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define arena_hide(at, size) ASAN_POISON_MEMORY_REGION((at), (size))
#define arena_show(at, size) ASAN_UNPOISON_MEMORY_REGION((at), (size))
#define ARENA_GAP 16
#else
#define arena_hide(at, size) ((void) (at), (void) (size))
#define arena_show(at, size) ((void) (at), (void) (size))
#define ARENA_GAP 0
#endif

#define ARENA_ALIGN     ((size_t) 16)
#define ARENA_MIN_CHUNK ((size_t) 256)
#define ARENA_PAGE      ((size_t) 4096)
#define ARENA_LARGE     ((size_t) 1024 * 1024)    /* of so much more is sure to follow: pages come with their chunk */
#define ARENA_STEP      64                        /* cleanups of one step */

struct weir_arena_chunk {
    weir_arena_chunk_t *next;
    size_t              size;    /* of all, this header too */
};

#define ARENA_HEADER ((sizeof(weir_arena_chunk_t) + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1))

struct weir_arena_cleanup {
    weir_arena_cleanup_t *next;
    void (*run)(void *data);
    void                 *data;
};

void
weir_arena_init(weir_arena_t *arena, size_t chunk_size)
{
    *arena = (weir_arena_t) { .chunk_size = weir_max(chunk_size, ARENA_MIN_CHUNK) };
}

void
weir_arena_init_mapped(weir_arena_t *arena, size_t chunk_size)
{
    weir_arena_init(arena, chunk_size);
#ifndef ARENA_ASAN                      /* which looks for pointers in the heap only */
    arena->maps = arena->is_zero = true;
#endif
}

void
weir_arena_init_small(weir_arena_t *arena, size_t chunk_size)
{
    weir_arena_init(arena, chunk_size);
#ifndef ARENA_ASAN
    arena->maps = arena->is_small = true;
#endif
}

/* A chunk is a piece, or mapped by itself: its size says which. */
static bool
arena_is_piece(const weir_arena_t *arena, size_t size)
{
    return arena->is_small && size <= WEIR_PIECE_MAX;
}

static weir_arena_chunk_t *
arena_add_chunk(weir_arena_t *arena, weir_arena_chunk_t **list, size_t size)
{
    weir_arena_chunk_t *chunk;

    if (arena_is_piece(arena, size)) {
        chunk = weir_piece_take(&size);
    } else if (arena->maps) {
        size = (size + ARENA_PAGE - 1) & ~(ARENA_PAGE - 1);
        chunk = weir_mem_try_map(size, arena->total >= ARENA_LARGE);
    } else {
        chunk = weir_mem_try(size);
    }
    if (chunk == NULL) {
        return NULL;
    }
    chunk->size = size;
    chunk->next = *list;
    *list = chunk;
    arena->total += size;
    return chunk;
}

static void
arena_free_chunk(weir_arena_t *arena, weir_arena_chunk_t *chunk)
{
    weir_assert(chunk->size <= arena->total);
    arena->total -= chunk->size;
    if (arena_is_piece(arena, chunk->size)) {
        weir_piece_give(chunk);
    } else if (arena->maps) {
        weir_mem_unmap(chunk, chunk->size);
    } else {
        weir_mem_free(chunk);
    }
}

static void
arena_bump_from(weir_arena_t *arena, weir_arena_chunk_t *chunk)
{
    weir_assert(chunk->size > ARENA_HEADER);
    arena->at = (char *) chunk + ARENA_HEADER;
    arena->end = (char *) chunk + chunk->size;
    arena_hide(arena->at, (size_t) (arena->end - arena->at));
}

static void
arena_run_cleanups(weir_arena_t *arena)
{
    weir_arena_cleanup_t *cleanup;

    while ((cleanup = arena->cleanups) != NULL) {
        arena->cleanups = cleanup->next;    /* first, because a cleanup may add another */
        cleanup->run(cleanup->data);
    }
}

static void
arena_free_large(weir_arena_t *arena)
{
    weir_arena_chunk_t *chunk, *next;

    for (chunk = arena->large; chunk != NULL; chunk = next) {
        next = chunk->next;
        arena_free_chunk(arena, chunk);
    }
    arena->large = NULL;
}

void
weir_arena_reset(weir_arena_t *arena)
{
    weir_arena_chunk_t *chunk;

    arena_run_cleanups(arena);
    arena_free_large(arena);
    if (arena->chunks == NULL) {
        weir_assert(arena->total == 0);
        return;
    }
    while ((chunk = arena->chunks)->next != NULL) {
        arena->chunks = chunk->next;
        arena_free_chunk(arena, chunk);
    }
    arena->is_zero = false;
    arena_bump_from(arena, chunk);
}

void
weir_arena_fini(weir_arena_t *arena)
{
    weir_arena_chunk_t *chunk;

    arena_run_cleanups(arena);
    arena_free_large(arena);
    while ((chunk = arena->chunks) != NULL) {
        arena->chunks = chunk->next;
        arena_free_chunk(arena, chunk);
    }
    arena->at = arena->end = NULL;
    weir_assert(arena->total == 0);
}

bool
weir_arena_fini_step(weir_arena_t *arena)
{
    weir_arena_cleanup_t *cleanup;
    weir_arena_chunk_t  **list = arena->large != NULL ? &arena->large : &arena->chunks, *chunk;

    for (int i = 0; i < ARENA_STEP && (cleanup = arena->cleanups) != NULL; i++) {
        arena->cleanups = cleanup->next;
        cleanup->run(cleanup->data);
    }
    if (arena->cleanups != NULL) {
        return false;
    }
    if ((chunk = *list) != NULL) {
        *list = chunk->next;
        arena_free_chunk(arena, chunk);
    }
    if (arena->chunks != NULL || arena->large != NULL) {
        return false;
    }
    weir_arena_fini(arena);
    return true;
}

static void
arena_wipe_chunks(weir_arena_chunk_t *chunk)
{
    for (; chunk != NULL; chunk = chunk->next) {
        char *at = (char *) chunk + ARENA_HEADER;

        arena_show(at, chunk->size - ARENA_HEADER);
        weir_mem_wipe(at, chunk->size - ARENA_HEADER);
    }
}

void
weir_arena_wipe(weir_arena_t *arena)
{
    weir_assert(arena->cleanups == NULL);       /* their rows lie in it */
    arena_wipe_chunks(arena->large);
    arena_wipe_chunks(arena->chunks);
}

static void
arena_each_chunk(const weir_arena_chunk_t *chunk, void (*each)(void *data, const void *from, size_t size), void *data)
{
    for (; chunk != NULL; chunk = chunk->next) {
        each(data, (const char *) chunk + ARENA_HEADER, chunk->size - ARENA_HEADER);
    }
}

void
weir_arena_each(const weir_arena_t *arena, void (*each)(void *data, const void *from, size_t size), void *data)
{
    arena_each_chunk(arena->chunks, each, data);
    arena_each_chunk(arena->large, each, data);
}

/* When the newest chunk has no room: NULL when there is no memory. */
static char *
arena_take_more(weir_arena_t *arena, size_t size)
{
    weir_arena_chunk_t *chunk;
    char               *at;

    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    if (size > arena->chunk_size / 4) {
        chunk = arena_add_chunk(arena, &arena->large, ARENA_HEADER + size);
        return chunk != NULL ? (char *) chunk + ARENA_HEADER : NULL;
    }
    chunk = arena_add_chunk(arena, &arena->chunks, arena->chunk_size);
    if (chunk == NULL) {
        return NULL;
    }
    arena_bump_from(arena, chunk);
    at = arena->at;
    arena->at += size + ARENA_GAP;
    arena_show(at, size);
    return at;
}

static inline char *
arena_take(weir_arena_t *arena, size_t size, size_t align)
{
    size_t pad = (size_t) (-(uintptr_t) arena->at & (align - 1));
    size_t room = (size_t) (arena->end - arena->at);
    char  *at;

    if (weir_unlikely(room < pad + ARENA_GAP || room - pad - ARENA_GAP < size) || arena->at == NULL) {
        return arena_take_more(arena, size);
    }
    at = arena->at + pad;
    arena->at = at + size + ARENA_GAP;
    arena_show(at, size);
    return at;
}

void *
weir_try_alloc(weir_arena_t *arena, size_t size)
{
    return arena_take(arena, size, ARENA_ALIGN);
}

static inline char *
arena_need(weir_arena_t *arena, size_t size, size_t align)
{
    char *at = arena_take(arena, size, align);

    if (weir_unlikely(at == NULL) && weir_mem_use_reserve()) {
        at = arena_take(arena, size, align);
    }
    if (weir_unlikely(at == NULL)) {
        weir_panic(__FILE__, __LINE__, "no memory");
    }
    return at;
}

void *
weir_alloc(weir_arena_t *arena, size_t size)
{
    return arena_need(arena, size, ARENA_ALIGN);
}

void *
weir_alloc_zero(weir_arena_t *arena, size_t size)
{
    char *at = arena_need(arena, size, ARENA_ALIGN);

    return arena->is_zero ? at : memset(at, 0, size);
}

char *
weir_alloc_bytes(weir_arena_t *arena, size_t size)
{
    return arena_need(arena, size, 1);
}

void
weir_arena_on_cleanup(weir_arena_t *arena, void (*run)(void *data), void *data)
{
    weir_arena_cleanup_t *cleanup = weir_alloc(arena, sizeof(*cleanup));

    weir_assert(run != NULL);
    *cleanup = (weir_arena_cleanup_t) { .next = arena->cleanups, .run = run, .data = data };
    arena->cleanups = cleanup;
}
