/*
 * consumers.c - see consumers.h: words of the command line become a command of the store (store/command.h).
 */
#include "tool/consumers.h"

#include "base/date.h"
#include "base/mem.h"
#include "conf/module.h"
#include "tool/calls.h"
#include "tool/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONSUMERS_SECRET_ROOM 300

/* -- words -- */

typedef enum {
    OPTION_TEXT, OPTION_SWITCH, OPTION_LIMIT, OPTION_TIME, OPTION_SECRET, OPTION_RATE, OPTION_LIST, OPTION_META
} consumers_option_kind_t;

typedef struct {
    const char             *name;                 /* of the member too, unless that is: */
    consumers_option_kind_t kind;
    const char             *member;
} consumers_option_t;

typedef struct {
    const char               *verb, *what;        /* "create", of "key" */
    const char               *command;            /* NULL: it lists */
    const char               *member;             /* where the word behind the verb goes */
    const consumers_option_t *options;            /* NULL-ended */
} consumers_row_t;

static const consumers_option_t
    consumers_none[] = { { .name = NULL } },
    consumers_of_consumer_add[] = {
        { .name = "plan", .kind = OPTION_TEXT }, { .name = "group", .kind = OPTION_LIST, .member = "groups" },
        { .name = "meta", .kind = OPTION_META }, { .name = "identity", .kind = OPTION_LIST, .member = "identities" },
        { .name = NULL }
    },
    consumers_of_consumer_set[] = {
        { .name = "plan", .kind = OPTION_TEXT }, { .name = "disabled", .kind = OPTION_SWITCH },
        { .name = "group", .kind = OPTION_LIST, .member = "groups" }, { .name = "meta", .kind = OPTION_META },
        { .name = "identity", .kind = OPTION_LIST, .member = "identities" }, { .name = NULL }
    },
    consumers_of_plan[] = {
        { .name = "hour", .kind = OPTION_LIMIT }, { .name = "day", .kind = OPTION_LIMIT },
        { .name = "month", .kind = OPTION_LIMIT }, { .name = "rate", .kind = OPTION_RATE },
        { .name = "burst", .kind = OPTION_LIMIT }, { .name = "concurrency", .kind = OPTION_LIMIT }, { .name = NULL }
    },
    consumers_of_key[] = {
        { .name = "label", .kind = OPTION_TEXT }, { .name = "expires", .kind = OPTION_TIME },
        { .name = "secret", .kind = OPTION_SECRET }, { .name = NULL }
    },
    consumers_of_identity[] = { { .name = "consumer", .kind = OPTION_TEXT }, { .name = NULL } };

static const consumers_row_t consumers_rows[] = {
    { "add", "consumer", "consumer.add", "name", consumers_of_consumer_add },
    { "set", "consumer", "consumer.set", "name", consumers_of_consumer_set },
    { "remove", "consumer", "consumer.remove", "name", consumers_none },
    { "list", "consumer", NULL, NULL, consumers_none },
    { "add", "plan", "plan.add", "name", consumers_of_plan },
    { "set", "plan", "plan.set", "name", consumers_of_plan },
    { "remove", "plan", "plan.remove", "name", consumers_none },
    { "list", "plan", NULL, NULL, consumers_none },
    { "create", "key", "key.create", "consumer", consumers_of_key },
    { "revoke", "key", "key.revoke", "id", consumers_none },
    { "list", "key", NULL, NULL, consumers_none },
    { "add", "identity", "identity.add", "identity", consumers_of_identity },
    { "remove", "identity", "identity.remove", "identity", consumers_none },
    { "list", "identity", NULL, NULL, consumers_none },
};

static bool
consumers_wrong(const char *what, const char *expected, const char *word)
{
    fprintf(stderr, "weir: \"%s\" of \"%s\" must be %s\n", word, what, expected);
    return false;
}

/* A time from now, or a date; in seconds of Unix time, 0: never.  NULL: neither. */
static json_t *
consumers_read_time(const char *text)
{
    weir_msec_t span;
    int64_t     seconds;
    json_int_t  at = strcmp(text, "never") == 0 ? 0 : -1;

    if (at < 0 && weir_date_iso_read(weir_str_from_z(text), &seconds)) {
        at = (json_int_t) seconds;
    }
    if (at < 0 && weir_conf_read_msec(weir_str_from_z(text), &span)) {
        at = (json_int_t) time(NULL) + (json_int_t) (span.ms / 1000);
    }
    return at >= 0 ? json_integer(at) : NULL;
}

