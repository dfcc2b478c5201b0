/*
 * conf_fragment.c - what may stand in http from any bytes, read as text, as a fragment that was packed, and as JSON:
 * the same blocks are built, or the same is said to be wrong.  An input that is a packed tree is built or refused.
 *
 * Bundles are replays that hold all there is, so nothing of the world is read.
 */
#define _GNU_SOURCE 1

#include "base/array.h"
#include "conf/core.h"
#include "conf/tree_json.h"
#include "conf/tree_pack.h"
#include "conf/wire.h"
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_FILE   "/etc/weir/weir.conf"
#define FUZZ_PART   "/etc/weir/part.conf"
#define FUZZ_ERRORS 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    weir_bundle_t     *bundle;
    weir_generation_t *generation;
    weir_error_t       at[FUZZ_ERRORS];
    weir_conf_errors_t errors;
} reading_t;

static void
put(reading_t *r, weir_bundle_kind_t kind, weir_str_t key, const void *value, size_t len)
{
    weir_str_t bytes = weir_str_dup(&r->bundle->arena, weir_str(value, len));

    weir_assert(weir_bundle_add(r->bundle, kind, key, bytes) != NULL);
}

static void
begin(reading_t *r, const char *text)
{
    static const uint64_t cpus[WEIR_CORE_CPU_WORDS] = { 3 };
    static const uint32_t user[] = { 1, 0, 0 };

    memset(r, 0, sizeof(*r));
    r->bundle = weir_bundle_create_replay();
    r->errors = (weir_conf_errors_t) { r->at, 0, FUZZ_ERRORS };
    put(r, WEIR_BUNDLE_CONF, WEIR_STR(FUZZ_FILE), text, strlen(text));
    put(r, WEIR_BUNDLE_USER, WEIR_STR(WEIR_USER ":" WEIR_GROUP), user, sizeof(user));
    put(r, WEIR_BUNDLE_PROCESSORS, WEIR_STR("cpus"), cpus, sizeof(cpus));
}

static void
build(reading_t *r)
{
    const weir_conf_source_t source = { .prefix = WEIR_STR("/usr/weir/"), .file = WEIR_STR(FUZZ_FILE),
                                        .keeps_lines = true };

    r->generation = weir_generation_build_all(r->bundle, &source, 1, &r->errors);
    weir_assert((r->generation == NULL) == (r->errors.n != 0));
    for (size_t i = 0; i < r->errors.n; i++) {
        weir_assert(weir_error_is_set(&r->at[i]));
    }
}

static void
end(reading_t *r)
{
    if (r->generation != NULL) {
        weir_generation_unref(r->generation);
    }
    weir_bundle_destroy(r->bundle);
}

static void
build_fragment(reading_t *r, weir_str_t tree)
{
    begin(r, "http { }");
    put(r, WEIR_BUNDLE_FRAGMENT, WEIR_STR("f"), tree.at, tree.len);
    build(r);
}

/* -- the same blocks -- */

static bool
same_words(const weir_conf_words_t *a, const weir_conf_words_t *b)
{
    bool same = a->n == b->n;

    for (size_t i = 0; i < a->n && same; i++) {
        same = weir_str_eq(a->at[i].text, b->at[i].text) && a->at[i].quoted == b->at[i].quoted
            && a->at[i].is_literal == b->at[i].is_literal;
    }
    return same;
}

/* `include` is the first reading's own way to the part. */
static const weir_conf_line_t *
skip_part(const weir_conf_line_t *line)
{
    while (line != NULL && line->words->n == 2 && weir_str_eq(line->words->at[1].text, WEIR_STR(FUZZ_PART))) {
        line = line->next;
    }
    return line;
}

static void
check_same(const weir_conf_block_t *a, const weir_conf_block_t *b)
{
    const weir_conf_line_t *x = skip_part(a->lines), *y = skip_part(b->lines);

    weir_assert(a->context == b->context && a->row == b->row && same_words(&a->words, &b->words));
    for (; x != NULL && y != NULL; x = skip_part(x->next), y = skip_part(y->next)) {
        weir_assert(x->row == y->row && same_words(x->words, y->words));
    }
    weir_assert(x == y);
    a = a->first;
    for (b = b->first; a != NULL && b != NULL; a = a->next, b = b->next) {
        check_same(a, b);
    }
    weir_assert(a == b);
}

/* places: of errors are the same, too. */
static void
check_readings(const reading_t *a, const reading_t *b, bool places)
{
    weir_assert(a->errors.n == b->errors.n);
    for (size_t i = 0; i < a->errors.n; i++) {
        weir_assert(!places || (strcmp(a->at[i].text, b->at[i].text) == 0 && a->at[i].line == b->at[i].line
                                && a->at[i].column == b->at[i].column));
    }
    if (a->generation != NULL) {
        check_same(a->generation->root, b->generation->root);
    }
}

/* -- three notations -- */

static weir_str_t
packed_json(weir_arena_t *arena, const weir_tree_node_t *root)
{
    weir_error_t            error = { .text = "" };
    char                   *json = NULL;
    size_t                  len = 0;
    FILE                   *out = open_memstream(&json, &len);
    const weir_tree_node_t *read = NULL;
    weir_str_t              bytes = WEIR_STR_NONE;
    bool                    good = weir_tree_json_write(root, out, &error);

    (void) fclose(out);
    if (good) {
        read = weir_tree_json_read(arena, weir_str(json, len), "j", WEIR_TREE_JSON_LITERAL, &error);
    }
    if (read != NULL) {
        weir_assert(weir_tree_pack(arena, read, &bytes, &error));
    }
    free(json);
    return bytes;
}

static void
check_text(weir_arena_t *arena, weir_str_t text, const weir_tree_node_t *root)
{
    static reading_t as_text, as_tree;
    weir_error_t     error = { .text = "" };
    weir_str_t       bytes;

    begin(&as_text, "http { include " FUZZ_PART ";\n}");
    put(&as_text, WEIR_BUNDLE_CONF, WEIR_STR(FUZZ_PART), text.at, text.len);
    build(&as_text);
    weir_assert(weir_tree_pack(arena, root, &bytes, &error));
    build_fragment(&as_tree, bytes);
    check_readings(&as_text, &as_tree, true);
    end(&as_tree);
    bytes = packed_json(arena, root);
    if (bytes.len != 0) {
        build_fragment(&as_tree, bytes);
        check_readings(&as_text, &as_tree, false);
        end(&as_tree);
    }
    end(&as_text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_str_t              input = weir_str((const char *) data, size);
    weir_error_t            error = { .text = "" };
    const weir_tree_node_t *root;
    static reading_t        reading;
    weir_arena_t            arena;

    weir_arena_init(&arena, 4096);
    if (weir_str_starts(input, WEIR_STR("weirtre1"))) {
        build_fragment(&reading, input);
        end(&reading);
    } else if (memmem(data, size, "include", 7) == NULL) {      /* (files are in files in one of the readings) */
        root = weir_tree_read(&arena, input, FUZZ_PART, &error);
        if (root != NULL) {
            check_text(&arena, input, root);
        }
    }
    weir_arena_fini(&arena);
    return 0;
}
