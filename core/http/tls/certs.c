/*
 * certs.c - certificates whose names have variables: read at the hello that asks for them, and kept for a while
 * (ssl_certificate_cache).
 *
 * Runs in workers, on the loop; files are read as the worker's user, and the read blocks, as nginx's does.  A kept one
 * is a few hundred bytes beside OpenSSL's own, and there are never more than the directive's max.
 */
#include "http/tls/conf.h"

#include "base/list.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"

#include <errno.h>

#define CERTS_FILE_MAX    (1024 * 1024)
#define CERTS_BUCKETS_MAX 4096

typedef struct {
    weir_list_t         by_key, by_use;
    weir_str_t          key;
    weir_tls_context_t *context;
    weir_instant_t      used, loaded;
} certs_entry_t;

struct weir_http_tls_certs {
    weir_list_t  by_use;              /* latest first */
    size_t       n, n_buckets;
    uint64_t     seed;
    weir_list_t  buckets[];
};

/* -- what is kept -- */

static weir_http_tls_certs_t *
certs_create(uint32_t max)
{
    size_t n = 16;
    weir_http_tls_certs_t *certs;

    while (n < max && n < CERTS_BUCKETS_MAX) {
        n *= 2;
    }
    certs = weir_mem_try(sizeof(*certs) + sizeof(weir_list_t) * n);
    if (certs == NULL) {
        return NULL;
    }
    memset(certs, 0, sizeof(*certs));
    certs->n_buckets = n;
    weir_list_init(&certs->by_use);
    certs->seed = weir_random_seed(certs);
    for (size_t i = 0; i < n; i++) {
        weir_list_init(&certs->buckets[i]);
    }
    return certs;
}

static weir_list_t *
certs_bucket(weir_http_tls_certs_t *certs, weir_str_t key)
{
    weir_assert((certs->n_buckets & (certs->n_buckets - 1)) == 0);     /* a power of two */
    return &certs->buckets[weir_str_hash(key, certs->seed) & (certs->n_buckets - 1)];
}

static void
certs_drop(weir_http_tls_certs_t *certs, certs_entry_t *entry)
{
    weir_assert(certs->n > 0);
    weir_list_remove(&entry->by_key);
    weir_list_remove(&entry->by_use);
    weir_tls_context_unref(entry->context);
    weir_mem_wipe(entry + 1, entry->key.len);       /* "data:" keys are in it */
    weir_mem_free(entry);
    certs->n--;
}

static certs_entry_t *
certs_find(weir_http_tls_certs_t *certs, weir_str_t key)
{
    weir_list_t *bucket = certs_bucket(certs, key);

    for (weir_list_t *l = bucket->next; l != bucket; l = l->next) {
        certs_entry_t *entry = weir_list_entry(l, certs_entry_t, by_key);
        if (weir_str_eq(entry->key, key)) {
            return entry;
        }
    }
    return NULL;
}

static void
certs_drop_unused(weir_http_tls_certs_t *certs, const weir_http_tls_cache_t *limits, weir_instant_t now)
{
    while (!weir_list_empty(&certs->by_use)) {
        certs_entry_t *oldest = weir_list_entry(certs->by_use.prev, certs_entry_t, by_use);
        if (certs->n < limits->max && now.ms - oldest->used.ms <= limits->inactive.ms) {
            return;
        }
        certs_drop(certs, oldest);
    }
}

/* The context's reference is taken over.  No memory: it is not kept. */
static bool
certs_keep(weir_http_tls_certs_t *certs, weir_str_t key, weir_tls_context_t *context, weir_instant_t now)
{
    certs_entry_t *entry = weir_mem_try(sizeof(*entry) + key.len);

    if (entry == NULL) {
        return false;
    }
    memcpy(entry + 1, key.at, key.len);
    *entry = (certs_entry_t){
        .key = { (const char *) (entry + 1), key.len }, .context = context, .used = now, .loaded = now
    };
    weir_assert(context != NULL);
    weir_list_push(certs_bucket(certs, entry->key), &entry->by_key);
    weir_list_push(&certs->by_use, &entry->by_use);
    certs->n++;
    return true;
}

static weir_tls_context_t *
certs_use(weir_http_tls_certs_t *certs, const weir_http_tls_cache_t *limits, weir_str_t key, weir_instant_t now)
{
    certs_entry_t *entry = certs_find(certs, key);

    if (entry == NULL) {
        return NULL;
    }
    if (now.ms - entry->loaded.ms > limits->valid.ms || now.ms - entry->used.ms > limits->inactive.ms) {
        certs_drop(certs, entry);
        return NULL;
    }
    entry->used = now;
    weir_list_remove(&entry->by_use);
    weir_list_push(&certs->by_use, &entry->by_use);
    return entry->context;
}

void
weir_http_tls_certs_free(weir_http_tls_t *tls)
{
    weir_http_tls_certs_t *certs = tls->runs->certs;

    tls->runs->certs = NULL;
    while (certs != NULL && !weir_list_empty(&certs->by_use)) {
        weir_assert(certs->n != 0);
        certs_drop(certs, weir_list_entry(certs->by_use.next, certs_entry_t, by_use));
    }
    weir_mem_free(certs);
}

/* -- reading -- */

static bool
certs_is_data(weir_str_t name)
{
    return weir_str_starts(name, WEIR_STR("data:"));
}

