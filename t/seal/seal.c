/*
 * seal.c - tells of each write to a generation's memory in a process that serves with it.
 *
 * Linked into weir-sealed only, where --wrap puts these functions before those of the program.  From the moment before
 * a generation is adopted its arena's pages may only be read; a write is noted in the file that WEIR_SEAL_FILE names,
 * done as a single step, and the page is closed again.  A line of the file is the call chain of one place that writes,
 * as addresses in the program's file, newest first: each place once a process.  Without the variable nothing is sealed.
 *
 * Chunks begin on pages of their own here; x86-64 alone, since the step is the processor's trap flag.
 */
#define _GNU_SOURCE 1

#include "base/heap.h"
#include "base/pieces.h"
#include "conf/life.h"

#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define SEAL_PAGE   ((uintptr_t) 4096)
#define SEAL_LARGE  16384                /* generations' chunks are not smaller */
#define SEAL_RANGES 65536
#define SEAL_PLACES 4096
#define SEAL_FRAMES 12
#define SEAL_TRAP   0x100                /* the trap flag, of eflags */

typedef struct { uintptr_t from, to; } seal_range_t;

static struct {
    seal_range_t ranges[SEAL_RANGES];
    size_t       n;
    uintptr_t    places[SEAL_PLACES];
    size_t       n_places;
    uintptr_t    open;                   /* the page that is being written to; 0: none */
    bool         is_ready;
    char         file[4096];             /* empty: nothing is sealed */
} seal;

/* As base/arena.c has it. */
struct weir_arena_chunk { weir_arena_chunk_t *next; size_t size; };

void *__real_weir_heap_alloc(size_t size);
void *__wrap_weir_heap_alloc(size_t size);
void  __real_weir_life_adopt(weir_life_t *life, weir_generation_t *generation);
void  __wrap_weir_life_adopt(weir_life_t *life, weir_generation_t *generation);
void  __real_weir_arena_fini(weir_arena_t *arena);
void  __wrap_weir_arena_fini(weir_arena_t *arena);
void *__wrap_weir_piece_take(size_t *size);
void  __wrap_weir_piece_give(void *piece);

/* Pages of its own for each piece. */
void *
__wrap_weir_piece_take(size_t *size)
{
    size_t pages = (*size + SEAL_PAGE - 1) & ~(SEAL_PAGE - 1);

    *size = weir_min(pages, WEIR_PIECE_MAX);
    return aligned_alloc(SEAL_PAGE, pages);
}

void
__wrap_weir_piece_give(void *piece)
{
    free(piece);
}

void *
__wrap_weir_heap_alloc(size_t size)
{
    if (size < SEAL_LARGE) {
        return __real_weir_heap_alloc(size);
    }
    return aligned_alloc(SEAL_PAGE, (size + SEAL_PAGE - 1) & ~(SEAL_PAGE - 1));
}

/* Workers have an environment of their own. */
static void __attribute__((constructor))
seal_read_environment(void)
{
    const char *file = getenv("WEIR_SEAL_FILE");

    (void) snprintf(seal.file, sizeof(seal.file), "%s", file != NULL ? file : "");
}

/* -- writes -- */

static bool
seal_covers(uintptr_t at)
{
    for (size_t i = 0; i < seal.n; i++) {
        if (at >= seal.ranges[i].from && at < seal.ranges[i].to) {
            return true;
        }
    }
    return false;
}

static bool
seal_is_new(uintptr_t place)
{
    for (size_t i = 0; i < seal.n_places; i++) {
        if (seal.places[i] == place) {
            return false;
        }
    }
    if (seal.n_places < SEAL_PLACES) {
        seal.places[seal.n_places++] = place;
    }
    return true;
}

static int
seal_find_base(struct dl_phdr_info *info, size_t size, void *data)
{
    (void) size;
    *(uintptr_t *) data = info->dlpi_addr;           /* the first one is the program */
    return 1;
}

