/*
 * generation.c - a reading from beginning to end: texts to blocks, blocks to structs, structs to what runs.
 *
 * Runs in the master (recording) and in a worker's build thread (replaying).  Everything is in the generation's arena;
 * a reading that fails gives all of it back.
 */
#include "base/mem.h"
#include "conf/fragment.h"
#include "conf/read.h"
#include "event/slice.h"

#define GENERATION_CHUNK ((size_t) 256 * 1024)
#define GENERATION_SMALL ((size_t) 1024 * 1024)
#define GENERATION_LIVE  ((size_t) 4 * 1024)

static uint32_t generation_n_alive;          /* one is built in a thread while the loop lets go of others */

static weir_loop_t       *generation_loop;       /* whose turns give memory back; NULL: none */
static weir_generation_t *generation_dead;       /* whose memory is to be given back */
static weir_task_t        generation_task;

static weir_conf_block_t *
generation_root(reader_t *reader, const char *file)
{
    weir_conf_block_t *root = weir_new(reader->cf.arena, weir_conf_block_t);

    root->context = WEIR_IN_MAIN;
    root->words.file = file;
    root->confs = weir_new_n(reader->cf.arena, void *, reader->n_modules + 1);
    root->set = &root->own_set;
    return root;
}

static weir_str_t
generation_dir_of(weir_str_t file)
{
    while (file.len != 0 && file.at[file.len - 1] != '/') {
        file.len--;
    }
    return file;
}

static void
generation_drop_part(void *data)
{
    weir_part_unref(data);
}

/* The generation has the reference from here on.  Parts go one by one, the last one first. */
void
weir_generation_add_part(weir_generation_t *generation, weir_part_t *part)
{
    *(weir_part_t **) weir_array_push(&generation->parts) = part;
    weir_arena_on_cleanup(&generation->arena, generation_drop_part, part);
}

void
weir_conf_use_part(weir_conf_t *cf, weir_part_t *part)
{
    cf->arena = &part->arena;
    weir_vars_keep_in(cf->vars, cf->arena, &part->variables);
}

void
weir_conf_enter(weir_conf_t *cf, weir_conf_block_t *block)
{
    cf->block = block;
    cf->words = &block->words;
    weir_conf_use_part(cf, block->part);
}

void
weir_conf_leave(weir_conf_t *cf)
{
    cf->block = cf->root;
    cf->words = &cf->root->words;
    cf->arena = &reader_of(cf)->generation->arena;
    weir_vars_keep_in(cf->vars, cf->arena, NULL);
}

static void
generation_start(reader_t *reader, weir_generation_t *generation, weir_bundle_t *bundle,
                 const weir_conf_source_t *source,
                 weir_conf_errors_t *errors)
{
    weir_part_t  *environment = weir_part_create();
    weir_arena_t *arena = &environment->arena;
    const char   *file = weir_str_to_z(arena, source->file);
    size_t        m;

    weir_assert(errors->n == 0 && errors->max != 0);
    weir_array_init(&generation->parts, &generation->arena, sizeof(weir_part_t *), 0);
    weir_generation_add_part(generation, environment);       /* all point at it: it is the last one to go */
    *reader = (reader_t) { .generation = generation, .errors = errors, .keeps_lines = source->keeps_lines };
    reader->cf = (weir_conf_t) { .live = &generation->live, .bundle = bundle, .error = &reader->error,
                                 .subjects = WEIR_SUBJECTS_ALL };
    reader->cf.vars = weir_vars_create_with(&generation->arena, weir_vars_numbers_create(arena));
    weir_conf_use_part(&reader->cf, environment);
    reader->cf.prefix = weir_str_dup(arena, source->prefix);
    reader->cf.conf_dir = weir_str_dup(arena, generation_dir_of(source->file));
    weir_conf_index(reader);
    reader->cf.root = reader->cf.block = generation_root(reader, file);
    reader->cf.root->part = environment;
    reader->environment = reader->cf.root;
    weir_array_init(&reader->parts, &generation->arena, sizeof(weir_conf_block_t *), 0);
    reader->cf.words = &reader->cf.root->words;
    for (m = 0; m < reader->n_modules; m++) {
        if (weir_modules_in_use[m]->variables != NULL) {
            weir_vars_add_rows(reader->cf.vars, weir_modules_in_use[m]->variables);
        }
    }
    generation->built = weir_new_n(&generation->arena, void *, weir_conf_module_slots());
    generation->root = reader->cf.root;
    generation->vars = reader->cf.vars;
}

static bool
generation_read(reader_t *reader, const weir_conf_source_t *source)
{
    weir_str_t text;

    if (source->directives.len != 0 && !weir_conf_read_text(reader, source->directives, WEIR_LEX_COMMAND_LINE)) {
        return false;
    }
    if (!weir_bundle_conf(reader->cf.bundle, source->file, &text, reader->cf.error)
        || !weir_conf_read_text(reader, text, reader->cf.root->words.file))
    {
        return false;
    }
    return reader->has_http || weir_bundle_fragments(reader->cf.bundle, reader->cf.arena).n == 0
           || weir_conf_read_text(reader, WEIR_STR("http { }"), "the fragments");
}

/* Each name that is used and nowhere defined. */
static bool
generation_settle(reader_t *reader)
{
    bool good = true;

    while (reader->errors->n < reader->errors->max && !weir_vars_settle(reader->cf.vars, reader->cf.error)) {
        good = false;
        (void) weir_conf_take_error(reader);
    }
    return good;
}

