/*
 * view.c - see view.h.  Runs in workers; allocates nothing but the map.
 */
#define _GNU_SOURCE 1

#include "store/view.h"

#include "os/sys.h"
#include "store/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VIEW_MAGIC    UINT32_C(0xbeefc0de)
#define VIEW_VERSION  1
#define VIEW_DEPTH    32                     /* levels of a tree: more than any has */
#define VIEW_TRIES    64                     /* looks that were overtaken */
#define VIEW_NO_PAGE  SIZE_MAX
#define VIEW_PAGE_MIN 512
#define VIEW_PAGE_MAX 65536

/* -- the format -- */

enum { VIEW_BRANCH = 1, VIEW_LEAF = 2, VIEW_RUN = 4 };               /* of a page; RUN: of several, with one head */
enum { VIEW_BIG = 1, VIEW_TABLE = 2 };       /* of a node: its data is elsewhere; its data is a table */

typedef struct {
    size_t   number;
    uint16_t unused, flags, lower, upper;    /* lower: where the row of offsets of nodes ends */
} view_head_t;

/* low, high: the size of its data; of a branch, with flags: a page */
typedef struct { uint16_t low, high, flags, key_size; } view_node_head_t;

typedef struct {
    uint32_t page_size;
    uint16_t flags, depth;
    size_t   branch_pages, leaf_pages, big_pages, entries, root;
} view_table_t;

typedef struct {
    view_head_t  head;
    uint32_t     magic, version;
    size_t       address, map_size;
    view_table_t tables[2];                  /* free pages; the table of tables */
    size_t       last_page, transaction;
} view_meta_t;

typedef struct { const unsigned char *key, *data; size_t key_size, data_size, child; unsigned flags; } view_node_t;

/* What others write meanwhile is read once. */
static uint16_t
view_u16(const unsigned char *at)
{
    return *(const volatile uint16_t *) (const void *) at;
}

static size_t
view_word(const unsigned char *at)
{
    return *(const volatile size_t *) (const void *) at;
}

/* -- pages -- */

static const unsigned char *
view_page(weir_store_view_t *view, size_t number)
{
    const unsigned char *page;

    if (view->on_page != NULL) {
        view->on_page(view->data);
    }
    if (number < 2) {
        return NULL;
    }
    if (number >= view->mapped / view->page) {
        view->is_short = true;
        return NULL;
    }
    page = view->map + number * view->page;
    return view_word(page) == number ? page : NULL;
}

/* How many nodes; 0 where it is not to be believed, too, for no page of a tree is empty. */
static unsigned
view_nodes(const weir_store_view_t *view, const unsigned char *page)
{
    unsigned lower = view_u16(page + offsetof(view_head_t, lower));

    weir_assert(view->page != 0);
    return lower < sizeof(view_head_t) || lower > view->page
           || lower % 2 != 0 ? 0 : (lower - (unsigned) sizeof(view_head_t)) / 2;
}

/* i: less than view_nodes said. */
static bool
view_node(const weir_store_view_t *view, const unsigned char *page, unsigned i, bool is_branch, view_node_t *node)
{
    size_t   at = view_u16(page + sizeof(view_head_t) + 2 * (size_t) i);
    uint16_t low, high;

    if (at < sizeof(view_head_t) || at % 2 != 0 || at + sizeof(view_node_head_t) > view->page) {
        return false;
    }
    low = view_u16(page + at + offsetof(view_node_head_t, low));
    high = view_u16(page + at + offsetof(view_node_head_t, high));
    node->flags = view_u16(page + at + offsetof(view_node_head_t, flags));
    node->key_size = view_u16(page + at + offsetof(view_node_head_t, key_size));
    node->key = page + at + sizeof(view_node_head_t);
    node->data = node->key + node->key_size;
    at += sizeof(view_node_head_t) + node->key_size;
    node->child = low | (size_t) high << 16;
    if (is_branch) {
        node->data_size = 0;
        node->child |= sizeof(size_t) > 4 ? (size_t) ((uint64_t) node->flags << 32) : 0;
    } else {
        node->data_size = (node->flags & VIEW_BIG) != 0 ? sizeof(size_t) : node->child;
    }
    return at <= view->page && node->data_size <= view->page - at;
}

