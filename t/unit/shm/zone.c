/*
 * zone.c - shared memory by name: taking, giving back, the hand-over by label and descriptor, and what is refused of
 * it.
 */
#define _GNU_SOURCE 1

#include "shm/zone.h"

#include "../event/pair.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define SIZE 65536

static char label_seen[256];
static int  labels_seen, fd_seen;

static uint32_t folded_slot;
static int      folds;

static void
fold(void *memory WEIR_UNUSED, uint64_t size WEIR_UNUSED, uint32_t slot)
{
    folds++;
    folded_slot = slot;
}

static weir_zone_t *
take(const char *kind, const char *name, uint64_t size, uint32_t layout)
{
    static weir_zone_kind_t kinds[64];               /* live as long as the zones */
    static size_t           n;
    weir_error_t            error = { .text = "" };
    weir_zone_kind_t       *what = &kinds[n++ % 64];
    weir_zone_id_t          id = { what, weir_str_from_z(name), size };
    weir_zone_t            *zone;

    *what = (weir_zone_kind_t) { .name = kind, .layout = layout, .fold = fold };
    zone = weir_zone_take(&id, &error);

    if (zone == NULL && error.text[0] == '\0') {
        ok(false, "a refusal says why");
    }
    return zone;
}

static void
see(void *data WEIR_UNUSED, weir_str_t label, int fd)
{
    labels_seen++;
    fd_seen = fd;
    snprintf(label_seen, sizeof(label_seen), "%.*s", WEIR_STR_ARG(label));
}

static int
count(void)
{
    labels_seen = 0;
    fd_seen = -1;
    weir_zones_each(see, NULL);
    return labels_seen;
}

static void
test_taking(void)
{
    int          fds = pair_open_fds();
    weir_zone_t *a = take("tls-sessions", "one", SIZE, 1), *b, *c;
    char        *memory = weir_zone_memory(a);
    bool         zero = true;

    ok(a != NULL && weir_zone_size(a) == SIZE, "a zone of the size asked for");
    is_int((uintptr_t) memory % 64, 0, "aligned to 64");
    for (size_t i = 0; i < SIZE; i++) {
        zero = zero && memory[i] == 0;
    }
    ok(zero, "zeroed at first");
    memcpy(memory, "kept", 5);
    b = take("tls-sessions", "one", SIZE, 1);
    ok(b == a, "the same again is the same");
    c = take("tls-ocsp", "one", SIZE, 1);
    ok(c != a && weir_zone_memory(c) != memory, "another kind is another zone, though of one name");
    weir_zone_give_back(c);
    c = take("tls-sessions", "one", SIZE * 2, 1);
    ok(c != a && ((char *) weir_zone_memory(c))[0] == 0, "so is another size, which begins empty");
    weir_zone_give_back(c);
    c = take("tls-sessions", "one", SIZE, 2);
    ok(c != a, "and another layout");
    weir_zone_give_back(c);
    weir_zone_give_back(b);
    ok(strcmp(weir_zone_memory(a), "kept") == 0, "it stays while somebody has it");
    is_int(count(), 1, "one zone is left to hand on");
    weir_zones_fold(7);
    is_int(folds, 1, "its kind is told of a dead owner");
    is_int(folded_slot, 7, "by the owner's slot");
    ok(strcmp(label_seen, "tls-sessions 65536 1 one") == 0, label_seen);
    ok(ftruncate(fd_seen, 10) != 0 && ftruncate(fd_seen, SIZE * 4) != 0,
       "its descriptor can be neither cut nor grown by whoever has it");
    weir_zone_give_back(a);
    is_int(count(), 0, "the last one takes it along");
    is_int(pair_open_fds(), fds, "no descriptor is left");
    a = take("tls-sessions", "one", SIZE, 1);
    ok(((char *) weir_zone_memory(a))[0] == 0, "and a new one of that name is empty");
    weir_zone_give_back(a);
}

static void
test_refusing(void)
{
    char long_name[200] = "";

    memset(long_name, 'n', sizeof(long_name) - 1);
    ok(take("", "one", SIZE, 1) == NULL, "no kind");
    ok(take("a kind", "one", SIZE, 1) == NULL, "a blank in the kind");
    ok(take("a-kind-that-is-longer-than-there-is-room-for", "one", SIZE, 1) == NULL, "a long kind");
    ok(take("kind", long_name, SIZE, 1) == NULL, "a long name");
    ok(take("kind", "one", 0, 1) == NULL, "no size");
    ok(take("kind", "one", UINT64_MAX, 1) == NULL && take("kind", "one", UINT64_MAX - 63, 1) == NULL,
       "a size beyond all measure");
    is_int(count(), 0, "none of them left anything");
    weir_zones_may_make(false);
    ok(take("kind", "one", SIZE, 1) == NULL, "who may not make any gets none");
    weir_zones_may_make(true);
}

static int
memory_fd(size_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    pair_need(fd >= 0 && ftruncate(fd, (off_t) size) == 0, "memfd_create");
    return fd;
}

static void
adopt(const char *label, int fd)
{
    weir_zones_adopt(weir_str_from_z(label), fd);
}

