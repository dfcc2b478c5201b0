/*
 * values.c - JSON values as JSON Schema compares them: by what they mean, not how they are spelt.
 */
#include "schema/node.h"

#include "base/buf.h"
#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define VALUES_FEW      16                  /* elements or members that are compared with one another as they stand */
#define VALUES_ROOM     512                 /* for the text of a number; one that is longer is written anew */
#define VALUES_DIGITS   400                 /* … with so many of its digits: more than tell two numbers apart */
#define VALUES_EXPONENT 1000000000000       /* more than any number of digits */
#define VALUES_FAR      1000000             /* beyond what there are numbers for */
/* Doubles from here on are whole numbers, all of them. */
#define VALUES_WHOLE 9007199254740992.0L

/* Of "e-12": -12. */
static int64_t
values_exponent(weir_str_t text)
{
    int64_t exponent = 0;
    bool    is_minus = text.len > 1 && text.at[1] == '-';

    for (size_t i = 1; i < text.len; i++) {
        if (text.at[i] >= '0' && text.at[i] <= '9' && exponent < VALUES_EXPONENT) {
            exponent = exponent * 10 + (text.at[i] - '0');
        }
    }
    return is_minus ? -exponent : exponent;
}

/* A long number in few characters: its first digits, a 1 for others that follow, and the exponent that belongs to
 * them. */
static void
values_shorten(weir_str_t text, char room[VALUES_ROOM])
{
    size_t     n = 0, i;
    int64_t    exponent = 0;
    bool       is_fraction = false, has_more = false, is_minus = text.at[0] == '-';
    weir_buf_t out;

    for (i = is_minus; i < text.len && text.at[i] != 'e' && text.at[i] != 'E'; i++) {
        if (text.at[i] == '.') {
            is_fraction = true;
        } else if (n == VALUES_DIGITS) {
            has_more = has_more || text.at[i] != '0';
            exponent += !is_fraction;
        } else {
            n += n != 0 || text.at[i] != '0';            /* zeros in front are no digits */
            room[is_minus + n - (n != 0)] = text.at[i];
            exponent -= is_fraction;
        }
    }
    exponent += values_exponent(weir_str_skip(text, i)) - has_more;
    exponent = exponent > VALUES_FAR ? VALUES_FAR : exponent < -VALUES_FAR ? -VALUES_FAR : exponent;
    room[0] = is_minus ? '-' : room[0];
    weir_buf_init(&out, room + is_minus + n, VALUES_ROOM - 1 - is_minus - n);
    weir_buf_printf(&out, "%se%lld", n == 0 ? "0" : has_more ? "1" : "", (long long) exponent);
    weir_assert(!out.full);
    *out.pos = '\0';
}

long double
weir_schema_number(const weir_json_t *value)
{
    char room[VALUES_ROOM];

    weir_assert(value->kind == WEIR_JSON_NUMBER);
    if (value->text.len >= sizeof(room)) {
        values_shorten(value->text, room);
    } else {
        memcpy(room, value->text.at, value->text.len);
        room[value->text.len] = '\0';
    }
    return strtold(room, NULL);
}

bool
weir_schema_is_integer(const weir_json_t *value)
{
    long double number;

    if (value->kind != WEIR_JSON_NUMBER) {
        return false;
    }
    number = weir_schema_number(value);
    return floorl(number) == number;
}

int
weir_schema_compare(const weir_json_t *a, const weir_json_t *b)
{
    long double left = weir_schema_number(a), right = weir_schema_number(b);

    return left < right ? -1 : left > right;
}

/* But for a few of the last bits: what was written as a decimal fraction is not exact. */
static bool
values_is_whole(long double number)
{
    return fabsl(number - roundl(number)) <= fabsl(number) * 8 * LDBL_EPSILON;
}

bool
weir_schema_is_multiple(const weir_json_t *value, const weir_json_t *of)
{
    long double number = weir_schema_number(value), divisor = weir_schema_number(of), quotient = number / divisor;

    if (floorl(divisor) == divisor && floorl(number) != number) {
        return false;
    }
    if (!(fabsl(quotient) < VALUES_WHOLE)) {
        return fmodl(number, divisor) == 0 || (weir_schema_is_integer(value) && values_is_whole(1 / divisor));
    }
    return (floorl(divisor) == divisor && floorl(number) == number) ? fmodl(number, divisor) == 0
                                                                     : values_is_whole(quotient);
}

static int
values_by_name(const void *a, const void *b)
{
    const weir_json_t *left = *(const weir_json_t *const *) a, *right = *(const weir_json_t *const *) b;

    return weir_str_cmp(left->name, right->name);
}

static void
values_sort(const weir_json_t *object, const weir_json_t **sorted)
{
    size_t n = 0;

    for (const weir_json_t *member = object->first; member != NULL; member = member->next) {
        sorted[n++] = member;
    }
    weir_assert(n == object->n);
    qsort(sorted, n, sizeof(*sorted), values_by_name);
}

/* Objects of as many members in different orders: one name is not looked for after the other. */
static bool
values_sorted_are_equal(const weir_json_t *a, const weir_json_t *b)
{
    size_t              n = a->n;
    const weir_json_t **sorted = weir_mem_try(2 * n * sizeof(*sorted));
    bool                are_equal = sorted != NULL;

    if (sorted != NULL) {
        values_sort(a, sorted);
        values_sort(b, sorted + n);
    }
    for (size_t i = 0; i < n && are_equal; i++) {
        are_equal = weir_str_eq(sorted[i]->name, sorted[n + i]->name) && weir_schema_is_equal(sorted[i], sorted[n + i]);
    }
    weir_mem_free(sorted);
    return are_equal;
}

