/*
 * slab.c - see slab.h.
 */
#include "shm/slab.h"

#include <string.h>

#define SLAB_ORDERS  9                       /* runs of 1 … 256 pages */
#define SLAB_CLASSES weir_countof(slab_per_page)

/* Blocks of one page, by class: 64 bytes … half a page, in steps of a third to a fifth. */
static const uint8_t slab_per_page[] = { 64, 51, 42, 36, 32, 25, 21, 18, 16, 12, 10, 8, 7, 6, 5, 4, 3, 2 };

/* What a page is; in the low byte of its info, the order or class in the next. */
enum { SLAB_INNER, SLAB_FREE, SLAB_RUN, SLAB_SMALL };

typedef struct slab_page {
    uint64_t info;
    uint64_t next, prev;                     /* of its list: pages, counted from 1; 0: none */
    uint64_t map;                            /* SMALL: a bit for each block that is used */
} slab_page_t;

typedef struct slab_head {
    weir_guard_t guard;
    uint64_t     runs[SLAB_ORDERS];          /* lists of free runs by order … */
    uint64_t     rooms[18];                  /* … and of pages that have a free block, by class */
    uint64_t     pages_free, used, blocks;
} slab_head_t;

_Static_assert(SLAB_CLASSES == 18, "a list for each class");
_Static_assert(WEIR_SLAB_PAGE << (SLAB_ORDERS - 1) == WEIR_SLAB_MAX, "the largest run is the largest block");

static inline uint64_t slab_info(uint64_t what, uint64_t which) { return what | which << 8; }
static inline uint64_t slab_what(uint64_t info) { return info & 0xff; }
static inline uint64_t slab_which(uint64_t info) { return info >> 8; }

/* -- sizes -- */

static uint64_t
slab_class_size(uint64_t class)
{
    return WEIR_SLAB_PAGE / slab_per_page[class] & ~(uint64_t) (WEIR_SLAB_ALIGN - 1);
}

static uint64_t
slab_class_of(uint64_t size)
{
    uint64_t class = 0;

    weir_assert(size <= WEIR_SLAB_PAGE / 2);
    while (slab_class_size(class) < size) {
        class++;
    }
    return class;
}

static uint64_t
slab_order_of(uint64_t size)
{
    uint64_t order = 0;

    weir_assert(size <= WEIR_SLAB_MAX);
    while ((uint64_t) WEIR_SLAB_PAGE << order < size) {
        order++;
    }
    return order;
}

static inline bool
slab_is_small(uint64_t size)
{
    return size <= WEIR_SLAB_PAGE / 2;
}

uint64_t
weir_slab_fit(uint64_t size)
{
    if (size > WEIR_SLAB_MAX) {
        return 0;
    }
    return slab_is_small(size) ? slab_class_size(slab_class_of(size))
                               : (uint64_t) WEIR_SLAB_PAGE << slab_order_of(size);
}

/* -- geometry -- */

bool
weir_slab_view(weir_slab_t *slab, weir_region_t zone, uint64_t from, uint64_t to)
{
    uint64_t room, table = from + sizeof(slab_head_t);

    weir_assert(from % 64 == 0 && from <= to && to <= zone.size);
    if (to - from < sizeof(slab_head_t) + 2 * WEIR_SLAB_PAGE) {
        return false;
    }
    room = to - table;
    *slab = (weir_slab_t) { .zone = zone, .n_pages = room / (WEIR_SLAB_PAGE + sizeof(slab_page_t)) };
    slab->head = (slab_head_t *) (void *) (zone.base + from);
    slab->pages = (slab_page_t *) (void *) (zone.base + table);
    slab->first = table + slab->n_pages * sizeof(slab_page_t);
    slab->first = (slab->first + WEIR_SLAB_PAGE - 1) & ~(uint64_t) (WEIR_SLAB_PAGE - 1);
    slab->n_pages = to > slab->first ? weir_min(slab->n_pages, (to - slab->first) / WEIR_SLAB_PAGE) : 0;
    return slab->n_pages != 0;
}

/* The largest run that begins at that page and that buddies could have left there. */
static uint64_t
slab_run_at(uint64_t page, uint64_t n_pages)
{
    uint64_t order = SLAB_ORDERS - 1;

    weir_assert(page < n_pages);
    while (page % ((uint64_t) 1 << order) != 0 || page + ((uint64_t) 1 << order) > n_pages) {
        order--;
    }
    return order;
}

