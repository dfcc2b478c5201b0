/*
 * vars.c - the names one generation knows: built-in rows, prefixes, defined slots, captures.
 *
 * Built while a configuration is read (master, or a worker's build thread), read-only afterwards.  All memory is the
 * generation's arena.
 */
#include "expr/vars.h"

#include "base/array.h"
#include "base/mem.h"

#include <stdio.h>

#define VARS_CHUNK ((size_t) 4096)
#define VARS_NEAR  3            /* edits that a slip may have */

typedef struct vars_name {
    struct vars_name      *next;      /* of the same bucket */
    weir_str_t             name;      /* lower case */
    const weir_variable_t *row;       /* NULL: defined by the configuration */
    uint32_t               slot;
} vars_name_t;

typedef struct { vars_name_t **at; size_t n_buckets, n; } vars_table_t;

struct weir_vars_numbers {
    weir_arena_t arena;
    vars_table_t names;
};

/* A name that is looked for in the end. */
typedef struct vars_later {
    weir_str_t         name;
    weir_var_ref_t    *ref;
    weir_arena_t      *arena;         /* in which that lies */
    weir_vars_place_t  place;
    bool               is_settled;    /* in an earlier generation */
} vars_later_t;

typedef struct vars_waiting { struct vars_waiting *next; vars_later_t *later; } vars_waiting_t;
typedef struct { vars_waiting_t *first, **end; } vars_queue_t;

/* One way to make the value of a slot. */
typedef struct vars_maker {
    weir_subject_t     subject;
    weir_array_t       reads;         /* of const weir_var_ref_t * */
} vars_maker_t;

typedef struct vars_making { struct vars_making *next; vars_maker_t *maker; } vars_making_t;
typedef struct { vars_making_t *makers; bool suits; } vars_slot_t;     /* suits: see vars_judge_slots */

/* One thing that a part says: a name is defined, a slot has a maker, a name is looked for. */
struct weir_vars_note {
    struct weir_vars_note *next;
    weir_str_t             defined;   /* in lower case; none: it is something else */
    uint32_t               slot;
    vars_maker_t          *maker;
    vars_later_t          *later;
};

struct weir_vars {
    weir_arena_t          *arena;
    weir_arena_t          *keep;      /* of what is defined and named now */
    weir_vars_notes_t     *notes;     /* NULL: none are taken */
    weir_vars_numbers_t   *numbers;
    vars_table_t           names;     /* exact names */
    bool                   is_stale;
    weir_array_t           prefixes;  /* of const weir_variable_t * */
    const weir_variable_t *slot_row, *capture_row;
    weir_array_t           slots;     /* of vars_slot_t */
    vars_queue_t           later;     /* not resolved yet */
    vars_queue_t           doubtful;  /* slots that are named where there is not all that a slot may be made of */
};

/* -- tables of names -- */

static void
vars_table_init(vars_table_t *table, weir_arena_t *arena)
{
    *table = (vars_table_t) { .n_buckets = 256 };
    table->at = weir_new_n(arena, vars_name_t *, table->n_buckets);
}

static vars_name_t **
vars_bucket(const vars_table_t *table, weir_str_t lower)
{
    weir_assert((table->n_buckets & (table->n_buckets - 1)) == 0);
    return &table->at[weir_str_hash(lower, 0) & (table->n_buckets - 1)];
}

static vars_name_t *
vars_get(const vars_table_t *table, weir_str_t lower)
{
    vars_name_t *at;

    for (at = *vars_bucket(table, lower); at != NULL; at = at->next) {
        if (weir_str_eq(at->name, lower)) {
            return at;
        }
    }
    return NULL;
}

/* Twice the buckets: configurations may define thousands of names. */
static void
vars_grow(vars_table_t *table, weir_arena_t *arena)
{
    vars_name_t **old = table->at, *at, *next, **bucket;
    size_t        n_old = table->n_buckets, i;

    table->n_buckets *= 2;
    table->at = weir_new_n(arena, vars_name_t *, table->n_buckets);
    for (i = 0; i < n_old; i++) {
        for (at = old[i]; at != NULL; at = next) {
            next = at->next;
            bucket = vars_bucket(table, at->name);
            at->next = *bucket;
            *bucket = at;
        }
    }
}