/* What a client says is in the path: it must not lead out of where it was meant to be. */
static bool
certs_path_is_safe(weir_str_t path)
{
    weir_str_t segment;

    if (path.len == 0 || memchr(path.at, '\0', path.len) != NULL) {
        return false;
    }
    while (path.len != 0) {
        (void) weir_str_cut(path, '/', &segment, &path);
        if (weir_str_eq(segment, WEIR_STR(".."))) {
            return false;
        }
    }
    return true;
}

static bool
certs_read(const weir_http_tls_t *tls, weir_str_t name, weir_arena_t *arena, weir_tls_file_t *file)
{
    weir_str_t path = name;

    if (certs_is_data(name)) {
        *file = (weir_tls_file_t) { WEIR_STR("data:"), weir_str_skip(name, sizeof("data:") - 1) };
        return true;
    }
    if (!certs_path_is_safe(name)) {
        weir_log(WEIR_LOG_ERROR, NULL, 0, "cannot load certificate or key \"%.*s\": not a path", WEIR_STR_ARG(name));
        return false;
    }
    if (path.at[0] != '/') {
        path = weir_str_concat(arena, tls->folder, path);
    }
    file->name = path;
    if (!weir_file_read(arena, weir_str_to_z(arena, path), CERTS_FILE_MAX, &file->bytes)) {
        weir_log(WEIR_LOG_ERROR, NULL, errno, "cannot load certificate or key \"%.*s\"", WEIR_STR_ARG(path));
        return false;
    }
    return true;
}

static void
certs_wipe(weir_tls_pair_t *pair)
{
    if (pair->key.bytes.len != 0 && !certs_is_data(pair->key.name)) {
        weir_mem_wipe((void *) (uintptr_t) pair->key.bytes.at, pair->key.bytes.len);
    }
}

/* A reference; NULL: logged. */
static weir_tls_context_t *
certs_load(const weir_http_tls_t *tls, const weir_str_t *names, weir_arena_t *arena)
{
    size_t n = tls->conf->certificates.n;
    weir_tls_pair_t *pairs = weir_new_n(arena, weir_tls_pair_t, n);
    weir_tls_context_t *context = NULL;
    weir_error_t error = { .text = "" };
    size_t i, has = 0;

    weir_assert(tls->is_dynamic && tls->conf->keys.n >= n);
    for (i = 0; i < n; i++) {
        if (names[2 * i].len == 0 && tls->may_have_none) {
            continue;
        }
        if (!certs_read(tls, names[2 * i], arena, &pairs[has].certificate)
            || !certs_read(tls, names[2 * i + 1], arena, &pairs[has].key))
        {
            break;
        }
        has++;
    }
    if (i == n) {
        context = weir_tls_context_with_pairs(tls->context, pairs, has, &error);
        if (context == NULL) {
            weir_log(WEIR_LOG_ERROR, NULL, 0, "%s", error.text);
        }
    }
    for (i = 0; i < has; i++) {
        certs_wipe(&pairs[i]);
    }
    return context;
}

/* The names as they are for this hello: certificate, key, certificate, key …; and all of them in one text. */
static weir_str_t
certs_names(const weir_http_tls_t *tls, weir_request_t *req, weir_str_t *names)
{
    const weir_http_tls_conf_t *conf = tls->conf;
    size_t len = 0, n = conf->certificates.n;
    char *text, *at;

    for (size_t i = 0; i < n; i++) {
        names[2 * i] = weir_request_eval(req, conf->certificates.at[i].name);
        names[2 * i + 1] = weir_request_eval(req, conf->keys.at[i].name);
        len += names[2 * i].len + names[2 * i + 1].len + 2;
    }
    text = at = weir_alloc_bytes(&req->arena, len);
    for (size_t i = 0; i < 2 * n; i++) {
        memcpy(at, names[i].len != 0 ? names[i].at : "", names[i].len);
        at += names[i].len;
        *at++ = '\0';
    }
    weir_assert((size_t) (at - text) == len);
    return weir_str(text, len);
}

static bool
certs_are_none(const weir_str_t *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (names[2 * i].len != 0) {
            return false;
        }
    }
    return true;
}

weir_tls_context_t *
weir_http_tls_load(weir_http_tls_t *tls, weir_request_t *req)
{
    const weir_http_tls_cache_t *limits = &tls->conf->certificate_cache;
    weir_str_t *names = weir_new_n(&req->arena, weir_str_t, 2 * tls->conf->certificates.n);
    weir_str_t key = certs_names(tls, req, names);
    weir_instant_t now = weir_clock_now();
    weir_tls_context_t *context = NULL;

    if (tls->may_have_none && certs_are_none(names, tls->conf->certificates.n)) {
        return tls->context;
    }
    if (limits->max != 0 && tls->runs->certs == NULL) {
        tls->runs->certs = certs_create(limits->max);
    }
    if (tls->runs->certs != NULL) {
        context = certs_use(tls->runs->certs, limits, key, now);
        if (context != NULL) {
            return context;
        }
        certs_drop_unused(tls->runs->certs, limits, now);
    }
    context = certs_load(tls, names, &req->arena);
    if (context != NULL && (tls->runs->certs == NULL || !certs_keep(tls->runs->certs, key, context, now))) {
        weir_tls_context_unref(tls->runs->held);
        tls->runs->held = context;
    }
    return context;
}