static void
slab_clear(const weir_slab_t *slab)
{
    slab_head_t *head = slab->head;

    memset((char *) head + sizeof(head->guard), 0, sizeof(*head) - sizeof(head->guard));
    memset(slab->pages, 0, slab->n_pages * sizeof(*slab->pages));
    for (uint64_t page = 0; page < slab->n_pages;) {
        uint64_t     order = slab_run_at(page, slab->n_pages);
        slab_page_t *at = &slab->pages[page];

        *at = (slab_page_t) { .info = slab_info(SLAB_FREE, order), .next = head->runs[order] };
        if (at->next != 0) {
            slab->pages[at->next - 1].prev = page + 1;
        }
        head->runs[order] = page + 1;
        page += (uint64_t) 1 << order;
    }
    head->pages_free = slab->n_pages;
}

void
weir_slab_format(const weir_slab_t *slab)
{
    weir_assert(slab->n_pages != 0 && slab->first + slab->n_pages * WEIR_SLAB_PAGE <= slab->zone.size);
    slab_clear(slab);
    weir_guard_init(&slab->head->guard);
}

weir_slab_result_t
weir_slab_reset(const weir_slab_t *slab, bool (*may)(void *data), void *data)
{
    weir_guard_t       *guard = &slab->head->guard;
    weir_guard_result_t result = weir_guard_take(guard, slab->zone);
    bool                done = result != WEIR_GUARD_BUSY && may(data);

    if (done) {
        slab_clear(slab);
    }
    if (result == WEIR_GUARD_HELD) {
        weir_guard_give_back(guard);
    } else if (done) {
        weir_guard_init(guard);
    }
    return done ? WEIR_SLAB_DONE : WEIR_SLAB_BUSY;
}

/* -- words, by the record -- */

static inline void
slab_set(const weir_slab_t *slab, uint64_t *word, uint64_t value)
{
    weir_guard_set(&slab->head->guard, slab->zone, word, value);
}

static inline void
slab_add(const weir_slab_t *slab, uint64_t *word, uint64_t value)
{
    slab_set(slab, word, *word + value);
}

/* The descriptor of a page that a list names; NULL: there is no such page. */
static inline slab_page_t *
slab_page(const weir_slab_t *slab, uint64_t number)
{
    return number - 1 < slab->n_pages ? &slab->pages[number - 1] : NULL;
}

static inline uint64_t
slab_number(const weir_slab_t *slab, const slab_page_t *page)
{
    return (uint64_t) (page - slab->pages) + 1;
}

static bool
slab_push(const weir_slab_t *slab, uint64_t *list, slab_page_t *page)
{
    slab_page_t *next = NULL;

    if (*list != 0 && ((next = slab_page(slab, *list)) == NULL || next == page)) {
        return false;
    }
    slab_set(slab, &page->next, *list);
    slab_set(slab, &page->prev, 0);
    if (next != NULL) {
        slab_set(slab, &next->prev, slab_number(slab, page));
    }
    slab_set(slab, list, slab_number(slab, page));
    return true;
}

static bool
slab_unlink(const weir_slab_t *slab, uint64_t *list, slab_page_t *page)
{
    slab_page_t *next = NULL, *prev = NULL;
    uint64_t     number = slab_number(slab, page);

    if ((page->next != 0 && ((next = slab_page(slab, page->next)) == NULL || next->prev != number))
        || (page->prev != 0 && ((prev = slab_page(slab, page->prev)) == NULL || prev->next != number))
        || (page->prev == 0 && *list != number))
    {
        return false;
    }
    if (next != NULL) {
        slab_set(slab, &next->prev, page->prev);
    }
    slab_set(slab, prev != NULL ? &prev->next : list, page->next);
    return true;
}

/* -- runs of pages -- */

static weir_slab_result_t
slab_take_run(const weir_slab_t *slab, uint64_t order, slab_page_t **taken)
{
    slab_head_t *head = slab->head;
    uint64_t     found = order;
    slab_page_t *page;

    weir_assert(order < SLAB_ORDERS);
    while (found < SLAB_ORDERS && head->runs[found] == 0) {
        found++;
    }
    if (found == SLAB_ORDERS) {
        return WEIR_SLAB_FULL;
    }
    page = slab_page(slab, head->runs[found]);
    if (page == NULL || page->info != slab_info(SLAB_FREE, found)
        || slab_run_at((uint64_t) (page - slab->pages), slab->n_pages) < found
        || !slab_unlink(slab, &head->runs[found], page))
    {
        return WEIR_SLAB_BROKEN;
    }
    while (found > order) {
        slab_page_t *half = page + ((size_t) 1 << --found);

        if (half->info != SLAB_INNER || !slab_push(slab, &head->runs[found], half)) {
            return WEIR_SLAB_BROKEN;
        }
        slab_set(slab, &half->info, slab_info(SLAB_FREE, found));
    }
    slab_set(slab, &page->info, slab_info(SLAB_RUN, order));
    slab_add(slab, &head->pages_free, -((uint64_t) 1 << order));
    *taken = page;
    return WEIR_SLAB_DONE;
}

