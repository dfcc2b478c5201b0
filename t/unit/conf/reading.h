/*
 * reading.h - for tests of core/conf: a toy module, and readings of texts that are in no file.
 */
#ifndef WEIR_T_CONF_READING_H
#define WEIR_T_CONF_READING_H

#include "conf/core.h"
#include "conf/generation.h"
#include "conf/wire.h"
#include "tap.h"

typedef struct {
    weir_flag_t            flag;
    weir_msec_t            time;
    weir_bytes_t           size;
    uint32_t               number, choice, mask;
    weir_str_t             text, other;
    weir_strs_t            words, names, rules, lines;
    weir_bufs_t            bufs;
    weir_path_t            path;
    const weir_template_t *template;
    uint32_t               here;            /* not inherited */
    uint32_t               derived;         /* by .check */
} toy_conf_t;

typedef struct { uint32_t weight; } toy_group_conf_t;

extern const weir_module_t toy, toy_group;
enum { TOY = 1, TOY_GROUP = 2 };            /* indexes */

static weir_error_t   reading_error;
static weir_bundle_t *reading_bundle;       /* of the last reading */
static char           reading_calls[512];   /* what .check and .build were called with */

#define READING_FILE "/etc/weir/weir.conf"

static inline bool
toy_append(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    (void) row;
    *(weir_str_t *) weir_conf_list_push(cf, field, sizeof(weir_str_t)) = words->at[1].text;
    return true;
}

static inline bool
toy_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    toy_conf_t *conf = weir_conf_own(cf, block->parent, TOY);

    if (words->n != 2) {
        return weir_conf_error(cf, 0, "a line needs two words");
    }
    *(weir_str_t *) weir_conf_list_push(cf, &conf->lines, sizeof(weir_str_t)) = words->at[1].text;
    return true;
}

static inline bool
toy_define(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    uint32_t slot;

    (void) row;
    (void) field;
    return weir_vars_define(cf->vars, words->at[1].text, &slot) || weir_conf_error(cf, 1, "it is a built-in one");
}

static inline bool
toy_get(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    (void) arena;
    *value = ref->suffix.len != 0 ? ref->suffix : weir_str_from_z(subject);
    return subject != NULL;
}

static const weir_variable_t toy_slot = { .name = "", .subject = WEIR_OF_REQUEST, .get = toy_get };

static inline bool
toy_http_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    (void) words;
    block->owner = (void *) "http";
    weir_vars_set_readers(cf->vars, &toy_slot, &toy_slot);
    return true;
}

/* The server that says so with toy_text. */
static inline weir_conf_block_t *
toy_extends(weir_conf_t *cf, const weir_conf_words_t *words)
{
    weir_conf_block_t *block = cf->block->first;

    for (; block != NULL; block = block->next) {
        const toy_conf_t *conf = block->confs[1];

        if (conf != NULL && weir_str_eq(conf->text, words->at[1].text)) {
            return block;
        }
    }
    (void) weir_conf_error(cf, 1, "no server \"%.*s\"", WEIR_STR_ARG(words->at[1].text));
    return NULL;
}

static inline bool
toy_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf)
{
    toy_conf_t *own = conf;

    own->derived = own->number * 2;
    (void) strcat(strcat(reading_calls, " "), block->row->name);
    return own->number != 666 || weir_conf_error_at(cf, &block->words, "a bad number");
}

static inline bool
toy_build(weir_conf_t *cf, weir_generation_t *generation)
{
    (void) cf;
    generation->built[1] = (void *) "built";
    (void) strcat(reading_calls, " build");
    return true;
}

static const weir_conf_enum_t toy_values[] = { { "red", 1 }, { "green", 2 }, { "blue", 4 }, { NULL, 0 } };
static const weir_conf_type_t toy_list = { .name = "name", .size = sizeof(weir_strs_t), .min_args = 1, .max_args = 1,
                                           .repeats = true, .parse = toy_append, .item = sizeof(weir_str_t) };
static const weir_conf_type_t toy_definition = { .name = "name", .min_args = 1, .max_args = 1, .repeats = true,
                                                 .parse = toy_define };

#define TOY_ROW(field, ...) WEIR_DIRECTIVE(toy_conf_t, field, __VA_ARGS__)
#define TOY_ROW_OF(field, ...) WEIR_DIRECTIVE_OF(toy_conf_t, field, __VA_ARGS__)

