/*
 * kill.h - for tests of what survives a kill: the n-th store to shared memory is the one before which a process dies.
 *
 * Included before the sources under test, whose stores all go through WEIR_SHM_BEFORE_STORE.
 */
#ifndef WEIR_T_SHM_KILL_H
#define WEIR_T_SHM_KILL_H

#include <signal.h>
#include <stdint.h>
#include <unistd.h>

static uint64_t kill_before;                 /* 0: it lives */

static inline void
kill_point(void)
{
    if (kill_before != 0 && --kill_before == 0) {
        (void) kill(getpid(), SIGKILL);
        for (;;) {
            (void) pause();
        }
    }
}

#define WEIR_SHM_BEFORE_STORE() kill_point()

#include "../event/pair.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static inline void *
kill_shared(size_t n)
{
    void *at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    pair_need(at != MAP_FAILED, "mmap");
    return at;
}

/* In a child that dies before its n-th store.  true: it came to its end. */
static inline bool
kill_run(uint64_t n, void (*run)(void *data), void *data)
{
    int   status = -1;
    pid_t pid = fork();

    pair_need(pid >= 0, "fork");
    if (pid == 0) {
        kill_before = n;
        run(data);
        _exit(0);
    }
    pair_need(waitpid(pid, &status, 0) == pid, "waitpid");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        return false;
    }
    pair_need(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child that was not killed");
    return true;
}

/* A number that looks random, from one that is not 0. */
static inline uint64_t
kill_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed * 0x2545f4914f6cdd1du >> 11;
}

#endif