/* As the master hands it to a worker that runs already. */
static void
test_handing_over(void)
{
    weir_zone_t *a = take("kind", "a name with blanks", SIZE, 3);
    int          fds, socket[2], status = -1;
    pid_t        pid;
    char         byte;

    pair_need(socketpair(AF_UNIX, SOCK_STREAM, 0, socket) == 0, "socketpair");
    (void) count();
    fds = dup(fd_seen);
    pid = fork();
    if (pid == 0) {
        weir_zone_t *mine;
        close(socket[0]);
        weir_zone_give_back(a);
        weir_zones_may_make(false);
        if (take("kind", "a name with blanks", SIZE, 3) != NULL) {
            _exit(1);
        }
        adopt(label_seen, fds);
        mine = take("kind", "a name with blanks", SIZE, 3);
        if (mine == NULL) {
            _exit(2);
        }
        memcpy(weir_zone_memory(mine), "from the worker", 16);
        if (count() != 1 || fd_seen != -1) {
            _exit(3);                     /* it hands nothing on */
        }
        weir_zones_drop_unused();
        if (count() != 1) {
            _exit(4);
        }
        weir_zone_give_back(mine);
        _exit(write(socket[1], "x", 1) == 1 && count() == 0 ? 0 : 5);
    }
    close(socket[1]);
    is_int(read(socket[0], &byte, 1), 1, "the other process has it");
    ok(strcmp(weir_zone_memory(a), "from the worker") == 0, "what another process writes is seen");
    (void) waitpid(pid, &status, 0);
    is_int(status, 0, "it finds what was handed over, hands nothing on itself, and gives it back");
    close(fds);
    close(socket[0]);
    weir_zone_give_back(a);
}

static void
test_adopting(void)
{
    static const char *garbage[] = {
        "", " ", "kind", "kind 65536", "kind 65536 1", "kind  1 one", "kind -5 1 one", "kind 65536 x one",
        "kind 65536 4294967296 one",
        "kind 65536 99999999999999999999 one", "kind 99999999999999999999999 1 one", "kind 0 1 one", " 65536 1 one",
        "kind 65537 1 one",
        "kind 18446744073709551615 1 one", "a-kind-that-is-longer-than-there-is-room-for 65536 1 one",
    };
    int          fds = pair_open_fds(), copy;
    char         label[256];
    weir_zone_t *a, *b;

    for (size_t i = 0; i < weir_countof(garbage); i++) {
        adopt(garbage[i], memory_fd(64 + SIZE));
    }
    is_int(count(), 0, "labels of nonsense are not there");
    adopt("kind 65536 1 one", memory_fd(64 + SIZE));
    is_int(count(), 0, "memory without the head is not");
    adopt("kind 65536 1 one", memory_fd(10));
    is_int(count(), 0, "nor memory that is too short");
    adopt("kind 65536 1 one", open("/dev/null", O_RDWR));
    is_int(count(), 0, "nor what is no memory");
    is_int(pair_open_fds(), fds, "and each of their descriptors was closed");

    a = take("kind", "one", SIZE, 1);
    memcpy(weir_zone_memory(a), "kept", 5);
    (void) count();
    copy = dup(fd_seen);
    snprintf(label, sizeof(label), "%s", label_seen);
    adopt(label, dup(copy));
    is_int(count(), 1, "what is there already is not there twice");
    weir_zone_give_back(a);
    adopt("kind 65536 2 one", dup(copy));
    adopt("dnik 65536 1 one", dup(copy));
    is_int(count(), 0, "another layout or kind than the head says is refused");
    adopt(label, dup(copy));
    is_int(count(), 1, "the true one is taken");
    b = take("kind", "one", SIZE, 1);
    ok(b != NULL && strcmp(weir_zone_memory(b), "kept") == 0, "with what is in it");
    weir_zone_give_back(b);
    is_int(count(), 0, "it goes with its last reference");
    adopt(label, dup(copy));
    weir_zones_drop_unused();
    is_int(count(), 0, "adopted and taken by nobody: it goes");
    close(copy);
    is_int(pair_open_fds(), fds, "no descriptor is left");
}

/* A zone that left the configuration and came back is another memory, though a connection of before still holds the
 * first. */
static int
one_with(const char *text)
{
    weir_zone_t *zone = take("kind", "one", SIZE, 1);
    int          fd;

    memcpy(weir_zone_memory(zone), text, strlen(text) + 1);
    (void) count();
    fd = dup(fd_seen);
    weir_zone_give_back(zone);
    return fd;
}

static void
test_coming_back(void)
{
    const char  *label = "kind 65536 1 one";
    int          first = one_with("first"), second = one_with("second");
    weir_zone_t *old, *new;

    adopt(label, dup(first));
    old = take("kind", "one", SIZE, 1);
    adopt(label, dup(second));
    adopt(label, dup(second));
    is_int(count(), 2, "another memory of the same label is another zone, and only once");
    new = take("kind", "one", SIZE, 1);
    ok(strcmp(weir_zone_memory(new), "second") == 0, "which is taken from then on");
    ok(strcmp(weir_zone_memory(old), "first") == 0, "who has the first has it still");
    weir_zone_give_back(old);
    weir_zone_give_back(new);
    is_int(count(), 0, "and each goes with its last reference");
    close(first);
    close(second);
}

int
main(void)
{
    test_taking();
    test_refusing();
    test_handing_over();
    test_adopting();
    test_coming_back();
    return done();
}