/* The first line of standard input: a secret does not belong on a command line, which every user may read. */
static json_t *
consumers_read_secret(const char *text)
{
    char    line[CONSUMERS_SECRET_ROOM];
    json_t *secret = NULL;

    if (strcmp(text, "-") == 0 && fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        secret = json_string(line);
    }
    weir_mem_wipe(line, sizeof(line));
    return secret;
}

static json_t *
consumers_read_option(const consumers_option_t *option, const char *text)
{
    uint64_t number;

    switch (option->kind) {
    case OPTION_SWITCH:
        return strcmp(text, "on") == 0 ? json_true() : strcmp(text, "off") == 0 ? json_false() : NULL;
    case OPTION_LIMIT:
        return strcmp(text, "none") == 0 ? json_null()
               : weir_str_to_u64(weir_str_from_z(text), &number)
               && number <= INT64_MAX ? json_integer((json_int_t) number) : NULL;
    case OPTION_RATE:
        return strcmp(text, "none") == 0 ? json_null() : json_string(text);
    case OPTION_TIME:
        return consumers_read_time(text);
    case OPTION_SECRET:
        return consumers_read_secret(text);
    default:
        return json_string(text);
    }
}

/* Said again it is one more; without a text, none. */
static bool
consumers_append(json_t *command, const char *member, const char *text)
{
    json_t *list = json_object_get(command, member);

    if (list == NULL) {
        list = json_array();
        (void) json_object_set_new(command, member, list);
    }
    return text[0] == '\0' || json_array_append_new(list, json_string(text)) == 0;
}

/* NAME=VALUE; without a VALUE it is taken out. */
static bool
consumers_add_meta(json_t *command, const char *text)
{
    json_t     *meta = json_object_get(command, "meta");
    const char *value = strchr(text, '=');

    if (value == NULL) {
        return false;
    }
    if (meta == NULL) {
        meta = json_object();
        (void) json_object_set_new(command, "meta", meta);
    }
    return json_object_setn_new(meta, text, (size_t) (value - text),
                                value[1] != '\0' ? json_string(value + 1) : json_null()) == 0;
}

static bool
consumers_set_option(const consumers_row_t *row, const consumers_option_t *option, json_t *command, const char *word,
                     const char *text)
{
    static const char *const expected[] = {
        [OPTION_TEXT] = "UTF-8", [OPTION_SWITCH] = "on or off", [OPTION_LIMIT] = "a number of requests or none",
        [OPTION_TIME] = "a time from now as 30d, a date as 2027-01-31 or 2027-01-31T12:00:00Z, or never",
        [OPTION_SECRET] = "-, for the first line of standard input",
        [OPTION_RATE] = "a rate as 10r/s or 600r/m, or none", [OPTION_LIST] = "UTF-8",
        [OPTION_META] = "NAME=VALUE, of UTF-8",
    };
    json_t *value;
    bool    good;

    switch (option->kind) {
    case OPTION_LIST:
        good = consumers_append(command, option->member, text);
        break;
    case OPTION_META:
        good = consumers_add_meta(command, text);
        break;
    default:
        value = consumers_read_option(option, text);
        good = value != NULL && json_object_set_new(command, option->name, value) == 0;
        break;
    }
    return good || consumers_wrong(row->what, expected[option->kind], word);
}

/* NAME=TEXT, --NAME=TEXT, or --NAME and TEXT as the word behind it: *next says whether that was taken. */
static bool
consumers_add_option(const consumers_row_t *row, json_t *command, const char *word, const char *behind, bool *next)
{
    bool        is_dashed = strncmp(word, "--", 2) == 0;
    const char *name = is_dashed ? word + 2 : word;

    *next = false;
    for (const consumers_option_t *option = row->options; option->name != NULL; option++) {
        size_t len = strlen(option->name);

        if (strncmp(name, option->name, len) == 0 && name[len] == '=') {
            return consumers_set_option(row, option, command, word, name + len + 1);
        }
        if (is_dashed && strcmp(name, option->name) == 0 && behind != NULL) {
            *next = true;
            return consumers_set_option(row, option, command, word, behind);
        }
    }
    fprintf(stderr, "weir: \"%s %s\" does not take \"%s\"\n", row->what, row->verb, word);
    return false;
}

/* A new reference; NULL: said. */
static json_t *
consumers_command(const consumers_row_t *row, char *const *argv)
{
    json_t *command;
    bool    is_identity = strcmp(row->member, "identity") == 0, next;

    if (*argv == NULL || (strchr(*argv, '=') != NULL && !is_identity)) {
        fprintf(stderr, "weir: \"%s %s\" must have a%s\n", row->what, row->verb,
                strcmp(row->member, "id") == 0 ? "n id" : is_identity ? "n identity, KIND:VALUE" : " name");
        return NULL;
    }
    command = json_pack("{s:s, s:s}", "do", row->command, row->member, *argv);
    if (command == NULL) {
        (void) consumers_wrong(row->what, "UTF-8", *argv);
        return NULL;
    }
    while (*++argv != NULL) {
        if (!consumers_add_option(row, command, *argv, argv[1], &next)) {
            json_decref(command);
            return NULL;
        }
        argv += next;
    }
    return command;
}