static int
view_compare(weir_str_t key, const view_node_t *node)
{
    size_t shorter = weir_min(key.len, node->key_size);
    int    order = shorter != 0 ? memcmp(key.at, node->key, shorter) : 0;

    return order != 0 ? order : (key.len > node->key_size) - (key.len < node->key_size);
}

/* The last node whose key is not behind this one; of a branch the first has all that are before.  FOUND: and it is the
 * same.  BROKEN. */
static weir_store_found_t
view_search(const weir_store_view_t *view, const unsigned char *page, bool is_branch, weir_str_t key, view_node_t *node)
{
    unsigned           n = view_nodes(view, page), from = is_branch, to = n, at = 0;
    weir_store_found_t found = WEIR_STORE_MISSING;

    if (n == 0) {
        return WEIR_STORE_BROKEN;
    }
    while (from < to) {
        unsigned middle = from + (to - from) / 2;
        int      order;

        if (!view_node(view, page, middle, is_branch, node)) {
            return WEIR_STORE_BROKEN;
        }
        order = view_compare(key, node);
        if (order < 0) {
            to = middle;
            continue;
        }
        at = middle;
        if (order == 0) {
            found = WEIR_STORE_FOUND;
            break;
        }
        from = middle + 1;
    }
    return view_node(view, page, at, is_branch, node) ? found : WEIR_STORE_BROKEN;
}

/* Down the tree; *node is of its leaf when it is FOUND. */
static weir_store_found_t
view_walk(weir_store_view_t *view, size_t root, weir_str_t key, view_node_t *node)
{
    size_t number = root;

    weir_assert(view->page != 0 && view->mapped >= 2 * view->page);
    if (root == VIEW_NO_PAGE) {
        return WEIR_STORE_MISSING;
    }
    for (unsigned depth = 0; depth < VIEW_DEPTH; depth++) {
        const unsigned char *page = view_page(view, number);
        unsigned             kind = page != NULL
                                    ? view_u16(page + offsetof(view_head_t, flags)) & (VIEW_BRANCH | VIEW_LEAF) : 0;

        if (kind == VIEW_LEAF) {
            return view_search(view, page, false, key, node);
        }
        if (kind != VIEW_BRANCH || view_search(view, page, true, key, node) == WEIR_STORE_BROKEN) {
            return WEIR_STORE_BROKEN;
        }
        number = node->child;
    }
    return WEIR_STORE_BROKEN;
}

/* -- transactions -- */

static const unsigned char *
view_meta(const weir_store_view_t *view, size_t transaction)
{
    weir_assert(view->map != NULL && view->page != 0);
    return view->map + (transaction & 1) * view->page;
}

static size_t
view_newest(const weir_store_view_t *view)
{
    size_t even = view_word(view_meta(view, 0) + offsetof(view_meta_t, transaction));
    size_t odd = view_word(view_meta(view, 1) + offsetof(view_meta_t, transaction));

    return weir_max(even, odd);
}

/* Data that is too long for a leaf lies in pages of its own, one after the other; only the first has a head. */
static const unsigned char *
view_run(weir_store_view_t *view, const view_node_t *node, size_t size)
{
    const unsigned char *page;
    size_t               number, n_pages = (sizeof(view_head_t) + size + view->page - 1) / view->page;

    weir_assert(node->data_size == sizeof(number) && view->page != 0);
    memcpy(&number, node->data, sizeof(number));
    page = view_page(view, number);
    if (page == NULL || (view_u16(page + offsetof(view_head_t, flags)) & VIEW_RUN) == 0) {
        return NULL;
    }
    if (n_pages > view->mapped / view->page - number) {
        view->is_short = true;
        return NULL;
    }
    return page + sizeof(view_head_t);
}

