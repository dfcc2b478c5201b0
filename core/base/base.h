/*
 * base.h - the vocabulary every file of Weir shares: units, flow and I/O results, assertions.
 *
 * Pure declarations; runs in every process; allocates nothing.
 */
#ifndef WEIR_BASE_BASE_H
#define WEIR_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIR_VERSION "0.1.0"

#define WEIR_MUST_USE     __attribute__((warn_unused_result))
#define WEIR_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define WEIR_UNUSED       __attribute__((unused))

#define weir_likely(x)   __builtin_expect(!!(x), 1)
#define weir_unlikely(x) __builtin_expect(!!(x), 0)

#define weir_countof(array) (sizeof(array) / sizeof((array)[0]))
#define weir_container_of(ptr, type, member) ((type *) (void *) ((char *) (ptr) - offsetof(type, member)))

/* Units live in types: milliseconds cannot be added to bytes. */
typedef struct { bool on; } weir_flag_t;
typedef struct { uint64_t ms; } weir_msec_t;    /* a duration */
typedef struct { uint64_t n; } weir_bytes_t;    /* a size */
typedef struct { uint64_t ms; } weir_instant_t; /* a point on the monotonic clock; 0 is "never" */

/* Flow: what a step of request processing wants next.  Never an HTTP status. */
typedef enum { WEIR_NEXT, WEIR_DONE, WEIR_PARK, WEIR_FAIL } weir_step_t;

/* I/O: what a transfer did. */
typedef enum { WEIR_OK, WEIR_AGAIN, WEIR_EOF, WEIR_ERROR } weir_io_t;

static inline uint64_t weir_min(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t weir_max(uint64_t a, uint64_t b) { return a > b ? a : b; }

static inline weir_instant_t
weir_instant_after(weir_instant_t now, weir_msec_t delay)
{
    return (weir_instant_t) { now.ms + delay.ms };
}

/* Told of a panic before abort(), after stderr was; the log sets it.  NULL: none. */
extern void (*weir_panic_hook)(const char *text);

/* Kept in release builds: losing one worker beats carrying on wrong.  For the impossible only, never for input. */
_Noreturn void weir_panic(const char *file, int line, const char *what);
#define weir_assert(cond) (weir_likely(cond) ? (void) 0 : weir_panic(__FILE__, __LINE__, #cond))

#endif