static vars_name_t *
vars_put(vars_table_t *table, weir_arena_t *arena, weir_str_t lower, const weir_variable_t *row)
{
    vars_name_t  *made = weir_new(arena, vars_name_t);
    vars_name_t **bucket;

    if (++table->n > table->n_buckets * 2) {
        vars_grow(table, arena);
    }
    bucket = vars_bucket(table, lower);
    *made = (vars_name_t) { .next = *bucket, .name = lower, .row = row };
    *bucket = made;
    return made;
}

/* -- numbers of slots -- */

static void
vars_end_numbers(void *data)
{
    weir_vars_numbers_t *numbers = data;

    weir_arena_fini(&numbers->arena);
    weir_mem_free(numbers);
}

weir_vars_numbers_t *
weir_vars_numbers_create(weir_arena_t *arena)
{
    weir_vars_numbers_t *numbers = weir_mem_need(sizeof(*numbers));

    weir_arena_init(&numbers->arena, VARS_CHUNK);
    vars_table_init(&numbers->names, &numbers->arena);
    weir_arena_on_cleanup(arena, vars_end_numbers, numbers);
    return numbers;
}

static const vars_name_t *
vars_number(weir_vars_numbers_t *numbers, weir_str_t lower)
{
    vars_name_t *known = vars_get(&numbers->names, lower);

    if (known == NULL) {
        known = vars_put(&numbers->names, &numbers->arena, weir_str_dup(&numbers->arena, lower), NULL);
        known->slot = (uint32_t) numbers->names.n - 1;
    }
    return known;
}

/* -- the names of a generation -- */

weir_vars_t *
weir_vars_create_with(weir_arena_t *arena, weir_vars_numbers_t *numbers)
{
    weir_vars_t *vars = weir_new(arena, weir_vars_t);

    vars->arena = vars->keep = arena;
    vars->numbers = numbers;
    vars_table_init(&vars->names, arena);
    vars->later.end = &vars->later.first;
    vars->doubtful.end = &vars->doubtful.first;
    weir_array_init(&vars->prefixes, arena, sizeof(const weir_variable_t *), 0);
    weir_array_init(&vars->slots, arena, sizeof(vars_slot_t), 0);
    return vars;
}

weir_vars_t *
weir_vars_create(weir_arena_t *arena)
{
    return weir_vars_create_with(arena, weir_vars_numbers_create(arena));
}

void
weir_vars_keep_in(weir_vars_t *vars, weir_arena_t *arena, weir_vars_notes_t *notes)
{
    vars->keep = arena;
    vars->notes = notes;
}

bool
weir_vars_is_stale(const weir_vars_t *vars)
{
    return vars->is_stale;
}

static void
vars_note(const weir_vars_t *vars, weir_vars_note_t what)
{
    weir_vars_notes_t *notes = vars->notes;
    weir_vars_note_t  *note;

    if (notes == NULL) {
        return;
    }
    note = weir_new(vars->keep, weir_vars_note_t);
    *note = what;
    if (notes->last != NULL) {
        notes->last->next = note;
    } else {
        notes->first = note;
    }
    notes->last = note;
}

void
weir_vars_add_rows(weir_vars_t *vars, const weir_variable_t *rows)
{
    weir_str_t name;

    for (; rows->name != NULL; rows++) {
        weir_assert(rows->subject != WEIR_OF_UNSAID);
        name = weir_str_from_z(rows->name);
        weir_assert(name.len != 0 && rows->get != NULL);
        if (rows->is_prefix) {
            *(const weir_variable_t **) weir_array_push(&vars->prefixes) = rows;
        } else if (vars_get(&vars->names, name) == NULL) {
            vars_put(&vars->names, vars->arena, name, rows);
        }
    }
}

void
weir_vars_set_readers(weir_vars_t *vars, const weir_variable_t *slot_row, const weir_variable_t *capture_row)
{
    weir_assert(slot_row != NULL && slot_row->get != NULL);
    vars->slot_row = slot_row;
    vars->capture_row = capture_row;
}

