/*
 * wire.c - a bundle as bytes: to a sealed memfd in the master, from it in a worker.
 *
 * The reader believes nothing: every length is compared with what is left before it is used, every address and list is
 * decoded before the bundle is handed out.
 */
#define _GNU_SOURCE 1

#include "conf/wire.h"

#include "base/array.h"
#include "base/buf.h"
#include "conf/fragment.h"
#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define WIRE_MAGIC    "weirbnd1"
#define WIRE_MAX      ((size_t) 1024 * 1024 * 1024)
#define WIRE_READ     ((size_t) 1024 * 1024)

/* --- values --- */

void
weir_wire_init(weir_wire_t *wire, weir_arena_t *arena)
{
    *wire = (weir_wire_t) { .arena = arena };
}

void
weir_wire_add(weir_wire_t *wire, const void *bytes, size_t len)
{
    char *room;

    if (wire->cap - wire->len < len) {
        wire->cap = (wire->cap + len) * 2;
        room = weir_alloc_bytes(wire->arena, wire->cap);
        if (wire->len != 0) {
            memcpy(room, wire->at, wire->len);
        }
        wire->at = room;
    }
    if (len != 0) {
        memcpy(wire->at + wire->len, bytes, len);
        wire->len += len;
        weir_assert(wire->len <= wire->cap);
    }
}

void
weir_wire_add_u32(weir_wire_t *wire, uint32_t value)
{
    weir_wire_add(wire, &value, sizeof(value));
}

void
weir_wire_add_str(weir_wire_t *wire, weir_str_t text)
{
    weir_assert(text.len <= UINT32_MAX);
    weir_wire_add_u32(wire, (uint32_t) text.len);
    weir_wire_add(wire, text.at, text.len);
}

weir_str_t
weir_wire_text(const weir_wire_t *wire)
{
    return weir_str(wire->at, wire->len);
}

bool
weir_wire_take(weir_str_t *from, void *to, size_t len)
{
    if (from->len < len) {
        return false;
    }
    if (len != 0) {
        memcpy(to, from->at, len);
        *from = weir_str_skip(*from, len);
    }
    return true;
}

static bool
wire_take_slice(weir_str_t *from, weir_str_t *slice, uint64_t len)
{
    if (from->len < len) {
        return false;
    }
    *slice = weir_str(from->at, (size_t) len);
    *from = weir_str_skip(*from, (size_t) len);
    return true;
}

bool
weir_wire_take_str(weir_str_t *from, weir_str_t *text)
{
    uint32_t len;

    return weir_wire_take(from, &len, sizeof(len)) && wire_take_slice(from, text, len);
}

static bool
wire_decode_paths(weir_arena_t *arena, weir_str_t from, weir_strs_t *paths)
{
    weir_array_t array;
    weir_str_t   path;

    weir_array_init(&array, arena, sizeof(weir_str_t), 0);
    while (from.len != 0) {
        if (!weir_wire_take_str(&from, &path) || path.len == 0 || weir_str_find(path, '\0') != NULL) {
            return false;
        }
        *(weir_str_t *) weir_array_push(&array) = path;
    }
    *paths = (weir_strs_t) { array.at, array.n };
    return true;
}

static bool
wire_decode_addr(weir_str_t bytes, weir_addr_t *addr)
{
    memset(addr, 0, sizeof(*addr));
    if (bytes.len != sizeof(addr->v4) && bytes.len != sizeof(addr->v6)) {
        return false;
    }
    memcpy(&addr->any, bytes.at, bytes.len);
    addr->len = (socklen_t) bytes.len;
    return addr->any.sa_family == (bytes.len == sizeof(addr->v4) ? AF_INET : AF_INET6);
}

static bool
wire_decode_addrs(weir_arena_t *arena, weir_str_t from, weir_addrs_t *addrs)
{
    weir_array_t array;
    weir_addr_t  addr;
    weir_str_t   bytes;

    weir_array_init(&array, arena, sizeof(weir_addr_t), 0);
    while (from.len != 0) {
        if (!weir_wire_take_str(&from, &bytes) || !wire_decode_addr(bytes, &addr)) {
            return false;
        }
        *(weir_addr_t *) weir_array_push(&array) = addr;
    }
    *addrs = (weir_addrs_t) { array.at, array.n };
    return array.n != 0;
}

static bool
wire_decode_user(weir_arena_t *arena, weir_str_t from, weir_bundle_user_t *user)
{
    uint32_t ignored, uid, gid, group;
    size_t   i;

    if (!weir_wire_take(&from, &ignored, sizeof(ignored)) || !weir_wire_take(&from, &uid, sizeof(uid))
        || !weir_wire_take(&from, &gid, sizeof(gid)) || from.len % sizeof(group) != 0 || ignored > 1)
    {
        return false;
    }
    *user = (weir_bundle_user_t) { .ignored = ignored == 1, .uid = uid, .gid = gid,
                                   .n_groups = from.len / sizeof(group) };
    user->groups = weir_new_n(arena, gid_t, user->n_groups + 1);
    for (i = 0; weir_wire_take(&from, &group, sizeof(group)); i++) {
        user->groups[i] = group;
    }
    return true;
}

