/*
 * store.c - see store.h.  A dump is a line of JSON for each record, behind one that says what was dumped.
 */
#include "tool/store.h"

#include "base/mem.h"
#include "os/sys.h"
#include "store/ask.h"
#include "store/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STORE_HEX_SEED 16

static int
store_failed(const weir_error_t *error)
{
    fprintf(stderr, "weir: %s\n", error->text);
    return 1;
}

bool
weir_tool_store_exists(const weir_settings_t *settings)
{
    if (settings->store_path.len == 0) {
        fprintf(stderr, "weir: the configuration has no \"store_path\"\n");
    }
    return settings->store_path.len != 0;
}

/* -- reading -- */

static bool
store_open(weir_store_db_t *db, const weir_settings_t *settings, bool alone, weir_error_t *error)
{
    weir_store_open_t how = { .path = settings->store_path.at, .writes = alone, .alone = alone };

    return weir_store_open(db, &how, error);
}

int
weir_tool_store_read(const weir_settings_t *settings,
                     void (*each)(void *data, weir_store_table_t table, const json_t *record), void *data)
{
    weir_store_db_t db;
    weir_error_t    error = { .text = "" };
    MDB_txn        *txn;
    int             result;

    if (!store_open(&db, settings, false, &error)) {
        return store_failed(&error);
    }
    result = mdb_txn_begin(db.env, NULL, MDB_RDONLY, &txn);
    if (result == 0) {
        result = weir_store_dump(&db, txn, each, data);
        mdb_txn_abort(txn);
    }
    weir_store_close(&db);
    if (result != 0) {
        (void) weir_error_set(&error, "reading the store failed: %s", weir_store_strerror(&db, result));
        return store_failed(&error);
    }
    return 0;
}

/* -- dump -- */

static void
store_dump_one(void *data, weir_store_table_t table, const json_t *record)
{
    (void) data;
    (void) table;
    (void) json_dumpf(record, stdout, JSON_COMPACT);
    putchar('\n');
}

static int
store_dump(const weir_settings_t *settings)
{
    weir_error_t error = { .text = "" };
    uint64_t     seeds[2];

    if (!weir_store_seeds(settings->store_path.at, seeds, &error)) {
        return store_failed(&error);
    }
    printf("{\"table\":\"%s\",\"layout\":%d,\"seeds\":\"%016llx%016llx\"}\n", weir_store_table_name(WEIR_STORE_META),
           WEIR_STORE_LAYOUT,
           (unsigned long long) seeds[0], (unsigned long long) seeds[1]);
    if (weir_tool_store_read(settings, store_dump_one, NULL) != 0) {
        return 1;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void) weir_error_set(&error, "writing the dump failed: %s", strerror(errno));
        return store_failed(&error);
    }
    return 0;
}

/* -- load -- */

typedef struct {
    weir_store_ask_t ask;
    const char      *path;
    json_t          *commands[WEIR_STORE_ASK_MAX];
    size_t           n, line, first_line, loaded, skipped;
    bool             skips_cells;
    weir_error_t     error;
} store_load_t;

/* Of the commands that wait. */
static bool
store_load_flush(store_load_t *load)
{
    json_t *answers[WEIR_STORE_ASK_MAX];
    bool    good = load->n == 0 || weir_store_ask(&load->ask, load->commands, answers, load->n, &load->error);

    weir_assert(load->n <= WEIR_STORE_ASK_MAX);
    for (size_t i = 0; i < load->n; i++) {
        if (good) {
            const char *why = json_string_value(json_object_get(answers[i], "error"));

            if (why != NULL) {
                (void) weir_error_set(&load->error, "line %zu: %s", load->first_line + i, why);
            } else {
                load->loaded++;
            }
            json_decref(answers[i]);
        }
        json_decref(load->commands[i]);
    }
    load->n = 0;
    return !weir_error_is_set(&load->error);
}

static bool
store_has_cell(weir_store_db_t *db)
{
    MDB_txn *txn;
    MDB_stat stat = { .ms_entries = 1 };

    if (mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn) == 0) {
        (void) mdb_stat(txn, db->tables[WEIR_STORE_CELLS], &stat);
        mdb_txn_abort(txn);
    }
    return stat.ms_entries != 0;
}

