/*
 * str.c - counted strings: comparing, cutting, copying, numbers.
 *
 * Runs in every process; copies belong to the arena given.  The hash is SipHash-1-3 (Aumasson and Bernstein, 2012).
 */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

bool
weir_str_eq_fold(weir_str_t a, weir_str_t b)
{
    return a.len == b.len && weir_str_starts_fold(a, b);
}

bool
weir_str_starts(weir_str_t s, weir_str_t prefix)
{
    return s.len >= prefix.len && weir_str_eq(weir_str(s.at, prefix.len), prefix);
}

/* Eight bytes with A to Z made lower: those that are at least 'A' and not above 'Z', and below 0x80. */
static inline uint64_t
str_lower_8(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t       bytes, low;

    memcpy(&bytes, at, sizeof(bytes));
    low = bytes & (0x7f * ones);
    return bytes | (((low + (0x80 - 'A') * ones) ^ (low + (0x7f - 'Z') * ones)) & ~bytes & (0x80 * ones)) >> 2;
}

bool
weir_str_starts_fold(weir_str_t s, weir_str_t prefix)
{
    size_t i = 0, n = prefix.len;

    if (s.len < n) {
        return false;
    }
    for (; n - i >= 8; i += 8) {
        if (str_lower_8(s.at + i) != str_lower_8(prefix.at + i)) {
            return false;
        }
    }
    if (n >= 8) {
        return i == n || str_lower_8(s.at + n - 8) == str_lower_8(prefix.at + n - 8);
    }
    for (; i < n; i++) {
        if (weir_char_lower(s.at[i]) != weir_char_lower(prefix.at[i])) {
            return false;
        }
    }
    return true;
}

bool
weir_str_ends(weir_str_t s, weir_str_t suffix)
{
    return s.len >= suffix.len && weir_str_eq(weir_str_skip(s, s.len - suffix.len), suffix);
}