/* Its data's first bytes; *size: how many there are. */
static weir_store_found_t
view_copy(weir_store_view_t *view, const view_node_t *node, void *record, size_t room, size_t *size)
{
    const unsigned char *data = node->data;

    *size = node->data_size;
    if ((node->flags & VIEW_TABLE) != 0) {
        return WEIR_STORE_BROKEN;
    }
    if ((node->flags & VIEW_BIG) != 0) {
        *size = node->child;
        data = view_run(view, node, *size);
        if (data == NULL) {
            return WEIR_STORE_BROKEN;
        }
    }
    memcpy(record, data, weir_min(*size, room));
    return WEIR_STORE_FOUND;
}

/* From the root of the table of tables. */
static weir_store_found_t
view_once(weir_store_view_t *view, size_t root, weir_store_table_t table, weir_str_t key, void *record, size_t room,
          size_t *size)
{
    view_node_t        node;
    weir_store_found_t found = view_walk(view, root, weir_str_from_z(weir_store_table_name(table)), &node);
    view_table_t       own;

    view->looks++;
    if (found == WEIR_STORE_MISSING && weir_store_table_is_new(table)) {
        return WEIR_STORE_MISSING;
    }
    if (found != WEIR_STORE_FOUND || (node.flags & VIEW_TABLE) == 0 || node.data_size != sizeof(own)) {
        return WEIR_STORE_BROKEN;                /* all others are there from the first transaction on */
    }
    memcpy(&own, node.data, sizeof(own));
    found = view_walk(view, own.root, key, &node);
    return found == WEIR_STORE_FOUND ? view_copy(view, &node, record, room, size) : found;
}

/* -- the map -- */

/* All whole pages that the file has now.  A larger file: only when that is mapped the smaller one goes. */
static bool
view_map(weir_store_view_t *view)
{
    struct stat file;
    size_t      bytes;
    void       *map;

    if (weir_sys_fstat(view->fd, &file) != 0 || (uint64_t) file.st_size > SIZE_MAX) {
        return false;
    }
    bytes = (size_t) file.st_size;
    bytes -= view->page != 0 ? bytes % view->page : 0;
    if (bytes < 2 * sizeof(view_meta_t) || (view->map != NULL && bytes <= view->mapped)) {
        errno = EINVAL;
        return false;
    }
    map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, view->fd, 0);
    if (map == MAP_FAILED) {
        return false;
    }
    if (view->map != NULL) {
        (void) munmap((void *) (uintptr_t) view->map, view->mapped);
    }
    view->map = map;
    view->mapped = bytes;
    return true;
}

bool
weir_store_view_begins(weir_store_view_t *view)
{
    view_meta_t meta;

    weir_assert(view->map != NULL);
    view->page = 0;
    if (view->mapped < sizeof(meta)) {
        return false;
    }
    memcpy(&meta, view->map, sizeof(meta));
    if (meta.magic != VIEW_MAGIC || meta.version != VIEW_VERSION || meta.tables[0].page_size < VIEW_PAGE_MIN
        || meta.tables[0].page_size > VIEW_PAGE_MAX || (meta.tables[0].page_size & (meta.tables[0].page_size - 1)) != 0
        || view->mapped < 2 * (size_t) meta.tables[0].page_size)
    {
        return false;
    }
    view->page = meta.tables[0].page_size;
    view->mapped -= view->mapped % view->page;
    return true;
}

bool
weir_store_view_is_whole(const weir_store_view_t *view, bool *is_removed)
{
    struct stat file;
    bool        is_known = weir_sys_fstat(view->fd, &file) == 0;

    weir_assert(view->map != NULL && view->fd >= 0);
    *is_removed = is_known && file.st_nlink == 0;
    return is_known && (uint64_t) file.st_size >= view->mapped;
}

size_t
weir_store_view_transaction(const weir_store_view_t *view)
{
    size_t transaction = view_newest(view);

    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return transaction;
}