/* Cells are named by hashes: they are of use only under the seeds that they were counted with. */
static bool
store_load_meta(store_load_t *load, const json_t *record)
{
    const char *text = json_string_value(json_object_get(record, "seeds"));
    char        half[STORE_HEX_SEED + 1] = "";
    uint64_t    seeds[2], ours[2];

    if (json_integer_value(json_object_get(record, "layout")) > WEIR_STORE_LAYOUT) {
        return weir_error_set(&load->error, "the dump is of a newer version of Weir");
    }
    if (text == NULL || strlen(text) != 2 * STORE_HEX_SEED || strspn(text, "0123456789abcdef") != strlen(text)) {
        return weir_error_set(&load->error, "line %zu: \"seeds\" must be %d hex digits", load->line,
                              2 * STORE_HEX_SEED);
    }
    memcpy(half, text, STORE_HEX_SEED);
    seeds[0] = strtoull(half, NULL, 16);
    seeds[1] = strtoull(text + STORE_HEX_SEED, NULL, 16);
    if (!weir_store_seeds(load->path, ours, &load->error)) {
        return false;
    }
    if (memcmp(seeds, ours, sizeof(seeds)) == 0) {
        return true;
    }
    if (load->ask.fd < 0 && !store_has_cell(&load->ask.db)) {
        return weir_store_set_seeds(load->path, seeds, &load->error);
    }
    load->skips_cells = true;
    return true;
}

static bool
store_load_line(store_load_t *load, const char *line, size_t len)
{
    json_error_t why;
    json_t      *record = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
    const char  *table = json_string_value(json_object_get(record, "table"));
    bool         good = true;

    if (record == NULL) {
        return weir_error_set(&load->error, "line %zu is not JSON: %s", load->line, why.text);
    }
    if (table != NULL && strcmp(table, weir_store_table_name(WEIR_STORE_META)) == 0) {
        good = store_load_meta(load, record);
        json_decref(record);
        return good;
    }
    if (load->skips_cells && table != NULL && strcmp(table, weir_store_table_name(WEIR_STORE_CELLS)) == 0) {
        load->skipped++;
        json_decref(record);
        return true;
    }
    if (load->n == 0 || load->line != load->first_line + load->n) {      /* lines of one flush are numbered in a row */
        good = store_load_flush(load);
        load->first_line = load->line;
    }
    load->commands[load->n++] = json_pack("{s:s, s:o}", "do", "load", "record", record);
    return good && (load->n < WEIR_STORE_ASK_MAX || store_load_flush(load));
}

static int
store_load(const weir_settings_t *settings)
{
    store_load_t load = { .path = settings->store_path.at };
    char        *line = NULL;
    size_t       room = 0;
    ssize_t      len = 0;
    bool         good = weir_store_ask_open(&load.ask, load.path, settings->store_size.n, &load.error);

    if (!good) {
        return store_failed(&load.error);
    }
    while (good && (len = getline(&line, &room, stdin)) >= 0) {
        load.line++;
        good = store_load_line(&load, line, (size_t) len);
    }
    good = store_load_flush(&load) && good;
    free(line);
    weir_store_ask_close(&load.ask);
    fprintf(stderr, "%zu records loaded\n", load.loaded);
    if (load.skipped != 0) {
        fprintf(stderr, "%zu counts skipped: they are of another store, and this one has its own\n", load.skipped);
    }
    return good ? 0 : store_failed(&load.error);
}

/* -- asking -- */

json_t *
weir_tool_store_ask(const weir_settings_t *settings, json_t *command)
{
    weir_store_ask_t ask;
    weir_error_t     error = { .text = "" };
    json_t          *answer = NULL;

    if (weir_store_ask_open(&ask, settings->store_path.at, settings->store_size.n, &error)) {
        if (!weir_store_ask(&ask, &command, &answer, 1, &error)) {
            answer = NULL;
        }
        weir_store_ask_close(&ask);
    }
    if (json_object_get(answer, "error") != NULL) {
        (void) weir_error_set(&error, "%s", json_string_value(json_object_get(answer, "error")));
        json_decref(answer);
        answer = NULL;
    }
    if (answer == NULL) {
        (void) store_failed(&error);
    }
    return answer;
}