/* The longest prefix, or NULL.  It may be all of the name, as in nginx: $arg_. */
static const weir_variable_t *
vars_prefix(const weir_vars_t *vars, weir_str_t lower)
{
    const weir_variable_t *best = NULL, *row;
    size_t                 i, best_len = 0, len;

    for (i = 0; i < vars->prefixes.n; i++) {
        row = *weir_array_at(&vars->prefixes, const weir_variable_t *, i);
        len = strlen(row->name);
        if (len > best_len && lower.len >= len && memcmp(lower.at, row->name, len) == 0) {
            best = row;
            best_len = len;
        }
    }
    return best;
}

static vars_slot_t *
vars_slot(weir_vars_t *vars, uint32_t slot)
{
    while (vars->slots.n <= slot) {
        (void) weir_array_push(&vars->slots);
    }
    return weir_array_at(&vars->slots, vars_slot_t, slot);
}

static void
vars_define(weir_vars_t *vars, const vars_name_t *number)
{
    vars_name_t *known = vars_get(&vars->names, number->name);

    if (known == NULL) {
        known = vars_put(&vars->names, vars->arena, number->name, NULL);
        known->slot = number->slot;
        (void) vars_slot(vars, number->slot);
    }
}

bool
weir_vars_define(weir_vars_t *vars, weir_str_t name, uint32_t *slot)
{
    weir_str_t         lower = weir_str_lower(vars->keep, name);
    const vars_name_t *known = vars_get(&vars->names, lower), *number;

    if (known != NULL && known->row != NULL) {
        *slot = 0;
        return false;
    }
    number = vars_number(vars->numbers, lower);
    vars_define(vars, number);
    *slot = number->slot;
    vars_note(vars, (weir_vars_note_t) { .defined = lower });
    return true;
}

uint32_t
weir_vars_slots(const weir_vars_t *vars)
{
    return (uint32_t) vars->slots.n;
}

static void
vars_make(weir_vars_t *vars, uint32_t slot, vars_maker_t *maker)
{
    vars_slot_t   *at = vars_slot(vars, slot);
    vars_making_t *making = weir_new(vars->arena, vars_making_t);

    *making = (vars_making_t) { .next = at->makers, .maker = maker };
    at->makers = making;
}

void
weir_vars_add_maker(weir_vars_t *vars, uint32_t slot, weir_subject_t subject)
{
    vars_maker_t *maker = weir_new(vars->keep, vars_maker_t);

    weir_assert(subject != WEIR_OF_UNSAID && slot < vars->slots.n);
    maker->subject = subject;
    weir_array_init(&maker->reads, vars->keep, sizeof(const weir_var_ref_t *), 0);
    vars_make(vars, slot, maker);
    vars_note(vars, (weir_vars_note_t) { .maker = maker, .slot = slot });
}

void
weir_vars_maker_reads(weir_vars_t *vars, uint32_t slot, const weir_var_ref_t *ref)
{
    const vars_making_t *making = weir_array_at(&vars->slots, vars_slot_t, slot)->makers;

    weir_assert(making != NULL);
    *(const weir_var_ref_t **) weir_array_push(&making->maker->reads) = ref;
}

static bool
vars_resolve_prefix(const weir_vars_t *vars, weir_str_t lower, weir_var_ref_t *ref)
{
    const weir_variable_t *row = vars_prefix(vars, lower);

    *ref = (weir_var_ref_t) { .row = row };
    if (row != NULL) {
        ref->suffix = weir_str_skip(lower, strlen(row->name));
        ref->bound = row->bind != NULL ? row->bind(vars->keep, ref->suffix) : NULL;
    }
    return row != NULL;
}

bool
weir_vars_find_prefix(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref)
{
    return vars_resolve_prefix(vars, weir_str_lower(vars->keep, name), ref);
}

static bool
vars_resolve(const weir_vars_t *vars, weir_str_t lower, weir_var_ref_t *ref)
{
    const vars_name_t *known = vars_get(&vars->names, lower);

    if (known != NULL) {
        *ref = (weir_var_ref_t) { .row = known->row != NULL ? known->row : vars->slot_row, .slot = known->slot };
        return ref->row != NULL;
    }
    if (lower.len == 1 && lower.at[0] >= '1' && lower.at[0] <= '9') {
        *ref = (weir_var_ref_t) { .row = vars->capture_row, .group = (uint32_t) (lower.at[0] - '0') };
        return ref->row != NULL;
    }
    return vars_resolve_prefix(vars, lower, ref);
}

