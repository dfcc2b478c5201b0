/*
 * fragments_files.c - see fragments_files.h.
 */
#include "proc/master/fragments_files.h"

#include "base/arena.h"
#include "base/mem.h"
#include "conf/fragment_file.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/sys.h"
#include "os/walk.h"

#include <stdlib.h>
#include <string.h>

#define FILES_SETTLED_MS 1000                /* behind its last change a file's times tell it from another */

/* -- the list -- */

static void
files_free_one(weir_fragments_file_t *file)
{
    weir_mem_free(file->name);
    weir_mem_free(file->why);
    weir_fragment_version_unref(file->version);
}

void
weir_fragments_files_forget(weir_fragments_files_t *files)
{
    for (size_t i = 0; i < files->n; i++) {
        files_free_one(&files->at[i]);
    }
    weir_mem_free(files->at);
    *files = (weir_fragments_files_t) { .at = NULL };
}

static int
files_compare(const void *a, const void *b)
{
    return strcmp(((const weir_fragments_file_t *) a)->name, ((const weir_fragments_file_t *) b)->name);
}

static weir_fragments_file_t *
files_find(const weir_fragments_files_t *files, const char *name)
{
    const weir_fragments_file_t key = { .name = (char *) (uintptr_t) name };

    return files->n == 0 ? NULL : bsearch(&key, files->at, files->n, sizeof(key), files_compare);
}

static weir_fragments_file_t *
files_push(weir_fragments_files_t *files, weir_str_t name)
{
    weir_fragments_file_t *file;

    if (files->n == files->cap) {
        size_t                 cap = files->cap * 2 + 16;
        weir_fragments_file_t *grown = weir_mem_need(cap * sizeof(*grown));

        if (files->n != 0) {
            memcpy(grown, files->at, files->n * sizeof(*grown));
        }
        weir_mem_free(files->at);
        files->at = grown;
        files->cap = cap;
    }
    file = &files->at[files->n++];
    *file = (weir_fragments_file_t) { .name = weir_mem_need(name.len + 1) };
    memcpy(file->name, name.at, name.len);
    return file;
}

/* -- a scan -- */

typedef struct {
    const weir_fragments_files_t *before;
    weir_fragments_files_t        now;
    uint64_t                      bytes, clock_ms;       /* the wall clock */
} files_scan_t;

static bool
files_are_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size
           && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec
           && a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void
files_read(weir_fragments_file_t *file, const char *path)
{
    weir_error_t error = { .text = "" };
    weir_arena_t arena;
    weir_str_t   tree;

    weir_arena_init(&arena, 16384);
    file->is_new = true;
    if (weir_fragment_file_read(&arena, weir_str_from_z(file->name), path, &tree, &error)) {
        file->version = weir_fragment_version_create(tree);
        if (file->version == NULL) {
            (void) weir_error_set(&error, "no memory for the file \"%.300s\"", path);
        }
    }
    if (file->version == NULL) {
        file->why = weir_mem_need(sizeof(*file->why));
        *file->why = error;
    }
    weir_arena_fini(&arena);
}

static bool
files_on_file(void *data, weir_str_t name, const char *path, const struct stat *st, weir_error_t *error)
{
    files_scan_t                *scan = data;
    weir_fragments_file_t       *file;
    const weir_fragments_file_t *before;

    if (!weir_fragment_file_is_one(name)) {
        return true;
    }
    scan->bytes += (uint64_t) st->st_size;
    if (scan->bytes > WEIR_FRAGMENT_FILES_MAX) {
        return weir_error_set(error, "the files of fragments are more than %u MiB",
                              (unsigned) (WEIR_FRAGMENT_FILES_MAX >> 20));
    }
    file = files_push(&scan->now, name);
    file->seen = *st;
    file->is_settled = scan->clock_ms > (uint64_t) st->st_ctim.tv_sec * 1000
                                        + (uint64_t) st->st_ctim.tv_nsec / 1000000 + FILES_SETTLED_MS;
    before = files_find(scan->before, file->name);
    if (before == NULL || !before->is_settled || !files_are_same(&before->seen, st)) {
        files_read(file, path);
        return true;
    }
    file->version = weir_fragment_version_ref(before->version);
    if (before->why != NULL) {
        file->why = weir_mem_need(sizeof(*file->why));
        *file->why = *before->why;
    }
    return true;
}

