/*
 * zone.c - see zone.h.  Runs in every process; one small allocation a zone beside its memory.
 */
#define _GNU_SOURCE 1

#include "shm/zone.h"

#include "base/list.h"
#include "base/mem.h"
#include "log/log.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ZONE_MAGIC 0x57656972207a6f6fu
#define ZONE_KIND  32
#define ZONE_NAME  128
#define ZONE_MAX   ((uint64_t) 1 << 40)

typedef struct {
    uint64_t magic, size;
    uint32_t layout, unused;
    char     kind[ZONE_KIND], name[ZONE_NAME];
} zone_head_t;

_Static_assert(sizeof(zone_head_t) <= WEIR_ZONE_HEAD, "the head fits");

struct weir_zone {
    weir_list_t link;
    uint32_t    refs;
    uint32_t    layout;
    int         fd;                                  /* -1 in a worker, which hands nothing on */
    bool        adopted;                             /* no configuration took it yet */
    uint64_t    inode;                               /* of the memfd: two zones of one label may be there for a while */
    uint64_t    size;
    void       *memory;                              /* the head's */
    const weir_zone_kind_t *what;                    /* NULL until it is taken */
    char        kind[ZONE_KIND], name[ZONE_NAME];    /* NUL-terminated */
};

static pthread_mutex_t zone_lock = PTHREAD_MUTEX_INITIALIZER;
static weir_list_t     zone_all = { &zone_all, &zone_all };
static bool            zone_may_make = true;

/* -- one zone; the lock is held -- */

static bool
zone_is(const weir_zone_t *zone, const weir_zone_id_t *id)
{
    return strcmp(zone->kind, id->kind->name) == 0 && weir_str_eq(weir_str_from_z(zone->name), id->name)
           && zone->size == id->size && zone->layout == id->kind->layout;
}

/* The newest one: an older one is there for a generation that still serves, of before its name was gone for a while. */
static weir_zone_t *
zone_find(const weir_zone_id_t *id)
{
    for (weir_list_t *l = zone_all.prev; l != &zone_all; l = l->prev) {
        weir_zone_t *zone = weir_list_entry(l, weir_zone_t, link);
        if (zone_is(zone, id)) {
            return zone;
        }
    }
    return NULL;
}

static void
zone_destroy(weir_zone_t *zone)
{
    weir_assert(zone->refs == 0);
    weir_list_remove(&zone->link);
    if (zone->memory != NULL) {
        (void) weir_sys_unmap(zone->memory, WEIR_ZONE_HEAD + (size_t) zone->size);
    }
    if (zone->fd >= 0) {
        (void) weir_sys_close(zone->fd);
    }
    weir_mem_free(zone);
}