/* In a signal handler: nothing is allocated (backtrace was called before). */
static void
seal_note(void)
{
    void     *frames[SEAL_FRAMES + 2];
    int       n = backtrace(frames, SEAL_FRAMES + 2), len = 0, fd;
    char      line[SEAL_FRAMES * 20];
    uintptr_t base = 0;

    dl_iterate_phdr(seal_find_base, &base);
    for (int i = 2; i < n; i++) {                    /* behind the handler and the signal's own frame */
        len += snprintf(line + len, sizeof(line) - (size_t) len, "%s%lx", i > 2 ? " " : "",
                        (unsigned long) ((uintptr_t) frames[i] - base));
    }
    line[len++] = '\n';
    fd = open(seal.file, O_WRONLY | O_APPEND | O_CREAT, 0666);
    if (fd < 0 || write(fd, line, (size_t) len) != len) {
        abort();
    }
    (void) close(fd);
}

static void
seal_on_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *cpu = context;
    uintptr_t   at = (uintptr_t) info->si_addr;

    if (!seal_covers(at) || seal.open != 0) {
        (void) signal(number, SIG_DFL);              /* a fault like any other: it comes again */
        return;
    }
    if (seal_is_new((uintptr_t) cpu->uc_mcontext.gregs[REG_RIP])) {
        seal_note();
    }
    seal.open = at & ~(SEAL_PAGE - 1);
    (void) mprotect((void *) seal.open, SEAL_PAGE, PROT_READ | PROT_WRITE);
    cpu->uc_mcontext.gregs[REG_EFL] |= SEAL_TRAP;
}

static void
seal_on_step(int number, siginfo_t *info, void *context)
{
    (void) number;
    (void) info;
    ((ucontext_t *) context)->uc_mcontext.gregs[REG_EFL] &= ~SEAL_TRAP;
    (void) mprotect((void *) seal.open, SEAL_PAGE, PROT_READ);
    seal.open = 0;
}

/* -- generations -- */

static void
seal_begin(void)
{
    struct sigaction fault = { .sa_sigaction = seal_on_fault, .sa_flags = SA_SIGINFO };
    struct sigaction step = { .sa_sigaction = seal_on_step, .sa_flags = SA_SIGINFO };
    void            *frames[2];

    (void) backtrace(frames, 2);                     /* it loads what it needs, once */
    sigfillset(&fault.sa_mask);
    sigdelset(&fault.sa_mask, SIGSEGV);
    sigfillset(&step.sa_mask);
    if (sigaction(SIGSEGV, &fault, NULL) != 0 || sigaction(SIGTRAP, &step, NULL) != 0) {
        abort();
    }
    seal.is_ready = true;
}

static void
seal_chunks(const weir_arena_chunk_t *chunk)
{
    for (; chunk != NULL; chunk = chunk->next) {
        uintptr_t from = (uintptr_t) chunk, to = from + ((chunk->size + SEAL_PAGE - 1) & ~(SEAL_PAGE - 1));

        if (from % SEAL_PAGE != 0 || seal.n == SEAL_RANGES) {
            abort();
        }
        if (!seal_covers(from)) {
            seal.ranges[seal.n++] = (seal_range_t) { from, to };
            if (mprotect((void *) from, to - from, PROT_READ) != 0) {
                abort();
            }
        }
    }
}

void
__wrap_weir_life_adopt(weir_life_t *life, weir_generation_t *generation)
{
    if (seal.file[0] != 0 && generation != NULL) {
        if (!seal.is_ready) {
            seal_begin();
        }
        seal_chunks(generation->arena.chunks);
        seal_chunks(generation->arena.large);
        for (size_t i = 0; i < generation->parts.n; i++) {
            const weir_part_t *part = *weir_array_at(&generation->parts, weir_part_t *, i);

            seal_chunks(part->arena.chunks);
            seal_chunks(part->arena.large);
        }
    }
    __real_weir_life_adopt(life, generation);
}

static void
seal_open_chunks(const weir_arena_chunk_t *chunk)
{
    for (; chunk != NULL; chunk = chunk->next) {
        for (size_t i = 0; i < seal.n; i++) {
            if (seal.ranges[i].from == (uintptr_t) chunk) {
                (void) mprotect((void *) seal.ranges[i].from, seal.ranges[i].to - seal.ranges[i].from,
                                PROT_READ | PROT_WRITE);
                seal.ranges[i] = seal.ranges[--seal.n];
                break;
            }
        }
    }
}

/* A generation that goes. */
void
__wrap_weir_arena_fini(weir_arena_t *arena)
{
    if (seal.n != 0) {
        seal_open_chunks(arena->chunks);
        seal_open_chunks(arena->large);
    }
    __real_weir_arena_fini(arena);
}
