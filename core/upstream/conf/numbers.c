/*
 * numbers.c - see numbers.h.
 *
 * Runs in every process that reads a configuration itself: the master, tools.  On the heap: an entry for each number
 * that was ever held at the same time, and each name that has one now.  A lock, since a configuration may be read
 * beside the loop.
 */
#include "upstream/numbers.h"

#include "base/mem.h"

#include <pthread.h>
#include <string.h>

#define NUMBERS_FEW 64

typedef struct {
    char    *name;                   /* NULL: the number is free */
    size_t   len;
    uint64_t hash;
    uint32_t refs;
    bool     is_implied;
    uint32_t next;                   /* number of the next one in its bucket; 0: it is the last */
} numbers_entry_t;

static struct {
    numbers_entry_t *entries;        /* by number; [0] is never used */
    uint32_t        *buckets;        /* as many as entries */
    uint32_t         room;           /* a power of two, or 0 */
    uint32_t         n;              /* names */
    uint32_t         lowest;         /* each number below it is held */
} numbers;

static pthread_mutex_t numbers_lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t *
numbers_bucket(uint64_t hash)
{
    return &numbers.buckets[hash & (numbers.room - 1)];
}

static void
numbers_link(uint32_t number)
{
    uint32_t *bucket = numbers_bucket(numbers.entries[number].hash);

    numbers.entries[number].next = *bucket;
    *bucket = number;
}

static void
numbers_grow(void)
{
    uint32_t         before = numbers.room;
    numbers_entry_t *entries;

    numbers.room = before != 0 ? 2 * before : NUMBERS_FEW;
    entries = weir_mem_need(sizeof(*entries) * numbers.room);
    if (before != 0) {
        memcpy(entries, numbers.entries, sizeof(*entries) * before);
    }
    weir_mem_free(numbers.entries);
    weir_mem_free(numbers.buckets);
    numbers.entries = entries;
    numbers.buckets = weir_mem_need(sizeof(uint32_t) * numbers.room);
    for (uint32_t i = 1; i < before; i++) {
        if (entries[i].name != NULL) {
            numbers_link(i);
        }
    }
}

/* The lowest number that is free: so that tables by number are as short as they may be.  0: there is none. */
static uint32_t
numbers_free_one(void)
{
    uint32_t number = numbers.lowest != 0 ? numbers.lowest : 1;

    while (number < numbers.room && numbers.entries[number].name != NULL) {
        number++;
    }
    if (number >= WEIR_NUMBERS_MAX) {
        return 0;
    }
    if (number >= numbers.room) {
        numbers_grow();
    }
    numbers.lowest = number + 1;
    return number;
}

static uint32_t
numbers_find(weir_str_t name, bool is_implied, uint64_t hash)
{
    uint32_t number = numbers.room != 0 ? *numbers_bucket(hash) : 0;

    while (number != 0 && (numbers.entries[number].hash != hash || numbers.entries[number].is_implied != is_implied
                           || !weir_str_eq(weir_str(numbers.entries[number].name, numbers.entries[number].len), name)))
    {
        number = numbers.entries[number].next;
    }
    return number;
}

static uint32_t
numbers_add(weir_str_t name, bool is_implied, uint64_t hash)
{
    uint32_t         number = numbers_free_one();
    numbers_entry_t *entry;

    if (number == 0) {
        return 0;
    }
    entry = &numbers.entries[number];
    weir_assert(entry->name == NULL && entry->refs == 0);
    *entry = (numbers_entry_t) { .name = weir_mem_need(name.len + 1), .len = name.len, .hash = hash,
                                  .is_implied = is_implied };
    memcpy(entry->name, name.at, name.len);
    numbers_link(number);
    numbers.n++;
    return number;
}

uint32_t
weir_numbers_take(weir_str_t name, bool is_implied)
{
    uint64_t hash = weir_str_hash(name, is_implied);
    uint32_t number;

    (void) pthread_mutex_lock(&numbers_lock);
    number = numbers_find(name, is_implied, hash);
    if (number == 0) {
        number = numbers_add(name, is_implied, hash);
    }
    if (number != 0) {
        weir_assert(numbers.entries[number].refs < UINT32_MAX);
        numbers.entries[number].refs++;
    }
    (void) pthread_mutex_unlock(&numbers_lock);
    return number;
}

static void
numbers_forget(uint32_t number)
{
    numbers_entry_t *entry = &numbers.entries[number];
    uint32_t        *at = numbers_bucket(entry->hash);

    while (*at != number) {
        weir_assert(*at != 0);
        at = &numbers.entries[*at].next;
    }
    *at = entry->next;
    weir_mem_free(entry->name);
    *entry = (numbers_entry_t) { .name = NULL };
    numbers.lowest = number < numbers.lowest ? number : numbers.lowest;
    numbers.n--;
}

void
weir_numbers_give_back(uint32_t number)
{
    (void) pthread_mutex_lock(&numbers_lock);
    weir_assert(number != 0 && number < numbers.room && numbers.entries[number].refs != 0);
    if (--numbers.entries[number].refs == 0) {
        numbers_forget(number);
    }
    (void) pthread_mutex_unlock(&numbers_lock);
}

size_t
weir_numbers_count(void)
{
    size_t n;

    (void) pthread_mutex_lock(&numbers_lock);
    n = numbers.n;
    (void) pthread_mutex_unlock(&numbers_lock);
    return n;
}

uint32_t
weir_numbers_check(weir_str_t name, bool is_implied)
{
    return (uint32_t) weir_str_hash(name, UINT64_C(2) + is_implied);
}