static uint64_t
zone_inode(int fd)
{
    struct stat st;

    return weir_sys_fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* fd is taken over.  NULL: errno. */
static weir_zone_t *
zone_map(const weir_zone_id_t *id, int fd)
{
    weir_zone_t *zone = weir_mem_need(sizeof(*zone));

    weir_assert(fd >= 0 && id->size != 0 && id->size <= ZONE_MAX && id->name.len < sizeof(zone->name));
    zone->fd = fd;
    zone->inode = zone_inode(fd);
    zone->size = id->size;
    zone->layout = id->kind->layout;
    memcpy(zone->kind, id->kind->name, strlen(id->kind->name));
    memcpy(zone->name, id->name.at != NULL ? id->name.at : "", id->name.len);
    weir_list_append(&zone_all, &zone->link);
    zone->memory = weir_sys_map_shared(fd, WEIR_ZONE_HEAD + (size_t) id->size);
    if (zone->memory == NULL) {
        int error = errno;
        zone_destroy(zone);
        errno = error;
        return NULL;
    }
    return zone;
}

static void
zone_write_head(weir_zone_t *zone)
{
    zone_head_t *head = zone->memory;

    weir_assert(head->magic != ZONE_MAGIC);
    head->size = zone->size;
    head->layout = zone->layout;
    memcpy(head->kind, zone->kind, sizeof(head->kind));
    memcpy(head->name, zone->name, sizeof(head->name));
    head->magic = ZONE_MAGIC;
}

static bool
zone_head_fits(const weir_zone_t *zone)
{
    const zone_head_t *head = zone->memory;

    return head->magic == ZONE_MAGIC && head->size == zone->size && head->layout == zone->layout
           && memcmp(head->kind, zone->kind, sizeof(head->kind)) == 0
           && memcmp(head->name, zone->name, sizeof(head->name)) == 0;
}

static weir_zone_t *
zone_make(const weir_zone_id_t *id)
{
    int fd = weir_sys_memfd(WEIR_ZONE_MEMFD), error;
    weir_zone_t *zone;

    if (fd < 0) {
        return NULL;
    }
    if (weir_sys_ftruncate(fd, (off_t) (WEIR_ZONE_HEAD + id->size)) != 0
        || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    {
        error = errno;
        (void) weir_sys_close(fd);
        errno = error;
        return NULL;
    }
    zone = zone_map(id, fd);
    if (zone != NULL) {
        zone_write_head(zone);
    }
    return zone;
}

static bool
zone_id_is_sane(const weir_zone_id_t *id)
{
    size_t len = strlen(id->kind->name);

    return len != 0 && len < ZONE_KIND && id->name.len < ZONE_NAME && id->size != 0 && id->size <= ZONE_MAX
           && strchr(id->kind->name, ' ') == NULL;
}

/* -- taking -- */

/* Of one name there was another memory, which this program or this configuration reads otherwise: never misread, but an
 * operator should know. */
static void
zone_tell_anew(const weir_zone_t *made)
{
    for (weir_list_t *l = made->link.prev; l != &zone_all; l = l->prev) {
        const weir_zone_t *zone = weir_list_entry(l, weir_zone_t, link);
        if (strcmp(zone->kind, made->kind) != 0 || strcmp(zone->name, made->name) != 0) {
            continue;
        }
        if (zone->layout != made->layout) {
            weir_log(WEIR_LOG_NOTICE, NULL, 0, "shared memory \"%s\" (%s) begins anew: its layout was %u and is %u",
                     made->name, made->kind,
                     zone->layout, made->layout);
        } else {
            weir_log(WEIR_LOG_NOTICE, NULL, 0, "shared memory \"%s\" (%s) begins anew: it had %llu bytes and has %llu",
                     made->name, made->kind,
                     (unsigned long long) zone->size, (unsigned long long) made->size);
        }
        return;
    }
}

static weir_zone_t *
zone_take_locked(const weir_zone_id_t *id, weir_error_t *error)
{
    weir_zone_t *zone = zone_find(id);

    if (zone == NULL && !zone_may_make) {
        (void) weir_error_set(error, "the shared memory \"%.*s\" did not come from the master process",
                              WEIR_STR_ARG(id->name));
        return NULL;
    }
    if (zone == NULL) {
        zone = zone_make(id);
        if (zone != NULL) {
            zone_tell_anew(zone);
        }
    }
    if (zone == NULL) {
        (void) weir_error_set(error, "shared memory \"%.*s\" of %llu bytes cannot be made (%d: %s)",
                              WEIR_STR_ARG(id->name),
                              (unsigned long long) id->size, errno, strerror(errno));
        return NULL;
    }
    weir_assert(zone->memory != NULL && zone->refs < UINT32_MAX);
    zone->adopted = false;
    zone->what = id->kind;
    zone->refs++;
    return zone;
}

weir_zone_t *
weir_zone_take(const weir_zone_id_t *id, weir_error_t *error)
{
    weir_zone_t *zone;

    if (!zone_id_is_sane(id)) {
        (void) weir_error_set(error, "\"%.*s\" with %llu bytes cannot be a shared memory", WEIR_STR_ARG(id->name),
                              (unsigned long long) id->size);
        return NULL;
    }
    (void) pthread_mutex_lock(&zone_lock);
    zone = zone_take_locked(id, error);
    (void) pthread_mutex_unlock(&zone_lock);
    return zone;
}

void
weir_zone_give_back(weir_zone_t *zone)
{
    (void) pthread_mutex_lock(&zone_lock);
    weir_assert(zone->refs > 0);
    if (--zone->refs == 0) {
        zone_destroy(zone);
    }
    (void) pthread_mutex_unlock(&zone_lock);
}

void *
weir_zone_memory(const weir_zone_t *zone)
{
    weir_assert(zone->memory != NULL && zone->refs > 0);
    return (char *) zone->memory + WEIR_ZONE_HEAD;
}

uint64_t
weir_zone_size(const weir_zone_t *zone)
{
    return zone->size;
}

void
weir_zones_may_make(bool yes)
{
    zone_may_make = yes;
    for (weir_list_t *l = zone_all.next; !yes && l != &zone_all; l = l->next) {
        weir_zone_t *zone = weir_list_entry(l, weir_zone_t, link);
        if (zone->fd >= 0) {
            (void) weir_sys_close(zone->fd);
            zone->fd = -1;
        }
    }
}

void
weir_zones_fold(uint32_t slot)
{
    (void) pthread_mutex_lock(&zone_lock);
    for (weir_list_t *l = zone_all.next; l != &zone_all; l = l->next) {
        weir_zone_t *zone = weir_list_entry(l, weir_zone_t, link);
        if (zone->what != NULL && zone->what->fold != NULL) {
            zone->what->fold(weir_zone_memory(zone), zone->size, slot);
        }
    }
    (void) pthread_mutex_unlock(&zone_lock);
}

void
weir_zones_each_saved(void (*each)(void *data, const weir_zone_kind_t *kind, weir_str_t name, void *memory,
                                   uint64_t size), void *data)
{
    (void) pthread_mutex_lock(&zone_lock);
    for (weir_list_t *l = zone_all.next; l != &zone_all; l = l->next) {
        weir_zone_t *zone = weir_list_entry(l, weir_zone_t, link);
        if (zone->what != NULL && zone->what->saved != NULL) {
            each(data, zone->what, weir_str_from_z(zone->name), weir_zone_memory(zone), zone->size);
        }
    }
    (void) pthread_mutex_unlock(&zone_lock);
}

bool
weir_zones_are_made_here(void)
{
    return zone_may_make;
}

/* -- the hand-over: a label is "KIND SIZE LAYOUT NAME" -- */

void
weir_zones_each(void (*each)(void *data, weir_str_t label, int fd), void *data)
{
    char label[ZONE_KIND + ZONE_NAME + 48];
    int len;

    (void) pthread_mutex_lock(&zone_lock);
    for (weir_list_t *l = zone_all.next; l != &zone_all; l = l->next) {
        const weir_zone_t *zone = weir_list_entry(l, weir_zone_t, link);
        len = snprintf(label, sizeof(label), "%s %llu %u %s", zone->kind, (unsigned long long) zone->size, zone->layout,
                       zone->name);
        each(data, weir_str(label, (size_t) len), zone->fd);
    }
    (void) pthread_mutex_unlock(&zone_lock);
}

void
weir_zones_look(void (*each)(void *data, const weir_zone_kind_t *kind, weir_str_t kind_name, weir_str_t name,
                             const void *memory, uint64_t size), void *data)
{
    (void) pthread_mutex_lock(&zone_lock);
    for (weir_list_t *l = zone_all.next; l != &zone_all; l = l->next) {
        const weir_zone_t *zone = weir_list_entry(l, weir_zone_t, link);

        each(data, zone->what, weir_str_from_z(zone->kind), weir_str_from_z(zone->name), weir_zone_memory(zone),
             zone->size);
    }
    (void) pthread_mutex_unlock(&zone_lock);
}

/* The kind's name is copied to room of ZONE_KIND bytes. */
static bool
zone_read_label(weir_str_t label, weir_zone_id_t *id, weir_zone_kind_t *kind, char *room)
{
    weir_str_t name, size, layout;
    uint64_t number;

    if (!weir_str_cut(label, ' ', &name, &label) || name.len >= ZONE_KIND || !weir_str_cut(label, ' ', &size, &label)
        || !weir_str_cut(label, ' ', &layout, &id->name) || !weir_str_to_u64(size, &id->size)
        || !weir_str_to_u64(layout, &number) || number > UINT32_MAX)
    {
        return false;
    }
    memcpy(room, name.at, name.len);
    room[name.len] = '\0';
    *kind = (weir_zone_kind_t) { .name = room, .layout = (uint32_t) number };
    id->kind = kind;
    return zone_id_is_sane(id);
}

static bool
zone_fd_has(int fd, uint64_t size)
{
    struct stat st;

    return weir_sys_fstat(fd, &st) == 0 && st.st_size >= 0 && (uint64_t) st.st_size == WEIR_ZONE_HEAD + size;
}

void
weir_zones_adopt(weir_str_t label, int fd)
{
    char room[ZONE_KIND];
    weir_zone_kind_t kind;
    weir_zone_id_t id;
    weir_zone_t *zone = NULL;

    weir_assert(fd >= 0);
    (void) pthread_mutex_lock(&zone_lock);
    if (!zone_read_label(label, &id, &kind, room) || !zone_fd_has(fd, id.size)
        || ((zone = zone_find(&id)) != NULL && zone->inode == zone_inode(fd)))
    {
        (void) weir_sys_close(fd);
    } else if ((zone = zone_map(&id, fd)) != NULL) {
        if (!zone_may_make) {
            (void) weir_sys_close(zone->fd);
            zone->fd = -1;
        }
        zone->adopted = true;
        if (!zone_head_fits(zone)) {
            zone_destroy(zone);
        }
    }
    (void) pthread_mutex_unlock(&zone_lock);
}

void
weir_zones_drop_unused(void)
{
    weir_list_t *next;

    (void) pthread_mutex_lock(&zone_lock);
    for (weir_list_t *l = zone_all.next; l != &zone_all; l = next) {
        weir_zone_t *zone = weir_list_entry(l, weir_zone_t, link);
        next = l->next;
        if (zone->refs == 0 && zone->adopted) {
            zone_destroy(zone);
        }
    }
    (void) pthread_mutex_unlock(&zone_lock);
}

/* -- looking at others' -- */

bool
weir_zone_read_head(const void *memory, weir_zone_head_t *out)
{
    const zone_head_t *head = memory;

    if (head->magic != ZONE_MAGIC || memchr(head->kind, '\0', sizeof(head->kind)) == NULL
        || memchr(head->name, '\0', sizeof(head->name)) == NULL || head->size == 0 || head->size > ZONE_MAX)
    {
        return false;
    }
    *out = (weir_zone_head_t) { weir_str_from_z(head->kind), weir_str_from_z(head->name), head->size, head->layout };
    return true;
}
