/*
 * store.c - see store.h.  Runs in workers; the file lives in client_body_temp_path or proxy_temp_path.
 */
#include "http/filter/store.h"

#include "base/mem.h"
#include "os/file.h"
#include "os/sys.h"

#include <string.h>

void
weir_store_init(weir_store_t *store, size_t mem_max, uint64_t file_max, const char *dir)
{
    *store = (weir_store_t) { .mem_max = mem_max, .file_max = file_max, .dir = dir, .fd = -1 };
}

void
weir_store_use_file(weir_store_t *store, weir_store_file_t *file)
{
    store->mem_max = 0;
    store->file = file;
}

bool
weir_store_make_file(weir_store_t *store)
{
    if (store->fd < 0) {
        store->fd = store->file == NULL ? weir_file_temp(store->dir)
                                        : weir_file_temp_named(store->dir, store->file->levels, store->file->name);
    }
    return store->fd >= 0;
}

void
weir_store_fini(weir_store_t *store)
{
    weir_mem_free(store->mem);
    store->mem = NULL;
    if (store->fd >= 0) {
        weir_sys_close(store->fd);
        store->fd = -1;
    }
    store->mem_len = store->mem_cap = 0;
    store->file_len = store->at = 0;
}

void
weir_store_clear(weir_store_t *store)
{
    store->mem_len = 0;
    store->file_len = store->at = 0;
}

uint64_t
weir_store_room(const weir_store_t *store)
{
    uint64_t file = store->file_max > store->file_len ? store->file_max - store->file_len : 0;

    return store->file_len != 0 ? file : (store->mem_max - store->mem_len) + file;
}

static bool
store_grow(weir_store_t *store, size_t need)
{
    size_t cap = weir_max(need, weir_min(store->mem_max, weir_max(4096, 2 * store->mem_cap)));
    char *grown;

    if (need <= store->mem_cap) {
        return true;
    }
    grown = weir_mem_try_resize(store->mem, cap);
    if (grown == NULL) {
        return false;
    }
    store->mem = grown;
    store->mem_cap = cap;
    return true;
}

static weir_io_t
store_write_file(weir_store_t *store, weir_str_t bytes)
{
    if (!weir_store_make_file(store)) {
        return WEIR_ERROR;
    }
    while (bytes.len != 0) {
        ssize_t n = weir_sys_pwrite(store->fd, bytes.at, bytes.len, (off_t) store->file_len);
        if (n <= 0) {
            return WEIR_ERROR;
        }
        store->file_len += (uint64_t) n;
        bytes = weir_str_skip(bytes, (size_t) n);
    }
    return WEIR_OK;
}

weir_io_t
weir_store_append(weir_store_t *store, weir_str_t bytes)
{
    size_t in_mem = store->file_len != 0 ? 0 : (size_t) weir_min(bytes.len, store->mem_max - store->mem_len);

    if (bytes.len > weir_store_room(store)) {
        return WEIR_AGAIN;
    }
    if (in_mem != 0) {
        if (!store_grow(store, store->mem_len + in_mem)) {
            return WEIR_ERROR;
        }
        memcpy(store->mem + store->mem_len, bytes.at, in_mem);
        store->mem_len += in_mem;
        bytes = weir_str_skip(bytes, in_mem);
    }
    return bytes.len != 0 ? store_write_file(store, bytes) : WEIR_OK;
}

weir_io_t
weir_store_read(weir_store_t *store, char *room, size_t cap, weir_str_t *bytes)
{
    if (store->at < store->mem_len) {
        size_t n = weir_min(cap, store->mem_len - store->at);
        *bytes = weir_str(store->mem + store->at, n);
        store->at += n;
        return WEIR_OK;
    }
    uint64_t offset = store->at - store->mem_len;
    if (offset >= store->file_len) {
        return WEIR_EOF;
    }
    ssize_t n = weir_sys_pread(store->fd, room, weir_min(cap, store->file_len - offset), (off_t) offset);
    if (n <= 0) {
        return WEIR_ERROR;
    }
    *bytes = weir_str(room, (size_t) n);
    store->at += (uint64_t) n;
    return WEIR_OK;
}

bool
weir_store_share(weir_store_t *copy, const weir_store_t *store)
{
    weir_store_init(copy, store->mem_len, 0, store->dir);
    if (store->mem_len != 0) {
        copy->mem = weir_mem_try(store->mem_len);
        if (copy->mem == NULL) {
            return false;
        }
        memcpy(copy->mem, store->mem, store->mem_len);
        copy->mem_len = copy->mem_cap = store->mem_len;
    }
    if (store->file_len != 0) {
        copy->fd = weir_sys_dup(store->fd);
        if (copy->fd < 0) {
            weir_store_fini(copy);
            return false;
        }
        copy->file_len = store->file_len;
    }
    return true;
}