/* The module at an index binds what the block says. */
static bool
generation_bind(reader_t *reader, weir_conf_block_t *block, void *data)
{
    const weir_module_t *module = weir_modules_in_use[*(const size_t *) data];

    return module->bind(&reader->cf, reader->generation, block)
        || weir_conf_error_at(&reader->cf, &block->words, "the module %s refuses this", module->name);
}

static bool
generation_finish(reader_t *reader)
{
    const weir_module_t *module;
    size_t               m;

    weir_assert(reader->depth == 0 && reader->n_files == 0);     /* every block and file that was opened is closed */
    if (!generation_settle(reader) || reader->errors->n != 0 || !weir_conf_seal(reader) || !weir_conf_check(reader)) {
        return false;
    }
    reader->cf.root = reader->generation->root = weir_conf_view(reader);
    for (m = 0; m < reader->n_modules; m++) {
        module = weir_modules_in_use[m];
        if (module->bind != NULL && !weir_conf_visit(reader, generation_bind, &m)) {
            return false;
        }
        weir_conf_leave(&reader->cf);
        if (module->build != NULL && !module->build(&reader->cf, reader->generation)) {
            return weir_conf_error_at(&reader->cf, &reader->cf.root->words, "the module %s refuses this", module->name);
        }
    }
    weir_conf_leave(&reader->cf);
    if (!weir_vars_settle(reader->cf.vars, reader->cf.error)) {    /* of templates that were made meanwhile */
        return false;
    }
    for (m = 0; m < reader->n_modules && !weir_bundle_is_replay(reader->cf.bundle); m++) {
        if (weir_modules_in_use[m]->record != NULL) {
            weir_modules_in_use[m]->record(&reader->cf, reader->generation);
        }
    }
    return true;
}

static void
generation_free(weir_generation_t *generation)
{
    weir_arena_fini(&generation->arena);
    weir_mem_free(generation->kept);
    weir_mem_free(generation);
    weir_assert(__atomic_fetch_sub(&generation_n_alive, 1, __ATOMIC_RELAXED) != 0);
}

weir_generation_t *
weir_generation_build(weir_bundle_t *bundle, const weir_conf_source_t *source, uint64_t serial, weir_error_t *error)
{
    weir_conf_errors_t errors = { error, 0, 1 };

    return weir_generation_build_all(bundle, source, serial, &errors);
}

weir_generation_t *
weir_generation_build_all(weir_bundle_t *bundle, const weir_conf_source_t *source, uint64_t serial,
                          weir_conf_errors_t *errors)
{
    weir_generation_t *generation = weir_mem_need(sizeof(*generation));
    reader_t          *reader = weir_mem_need(sizeof(*reader));
    bool               built;

    weir_arena_init_mapped(&generation->arena, GENERATION_CHUNK);
    weir_arena_init(&generation->live, GENERATION_LIVE);
    generation->kept = weir_mem_need(sizeof(void *) * weir_conf_module_slots());
    generation->refs = 1;
    generation->serial = serial;
    (void) __atomic_fetch_add(&generation_n_alive, 1, __ATOMIC_RELAXED);
    weir_regex_use_jit(true);
    errors->n = 0;
    generation_start(reader, generation, bundle, source, errors);
    if (!generation_read(reader, source) && weir_error_is_set(&reader->error) && errors->n < errors->max) {
        (void) weir_conf_take_error(reader);          /* a file that cannot be read; those of its text were taken */
    }
    built = generation_finish(reader) && errors->n == 0;
    if (!built && weir_error_is_set(&reader->error) && errors->n < errors->max) {
        (void) weir_conf_take_error(reader);
    }
    weir_mem_free(reader);
    generation->bytes = generation->arena.total;
    for (size_t i = 0; i < generation->parts.n; i++) {
        generation->bytes += (*weir_array_at(&generation->parts, weir_part_t *, i))->arena.total;
    }
    if (!built) {                                     /* here and at once: the loop is another thread's, maybe */
        weir_arena_fini(&generation->live);
        generation_free(generation);
        return NULL;
    }
    return generation;
}

weir_generation_t *
weir_generation_ref(weir_generation_t *generation)
{
    weir_assert(generation->refs > 0 && generation->refs < UINT32_MAX);
    generation->refs++;
    return generation;
}

/* -- the end -- */

/* A slice of what is to be given back; the rest in the next turn. */
static void
generation_on_task(weir_task_t *task)
{
    weir_slice_t slice = { 0 };

    (void) weir_slice_is_over(&slice);
    while (generation_dead != NULL) {
        weir_generation_t *generation = generation_dead;

        if (weir_arena_fini_step(&generation->arena)) {
            generation_dead = generation->next_dead;
            generation_free(generation);
        }
        if (generation_dead != NULL && weir_slice_is_over(&slice)) {
            weir_task_post_later(generation_loop, task, generation_on_task);
            return;
        }
    }
}

void
weir_generation_free_on(weir_loop_t *loop)
{
    weir_task_cancel(&generation_task);
    generation_loop = loop;
    while (generation_dead != NULL && loop == NULL) {
        weir_generation_t *generation = generation_dead;

        generation_dead = generation->next_dead;
        generation_free(generation);
    }
}

void
weir_generation_unref(weir_generation_t *generation)
{
    weir_assert(generation->refs > 0);
    if (--generation->refs != 0) {
        return;
    }
    weir_arena_fini(&generation->live);
    if (generation_loop == NULL || generation->bytes < GENERATION_SMALL) {
        generation_free(generation);
        return;
    }
    generation->next_dead = generation_dead;
    generation_dead = generation;
    weir_task_post(generation_loop, &generation_task, generation_on_task);
}

uint32_t
weir_generations_alive(void)
{
    return __atomic_load_n(&generation_n_alive, __ATOMIC_RELAXED);
}
