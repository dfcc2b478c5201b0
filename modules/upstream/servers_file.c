/*
 * servers_file.c - `servers_file PATH …`: servers of an upstream block stand in a file that is looked at while Weir
 * runs.
 *
 * The worker that asks for all looks at the file's status; one that was replaced is read at once, one that was written
 * in place when it has been the same for one look, so that it is not read half-written.  A file that cannot be read, or
 * is wrong in one place, changes nothing.
 */
#include "base/mem.h"
#include "os/sys.h"
#include "upstream/module.h"
#include "upstream/source.h"

#include <errno.h>
#include <string.h>

#define FILE_MAX_BYTES ((size_t) 8 << 20)
#define FILE_CHUNK     65536
#define FILE_INTERVAL  1000                  /* ms */
#define FILE_SOONEST   100

/* What tells a file from another, and from itself when it has changed. */
typedef struct {
    dev_t           dev;
    ino_t           ino;
    off_t           size;
    struct timespec changed;
} file_mark_t;

typedef struct {
    weir_source_t *source;
    weir_str_t     path;                     /* NUL-terminated */
    weir_msec_t    interval;
} file_t;

/* In the worker that asks. */
typedef struct {
    weir_source_run_t *run;
    const file_t      *conf;
    weir_timer_t       timer;
    file_mark_t        seen, read;           /* the last look; what was read, or tried */
    bool               is_unreadable;        /* and said so */
} file_asks_t;

typedef struct { struct { file_t **at; size_t n; } files; } file_conf_t;

/* -- in a worker -- */

static bool
file_same(const file_mark_t *a, const file_mark_t *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec
           && a->changed.tv_nsec == b->changed.tv_nsec;
}

static file_mark_t
file_mark(const struct stat *st)
{
    return (file_mark_t) { st->st_dev, st->st_ino, st->st_size, st->st_mtim };
}

static void
file_failed(const file_asks_t *file, weir_source_reason_t reason, const char *what, const char *why)
{
    weir_source_failed(file->run, reason);
    weir_log(WEIR_LOG_ERROR, NULL, 0, "the servers of upstream \"%.*s\" in %.*s %s: %s; those that are known stay",
             WEIR_STR_ARG(file->run->source->group->name), WEIR_STR_ARG(file->conf->path), what, why);
}

/* Said once until it can be read.  It may be then although it looks as it did: its rights and folders change, too. */
static void
file_unreadable(file_asks_t *file)
{
    if (!file->is_unreadable) {
        file_failed(file, WEIR_SOURCE_ABSENT, "cannot be read", strerror(errno));
    }
    file->is_unreadable = true;
    file->read = (file_mark_t) { 0 };
}

static void
file_read(file_asks_t *file)
{
    weir_arena_t       arena;
    weir_str_t         bytes;
    weir_source_list_t list;
    weir_error_t       error = { .text = "" };

    file->read = file->seen;
    weir_arena_init(&arena, FILE_CHUNK);
    if (!weir_file_read(&arena, file->conf->path.at, FILE_MAX_BYTES, &bytes)) {
        file_unreadable(file);
        weir_arena_fini(&arena);
        return;
    }
    file->is_unreadable = false;
    if (!weir_source_read(&arena, bytes, true, &list, &error)) {
        file_failed(file, WEIR_SOURCE_MALFORMED, "are not taken", error.text);
    } else {
        weir_source_give(file->run, list.at, list.n);
        weir_source_confirm(file->run);
        weir_log(WEIR_LOG_INFO, NULL, 0, "upstream \"%.*s\" has %zu servers from %.*s",
                 WEIR_STR_ARG(file->run->source->group->name), list.n, WEIR_STR_ARG(file->conf->path));
    }
    weir_arena_fini(&arena);
}