static weir_str_t
vars_nearest(const weir_vars_t *vars, weir_str_t lower)
{
    size_t       ceiling = lower.len / 3 < VARS_NEAR ? lower.len / 3 + 1 : VARS_NEAR + 1, distance, i;
    weir_str_t   best = WEIR_STR_NONE;
    vars_name_t *at;

    for (i = 0; i < vars->names.n_buckets; i++) {
        for (at = vars->names.at[i]; at != NULL; at = at->next) {
            distance = weir_str_distance(lower, at->name, ceiling);
            if (distance < ceiling || (best.at != NULL && distance == ceiling && weir_str_cmp(at->name, best) < 0)) {
                best = at->name;
                ceiling = distance;
            }
        }
    }
    return best;
}

/* A name that a row has by itself means the same in each generation. */
static bool
vars_is_fixed(const weir_vars_t *vars, weir_str_t lower)
{
    const vars_name_t *known = vars_get(&vars->names, lower);

    return known != NULL && known->row != NULL;
}

static void
vars_note_found(weir_vars_t *vars, weir_str_t lower, const weir_var_ref_t *ref)
{
    vars_later_t *later;

    if (vars->notes == NULL || vars_is_fixed(vars, lower)) {
        return;
    }
    later = weir_new(vars->keep, vars_later_t);
    *later = (vars_later_t) { .name = lower, .ref = weir_new(vars->keep, weir_var_ref_t), .is_settled = true };
    later->place = (weir_vars_place_t) { .file = "", .subjects = WEIR_SUBJECTS_ALL };
    *later->ref = *ref;
    vars_note(vars, (weir_vars_note_t) { .later = later });
}

bool
weir_vars_find(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref, weir_str_t *nearest)
{
    weir_str_t lower = weir_str_lower(vars->keep, name);

    if (vars_resolve(vars, lower, ref)) {
        vars_note_found(vars, lower, ref);
        return true;
    }
    *nearest = vars_nearest(vars, lower);
    return false;
}

/* -- subjects -- */

static const char *const vars_subjects[WEIR_OF_MAX] = {
    [WEIR_OF_CONNECTION] = "the connection", [WEIR_OF_REQUEST] = "the request", [WEIR_OF_SESSION] = "the session",
};

static bool
vars_has(weir_subjects_t subjects, weir_subject_t subject)
{
    return subject == WEIR_OF_NONE || (subjects & WEIR_SUBJECT(subject)) != 0;
}

/* Can it be worked out where there is no more than that?  Captures can: they are of what was matched last, there. */
static bool
vars_suits(const weir_vars_t *vars, const weir_var_ref_t *ref, weir_subjects_t subjects)
{
    const weir_variable_t *row = ref->row;

    if (row == NULL || row == vars->capture_row || vars_has(subjects, row->subject)) {
        return true;
    }
    if (row == vars->slot_row) {
        return weir_array_at(&vars->slots, vars_slot_t, ref->slot)->suits;
    }
    return row->is_early && vars_has(subjects, WEIR_OF_CONNECTION);
}

static bool
vars_maker_suits(const weir_vars_t *vars, const vars_maker_t *maker, weir_subjects_t subjects)
{
    if (!vars_has(subjects, maker->subject)) {
        return false;
    }
    for (size_t i = 0; i < maker->reads.n; i++) {
        if (!vars_suits(vars, *weir_array_at(&maker->reads, const weir_var_ref_t *, i), subjects)) {
            return false;
        }
    }
    return true;
}

static bool
vars_slot_suits(const weir_vars_t *vars, const vars_slot_t *slot, weir_subjects_t subjects)
{
    const vars_making_t *at = slot->makers;

    while (at != NULL && !vars_maker_suits(vars, at->maker, subjects)) {
        at = at->next;
    }
    return at != NULL;
}

typedef struct {
    const weir_vars_t *vars;
    uint8_t           *seen;                 /* by slot: variables may be made of one another */
    void             (*each)(void *data, const weir_var_ref_t *source);
    void              *data;
} vars_sources_t;

