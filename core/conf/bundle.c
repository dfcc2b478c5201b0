/*
 * bundle.c - what a configuration read from the world, by kind and key: recorded in the master, replayed in workers.
 *
 * An entry's value is bytes in the form in which it travels; lists and addresses are decoded once, when the entry is
 * made.  Everything is in the bundle's arena.  What arrives through a descriptor is checked before it is believed.
 */
#define _GNU_SOURCE 1

#include "conf/bundle.h"

#include "base/array.h"
#include "base/mem.h"
#include "conf/wire.h"
#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUNDLE_FILE_MAX   ((size_t) 64 * 1024 * 1024)
#define BUNDLE_CHUNK      ((size_t) 64 * 1024)
#define BUNDLE_MAX_GROUPS 4096

static weir_bundle_t *
bundle_create(bool replay)
{
    weir_bundle_t *bundle = weir_mem_need(sizeof(*bundle));

    weir_arena_init(&bundle->arena, BUNDLE_CHUNK);
    bundle->replay = replay;
    bundle->end = &bundle->first;
    return bundle;
}

weir_bundle_t *
weir_bundle_create(void)
{
    return bundle_create(false);
}

weir_bundle_t *
weir_bundle_create_replay(void)
{
    return bundle_create(true);
}

void
weir_bundle_destroy(weir_bundle_t *bundle)
{
    if (bundle != NULL) {
        weir_arena_fini(&bundle->arena);
        weir_mem_free(bundle);
    }
}

bool
weir_bundle_is_replay(const weir_bundle_t *bundle)
{
    return bundle->replay;
}

void
weir_bundle_look_only(weir_bundle_t *bundle)
{
    bundle->looks_only = true;
}

bool
weir_bundle_makes(const weir_bundle_t *bundle)
{
    return !bundle->replay && !bundle->looks_only;
}

/* --- entries --- */

static weir_bundle_entry_t **
bundle_bucket(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t key)
{
    return &bundle->buckets[weir_str_hash(key, (uint64_t) kind) % weir_countof(bundle->buckets)];
}

weir_bundle_entry_t *
weir_bundle_find(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t key)
{
    weir_bundle_entry_t *entry;

    for (entry = *bundle_bucket(bundle, kind, key); entry != NULL; entry = entry->chain) {
        if (entry->kind == kind && weir_str_eq(entry->key, key)) {
            return entry;
        }
    }
    return NULL;
}

weir_bundle_entry_t *
weir_bundle_add(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t key, weir_str_t value)
{
    weir_bundle_entry_t  *entry = weir_new(&bundle->arena, weir_bundle_entry_t);
    weir_bundle_entry_t **bucket = bundle_bucket(bundle, kind, key);

    *entry = (weir_bundle_entry_t) { .chain = *bucket, .kind = kind, .key = weir_str_dup(&bundle->arena, key),
                                     .value = value };
    if (!weir_wire_decode_entry(&bundle->arena, entry)) {
        return NULL;
    }
    *bucket = entry;
    *bundle->end = entry;
    bundle->end = &entry->next;
    bundle->n++;
    weir_assert(*bundle->end == NULL && bundle->first != NULL);
    return entry;
}

/* What a replay says of what the recording does not hold. */
static bool
bundle_missing(weir_error_t *error, const char *what, weir_str_t key)
{
    return weir_error_set(error, "the recorded configuration holds no %s \"%.*s\"", what, WEIR_STR_ARG(key));
}

/* --- files --- */

static bool
bundle_record_file(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t path, weir_bundle_entry_t **entry,
                   weir_error_t *error)
{
    const char *name = weir_str_to_z(&bundle->arena, path);
    weir_str_t  bytes;
    char        why[128];

    weir_assert(!bundle->replay);
    if (weir_str_find(path, '\0') != NULL || path.len == 0 || path.at[0] != '/') {
        return weir_error_set(error, "\"%s\" is not the absolute path of a file", name);
    }
    if (!weir_file_read(&bundle->arena, name, BUNDLE_FILE_MAX, &bytes)) {
        if (errno == EFBIG) {
            return weir_error_set(error, "the file \"%s\" is larger than %zu MiB", name, BUNDLE_FILE_MAX >> 20);
        }
        if (errno == EINVAL) {
            return weir_error_set(error, "\"%s\" is not a regular file", name);
        }
        return weir_error_set(error, "open() \"%s\" failed (%d: %s)", name, errno, strerror_r(errno, why, sizeof(why)));
    }
    *entry = weir_bundle_add(bundle, kind, path, bytes);
    return true;
}

