/*
 * values.c - JSON values as JSON Schema compares them: by what they mean, not how they are spelt.
 */
#include "schema/node.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

#define VALUES_FEW    16                    /* elements that are compared with one another without hashes */
#define VALUES_DIGITS 512                   /* characters of a number that are looked at, one more */
/* Doubles from here on are whole numbers, all of them. */
#define VALUES_WHOLE 9007199254740992.0L

long double
weir_schema_number(const weir_json_t *value)
{
    char   room[VALUES_DIGITS];
    size_t n = weir_min(value->text.len, sizeof(room) - 1);

    weir_assert(value->kind == WEIR_JSON_NUMBER);
    memcpy(room, value->text.at, n);
    room[n] = '\0';
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
    return fabsl(number - roundl(number)) <= fabsl(number) * 8 * 0x1p-53L;
}

bool
weir_schema_is_multiple(const weir_json_t *value, const weir_json_t *of)
{
    long double number = weir_schema_number(value), divisor = weir_schema_number(of), quotient = number / divisor;

    if (!(fabsl(quotient) < VALUES_WHOLE)) {
        return fmodl(number, divisor) == 0 || (weir_schema_is_integer(value) && values_is_whole(1 / divisor));
    }
    return (floorl(divisor) == divisor && floorl(number) == number) ? fmodl(number, divisor) == 0
                                                                     : values_is_whole(quotient);
}

/* The same members, whatever their order: mostly it is the same. */
static bool
values_objects_are_equal(const weir_json_t *a, const weir_json_t *b)
{
    const weir_json_t *other = b->first;

    for (const weir_json_t *member = a->first; member != NULL; member = member->next) {
        if (other == NULL || !weir_str_eq(other->name, member->name)) {
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

/* Equal values have one hash; with a seed that clients do not know. */
static uint64_t
values_hash(const weir_json_t *value, uint64_t seed)
{
    uint64_t hash = seed ^ (uint64_t) value->kind;
    double   real;

    switch (value->kind) {
    case WEIR_JSON_STRING:
        return weir_str_hash(value->text, seed);
    case WEIR_JSON_NUMBER:
        real = (double) weir_schema_number(value) + 0.0;
        return weir_str_hash(weir_str((const char *) &real, sizeof(real)), seed);
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
