/*
 * regex.c - PCRE2 behind a bound: one compiled copy a process for each (pattern, flags), counted by reference.
 *
 * Compiling and giving back happen on the loop's thread and on a worker's build thread, so the table has a mutex;
 * matching happens on the loop's thread only and uses memory that is made at the first match and kept for the process's
 * life.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "expr/regex.h"

#include "base/mem.h"

#include <pcre2.h>
#include <pthread.h>

#define REGEX_ECMA          (PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_NEVER_BACKSLASH_C)
#define REGEX_BUCKETS       1024
#define REGEX_MATCH_LIMIT   100000
#define REGEX_DEPTH_LIMIT   10000
#define REGEX_HEAP_KIB      4096
#define REGEX_JIT_STACK_MIN ((size_t) 32 * 1024)
#define REGEX_JIT_STACK_MAX ((size_t) 256 * 1024)

struct weir_regex {
    weir_regex_t *next;            /* of the same bucket */
    weir_str_t    pattern;         /* lives behind the struct */
    uint64_t      hash;
    uint32_t      refs;
    bool          fold_case, whole, is_ecma, jit;
    pcre2_code   *code;
    uint32_t      groups, names, name_size;
    PCRE2_SPTR    name_table;
};

static pthread_mutex_t regex_lock = PTHREAD_MUTEX_INITIALIZER;
static weir_regex_t   *regex_table[REGEX_BUCKETS];            /* under regex_lock */

static _Thread_local bool regex_no_jit;

/* The loop thread's. */
static pcre2_match_data    *regex_match_data;
static pcre2_match_context *regex_match_context;

void
weir_regex_use_jit(bool on)
{
    regex_no_jit = !on;
}

/* --- memory of PCRE2 --- */

static void *
regex_malloc(size_t size, WEIR_UNUSED void *data)
{
    return weir_mem_try(size);
}

static void
regex_free(void *p, WEIR_UNUSED void *data)
{
    weir_mem_free(p);
}

/* --- compiling --- */

static bool
regex_compile_code(weir_regex_t *regex, weir_error_t *error)
{
    pcre2_general_context *general = pcre2_general_context_create(regex_malloc, regex_free, NULL);
    pcre2_compile_context *context = general != NULL ? pcre2_compile_context_create(general) : NULL;
    uint32_t               options = (regex->fold_case ? PCRE2_CASELESS : 0)
                                     | (regex->whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0)
                                     | (regex->is_ecma ? REGEX_ECMA : 0);
    PCRE2_UCHAR            why[128];
    PCRE2_SIZE             offset = 0;
    int                    code = 0;

    if (context != NULL) {
        regex->code = pcre2_compile((PCRE2_SPTR) regex->pattern.at, regex->pattern.len, options, &code, &offset,
                                    context);
        pcre2_compile_context_free(context);
    }
    pcre2_general_context_free(general);
    if (regex->code == NULL) {
        if (context == NULL) {
            return weir_error_set(error, "regular expression \"%.*s\": no memory", WEIR_STR_ARG(regex->pattern));
        }
        (void) pcre2_get_error_message(code, why, sizeof(why));
        return weir_error_set(error, "regular expression \"%.*s\" is not valid: %s at offset %zu",
                              WEIR_STR_ARG(regex->pattern), (const char *) why, (size_t) offset);
    }
    if (regex->jit) {
        (void) pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);    /* without it the interpreter matches the same */
    }
    (void) pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->groups);
    (void) pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &regex->names);
    (void) pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &regex->name_size);
    (void) pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &regex->name_table);
    return true;
}

/* A reference to the one in the table that is the same as `like`, or NULL.  Under the lock. */
static weir_regex_t *
regex_share(const weir_regex_t *like)
{
    weir_regex_t *at;

    for (at = regex_table[like->hash % REGEX_BUCKETS]; at != NULL; at = at->next) {
        if (at->hash == like->hash && at->fold_case == like->fold_case && at->whole == like->whole
            && at->is_ecma == like->is_ecma
            && at->jit == like->jit && weir_str_eq(at->pattern, like->pattern))
        {
            at->refs++;
            weir_assert(at->refs > 1);     /* each pattern in the table has a user */
            return at;
        }
    }
    return NULL;
}

static weir_regex_t *
regex_create(const weir_regex_t *like, weir_error_t *error)
{
    weir_regex_t *regex = weir_mem_need(sizeof(weir_regex_t) + like->pattern.len + 1);
    char         *text = (char *) (regex + 1);

    weir_assert(like->code == NULL);
    *regex = *like;
    if (like->pattern.len != 0) {
        memcpy(text, like->pattern.at, like->pattern.len);
    }
    regex->pattern.at = text;
    regex->refs = 1;
    if (!regex_compile_code(regex, error)) {
        weir_mem_free(regex);
        return NULL;
    }
    return regex;
}

/* like: pattern and flags. */
static weir_regex_t *
regex_find_or_create(weir_regex_t *like, weir_error_t *error)
{
    weir_regex_t *regex, **bucket;

    like->hash = weir_str_hash(like->pattern, 0);
    like->jit = !regex_no_jit;
    (void) pthread_mutex_lock(&regex_lock);
    regex = regex_share(like);
    if (regex == NULL) {
        regex = regex_create(like, error);
        if (regex != NULL) {
            bucket = &regex_table[regex->hash % REGEX_BUCKETS];
            regex->next = *bucket;
            *bucket = regex;
        }
    }
    (void) pthread_mutex_unlock(&regex_lock);
    return regex;
}

weir_regex_t *
weir_regex_compile(weir_str_t pattern, bool fold_case, weir_error_t *error)
{
    weir_regex_t like = { .pattern = pattern, .fold_case = fold_case };

    return regex_find_or_create(&like, error);
}