static void
file_look(file_asks_t *file)
{
    struct stat st;
    file_mark_t mark;
    bool        is_new;

    if (weir_sys_stat(file->conf->path.at, &st) != 0) {
        file_unreadable(file);
        file->seen = (file_mark_t) { 0 };
        return;
    }
    mark = file_mark(&st);
    is_new = mark.ino != file->seen.ino || mark.dev != file->seen.dev;
    if ((is_new || file_same(&mark, &file->seen)) && !file_same(&mark, &file->read)) {
        file->seen = mark;
        file_read(file);
    }
    file->seen = mark;
}

static void
file_on_timer(weir_timer_t *timer)
{
    file_asks_t *file = weir_container_of(timer, file_asks_t, timer);

    file_look(file);
    weir_timer_set(weir_source_loop(file->run), &file->timer, file->conf->interval, file_on_timer);
}

static void
file_begin(weir_source_run_t *run)
{
    file_asks_t *file = weir_mem_need(sizeof(*file));

    weir_assert(run->state == NULL);
    *file = (file_asks_t) { .run = run, .conf = run->source->owner };
    run->state = file;
    file_on_timer(&file->timer);
}

static void
file_end(weir_source_run_t *run)
{
    file_asks_t *file = run->state;

    weir_timer_drop(&file->timer);
    weir_mem_free(file);
    run->state = NULL;
}

static const weir_source_ops_t file_ops = { .begin = file_begin, .end = file_end };

/* -- the directive -- */

/* What the file says when the configuration is read: a worker begins with it. */
static void
file_load(weir_conf_t *cf, file_t *file)
{
    weir_str_t   bytes;
    weir_error_t error = { .text = "" };

    if (!weir_bundle_file(cf->bundle, file->path, &bytes, &error)
        || !weir_source_read(cf->arena, weir_str_dup(cf->arena, bytes), true, &file->source->loaded, &error))
    {
        file->source->loaded.n = 0;
        weir_conf_warn(cf, 1, "the servers in \"%.*s\" are not taken: %s", WEIR_STR_ARG(file->path), error.text);
    }
}

static bool
file_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    file_t          *file = weir_new(cf->arena, file_t);
    weir_peer_conf_t model = weir_source_default;
    weir_str_t       name, value;

    file->path = weir_conf_full_path(cf, words->at[1].text);
    file->interval.ms = FILE_INTERVAL;
    for (size_t i = 2; i < words->n; i++) {
        if (weir_str_cut(words->at[i].text, '=', &name, &value) && weir_str_eq(name, WEIR_STR("interval"))) {
            if (!weir_conf_read_msec(value, &file->interval) || file->interval.ms < FILE_SOONEST) {
                return weir_conf_invalid(cf, i, "a time of 100ms or more such as interval=5s");
            }
        } else if (!weir_upstream_read_peer(&model, words->at[i].text)) {
            return weir_conf_invalid(cf, i, "interval=TIME or a parameter of \"server\"");
        }
    }
    file->source = weir_upstream_declare(cf, weir_str_printf(cf->arena, "servers_file %.*s",
                                                             WEIR_STR_ARG(file->path)), &model);
    if (file->source == NULL) {
        return false;
    }
    file->source->ops = &file_ops;
    file->source->owner = file;
    file_load(cf, file);
    *(file_t **) weir_conf_list_push(cf, field, sizeof(file)) = file;
    return true;
}

static const weir_conf_type_t file_type = {
    .name = "file", .size = sizeof(weir_conf_list_t), .min_args = 1, .max_args = 255, .repeats = true,
    .parse = file_parse, .item = sizeof(file_t *),
};

static const weir_directive_t file_directives[] = {
    WEIR_DIRECTIVE_OF(file_conf_t, files, "servers_file", &file_type, .where = WEIR_IN_UPSTREAM,
                      .args = "path [interval=time] [weight=number] [max_fails=number] [fail_timeout=time] "
                              "[max_conns=number] [priority=number] [locality=region[/zone[/subzone]]] [backup] [down]",
                      .help = "Adds the servers that a file lists, and follows it while Weir runs."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_servers_file = {
    .name = "upstream_servers_file",
    .area = "Upstreams",
    .conf_size = sizeof(file_conf_t),
    .directives = file_directives,
};
