/*
 * bundle.h - everything that a configuration reads from the world: files, glob results, resolved names, users.
 *
 * The master records one while it checks a configuration; the bytes travel to each worker in a memfd; a worker replays
 * it, so that building a generation touches nothing but the bundle.  A replay that asks for something the recording did
 * not hold is an error, never a read.
 */
#ifndef WEIR_CONF_BUNDLE_H
#define WEIR_CONF_BUNDLE_H

#include "base/error.h"
#include "conf/fragment.h"
#include "os/addr.h"

#include <sys/types.h>

typedef struct weir_bundle weir_bundle_t;

weir_bundle_t *weir_bundle_create(void);                               /* recording */
void           weir_bundle_destroy(weir_bundle_t *bundle);

/* Texts and lists are owned by the bundle and live as long as it does. Absolute paths only. */
bool weir_bundle_file(weir_bundle_t *bundle, weir_str_t path, weir_str_t *bytes, weir_error_t *error) WEIR_MUST_USE;
bool weir_bundle_glob(weir_bundle_t *bundle, weir_str_t pattern, weir_strs_t *paths, weir_error_t *error) WEIR_MUST_USE;
bool weir_bundle_resolve(weir_bundle_t *bundle, weir_str_t host, weir_addrs_t *addrs,
                         weir_error_t *error) WEIR_MUST_USE;
/* A file of the configuration's own text, as against a certificate or a password file: those that -T prints. */
bool weir_bundle_conf(weir_bundle_t *bundle, weir_str_t path, weir_str_t *bytes, weir_error_t *error) WEIR_MUST_USE;
/* Every file of the configuration's text in the order in which they were read first. */
void weir_bundle_each_conf(const weir_bundle_t *bundle, void (*each)(void *data, weir_str_t path, weir_str_t bytes),
                           void *data);

/* The user that the workers run as.  ignored: the recorder is not root and cannot change user; the rest is not looked
 * up then. */
typedef struct {
    bool   ignored;
    uid_t  uid;
    gid_t  gid;
    gid_t *groups;                  /* supplementary, gid among them */
    size_t n_groups;
} weir_bundle_user_t;
/* An empty group is the one named like the user. */
bool weir_bundle_user(weir_bundle_t *bundle, weir_str_t user, weir_str_t group, weir_bundle_user_t *found,
                      weir_error_t *error) WEIR_MUST_USE;
/* The CPUs that the recorder may run on, as a bit mask of WEIR_BUNDLE_CPUS bits (words of 64, lowest first). */
#define WEIR_BUNDLE_CPUS 1024
bool weir_bundle_cpus(weir_bundle_t *bundle, uint64_t mask[WEIR_BUNDLE_CPUS / 64], weir_error_t *error) WEIR_MUST_USE;
bool weir_bundle_is_replay(const weir_bundle_t *bundle);
/* Of a configuration that is only looked at: nothing that it names is opened for writing or made, neither logs nor
 * folders. */
void weir_bundle_look_only(weir_bundle_t *bundle);
/* Is what the configuration names to be made?  Not in a replay: the master has. */
bool weir_bundle_makes(const weir_bundle_t *bundle);

/* A text that the recorder put in itself (the -g text, prefix, worker id…), by key. */
void weir_bundle_put(weir_bundle_t *bundle, weir_str_t key, weir_str_t value);
bool weir_bundle_get(weir_bundle_t *bundle, weir_str_t key, weir_str_t *value) WEIR_MUST_USE;

/* A fragment that the recorder puts in: copied; one of that name that is there already is replaced.  The name must be
 * good. */
void weir_bundle_put_fragment(weir_bundle_t *bundle, const weir_fragment_t *fragment);
/* All of them in the order of their names (as bytes); the list is in the arena, names and trees are the bundle's. */
weir_fragments_t weir_bundle_fragments(const weir_bundle_t *bundle, weir_arena_t *arena);

#define WEIR_BUNDLE_MEMFD "weir configuration"
/* Serialised to a sealed memfd of that name; -1 with errno. */
int            weir_wire_bundle_to_fd(const weir_bundle_t *bundle) WEIR_MUST_USE;
/* Replaying; does not close fd; NULL with *error when what is there is not a bundle (lengths are checked before
 * bytes). */
weir_bundle_t *weir_wire_bundle_from_fd(int fd, weir_error_t *error) WEIR_MUST_USE;

#endif