void
weir_regex_unref(weir_regex_t *regex)
{
    weir_regex_t **at;

    (void) pthread_mutex_lock(&regex_lock);
    weir_assert(regex->refs > 0);
    if (--regex->refs == 0) {
        for (at = &regex_table[regex->hash % REGEX_BUCKETS]; *at != regex; at = &(*at)->next) {
            weir_assert(*at != NULL);
        }
        *at = regex->next;
        pcre2_code_free(regex->code);
        weir_mem_free(regex);
    }
    (void) pthread_mutex_unlock(&regex_lock);
}

static void
regex_cleanup(void *data)
{
    weir_regex_unref(data);
}

static weir_regex_t *
regex_keep_in(weir_arena_t *arena, weir_regex_t *regex)
{
    if (regex != NULL) {
        weir_arena_on_cleanup(arena, regex_cleanup, regex);
    }
    return regex;
}

weir_regex_t *
weir_regex_compile_in(weir_arena_t *arena, weir_str_t pattern, bool fold_case, weir_error_t *error)
{
    return regex_keep_in(arena, weir_regex_compile(pattern, fold_case, error));
}

weir_regex_t *
weir_regex_compile_ecma_in(weir_arena_t *arena, weir_str_t pattern, weir_error_t *error)
{
    weir_regex_t like = { .pattern = pattern, .is_ecma = true };

    return regex_keep_in(arena, regex_find_or_create(&like, error));
}

weir_regex_t *
weir_regex_compile_whole_in(weir_arena_t *arena, weir_str_t pattern, weir_error_t *error)
{
    weir_regex_t like = { .pattern = pattern, .whole = true };

    return regex_keep_in(arena, regex_find_or_create(&like, error));
}

/* --- asking --- */

weir_str_t
weir_regex_pattern(const weir_regex_t *regex)
{
    return regex->pattern;
}

size_t
weir_regex_captures(const weir_regex_t *regex)
{
    return regex->groups;
}

/* An entry of PCRE2's table: the group's number in two bytes, then the name. */
bool
weir_regex_name(const weir_regex_t *regex, size_t i, weir_str_t *name, uint32_t *group)
{
    PCRE2_SPTR entry;

    if (i >= regex->names) {
        return false;
    }
    entry = regex->name_table + i * regex->name_size;
    *group = (uint32_t) entry[0] << 8 | entry[1];
    *name = weir_str_from_z((const char *) entry + 2);
    return true;
}

/* --- matching --- */

static bool
regex_prepare(void)
{
    pcre2_general_context *general;
    pcre2_jit_stack       *stack;

    if (regex_match_data != NULL) {
        return true;
    }
    general = pcre2_general_context_create(regex_malloc, regex_free, NULL);
    if (general == NULL) {
        return false;
    }
    regex_match_context = pcre2_match_context_create(general);
    if (regex_match_context != NULL) {
        (void) pcre2_set_match_limit(regex_match_context, REGEX_MATCH_LIMIT);
        (void) pcre2_set_depth_limit(regex_match_context, REGEX_DEPTH_LIMIT);
        (void) pcre2_set_heap_limit(regex_match_context, REGEX_HEAP_KIB);
        regex_match_data = pcre2_match_data_create(WEIR_REGEX_MAX_CAPTURES, general);
    }
    if (regex_match_data == NULL) {
        pcre2_match_context_free(regex_match_context);
        regex_match_context = NULL;
    } else {
        stack = pcre2_jit_stack_create(REGEX_JIT_STACK_MIN, REGEX_JIT_STACK_MAX, general);
        if (stack != NULL) {           /* without it PCRE2 uses 32 KiB of the machine's stack: a lower bound, no more */
            pcre2_jit_stack_assign(regex_match_context, NULL, stack);
        }
    }
    pcre2_general_context_free(general);
    return regex_match_data != NULL;
}

static void
regex_keep_captures(int rc, weir_str_t subject, weir_captures_t *captures)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(regex_match_data);
    size_t            i;

    captures->subject = subject;
    /* 0: the pattern has more groups than there is room */
    captures->n = rc == 0 ? WEIR_REGEX_MAX_CAPTURES : (size_t) rc;
    weir_assert(captures->n <= WEIR_REGEX_MAX_CAPTURES);
    for (i = 0; i < captures->n; i++) {
        if (at[2 * i] == PCRE2_UNSET) {
            captures->from[i] = captures->to[i] = UINT32_MAX;
        } else {
            captures->to[i] = (uint32_t) at[2 * i + 1];
            /* \K may put the start behind the end */
            captures->from[i] = (uint32_t) weir_min(at[2 * i], at[2 * i + 1]);
        }
    }
}

weir_regex_result_t
weir_regex_exec(const weir_regex_t *regex, weir_str_t subject, weir_captures_t *captures)
{
    int rc;

    weir_assert(regex->refs > 0 && regex->code != NULL);
    if (subject.len >= UINT32_MAX || !regex_prepare()) {
        return WEIR_REGEX_LIMIT;
    }
    rc = pcre2_match(regex->code, (PCRE2_SPTR) (subject.at != NULL ? subject.at : ""), subject.len, 0, 0,
                     regex_match_data,
                     regex_match_context);
    if (rc == PCRE2_ERROR_NOMATCH) {
        return WEIR_REGEX_NO_MATCH;
    }
    if (rc < 0) {
        return WEIR_REGEX_LIMIT;          /* limits, no memory, bad UTF-8 under (*UTF): not known, so not allowed */
    }
    if (captures != NULL) {
        regex_keep_captures(rc, subject, captures);
    }
    return WEIR_REGEX_MATCH;
}