static weir_slab_result_t
slab_give_run(const weir_slab_t *slab, slab_page_t *page, uint64_t order)
{
    slab_head_t *head = slab->head;
    uint64_t     at = (uint64_t) (page - slab->pages);

    slab_add(slab, &head->pages_free, (uint64_t) 1 << order);
    slab_set(slab, &page->info, SLAB_INNER);
    for (; order < SLAB_ORDERS - 1; order++) {
        uint64_t buddy = at ^ (uint64_t) 1 << order;

        if (buddy + ((uint64_t) 1 << order) > slab->n_pages || slab->pages[buddy].info != slab_info(SLAB_FREE, order)) {
            break;
        }
        if (!slab_unlink(slab, &head->runs[order], &slab->pages[buddy])) {
            return WEIR_SLAB_BROKEN;
        }
        slab_set(slab, &slab->pages[buddy].info, SLAB_INNER);
        at = weir_min(at, buddy);
    }
    if (!slab_push(slab, &head->runs[order], &slab->pages[at])) {
        return WEIR_SLAB_BROKEN;
    }
    slab_set(slab, &slab->pages[at].info, slab_info(SLAB_FREE, order));
    return WEIR_SLAB_DONE;
}

/* -- blocks of a class -- */

static inline uint64_t
slab_full_map(uint64_t class)
{
    weir_assert(class < SLAB_CLASSES);
    return ~(uint64_t) 0 >> (64 - slab_per_page[class]);
}

static weir_slab_result_t
slab_take_small(const weir_slab_t *slab, uint64_t class, slab_page_t **taken, uint64_t *index)
{
    uint64_t          *list = &slab->head->rooms[class], full = slab_full_map(class);
    slab_page_t       *page;
    weir_slab_result_t result;

    if (*list == 0) {
        if ((result = slab_take_run(slab, 0, &page)) != WEIR_SLAB_DONE) {
            return result;
        }
        slab_set(slab, &page->info, slab_info(SLAB_SMALL, class));
        slab_set(slab, &page->map, 0);
        if (!slab_push(slab, list, page)) {
            return WEIR_SLAB_BROKEN;
        }
    }
    page = slab_page(slab, *list);
    if (page == NULL || page->info != slab_info(SLAB_SMALL, class) || (page->map & full) == full
        || (page->map & ~full) != 0) {
        return WEIR_SLAB_BROKEN;
    }
    *index = (uint64_t) __builtin_ctzll(~page->map);
    slab_set(slab, &page->map, page->map | (uint64_t) 1 << *index);
    if (page->map == full && !slab_unlink(slab, list, page)) {
        return WEIR_SLAB_BROKEN;
    }
    *taken = page;
    return WEIR_SLAB_DONE;
}

static weir_slab_result_t
slab_give_small(const weir_slab_t *slab, slab_page_t *page, uint64_t class, uint64_t index)
{
    uint64_t *list = &slab->head->rooms[class], was = page->map;

    weir_assert(index < slab_per_page[class] && (was >> index & 1) != 0);     /* slab_find saw that it is used */
    slab_set(slab, &page->map, was & ~((uint64_t) 1 << index));
    if (was == slab_full_map(class) && !slab_push(slab, list, page)) {
        return WEIR_SLAB_BROKEN;
    }
    if (page->map != 0) {
        return WEIR_SLAB_DONE;
    }
    return slab_unlink(slab, list, page) ? slab_give_run(slab, page, 0) : WEIR_SLAB_BROKEN;
}

/* -- blocks -- */

/* Page, and for small ones the number in it, of a block; its size, 0: none is there. */
static uint64_t
slab_find(const weir_slab_t *slab, uint64_t at, slab_page_t **page, uint64_t *index)
{
    uint64_t number = (at - slab->first) / WEIR_SLAB_PAGE, within = at % WEIR_SLAB_PAGE, info, size;

    if (at < slab->first || number >= slab->n_pages) {
        return 0;
    }
    *page = &slab->pages[number];
    info = weir_shm_load(&(*page)->info);
    if (slab_what(info) == SLAB_RUN) {
        return within == 0 && slab_which(info) <= slab_run_at(number, slab->n_pages)
               ? (uint64_t) WEIR_SLAB_PAGE << slab_which(info) : 0;
    }
    if (slab_what(info) != SLAB_SMALL || slab_which(info) >= SLAB_CLASSES) {
        return 0;
    }
    size = slab_class_size(slab_which(info));
    *index = within / size;
    return within % size == 0 && *index < slab_per_page[slab_which(info)]
           && (weir_shm_load(&(*page)->map) >> *index & 1) != 0 ? size : 0;
}