weir_store_found_t
weir_store_view_read(weir_store_view_t *view, weir_store_table_t table, weir_str_t key, void *record, size_t room,
                     size_t *size)
{
    for (unsigned i = 0; i < VIEW_TRIES; i++) {
        size_t             transaction = view_newest(view), root;
        weir_store_found_t found;

        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        root = view_word(view_meta(view, transaction) + offsetof(view_meta_t, tables[1].root));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (view_newest(view) != transaction) {
            continue;              /* its root may be half of another's: S + 2 is written over it once S + 1 is there */
        }
        view->is_short = false;
        found = view_once(view, root, table, key, record, room, size);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (view_newest(view) - transaction > 1) {
            continue;                            /* it may have been anything */
        }
        if (found != WEIR_STORE_BROKEN || !view->is_short || view->fd < 0 || !view_map(view)) {
            return found;
        }
    }
    return WEIR_STORE_BROKEN;
}

weir_store_found_t
weir_store_view_get(weir_store_view_t *view, weir_store_table_t table, weir_str_t key, void *record, size_t size)
{
    size_t             has = 0;
    weir_store_found_t found = weir_store_view_read(view, table, key, record, size, &has);

    return found == WEIR_STORE_FOUND && has != size ? WEIR_STORE_BROKEN : found;
}

/* -- open -- */

/* A lock that says that a process has it open: no other puts another file in its place then. */
static int
view_lock(weir_store_view_t *view, const char *folder)
{
    char         path[PATH_MAX];
    struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

    weir_assert(view->lock_fd == -1);
    (void) snprintf(path, sizeof(path), "%s/" WEIR_STORE_LOCK, folder);
    view->lock_fd = weir_sys_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (view->lock_fd < 0) {
        return errno;
    }
    while (fcntl(view->lock_fd, F_OFD_SETLK, &lock) != 0) {
        if (errno != EINTR) {
            return errno == EACCES || errno == EAGAIN ? EWOULDBLOCK : errno;
        }
    }
    return 0;
}

static int
view_open(weir_store_view_t *view, const char *folder, bool *fits)
{
    char     path[PATH_MAX];
    uint32_t oldest = 0;
    int      result;

    *fits = true;
    if ((size_t) snprintf(path, sizeof(path), "%s/" WEIR_STORE_FILE, folder) >= sizeof(path)) {
        return ENAMETOOLONG;
    }
    if ((result = view_lock(view, folder)) != 0) {
        return result;
    }
    view->fd = weir_sys_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (view->fd < 0) {
        return errno;
    }
    if (!view_map(view) || !weir_store_view_begins(view)) {
        return MDB_INVALID;
    }
    switch (weir_store_view_get(view, WEIR_STORE_META, WEIR_STR(WEIR_STORE_OLDEST_KEY), &oldest, sizeof(oldest))) {
    case WEIR_STORE_BROKEN:
        return MDB_CORRUPTED;
    case WEIR_STORE_MISSING:
        return MDB_NOTFOUND;
    case WEIR_STORE_FOUND:
        *fits = oldest <= WEIR_STORE_LAYOUT;
        break;
    }
    return 0;
}

bool
weir_store_view_open(weir_store_view_t *view, const char *folder, weir_error_t *error)
{
    static const weir_store_db_t none;
    bool fits;
    int  result;

    *view = (weir_store_view_t) { .fd = -1, .lock_fd = -1, .on_page = view->on_page, .data = view->data };
    result = view_open(view, folder, &fits);
    if (result == 0 && fits) {
        return true;
    }
    weir_store_view_close(view);
    if (result == 0) {
        return weir_error_set(error,
                              "the store in \"%s\" is of another version of Weir: dump it there and load it here",
                              folder);
    }
    return weir_error_set(error, "the store in \"%s\" cannot be opened: %s", folder,
                          weir_store_strerror(&none, result));
}

void
weir_store_view_close(weir_store_view_t *view)
{
    if (view->map != NULL) {
        (void) munmap((void *) (uintptr_t) view->map, view->mapped);
        view->map = NULL;
    }
    if (view->fd >= 0) {
        (void) weir_sys_close(view->fd);
    }
    if (view->lock_fd >= 0) {
        (void) weir_sys_close(view->lock_fd);
    }
    view->fd = view->lock_fd = -1;
}
