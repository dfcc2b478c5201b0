/*
 * ahead.c - see ahead.h.  Runs in workers; allocates the area at its first use, and what a handler leaves.
 */
#include "event/ahead.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

#define AHEAD_ALIGN 64

static weir_ahead_entry_t *
ahead_free_entry(weir_ahead_t *ahead)
{
    for (uint32_t i = 0; i < WEIR_AHEAD_ENTRIES; i++) {
        weir_ahead_entry_t *entry = &ahead->at[ahead->next];

        ahead->next = (ahead->next + 1) % WEIR_AHEAD_ENTRIES;
        if (!entry->is_used) {
            return entry;
        }
    }
    return NULL;
}

uint16_t
weir_ahead_receive(weir_ahead_t *ahead, int fd)
{
    weir_ahead_entry_t *entry;
    ssize_t n;

    if (weir_unlikely(ahead->area == NULL)) {
        ahead->area = weir_mem_try(WEIR_AHEAD_AREA);
    }
    if (ahead->area == NULL || ahead->filled > WEIR_AHEAD_AREA - WEIR_AHEAD_BYTES
        || (entry = ahead_free_entry(ahead)) == NULL)
    {
        return 0;
    }
    n = weir_sys_recv(fd, ahead->area + ahead->filled, WEIR_AHEAD_BYTES, 0);
    weir_assert(n <= WEIR_AHEAD_BYTES);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return 0;                                  /* the caller's own system call finds out the same */
    }
    *entry = (weir_ahead_entry_t) {
        .at = ahead->area + ahead->filled, .left = n > 0 ? (uint32_t) n : 0, .error = n < 0 ? errno : 0,
        .is_used = true,
        .is_whole = n >= 0 && n < WEIR_AHEAD_BYTES,
    };
    ahead->filled += (entry->left + AHEAD_ALIGN - 1) / AHEAD_ALIGN * AHEAD_ALIGN;
    ahead->n_area++;
    return (uint16_t) (entry - ahead->at + 1);
}

void
weir_ahead_continues(weir_ahead_t *ahead, uint16_t number)
{
    weir_assert(number != 0 && ahead->at[number - 1].is_used);
    ahead->at[number - 1].is_whole = false;
}

void
weir_ahead_drop(weir_ahead_t *ahead, uint16_t number)
{
    weir_ahead_entry_t *entry = &ahead->at[number - 1];

    weir_assert(entry->is_used);
    if (entry->own != NULL) {
        weir_mem_free(entry->own);
    } else {
        weir_assert(ahead->n_area > 0);
        ahead->n_area--;
    }
    *entry = (weir_ahead_entry_t) { .is_used = false };
}

ssize_t
weir_ahead_take(weir_ahead_t *ahead, uint16_t *number, char *room, size_t cap, size_t *asked)
{
    weir_ahead_entry_t *entry = &ahead->at[*number - 1];
    size_t n = weir_min(cap, entry->left);
    int error = entry->error;

    memcpy(room, entry->at, n);
    entry->at += n;
    entry->left -= (uint32_t) n;
    *asked = n;                                    /* a full one: there may be more */
    if (entry->left == 0) {
        *asked += entry->is_whole ? 1 : 0;
        weir_ahead_drop(ahead, *number);
        *number = 0;
    }
    if (error != 0) {
        errno = error;
        return -1;
    }
    return (ssize_t) n;
}

/* Without memory it stays, and the area is not used anew until it has gone. */
static bool
ahead_move(weir_ahead_t *ahead, weir_ahead_entry_t *entry)
{
    char *own = weir_mem_try(weir_max(entry->left, 1));

    weir_assert(entry->own == NULL && ahead->n_area > 0);
    if (own == NULL) {
        return false;
    }
    memcpy(own, entry->at, entry->left);
    entry->at = entry->own = own;
    ahead->n_area--;
    return true;
}

void
weir_ahead_settle(weir_ahead_t *ahead)
{
    for (size_t i = 0; ahead->n_area != 0 && i < WEIR_AHEAD_ENTRIES; i++) {
        weir_ahead_entry_t *entry = &ahead->at[i];

        if (entry->is_used && entry->own == NULL && !ahead_move(ahead, entry)) {
            return;
        }
    }
    ahead->filled = 0;
    weir_assert(ahead->n_area == 0);     /* no untaken bytes lie where the next turn writes */
    ahead->next = 0;
}

void
weir_ahead_fini(weir_ahead_t *ahead)
{
    for (size_t i = 0; i < WEIR_AHEAD_ENTRIES; i++) {
        weir_mem_free(ahead->at[i].own);
    }
    weir_mem_free(ahead->area);
}