static bool
bundle_file(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t path, weir_str_t *bytes, weir_error_t *error)
{
    weir_bundle_entry_t *entry = weir_fragment_source_known(bundle, kind, path);

    if (entry == NULL && bundle->replay) {
        return bundle_missing(error, "file", path);
    }
    if (entry == NULL && !bundle_record_file(bundle, kind, path, &entry, error)) {
        return false;
    }
    *bytes = entry->value;
    return true;
}

bool
weir_bundle_file(weir_bundle_t *bundle, weir_str_t path, weir_str_t *bytes, weir_error_t *error)
{
    return bundle_file(bundle, WEIR_BUNDLE_FILE, path, bytes, error);
}

bool
weir_bundle_conf(weir_bundle_t *bundle, weir_str_t path, weir_str_t *bytes, weir_error_t *error)
{
    return bundle_file(bundle, WEIR_BUNDLE_CONF, path, bytes, error);
}

void
weir_bundle_each_conf(const weir_bundle_t *bundle, void (*each)(void *data, weir_str_t path, weir_str_t bytes),
                      void *data)
{
    const weir_bundle_entry_t *entry;

    for (entry = bundle->first; entry != NULL; entry = entry->next) {
        if (entry->kind == WEIR_BUNDLE_CONF) {
            each(data, entry->key, entry->value);
        }
    }
}

/* --- globs --- */

static bool
bundle_record_glob(weir_bundle_t *bundle, weir_str_t pattern, weir_bundle_entry_t **entry, weir_error_t *error)
{
    weir_wire_t out;
    glob_t      found;
    size_t      i;
    int         rc = glob(weir_str_to_z(&bundle->arena, pattern), 0, NULL, &found);

    weir_assert(!bundle->replay);
    if (rc != 0 && rc != GLOB_NOMATCH) {
        globfree(&found);
        return weir_error_set(error, "glob() \"%.*s\" failed: %s", WEIR_STR_ARG(pattern),
                              rc == GLOB_NOSPACE ? "no memory" : "cannot be read");
    }
    weir_wire_init(&out, &bundle->arena);
    for (i = 0; rc == 0 && i < found.gl_pathc; i++) {
        weir_wire_add_str(&out, weir_str_from_z(found.gl_pathv[i]));
    }
    globfree(&found);
    *entry = weir_bundle_add(bundle, WEIR_BUNDLE_GLOB, pattern, weir_wire_text(&out));
    return true;
}

bool
weir_bundle_glob(weir_bundle_t *bundle, weir_str_t pattern, weir_strs_t *paths, weir_error_t *error)
{
    weir_bundle_entry_t *entry = weir_fragment_source_known(bundle, WEIR_BUNDLE_GLOB, pattern);

    if (entry == NULL && bundle->replay) {
        return bundle_missing(error, "file pattern", pattern);
    }
    if (entry == NULL && !bundle_record_glob(bundle, pattern, &entry, error)) {
        return false;
    }
    *paths = entry->paths;
    return true;
}

/* --- names --- */

static bool
bundle_record_name(weir_bundle_t *bundle, weir_str_t host, weir_bundle_entry_t **entry, weir_error_t *error)
{
    const char  *why = "host not found";
    weir_addrs_t addrs = weir_addr_lookup(&bundle->arena, host, 0, &why);
    weir_wire_t  out;
    size_t       i;

    weir_assert(!bundle->replay);
    if (addrs.n == 0) {
        return weir_error_set(error, "host not found: \"%.*s\": %s", WEIR_STR_ARG(host), why);
    }
    weir_wire_init(&out, &bundle->arena);
    for (i = 0; i < addrs.n; i++) {
        weir_wire_add_str(&out, weir_str((const char *) &addrs.at[i].any, addrs.at[i].len));
    }
    *entry = weir_bundle_add(bundle, WEIR_BUNDLE_NAME, host, weir_wire_text(&out));
    weir_assert(*entry != NULL);
    return true;
}