/* -- changes -- */

/* What a script wants to have: the key's id and, once, the key. */
static void
consumers_show_answer(const json_t *answer)
{
    const char *id = json_string_value(json_object_get(answer, "id")),
        *key = json_string_value(json_object_get(answer, "key"));

    if (key != NULL) {
        printf("%s\n", key);
        fprintf(stderr, "key %s: it is shown this once and kept only as a hash\n", id);
    } else if (id != NULL) {
        printf("%s\n", id);
    }
}

/* While an upgrade is under way the store's process may be one of layout 1: a member that it does not know.  NULL:
 * none. */
static const char *
consumers_passed_over(const json_t *command, const json_t *answer)
{
    static const char *const members[] = { "groups", "meta", "identities", "rate", "burst", "concurrency" };

    for (size_t i = 0; json_object_get(answer, "layout") == NULL && i < weir_countof(members); i++) {
        if (json_object_get(command, members[i]) != NULL) {
            return members[i];
        }
    }
    return NULL;
}

static int
consumers_change(const weir_settings_t *settings, json_t *command)
{
    json_t     *answer = weir_tool_store_ask(settings, command);
    const char *passed_over;

    if (answer == NULL) {
        return 1;
    }
    passed_over = consumers_passed_over(command, answer);
    if (passed_over != NULL) {
        fprintf(stderr, "weir: the store process that runs is of an older version of Weir and has passed over \"%s\"\n",
                passed_over);
    } else {
        consumers_show_answer(answer);
    }
    json_decref(answer);
    return passed_over != NULL;
}

/* -- lists -- */

static void
consumers_show_limit(const json_t *record, const char *member)
{
    const json_t *limit = json_object_get(record, member);

    if (json_is_integer(limit)) {
        printf(" %12lld", (long long) json_integer_value(limit));
    } else {
        printf(" %12s", "-");
    }
}

static void
consumers_show_time(const json_t *record, const char *member, const char *none)
{
    time_t    at = (time_t) json_integer_value(json_object_get(record, member));
    char      text[40] = "";
    struct tm t;

    if (at == 0 || gmtime_r(&at, &t) == NULL || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &t) == 0) {
        (void) snprintf(text, sizeof(text), "%s", none);
    }
    printf(" %-20s", text);
}

static const char *
consumers_text(const json_t *record, const char *member)
{
    const char *text = json_string_value(json_object_get(record, member));

    return text != NULL && text[0] != '\0' ? text : "-";
}

/* Groups with commas between, metadata behind them. */
static void
consumers_show_profile(const json_t *record)
{
    json_t     *groups = json_object_get(record, "groups"), *meta = json_object_get(record, "meta"), *value;
    const char *name;

    printf(" %s", json_array_size(groups) == 0 ? "-" : "");
    for (size_t i = 0; i < json_array_size(groups); i++) {
        printf("%s%s", i != 0 ? "," : "", json_string_value(json_array_get(groups, i)));
    }
    json_object_foreach(meta, name, value) {
        printf(" %s=%s", name, json_string_value(value));
    }
}

static void
consumers_show_consumer(const json_t *record)
{
    printf("%-24s %-16s %-8s", consumers_text(record, "name"), consumers_text(record, "plan"),
           json_is_true(json_object_get(record, "disabled")) ? "disabled" : "active");
    consumers_show_time(record, "created", "-");
    consumers_show_profile(record);
}

static void
consumers_show_plan(const json_t *record)
{
    printf("%-24s", consumers_text(record, "name"));
    consumers_show_limit(record, "hour");
    consumers_show_limit(record, "day");
    consumers_show_limit(record, "month");
    printf(" %12s", consumers_text(record, "rate"));
    consumers_show_limit(record, "burst");
    consumers_show_limit(record, "concurrency");
}

static void
consumers_show_identity(const json_t *record)
{
    printf("%-24s", consumers_text(record, "consumer"));
    consumers_show_time(record, "created", "-");
    printf(" %s", consumers_text(record, "identity"));
}

static void
consumers_show_key(const json_t *record)
{
    printf("%.16s %-24s", consumers_text(record, "hash"), consumers_text(record, "consumer"));
    consumers_show_time(record, "created", "-");
    consumers_show_time(record, "expires", "never");
    printf(" %s", consumers_text(record, "label"));
}