/* What was counted until now is on the disk when it returns; without an instance it is. */
static int
store_flush(const weir_settings_t *settings)
{
    json_t *command = json_pack("{s:s}", "do", "flush"), *answer = weir_tool_store_ask(settings, command);
    int     code = answer != NULL ? 0 : 1;

    json_decref(command);
    json_decref(answer);
    return code;
}

/* -- compact -- */

static unsigned long long
store_size(const char *path)
{
    struct stat st;

    return weir_sys_stat(path, &st) == 0 ? (unsigned long long) st.st_size : 0;
}

static int
store_compact(const weir_settings_t *settings, const char *to)
{
    weir_store_db_t    db;
    weir_error_t       error = { .text = "" };
    weir_arena_t       arena;
    const char        *path;
    unsigned long long before;
    int                result;

    if (!store_open(&db, settings, to == NULL, &error)) {
        if (to == NULL) {
            fprintf(stderr, "weir: while an instance runs, \"store compact FILE\" makes a copy\n");
        }
        return store_failed(&error);
    }
    weir_arena_init(&arena, 512);
    path = weir_str_printf(&arena, "%s/" WEIR_STORE_FILE, settings->store_path.at).at;
    before = store_size(path);
    result = to != NULL ? weir_store_copy(&db, to) : weir_store_compact(&db, settings->store_path.at);
    if (result == 0) {
        fprintf(stderr, "the store has %llu bytes now, it had %llu\n", store_size(to != NULL ? to : path), before);
    } else {
        (void) weir_error_set(&error, "compacting failed: %s", weir_store_strerror(&db, result));
    }
    weir_store_close(&db);
    weir_arena_fini(&arena);
    return result == 0 ? 0 : store_failed(&error);
}

/* -- check -- */

static void
store_fault(void *data, const char *fault)
{
    size_t *n = data;

    (*n)++;
    printf("%s\n", fault);
}

static int
store_check_here(const weir_settings_t *settings)
{
    weir_store_db_t db;
    weir_error_t    error = { .text = "" };
    MDB_txn        *txn;
    size_t          n = 0;
    int             result;

    if (!store_open(&db, settings, false, &error)) {
        return store_failed(&error);
    }
    result = mdb_txn_begin(db.env, NULL, MDB_RDONLY, &txn);
    if (result == 0) {
        result = weir_store_check(&db, txn, store_fault, &n);
        mdb_txn_abort(txn);
    }
    weir_store_close(&db);
    if (result != 0) {
        store_fault(&n, weir_store_strerror(&db, result));
    }
    printf("%zu faults\n", n);
    return n == 0 ? 0 : 1;
}

/* In a process of its own: a file that is damaged may end it. */
static int
store_check(const weir_settings_t *settings)
{
    int   status = 0;
    pid_t pid;

    (void) fflush(stdout);
    pid = weir_sys_fork();
    if (pid == 0) {
        int code = store_check_here(settings);

        (void) fflush(stdout);
        _exit(code);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        fprintf(stderr, "weir: the process that checks the store could not be started: %s\n", strerror(errno));
        return 1;
    }
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "weir: the store is damaged: reading it ended with signal %d\n", WTERMSIG(status));
        return 1;
    }
    return WEXITSTATUS(status);
}

int
weir_tool_store(const weir_settings_t *settings, char *const *argv)
{
    const char *verb = *argv != NULL ? *argv : "", *more = *argv != NULL ? argv[1] : NULL;
    bool        is_compact = strcmp(verb, "compact") == 0;

    if (!weir_tool_store_exists(settings)) {
        return 1;
    }
    if (more != NULL && (!is_compact || argv[2] != NULL)) {
        fprintf(stderr, "weir: \"store %s\" does not take \"%s\"\n", verb, is_compact ? argv[2] : more);
        return 1;
    }
    if (is_compact) {
        return store_compact(settings, more);
    }
    if (strcmp(verb, "flush") == 0) {
        return store_flush(settings);
    }
    if (strcmp(verb, "dump") == 0) {
        return store_dump(settings);
    }
    if (strcmp(verb, "load") == 0) {
        return store_load(settings);
    }
    if (strcmp(verb, "check") == 0) {
        return store_check(settings);
    }
    fprintf(stderr, "weir: \"store\" must be followed by dump, load, compact, check or flush\n");
    return 1;
}