uint64_t
weir_slab_size(const weir_slab_t *slab, uint64_t at)
{
    slab_page_t *page;
    uint64_t     index;

    return slab_find(slab, at, &page, &index);
}

static weir_slab_result_t
slab_take(const weir_slab_t *slab)
{
    weir_guard_result_t result = weir_guard_take(&slab->head->guard, slab->zone);

    return result == WEIR_GUARD_HELD ? WEIR_SLAB_DONE : result == WEIR_GUARD_BUSY ? WEIR_SLAB_BUSY : WEIR_SLAB_BROKEN;
}

/* A change that went well counts, another one never was. */
static weir_slab_result_t
slab_end(const weir_slab_t *slab, weir_slab_result_t result)
{
    weir_guard_t *guard = &slab->head->guard;

    if (result == WEIR_SLAB_DONE && guard->n != 0) {
        weir_guard_commit(guard);
    } else if (guard->n != 0 && !weir_guard_undo(guard, slab->zone)) {
        result = WEIR_SLAB_BROKEN;
    }
    weir_guard_give_back(guard);
    return result;
}

weir_slab_result_t
weir_slab_settle(const weir_slab_t *slab)
{
    weir_slab_result_t result = slab_take(slab);

    return result == WEIR_SLAB_DONE ? slab_end(slab, result) : result;
}

static weir_slab_result_t
slab_alloc_held(const weir_slab_t *slab, uint64_t size, uint64_t *at)
{
    slab_page_t       *page;
    uint64_t           index = 0, each = weir_slab_fit(size), place;
    weir_slab_result_t result = slab_is_small(size) ? slab_take_small(slab, slab_class_of(size), &page, &index)
                                                    : slab_take_run(slab, slab_order_of(size), &page);

    if (result == WEIR_SLAB_DONE) {
        place = slab->first + (uint64_t) (page - slab->pages) * WEIR_SLAB_PAGE + index * each;
        weir_assert(place + each <= slab->zone.size);
        slab_add(slab, &slab->head->used, each);
        slab_add(slab, &slab->head->blocks, 1);
        weir_shm_store(weir_slab_block(slab, place), 0);
        slab_set(slab, at, place);
    }
    return result;
}

weir_slab_result_t
weir_slab_alloc(const weir_slab_t *slab, uint64_t size, uint64_t *at)
{
    weir_slab_result_t result;

    if (size > WEIR_SLAB_MAX || *at != 0) {
        return *at == 0 ? WEIR_SLAB_FULL : WEIR_SLAB_BROKEN;
    }
    result = slab_take(slab);
    if (result != WEIR_SLAB_DONE) {
        return result;
    }
    /* A process that was killed while it freed this owner's block may have left the 0 there: it has its block again. */
    return slab_end(slab, *at == 0 ? slab_alloc_held(slab, size, at) : WEIR_SLAB_BUSY);
}

static weir_slab_result_t
slab_free_held(const weir_slab_t *slab, uint64_t *at, bool next)
{
    slab_page_t *page;
    uint64_t     index = 0, size = slab_find(slab, *at, &page, &index);

    if (size == 0) {
        return *at == 0 ? WEIR_SLAB_DONE : WEIR_SLAB_BROKEN;
    }
    slab_set(slab, at, next ? weir_shm_load(weir_slab_block(slab, *at)) : 0);
    slab_add(slab, &slab->head->used, -size);
    slab_add(slab, &slab->head->blocks, (uint64_t) -1);
    return slab_what(page->info) == SLAB_RUN ? slab_give_run(slab, page, slab_which(page->info))
                                             : slab_give_small(slab, page, slab_which(page->info), index);
}

static weir_slab_result_t
slab_free(const weir_slab_t *slab, uint64_t *at, bool next)
{
    weir_slab_result_t result = slab_take(slab);

    return result == WEIR_SLAB_DONE ? slab_end(slab, slab_free_held(slab, at, next)) : result;
}

weir_slab_result_t
weir_slab_free(const weir_slab_t *slab, uint64_t *at)
{
    return slab_free(slab, at, false);
}