static const weir_directive_t toy_directives[] = {
    WEIR_BLOCK("http", WEIR_IN_HTTP, .where = WEIR_IN_MAIN, .single = true, .opened = toy_http_opened),
    WEIR_BLOCK("server", WEIR_IN_SERVER, .where = WEIR_IN_HTTP),
    WEIR_BLOCK("extend", WEIR_IN_SERVER, .where = WEIR_IN_HTTP, .block_min_args = 1, .block_max_args = 1,
               .extends = toy_extends),
    WEIR_BLOCK("location", WEIR_IN_LOCATION, .where = WEIR_IN_SERVER | WEIR_IN_LOCATION, .block_min_args = 1,
               .block_max_args = 2, .args = "[modifier] uri"),
    TOY_ROW(flag, "toy_flag", .where = WEIR_IN_ANY, .dflt = "on", .help = "Turns the toy on."),
    TOY_ROW(time, "toy_time", .where = WEIR_IN_ANY, .dflt = "60s", .min = "1s", .max = "1d", .help = "How long."),
    TOY_ROW(size, "toy_size", .where = WEIR_IN_ANY, .dflt = "8k", .max = "1m"),
    TOY_ROW(number, "toy_number", .where = WEIR_IN_ANY, .dflt = "7"),
    TOY_ROW_OF(choice, "toy_choice", &weir_type_enum, .where = WEIR_IN_ANY, .values = toy_values, .dflt = "green"),
    TOY_ROW_OF(mask, "toy_mask", &weir_type_mask, .where = WEIR_IN_ANY, .values = toy_values, .dflt = "red blue"),
    TOY_ROW(text, "toy_text", .where = WEIR_IN_SERVER | WEIR_IN_LOCATION, .dflt = "\"a b\""),
    TOY_ROW(text, "toy_text_too", .where = WEIR_IN_ANY),
    TOY_ROW(other, "toy_other", .where = WEIR_IN_HTTP),
    TOY_ROW(words, "toy_words", .where = WEIR_IN_ANY, .dflt = "x y"),
    TOY_ROW_OF(names, "toy_name", &toy_list, .where = WEIR_IN_ANY, .inherit = WEIR_APPEND),
    TOY_ROW_OF(rules, "toy_rule", &toy_list, .where = WEIR_IN_ANY),
    WEIR_BLOCK("toy_lines", WEIR_IN_DATA, .where = WEIR_IN_ANY, .single = true, .line = toy_line,
               .type = &toy_list, .offset = offsetof(toy_conf_t, lines)),
    TOY_ROW(bufs, "toy_bufs", .where = WEIR_IN_ANY, .dflt = "4 8k"),
    TOY_ROW(path, "toy_path", .where = WEIR_IN_ANY, .dflt = "logs/toy"),
    TOY_ROW(template, "toy_template", .where = WEIR_IN_ANY, .dflt = "$toy_name"),
    TOY_ROW(here, "toy_here", .where = WEIR_IN_ANY, .dflt = "1", .inherit = WEIR_LOCAL),
    { .name = "toy_define", .type = &toy_definition, .where = WEIR_IN_ANY },
    WEIR_DIRECTIVES_END
};

static const weir_variable_t toy_variables[] = {
    { .name = "toy_name", .subject = WEIR_OF_REQUEST, .get = toy_get, .help = "The name of the toy." },
    { .name = "toy_part_", .is_prefix = true, .subject = WEIR_OF_REQUEST, .get = toy_get },
    WEIR_VARIABLES_END
};

const weir_module_t toy = { .name = "toy", .conf_size = sizeof(toy_conf_t), .directives = toy_directives,
                            .variables = toy_variables, .check = toy_check, .build = toy_build };

static const weir_directive_t toy_group_directives[] = {
    WEIR_BLOCK("upstream", WEIR_IN_UPSTREAM, .where = WEIR_IN_HTTP, .block_min_args = 1, .block_max_args = 1),
    WEIR_DIRECTIVE(toy_group_conf_t, weight, "weight", .where = WEIR_IN_UPSTREAM, .dflt = "3", .help = "How heavy."),
    WEIR_DIRECTIVES_END
};
const weir_module_t toy_group = { .name = "toy_group", .conf_size = sizeof(toy_group_conf_t),
                                  .directives = toy_group_directives };

static const weir_module_t *const reading_modules[] = { &weir_core, &toy, &toy_group, NULL };

static inline void
reading_begin(void)
{
    weir_modules_in_use = reading_modules;
    weir_bundle_destroy(reading_bundle);
    reading_bundle = weir_bundle_create();
    reading_error = (weir_error_t) { .text = "" };
    reading_calls[0] = '\0';
}

static inline void
reading_file(const char *path, const char *text)
{
    if (weir_bundle_add(reading_bundle, WEIR_BUNDLE_CONF, weir_str_from_z(path), weir_str_from_z(text)) == NULL) {
        abort();
    }
}

static inline weir_generation_t *
reading_build(const char *directives)
{
    weir_conf_source_t source = { .prefix = WEIR_STR("/usr/weir/"), .file = WEIR_STR(READING_FILE),
                                  .directives = weir_str_from_z(directives) };

    return weir_generation_build(reading_bundle, &source, 1, &reading_error);
}

/* NULL: it was refused, and reading_error says why. */
static inline weir_generation_t *
reading(const char *text)
{
    reading_begin();
    reading_file(READING_FILE, text);
    return reading_build("");
}

static inline void
reading_done(weir_generation_t *generation)
{
    if (generation != NULL) {
        weir_generation_unref(generation);
    }
    weir_bundle_destroy(reading_bundle);
    reading_bundle = NULL;
}

/* The text is refused with these words. */
static inline void
reading_refuses(const char *text, const char *why)
{
    weir_generation_t *generation = reading(text);

    ok(generation == NULL, "refused");
    is_str(weir_str_from_z(reading_error.text), why, "with its reason");
    reading_done(generation);
}

#endif