static void
vars_sources(const vars_sources_t *s, const weir_var_ref_t *ref)
{
    if (ref->row == NULL) {
        return;                                  /* (a literal of a template) */
    }
    if (ref->row != s->vars->slot_row) {
        s->each(s->data, ref);
        return;
    }
    if (s->seen[ref->slot]) {
        return;
    }
    s->seen[ref->slot] = 1;
    for (const vars_making_t *at = weir_array_at(&s->vars->slots, vars_slot_t, ref->slot)->makers; at != NULL;
         at = at->next)
    {
        const vars_maker_t *maker = at->maker;

        if (maker->reads.n == 0) {
            s->each(s->data, ref);               /* of itself: a constant, or what something else has found out */
        }
        for (size_t i = 0; i < maker->reads.n; i++) {
            vars_sources(s, *weir_array_at(&maker->reads, const weir_var_ref_t *, i));
        }
    }
}

/* (As deep as slots are made of one another, each once.) */
void
weir_vars_each_source(const weir_vars_t *vars, const weir_var_ref_t *ref,
                      void (*each)(void *data, const weir_var_ref_t *source), void *data)
{
    weir_arena_t   arena;
    vars_sources_t s = { .vars = vars, .each = each, .data = data };

    weir_arena_init(&arena, 4096);
    s.seen = weir_new_n(&arena, uint8_t, weir_vars_slots(vars) + 1);
    vars_sources(&s, ref);
    weir_arena_fini(&arena);
}

/* Which slots can be worked out where there is no more than that: all, but those whose makers cannot, until no more
 * fall.  One that is made of itself has no value there, which is no fault. */
static void
vars_judge_slots(weir_vars_t *vars, weir_subjects_t subjects)
{
    bool is_over = false;

    for (size_t i = 0; i < vars->slots.n; i++) {
        weir_array_at(&vars->slots, vars_slot_t, i)->suits = true;
    }
    while (!is_over) {
        is_over = true;
        for (size_t i = 0; i < vars->slots.n; i++) {
            vars_slot_t *slot = weir_array_at(&vars->slots, vars_slot_t, i);

            if (slot->suits && !vars_slot_suits(vars, slot, subjects)) {
                slot->suits = is_over = false;
            }
        }
    }
}

/* "the request and the connection" */
static void
vars_say_subjects(weir_subjects_t subjects, char *out, size_t size)
{
    size_t len = 0;

    for (unsigned subject = WEIR_OF_MAX; subject-- > WEIR_OF_CONNECTION; ) {
        if (vars_has(subjects, subject) && len < size) {
            len += (size_t) snprintf(out + len, size - len, "%s%s", len != 0 ? " and " : "", vars_subjects[subject]);
        }
    }
}

static bool
vars_foreign(weir_str_t name, const weir_var_ref_t *ref, weir_subjects_t subjects, weir_error_t *error)
{
    char those[80] = "none";

    vars_say_subjects(subjects, those, sizeof(those));
    return weir_error_set(error, "the variable \"%.*s\" tells of %s; only variables of %s can be used here",
                          WEIR_STR_ARG(name),
                          vars_subjects[ref->row->subject], those);
}

/* -- names that may be defined further down -- */

static void
vars_wait(weir_vars_t *vars, vars_queue_t *queue, vars_later_t *later)
{
    vars_waiting_t *waiting = weir_new(vars->arena, vars_waiting_t);

    waiting->later = later;
    *queue->end = waiting;
    queue->end = &waiting->next;
}

static vars_later_t *
vars_next(vars_queue_t *queue)
{
    vars_waiting_t *first = queue->first;

    if (first == NULL) {
        return NULL;
    }
    queue->first = first->next;
    queue->end = queue->first != NULL ? queue->end : &queue->first;
    return first->later;
}

bool
weir_vars_find_later(weir_vars_t *vars, weir_str_t name, weir_var_ref_t *ref, const weir_vars_place_t *place,
                     weir_error_t *error)
{
    weir_str_t    lower = weir_str_lower(vars->keep, name);
    bool          is_final = vars_resolve(vars, lower, ref)
                             && (vars_get(&vars->names, lower) != NULL || vars_prefix(vars, lower) == NULL);
    bool          is_slot = ref->row != NULL && ref->row == vars->slot_row;
    vars_later_t *later;

    if (is_final && !is_slot) {
        return vars_suits(vars, ref, place->subjects) || vars_foreign(lower, ref, place->subjects, error);
    }
    later = weir_new(vars->keep, vars_later_t);
    *later = (vars_later_t) { .name = lower, .ref = ref, .arena = vars->keep, .place = *place };
    vars_note(vars, (weir_vars_note_t) { .later = later });
    if (!is_final) {
        vars_wait(vars, &vars->later, later);
    } else if (!vars_has(place->subjects, ref->row->subject)) {
        vars_wait(vars, &vars->doubtful, later);
    } else {
        later->is_settled = true;                    /* nothing further down changes it */
    }
    return true;
}