bool
weir_bundle_resolve(weir_bundle_t *bundle, weir_str_t host, weir_addrs_t *addrs, weir_error_t *error)
{
    weir_bundle_entry_t *entry = weir_fragment_source_known(bundle, WEIR_BUNDLE_NAME, host);

    if (entry == NULL && bundle->replay) {
        return bundle_missing(error, "addresses of", host);
    }
    if (entry == NULL && !bundle_record_name(bundle, host, &entry, error)) {
        return false;
    }
    *addrs = entry->addrs;
    return true;
}

/* --- users --- */

static bool
bundle_find_user(weir_bundle_t *bundle, weir_str_t user, weir_str_t group, weir_bundle_user_t *found,
                 weir_error_t *error)
{
    const char          *user_name = weir_str_to_z(&bundle->arena, user);
    const char          *group_name = weir_str_to_z(&bundle->arena, group);
    const struct passwd *pw;
    const struct group  *gr;
    int                  n = BUNDLE_MAX_GROUPS;

    weir_assert(!bundle->replay);
    errno = 0;
    pw = getpwnam(user_name);
    if (pw == NULL) {
        return weir_error_set(error, "the user \"%s\" is not known to this system", user_name);
    }
    found->uid = pw->pw_uid;
    gr = getgrnam(group_name);
    if (gr == NULL) {
        return weir_error_set(error, "the group \"%s\" is not known to this system", group_name);
    }
    found->gid = gr->gr_gid;
    found->groups = weir_alloc(&bundle->arena, sizeof(gid_t) * BUNDLE_MAX_GROUPS);
    if (getgrouplist(user_name, found->gid, found->groups, &n) < 0) {
        return weir_error_set(error, "the user \"%s\" is in more than %d groups", user_name, BUNDLE_MAX_GROUPS);
    }
    found->n_groups = (size_t) n;
    return true;
}

static bool
bundle_record_user(weir_bundle_t *bundle, weir_str_t key, weir_str_t user, weir_str_t group,
                   weir_bundle_entry_t **entry,
                   weir_error_t *error)
{
    weir_bundle_user_t found = { .ignored = geteuid() != 0 };
    weir_wire_t        out;
    size_t             i;

    weir_assert(!bundle->replay);
    if (!found.ignored && !bundle_find_user(bundle, user, group, &found, error)) {
        return false;
    }
    weir_wire_init(&out, &bundle->arena);
    weir_wire_add_u32(&out, found.ignored);
    weir_wire_add_u32(&out, found.uid);
    weir_wire_add_u32(&out, found.gid);
    for (i = 0; i < found.n_groups; i++) {
        weir_wire_add_u32(&out, found.groups[i]);
    }
    *entry = weir_bundle_add(bundle, WEIR_BUNDLE_USER, key, weir_wire_text(&out));
    weir_assert(*entry != NULL);
    return true;
}

bool
weir_bundle_user(weir_bundle_t *bundle, weir_str_t user, weir_str_t group, weir_bundle_user_t *found,
                 weir_error_t *error)
{
    weir_str_t           key;
    weir_bundle_entry_t *entry;

    group = group.len != 0 ? group : user;
    key = weir_str_printf(&bundle->arena, "%.*s:%.*s", WEIR_STR_ARG(user), WEIR_STR_ARG(group));
    entry = weir_fragment_source_known(bundle, WEIR_BUNDLE_USER, key);
    if (entry == NULL && bundle->replay) {
        return bundle_missing(error, "user", key);
    }
    if (entry == NULL && !bundle_record_user(bundle, key, user, group, &entry, error)) {
        return false;
    }
    *found = entry->user;
    return true;
}

/* --- CPUs --- */