int
weir_str_cmp(weir_str_t a, weir_str_t b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int    order = shorter != 0 ? memcmp(a.at, b.at, shorter) : 0;

    if (order != 0) {
        return order < 0 ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

size_t
weir_str_place(weir_str_t name, size_t n, weir_str_t (*at)(const void *data, size_t i), const void *data, bool *found)
{
    size_t from = 0, to = n;

    *found = false;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int    order = weir_str_cmp(at(data, middle), name);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

const char *
weir_str_find(weir_str_t s, char c)
{
    return s.len != 0 ? memchr(s.at, c, s.len) : NULL;
}

weir_str_t
weir_str_trim(weir_str_t s)
{
    while (s.len != 0 && (s.at[0] == ' ' || s.at[0] == '\t')) {
        s = weir_str_skip(s, 1);
    }
    while (s.len != 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

weir_str_t
weir_str_skip(weir_str_t s, size_t n)
{
    if (n >= s.len) {
        return weir_str(s.at != NULL ? s.at + s.len : NULL, 0);
    }
    return weir_str(s.at + n, s.len - n);
}

bool
weir_str_cut(weir_str_t s, char c, weir_str_t *head, weir_str_t *tail)
{
    const char *at = weir_str_find(s, c);

    if (at == NULL) {
        *head = s;
        *tail = weir_str_skip(s, s.len);
        return false;
    }
    *head = weir_str(s.at, (size_t) (at - s.at));
    *tail = weir_str_skip(s, head->len + 1);
    return true;
}

/* --- hash --- */

typedef struct { uint64_t a, b, c, d; } str_sip_t;

static inline uint64_t
str_rotl(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static inline void
str_sip_round(str_sip_t *v)
{
    v->a += v->b;
    v->c += v->d;
    v->b = str_rotl(v->b, 13) ^ v->a;
    v->d = str_rotl(v->d, 16) ^ v->c;
    v->a = str_rotl(v->a, 32) + v->d;
    v->c += v->b;
    v->d = str_rotl(v->d, 21) ^ v->a;
    v->b = str_rotl(v->b, 17) ^ v->c;
    v->c = str_rotl(v->c, 32);
}

static inline uint64_t
str_load_le(const char *at, size_t n)
{
    uint64_t word = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (n == 8) {
        memcpy(&word, at, 8);
        return word;
    }
#endif
    for (size_t i = 0; i < n; i++) {
        word |= (uint64_t) (unsigned char) at[i] << (8 * i);
    }
    return word;
}

/* The 128-bit key is the seed and a word made from it: the seed's 64 bits are all the secret there is. */
uint64_t
weir_str_hash(weir_str_t s, uint64_t seed)
{
    uint64_t  k1 = str_rotl(seed, 32) * UINT64_C(0x9e3779b97f4a7c15);
    str_sip_t v = { seed ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                    seed ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
    uint64_t  word, last = (uint64_t) s.len << 56;

    for (; s.len >= 8; s = weir_str_skip(s, 8)) {
        word = str_load_le(s.at, 8);
        v.d ^= word;
        str_sip_round(&v);
        v.a ^= word;
    }
    last |= str_load_le(s.at, s.len);
    v.d ^= last;
    str_sip_round(&v);
    v.a ^= last;
    v.c ^= 0xff;
    str_sip_round(&v);
    str_sip_round(&v);
    str_sip_round(&v);
    return v.a ^ v.b ^ v.c ^ v.d;
}

/* --- numbers --- */

bool
weir_str_to_u64(weir_str_t s, uint64_t *value)
{
    uint64_t n = 0, digit;
    size_t   i;

    for (i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9') {
            return false;
        }
        digit = (uint64_t) (s.at[i] - '0');
        if (n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    if (s.len == 0) {
        return false;
    }
    *value = n;
    return true;
}

static int
str_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
weir_str_hex_to_u64(weir_str_t s, uint64_t *value)
{
    uint64_t n = 0;
    size_t   i;
    int      digit;

    for (i = 0; i < s.len; i++) {
        digit = str_hex_digit(s.at[i]);
        if (digit < 0 || n >> 60 != 0) {
            return false;
        }
        n = n << 4 | (uint64_t) digit;
    }
    if (s.len == 0) {
        return false;
    }
    *value = n;
    return true;
}

char *
weir_str_from_u64(char *out, uint64_t value)
{
    char   digits[20];
    size_t n = sizeof(digits);

    do {
        digits[--n] = (char) ('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (n < sizeof(digits)) {
        *out++ = digits[n++];
    }
    return out;
}

char *
weir_str_from_seconds(char *out, weir_msec_t t)
{
    uint64_t ms = t.ms % 1000;

    out = weir_str_from_u64(out, t.ms / 1000);
    *out++ = '.';
    *out++ = (char) ('0' + ms / 100);
    *out++ = (char) ('0' + ms / 10 % 10);
    *out++ = (char) ('0' + ms % 10);
    return out;
}

/* --- copies --- */

weir_str_t
weir_str_dup(weir_arena_t *arena, weir_str_t s)
{
    return weir_str_concat(arena, s, WEIR_STR_NONE);
}

weir_str_t
weir_str_lower(weir_arena_t *arena, weir_str_t s)
{
    char  *at = weir_alloc_bytes(arena, s.len + 1);
    size_t i;

    for (i = 0; i < s.len; i++) {
        at[i] = weir_char_lower(s.at[i]);
    }
    at[s.len] = '\0';
    return weir_str(at, s.len);
}

weir_str_t
weir_str_concat(weir_arena_t *arena, weir_str_t a, weir_str_t b)
{
    char *at = weir_alloc_bytes(arena, a.len + b.len + 1);

    if (a.len != 0) {
        memcpy(at, a.at, a.len);
    }
    if (b.len != 0) {
        memcpy(at + a.len, b.at, b.len);
    }
    at[a.len + b.len] = '\0';
    return weir_str(at, a.len + b.len);
}

weir_str_t
weir_str_printf(weir_arena_t *arena, const char *fmt, ...)
{
    va_list args;
    char   *at;
    int     n;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    weir_assert(n >= 0);

    at = weir_alloc_bytes(arena, (size_t) n + 1);
    va_start(args, fmt);
    (void) vsnprintf(at, (size_t) n + 1, fmt, args);
    va_end(args);
    return weir_str(at, (size_t) n);
}

const char *
weir_str_to_z(weir_arena_t *arena, weir_str_t s)
{
    return weir_str_dup(arena, s).at;
}

/* --- edit distance --- */

#define STR_DISTANCE_MAX 127   /* longer strings are names of nothing */

static size_t
str_least(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Insertions, deletions, substitutions and swaps of neighbours, row by row of the table a x b. */
size_t
weir_str_distance(weir_str_t a, weir_str_t b, size_t ceiling)
{
    unsigned char rows[3][STR_DISTANCE_MAX + 1];
    unsigned char *before = rows[0], *above = rows[1], *row = rows[2], *spare;
    size_t         i, j, cost, best, least_of_row;

    ceiling = (size_t) weir_min(ceiling, SIZE_MAX - 1);
    if (a.len > STR_DISTANCE_MAX || b.len > STR_DISTANCE_MAX) {
        return weir_str_eq(a, b) ? 0 : ceiling + 1;
    }
    for (j = 0; j <= b.len; j++) {
        row[j] = (unsigned char) j;
    }
    for (i = 1; i <= a.len; i++) {
        spare = before;
        before = above;
        above = row;
        row = spare;
        row[0] = (unsigned char) i;
        least_of_row = i;
        for (j = 1; j <= b.len; j++) {
            cost = a.at[i - 1] != b.at[j - 1];
            best = str_least(above[j] + 1u, row[j - 1] + 1u, above[j - 1] + cost);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1]) {
                best = (size_t) weir_min(best, before[j - 2] + cost);
            }
            row[j] = (unsigned char) best;
            least_of_row = (size_t) weir_min(least_of_row, best);
        }
        if (least_of_row > ceiling + 1) {   /* + 1: a swap reaches back over one row */
            return ceiling + 1;
        }
    }
    return (size_t) weir_min(row[b.len], ceiling + 1);
}