weir_slab_result_t
weir_slab_free_first(const weir_slab_t *slab, uint64_t *at)
{
    return slab_free(slab, at, true);
}

/* A circle ends, too: what is freed twice is not there. */
weir_slab_result_t
weir_slab_free_chain(const weir_slab_t *slab, uint64_t *at)
{
    weir_slab_result_t result;

    do {                                     /* also at 0: a killed process may have left that one there */
        result = slab_free(slab, at, true);
    } while (result == WEIR_SLAB_DONE && *at != 0);
    return result;
}

/* -- looking -- */

void
weir_slab_count(const weir_slab_t *slab, weir_slab_count_t *count)
{
    *count = (weir_slab_count_t) {
        .pages = slab->n_pages, .pages_free = weir_shm_load(&slab->head->pages_free),
        .used = weir_shm_load(&slab->head->used), .blocks = weir_shm_load(&slab->head->blocks),
    };
}

/* A list is whole: each page of it is what it should be, and knows its neighbours.  How many there are; UINT64_MAX:
 * it is not. */
static uint64_t
slab_check_list(const weir_slab_t *slab, uint64_t list, uint64_t info)
{
    uint64_t n = 0, prev = 0;

    for (uint64_t number = list; number != 0; n++) {
        const slab_page_t *page = slab_page(slab, number);

        if (page == NULL || page->info != info || page->prev != prev || n > slab->n_pages) {
            return UINT64_MAX;
        }
        prev = number;
        number = page->next;
    }
    return n;
}

typedef struct { uint64_t runs[SLAB_ORDERS], rooms[18]; weir_slab_count_t count; } slab_sums_t;

/* One page or run, as its descriptor says; the pages it takes, 0: it says nonsense. */
static uint64_t
slab_check_page(const weir_slab_t *slab, uint64_t at, slab_sums_t *sums)
{
    const slab_page_t *page = &slab->pages[at];
    uint64_t           which = slab_which(page->info), what = slab_what(page->info);
    uint64_t           n = (uint64_t) 1 << (which % SLAB_ORDERS), used;

    if (what == SLAB_SMALL) {
        used = which < SLAB_CLASSES ? (uint64_t) __builtin_popcountll(page->map) : 0;
        if (used == 0 || (page->map & ~slab_full_map(which)) != 0) {
            return 0;
        }
        sums->rooms[which] += page->map != slab_full_map(which);
        sums->count.blocks += used;
        sums->count.used += used * slab_class_size(which);
        return 1;
    }
    if ((what != SLAB_FREE && what != SLAB_RUN) || which >= SLAB_ORDERS || which > slab_run_at(at, slab->n_pages)) {
        return 0;
    }
    for (uint64_t i = 1; i < n; i++) {
        if (page[i].info != SLAB_INNER) {
            return 0;
        }
    }
    sums->runs[which] += what == SLAB_FREE;
    sums->count.pages_free += what == SLAB_FREE ? n : 0;
    sums->count.blocks += what == SLAB_RUN;
    sums->count.used += what == SLAB_RUN ? n * WEIR_SLAB_PAGE : 0;
    return n;
}

/* Two free buddies would have been joined. */
static bool
slab_check_joined(const weir_slab_t *slab, uint64_t at)
{
    uint64_t info = slab->pages[at].info, buddy = at ^ (uint64_t) 1 << slab_which(info) % SLAB_ORDERS;

    return slab_what(info) != SLAB_FREE || slab_which(info) == SLAB_ORDERS - 1 || buddy >= slab->n_pages
           || slab->pages[buddy].info != info;
}

bool
weir_slab_check(const weir_slab_t *slab)
{
    const slab_head_t *head = slab->head;
    slab_sums_t        sums = { .runs = { 0 } };
    uint64_t           n;

    for (uint64_t at = 0; at < slab->n_pages; at += n) {
        n = slab_check_page(slab, at, &sums);
        if (n == 0 || !slab_check_joined(slab, at)) {
            return false;
        }
    }
    for (uint64_t i = 0; i < SLAB_ORDERS; i++) {
        if (slab_check_list(slab, head->runs[i], slab_info(SLAB_FREE, i)) != sums.runs[i]) {
            return false;
        }
    }
    for (uint64_t i = 0; i < SLAB_CLASSES; i++) {
        if (slab_check_list(slab, head->rooms[i], slab_info(SLAB_SMALL, i)) != sums.rooms[i]) {
            return false;
        }
    }
    return head->pages_free == sums.count.pages_free && head->used == sums.count.used
           && head->blocks == sums.count.blocks;
}