/* The same members, whatever their order: mostly it is the same. */
static bool
values_objects_are_equal(const weir_json_t *a, const weir_json_t *b)
{
    const weir_json_t *other = b->first;

    for (const weir_json_t *member = a->first; member != NULL; member = member->next) {
        if (other == NULL || !weir_str_eq(other->name, member->name)) {
            if (a->n > VALUES_FEW) {
                return values_sorted_are_equal(a, b);
            }
            other = weir_json_get(b, member->name);
        }
        if (other == NULL || !weir_schema_is_equal(member, other)) {
            return false;
        }
        other = other->next;
    }
    return a->n == b->n;
}

static bool
values_arrays_are_equal(const weir_json_t *a, const weir_json_t *b)
{
    const weir_json_t *other = b->first;

    for (const weir_json_t *element = a->first; element != NULL && a->n == b->n; element = element->next) {
        if (!weir_schema_is_equal(element, other)) {
            return false;
        }
        other = other->next;
    }
    return a->n == b->n;
}

/* Recursion is bounded by the depth of both, which reading bounds. */
bool
weir_schema_is_equal(const weir_json_t *a, const weir_json_t *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case WEIR_JSON_NUMBER:
        return weir_schema_compare(a, b) == 0;
    case WEIR_JSON_OBJECT:
        return a->n == b->n && values_objects_are_equal(a, b);
    case WEIR_JSON_ARRAY:
        return values_arrays_are_equal(a, b);
    case WEIR_JSON_STRING:
        return weir_str_eq(a->text, b->text);
    case WEIR_JSON_NULL: case WEIR_JSON_FALSE: case WEIR_JSON_TRUE:
        break;
    }
    return true;
}

/* All of a number: those that differ in what a double does not hold have different hashes, too. */
static uint64_t
values_hash_number(long double number, uint64_t seed)
{
    int64_t     parts[3] = { 0 };
    int         exponent = 0;
    long double rest;

    if (isinf(number)) {
        parts[0] = number > 0 ? 1 : -1;
        exponent = INT32_MAX;
    } else {
        rest = ldexpl(frexpl(number, &exponent), 62);
        parts[0] = (int64_t) rest;
        parts[1] = (int64_t) ldexpl(rest - (long double) parts[0], 62);
    }
    parts[2] = exponent;
    return weir_str_hash(weir_str((const char *) parts, sizeof(parts)), seed);
}

/* Equal values have one hash; with a seed that clients do not know. */
static uint64_t
values_hash(const weir_json_t *value, uint64_t seed)
{
    uint64_t hash = seed ^ (uint64_t) value->kind;

    switch (value->kind) {
    case WEIR_JSON_STRING:
        return weir_str_hash(value->text, seed);
    case WEIR_JSON_NUMBER:
        return values_hash_number(weir_schema_number(value), seed);
    case WEIR_JSON_ARRAY:
        for (const weir_json_t *inner = value->first; inner != NULL; inner = inner->next) {
            hash = (hash ^ values_hash(inner, seed)) * UINT64_C(0x9e3779b97f4a7c15);
        }
        return hash;
    case WEIR_JSON_OBJECT:
        for (const weir_json_t *inner = value->first; inner != NULL; inner = inner->next) {
            hash += weir_str_hash(inner->name, values_hash(inner, seed));
        }
        return hash;
    case WEIR_JSON_NULL: case WEIR_JSON_FALSE: case WEIR_JSON_TRUE:
        break;
    }
    return hash;
}

typedef struct { uint64_t hash; const weir_json_t *value; } values_hashed_t;

static int
values_by_hash(const void *a, const void *b)
{
    uint64_t left = ((const values_hashed_t *) a)->hash, right = ((const values_hashed_t *) b)->hash;

    return left < right ? -1 : left > right;
}

static bool
values_hashed_are_unique(const values_hashed_t *hashed, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t k = i; k != 0 && hashed[k - 1].hash == hashed[i].hash; k--) {
            if (weir_schema_is_equal(hashed[k - 1].value, hashed[i].value)) {
                return false;
            }
        }
    }
    return true;
}

static bool
values_few_are_unique(const weir_json_t *array)
{
    for (const weir_json_t *a = array->first; a != NULL; a = a->next) {
        for (const weir_json_t *b = a->next; b != NULL; b = b->next) {
            if (weir_schema_is_equal(a, b)) {
                return false;
            }
        }
    }
    return true;
}

bool
weir_schema_are_unique(const weir_json_t *array)
{
    size_t           n = 0;
    values_hashed_t *hashed;
    bool             are_unique;

    if (array->n <= VALUES_FEW) {
        return values_few_are_unique(array);
    }
    hashed = weir_mem_try(array->n * sizeof(*hashed));
    if (hashed == NULL) {
        return false;
    }
    for (const weir_json_t *value = array->first; value != NULL; value = value->next) {
        hashed[n++] = (values_hashed_t) { values_hash(value, (uint64_t) (uintptr_t) hashed), value };
    }
    weir_assert(n == array->n);
    qsort(hashed, n, sizeof(*hashed), values_by_hash);
    are_unique = values_hashed_are_unique(hashed, n);
    weir_mem_free(hashed);
    return are_unique;
}

uint64_t
weir_schema_length(weir_str_t text)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        n += ((unsigned char) text.at[i] & 0xc0) != 0x80;
    }
    return n;
}