typedef struct {
    const char        *what, *head;
    weir_store_table_t table;
    void             (*show)(const json_t *record);
} consumers_list_t;

static const consumers_list_t consumers_lists[] = {
    { "consumer", "CONSUMER                 PLAN             STATE    CREATED              GROUPS METADATA",
      WEIR_STORE_CONSUMERS, consumers_show_consumer },
    { "plan", "PLAN                             HOUR          DAY        MONTH         RATE        BURST  CONCURRENCY",
      WEIR_STORE_PLANS, consumers_show_plan },
    { "key", "ID               CONSUMER                 CREATED              EXPIRES              LABEL",
      WEIR_STORE_KEYS, consumers_show_key },
    { "identity", "CONSUMER                 CREATED              IDENTITY", WEIR_STORE_IDENTITIES,
      consumers_show_identity },
};

typedef struct { const consumers_list_t *list; const char *of; bool is_known, has_head; } consumers_listing_t;

/* Not before the store could be read. */
static void
consumers_list_head(consumers_listing_t *listing)
{
    if (!listing->has_head) {
        printf("%s\n", listing->list->head);
        listing->has_head = true;
    }
}

static void
consumers_list_one(void *data, weir_store_table_t table, const json_t *record)
{
    consumers_listing_t *listing = data;

    if (table == WEIR_STORE_CONSUMERS && listing->of != NULL
        && strcmp(consumers_text(record, "name"), listing->of) == 0)
    {
        listing->is_known = true;
    }
    if (table == listing->list->table && (listing->of == NULL
                                          || strcmp(consumers_text(record, "consumer"), listing->of) == 0))
    {
        consumers_list_head(listing);
        listing->list->show(record);
        putchar('\n');
    }
}

static int
consumers_list(const weir_settings_t *settings, const char *what, char *const *argv)
{
    const consumers_list_t *list = consumers_lists;
    consumers_listing_t     listing = { .of = NULL };

    while (strcmp(list->what, what) != 0) {
        weir_assert(list + 1 < consumers_lists + weir_countof(consumers_lists));
        list++;
    }
    if (*argv != NULL && (list->table == WEIR_STORE_KEYS || list->table == WEIR_STORE_IDENTITIES)) {
        listing.of = *argv++;
    }
    if (*argv != NULL) {
        fprintf(stderr, "weir: \"%s list\" does not take \"%s\"\n", what, *argv);
        return 1;
    }
    listing.list = list;
    if (weir_tool_store_read(settings, consumers_list_one, &listing) != 0) {
        return 1;
    }
    if (listing.of != NULL && !listing.is_known) {
        fprintf(stderr, "weir: there is no consumer \"%s\"\n", listing.of);
        return 1;
    }
    consumers_list_head(&listing);
    return 0;
}

/* -- tools -- */

static int
consumers_run(const weir_settings_t *settings, const char *what, char *const *argv)
{
    const consumers_row_t *row = NULL;
    json_t                *command;
    int                    code = 1;

    if (!weir_tool_store_exists(settings)) {
        return 1;
    }
    for (size_t i = 0; *argv != NULL && i < weir_countof(consumers_rows); i++) {
        if (strcmp(consumers_rows[i].what, what) == 0 && strcmp(consumers_rows[i].verb, *argv) == 0) {
            row = &consumers_rows[i];
        }
    }
    if (row == NULL) {
        fprintf(stderr, "weir: \"%s\" must be followed by", what);
        for (size_t i = 0; i < weir_countof(consumers_rows); i++) {
            if (strcmp(consumers_rows[i].what, what) == 0) {
                fprintf(stderr, " %s", consumers_rows[i].verb);
            }
        }
        fprintf(stderr, "\n");
        return 1;
    }
    if (row->command == NULL) {
        return consumers_list(settings, what, argv + 1);
    }
    command = consumers_command(row, argv + 1);
    if (command != NULL) {
        code = consumers_change(settings, command);
        json_decref(command);
    }
    return code;
}

int
weir_tool_consumer(const weir_settings_t *settings, char *const *argv)
{
    return *argv != NULL && strcmp(*argv, "calls") == 0 ? weir_tool_calls(settings, argv + 1)
                                                        : consumers_run(settings, "consumer", argv);
}

int weir_tool_plan(const weir_settings_t *settings, char *const *argv) { return consumers_run(settings, "plan", argv); }
int weir_tool_identity(const weir_settings_t *settings,
                       char *const *argv) { return consumers_run(settings, "identity", argv); }
int weir_tool_key(const weir_settings_t *settings, char *const *argv) { return consumers_run(settings, "key", argv); }