bool
weir_wire_decode_entry(weir_arena_t *arena, weir_bundle_entry_t *entry)
{
    switch (entry->kind) {
    case WEIR_BUNDLE_CONF: case WEIR_BUNDLE_FILE: case WEIR_BUNDLE_TEXT:
        return true;
    case WEIR_BUNDLE_GLOB:
        return wire_decode_paths(arena, entry->value, &entry->paths);
    case WEIR_BUNDLE_NAME:
        return wire_decode_addrs(arena, entry->value, &entry->addrs);
    case WEIR_BUNDLE_USER:
        return wire_decode_user(arena, entry->value, &entry->user);
    case WEIR_BUNDLE_FRAGMENT:
        return weir_fragment_name_is_good(entry->key);
    case WEIR_BUNDLE_PROCESSORS:
        return entry->value.len == WEIR_BUNDLE_CPUS / 8;
    default:
        return false;
    }
}

/* --- writing --- */

static bool
wire_write_entry(int fd, const weir_bundle_entry_t *entry)
{
    char       head[20];
    weir_buf_t buf;
    uint32_t   kind = (uint32_t) entry->kind;
    uint64_t   lens[2] = { entry->key.len, entry->value.len };

    weir_buf_init(&buf, head, sizeof(head));
    weir_buf_add(&buf, (const char *) &kind, sizeof(kind));
    weir_buf_add(&buf, (const char *) lens, sizeof(lens));
    return weir_file_write_all(fd, weir_buf_str(&buf)) && weir_file_write_all(fd, entry->key)
           && weir_file_write_all(fd, entry->value);
}

static bool
wire_write(int fd, const weir_bundle_t *bundle)
{
    const weir_bundle_entry_t *entry;
    uint32_t                   count = (uint32_t) bundle->n;

    if (!weir_file_write_all(fd, WEIR_STR(WIRE_MAGIC))
        || !weir_file_write_all(fd, weir_str((const char *) &count, sizeof(count))))
    {
        return false;
    }
    for (entry = bundle->first; entry != NULL; entry = entry->next) {
        if (!wire_write_entry(fd, entry)) {
            return false;
        }
    }
    return true;
}

int
weir_wire_bundle_to_fd(const weir_bundle_t *bundle)
{
    int fd = weir_sys_memfd(WEIR_BUNDLE_MEMFD), saved;

    if (fd < 0) {
        return -1;
    }
    if (wire_write(fd, bundle) && fcntl(fd, F_ADD_SEALS,
                                        F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
    {
        return fd;
    }
    saved = errno;
    (void) weir_sys_close(fd);
    errno = saved;
    return -1;
}

/* --- reading --- */

static bool
wire_read(weir_arena_t *arena, int fd, weir_str_t *bytes, weir_error_t *error)
{
    struct stat st;
    ssize_t     n = 1;
    size_t      len, at;
    char       *room;

    if (weir_sys_fstat(fd, &st) != 0 || st.st_size < 0 || (uint64_t) st.st_size > WIRE_MAX) {
        return weir_error_set(error, "the recorded configuration cannot be read: the size of the file is not possible");
    }
    len = (size_t) st.st_size;
    room = weir_try_alloc(arena, len + 1);
    if (room == NULL) {
        return weir_error_set(error, "the recorded configuration cannot be read: no memory for %zu bytes", len);
    }
    for (at = 0; at < len && n > 0; at += (size_t) n) {
        n = weir_sys_pread(fd, room + at, (size_t) weir_min(len - at, WIRE_READ), (off_t) at);
        if (n < 0) {
            return weir_error_set(error, "the recorded configuration cannot be read: error %d", errno);
        }
    }
    *bytes = weir_str(room, at);
    return true;
}

static bool
wire_parse_entry(weir_bundle_t *bundle, weir_str_t *from)
{
    uint32_t   kind;
    uint64_t   lens[2];
    weir_str_t key, value;

    return weir_wire_take(from, &kind, sizeof(kind)) && weir_wire_take(from, lens, sizeof(lens))
           && wire_take_slice(from, &key, lens[0]) && wire_take_slice(from, &value, lens[1])
           && kind > 0 && kind < WEIR_BUNDLE_KINDS
           && weir_bundle_add(bundle, (weir_bundle_kind_t) kind, key, value) != NULL;
}

static bool
wire_parse(weir_bundle_t *bundle, weir_str_t from)
{
    weir_str_t magic;
    uint32_t   count;

    if (!wire_take_slice(&from, &magic, sizeof(WIRE_MAGIC) - 1) || !weir_str_eq(magic, WEIR_STR(WIRE_MAGIC))
        || !weir_wire_take(&from, &count, sizeof(count)))
    {
        return false;
    }
    while (count-- > 0) {
        if (!wire_parse_entry(bundle, &from)) {
            return false;
        }
    }
    return from.len == 0;
}

weir_bundle_t *
weir_wire_bundle_from_fd(int fd, weir_error_t *error)
{
    weir_bundle_t *bundle = weir_bundle_create_replay();
    weir_str_t     bytes = WEIR_STR_NONE;

    if (wire_read(&bundle->arena, fd, &bytes, error)) {
        if (wire_parse(bundle, bytes)) {
            return bundle;
        }
        (void) weir_error_set(error, "the recorded configuration is damaged");
    }
    weir_bundle_destroy(bundle);
    return NULL;
}