bool
weir_fragments_files_scan(weir_fragments_files_t *files, weir_str_t folder, weir_error_t *error)
{
    files_scan_t          scan = { .before = files };
    const weir_walk_ops_t ops = { .data = &scan, .on_file = files_on_file };
    uint64_t              monotonic_ms;

    weir_sys_clock(&monotonic_ms, &scan.clock_ms);
    if (!weir_walk(folder, &ops, error)) {
        weir_fragments_files_forget(&scan.now);
        return false;
    }
    if (scan.now.n != 0) {
        qsort(scan.now.at, scan.now.n, sizeof(*scan.now.at), files_compare);
    }
    weir_fragments_files_forget(files);
    *files = scan.now;
    return true;
}

/* -- what is asked for -- */

static void
files_put(weir_fragment_table_t *table, const char *name, weir_fragment_version_t *version,
          void (*on_end)(weir_fragments_change_t *change))
{
    weir_fragments_change_t *change = weir_fragments_change_create(WEIR_FRAGMENT_OF_FILE);
    weir_fragment_item_t    *item = weir_fragments_change_add(change, weir_str_from_z(name), version);

    weir_assert(item != NULL);
    change->on_end = on_end;
    weir_fragments_ask(table, change);
}

/* A file that cannot be read: there is nothing to build. */
static void
files_refuse(const weir_fragments_file_t *file, weir_fragment_table_t *table)
{
    weir_fragment_row_t *row;

    if (!weir_fragment_name_is_good(weir_str_from_z(file->name))) {
        if (file->is_new) {
            weir_log(WEIR_LOG_ERROR, NULL, 0, "%s", file->why->text);
        }
        return;
    }
    row = weir_fragments_row(table, weir_str_from_z(file->name), WEIR_FRAGMENT_OF_FILE);
    if (row != NULL && row->from == WEIR_FRAGMENT_OF_FILE) {
        weir_fragments_refuse(table, row, NULL, file->why);
    }
}

static void
files_ask_one(const weir_fragments_file_t *file, weir_fragment_table_t *table, bool again,
              void (*on_end)(weir_fragments_change_t *change))
{
    weir_fragment_row_t *row = weir_fragments_find(table, weir_str_from_z(file->name));
    bool                 is_ours = row != NULL && row->from == WEIR_FRAGMENT_OF_FILE;

    if (file->version == NULL) {
        files_refuse(file, table);
    } else if (is_ours && row->live != NULL && row->live->digest == file->version->digest) {
        if (row->why != NULL) {
            weir_fragments_forget_refusal(table, row);
        }
    } else if (again || file->is_new || row == NULL || row->refused == NULL
               || row->refused->digest != file->version->digest)
    {
        files_put(table, file->name, weir_fragment_version_ref(file->version), on_end);
    }
}

void
weir_fragments_files_ask(const weir_fragments_files_t *files, weir_fragment_table_t *table, bool again,
                         void (*on_end)(weir_fragments_change_t *change))
{
    for (weir_list_t *at = table->changes.next, *next; at != &table->changes; at = next) {
        weir_fragments_change_t *change = weir_list_entry(at, weir_fragments_change_t, link);

        next = at->next;
        if (change->from == WEIR_FRAGMENT_OF_FILE && change->state == WEIR_FRAGMENTS_WAITS
            && !(change->is_restored && files_find(files, change->items[0].name) != NULL))
        {
            weir_fragments_change_free(change);
        }
    }
    for (size_t i = 0; i < files->n; i++) {
        files_ask_one(&files->at[i], table, again, on_end);
    }
    for (size_t i = table->n; i-- > 0;) {
        weir_fragment_row_t *row = table->rows[i];

        if (row->from == WEIR_FRAGMENT_OF_SOCKET || files_find(files, row->name) != NULL) {
            continue;
        }
        if (row->live != NULL) {
            files_put(table, row->name, NULL, on_end);
        } else {
            weir_fragments_forget_refusal(table, row);
        }
    }
}