void
weir_vars_take(weir_vars_t *vars, const weir_vars_notes_t *notes)
{
    for (const weir_vars_note_t *note = notes->first; note != NULL; note = note->next) {
        if (note->maker != NULL) {
            vars_make(vars, note->slot, note->maker);
        } else if (note->later != NULL) {
            vars_wait(vars, &vars->later, note->later);
        } else if (vars_is_fixed(vars, note->defined)) {
            vars->is_stale = true;
        } else {
            vars_define(vars, vars_number(vars->numbers, note->defined));
        }
    }
}

/* Puts the place into the error, unless it has one; and gives it as it stands behind "in". */
static const char *
vars_point(const weir_vars_t *vars, const vars_later_t *later, weir_error_t *error)
{
    const weir_vars_place_t *place = &later->place;
    const char              *pointer = place->pointer != NULL ? place->pointer : "";

    if (!weir_error_is_set(error)) {
        error->line = place->pointer != NULL ? 0 : place->line;
        error->column = 0;
        (void) snprintf(error->file, sizeof(error->file), "%s", place->file);
        (void) snprintf(error->pointer, sizeof(error->pointer), "%s", pointer);
        (void) snprintf(error->fragment, sizeof(error->fragment), "%s", place->fragment != NULL ? place->fragment : "");
    }
    return place->pointer != NULL ? weir_str_printf(vars->arena, "%s#%s%c", place->file, pointer, '\0').at
           : weir_str_printf(vars->arena, "%s:%u%c", place->file, place->line, '\0').at;
}

static bool
vars_unknown(const weir_vars_t *vars, const vars_later_t *later, weir_error_t *error)
{
    weir_str_t  near = vars_nearest(vars, later->name);
    const char *place = vars_point(vars, later, error);

    if (near.at != NULL) {
        return weir_error_set(error, "unknown \"%.*s\" variable, did you mean \"%.*s\"? in %s",
                              WEIR_STR_ARG(later->name), WEIR_STR_ARG(near), place);
    }
    return weir_error_set(error, "unknown \"%.*s\" variable in %s", WEIR_STR_ARG(later->name), place);
}

static bool
vars_foreign_at(const weir_vars_t *vars, const vars_later_t *later, weir_error_t *error)
{
    weir_error_t why = { .text = "" };

    (void) vars_foreign(later->name, later->ref, later->place.subjects, &why);
    return weir_error_set(error, "%s in %s", why.text, vars_point(vars, later, error));
}

/* What the name means here is what it meant in an earlier generation, or it is filled in. */
static bool
vars_fill(weir_vars_t *vars, vars_later_t *later)
{
    weir_var_ref_t ref;

    if (!later->is_settled) {
        vars->keep = later->arena;
        later->is_settled = vars_resolve(vars, later->name, later->ref);
        return later->is_settled;
    }
    vars->keep = vars->arena;
    if (!vars_resolve(vars, later->name, &ref)) {
        return false;
    }
    vars->is_stale = vars->is_stale || ref.row != later->ref->row || ref.slot != later->ref->slot;
    return true;
}

bool
weir_vars_settle(weir_vars_t *vars, weir_error_t *error)
{
    const vars_later_t *judged = NULL;
    vars_later_t       *later;

    while ((later = vars_next(&vars->later)) != NULL) {
        weir_assert(later->ref != NULL);
        if (!vars_fill(vars, later)) {
            return vars_unknown(vars, later, error);
        }
        vars_wait(vars, &vars->doubtful, later);
    }
    while ((later = vars_next(&vars->doubtful)) != NULL) {
        if (judged == NULL || judged->place.subjects != later->place.subjects) {
            vars_judge_slots(vars, later->place.subjects);
            judged = later;
        }
        if (!vars_suits(vars, later->ref, later->place.subjects)) {
            return vars_foreign_at(vars, later, error);
        }
    }
    return true;
}