static bool
bundle_record_cpus(weir_bundle_t *bundle, weir_bundle_entry_t **entry)
{
    uint64_t  mask[WEIR_BUNDLE_CPUS / 64] = { 0 };
    cpu_set_t set;
    long      n, i;

    weir_assert(!bundle->replay);
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        n = sysconf(_SC_NPROCESSORS_ONLN);
        for (i = 0; i < n && i < CPU_SETSIZE; i++) {
            CPU_SET((size_t) i, &set);
        }
    }
    for (i = 0; i < WEIR_BUNDLE_CPUS && i < CPU_SETSIZE; i++) {
        if (CPU_ISSET((size_t) i, &set)) {
            mask[i / 64] |= UINT64_C(1) << i % 64;
        }
    }
    mask[0] |= (uint64_t) (CPU_COUNT(&set) == 0);
    *entry = weir_bundle_add(bundle, WEIR_BUNDLE_PROCESSORS, WEIR_STR("cpus"),
                             weir_str_dup(&bundle->arena, weir_str((const char *) mask, sizeof(mask))));
    weir_assert(*entry != NULL);
    return true;
}

bool
weir_bundle_cpus(weir_bundle_t *bundle, uint64_t mask[WEIR_BUNDLE_CPUS / 64], weir_error_t *error)
{
    weir_bundle_entry_t *entry = weir_fragment_source_known(bundle, WEIR_BUNDLE_PROCESSORS, WEIR_STR("cpus"));

    if (entry == NULL && bundle->replay) {
        return bundle_missing(error, "list of", WEIR_STR("cpus"));
    }
    if (entry == NULL && !bundle_record_cpus(bundle, &entry)) {
        return false;
    }
    weir_assert(entry->value.len == sizeof(uint64_t) * (WEIR_BUNDLE_CPUS / 64));
    memcpy(mask, entry->value.at, entry->value.len);
    return true;
}

/* --- texts --- */

void
weir_bundle_put(weir_bundle_t *bundle, weir_str_t key, weir_str_t value)
{
    weir_bundle_entry_t *entry = weir_bundle_find(bundle, WEIR_BUNDLE_TEXT, key);

    value = weir_str_dup(&bundle->arena, value);
    if (entry != NULL) {
        entry->value = value;
        return;
    }
    entry = weir_bundle_add(bundle, WEIR_BUNDLE_TEXT, key, value);
    weir_assert(entry != NULL);
}

bool
weir_bundle_get(weir_bundle_t *bundle, weir_str_t key, weir_str_t *value)
{
    weir_bundle_entry_t *entry = weir_bundle_find(bundle, WEIR_BUNDLE_TEXT, key);

    if (entry != NULL) {
        *value = entry->value;
    }
    return entry != NULL;
}

/* --- fragments --- */

void
weir_bundle_put_fragment(weir_bundle_t *bundle, const weir_fragment_t *fragment)
{
    weir_bundle_entry_t *entry = weir_bundle_find(bundle, WEIR_BUNDLE_FRAGMENT, fragment->name);
    weir_str_t           tree = weir_str_dup(&bundle->arena, fragment->tree);

    weir_assert(weir_fragment_name_is_good(fragment->name) && !weir_bundle_is_replay(bundle));
    if (entry != NULL) {
        entry->value = tree;
        return;
    }
    entry = weir_bundle_add(bundle, WEIR_BUNDLE_FRAGMENT, fragment->name, tree);
    weir_assert(entry != NULL);
}

static int
bundle_compare_names(const void *a, const void *b)
{
    weir_str_t x = ((const weir_fragment_t *) a)->name, y = ((const weir_fragment_t *) b)->name;
    int        order = memcmp(x.at, y.at, weir_min(x.len, y.len));

    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

weir_fragments_t
weir_bundle_fragments(const weir_bundle_t *bundle, weir_arena_t *arena)
{
    const weir_bundle_entry_t *entry;
    weir_array_t               list;

    weir_array_init(&list, arena, sizeof(weir_fragment_t), 0);
    for (entry = bundle->first; entry != NULL; entry = entry->next) {
        if (entry->kind == WEIR_BUNDLE_FRAGMENT) {
            *(weir_fragment_t *) weir_array_push(&list) = (weir_fragment_t) {
                .name = entry->key, .tree = entry->value, .digest = weir_fragment_digest(entry->value),
            };
        }
    }
    if (list.n > 1) {
        qsort(list.at, list.n, sizeof(weir_fragment_t), bundle_compare_names);
    }
    return (weir_fragments_t) { list.at, list.n };
}
