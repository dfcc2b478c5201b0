/*
 * reload.c - see reload.h.
 *
 * Requests of the recorder, or of a log, are asked of the configuration that the instance serves and of that of the
 * files.  The guard refuses when more of them than its share lose a policy that they had to pass, or their route
 * (fate_compare.c says what that is), and when there is no request to ask about.  What was judged and what was taken
 * up are compared afterwards: between the two a file may change.
 */
#include "tool/reload.h"

#include "proc/master/load.h"
#include "tool/explain.h"
#include "tool/live.h"
#include "tool/running.h"
#include "tool/signal.h"
#include "tool/traffic.h"

#include <stdlib.h>
#include <string.h>

#define RELOAD_FAILED  1
#define RELOAD_REFUSED 2

typedef struct {
    weir_traffic_source_t traffic;
    const char           *share_text;        /* as written; NULL: no guard */
    double                share;             /* of a hundred */
    bool                  json, no_traffic_is_fine;
} reload_args_t;

/* -- arguments -- */

/* "1%", "0.5%", "0". */
static bool
reload_read_share(const char *text, double *share)
{
    size_t digits = strspn(text, "0123456789."), dots = 0;

    for (size_t i = 0; i < digits; i++) {
        dots += text[i] == '.';
    }
    if (digits == 0 || digits > 12 || dots > 1 || text[0] == '.' || text[digits - 1] == '.') {
        return false;
    }
    *share = strtod(text, NULL);
    return *share <= 100.0 && (strcmp(text + digits, "%") == 0 || (text[digits] == '\0' && *share <= 0.0));
}

static bool
reload_take_share(reload_args_t *args, const char *text)
{
    if (text == NULL || !reload_read_share(text, &args->share)) {
        fprintf(stderr, "weir: reload: invalid value \"%s\" of --guard: expected a share such as 1%% or 0.5%%\n",
                text != NULL ? text : "");
        return false;
    }
    args->share_text = text;
    return true;
}

static bool
reload_read_args(reload_args_t *args, char *const *argv)
{
    bool   good, is_of_guard = false;
    size_t used;

    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--guard") == 0) {
            if (!reload_take_share(args, argv[1])) {
                return false;
            }
            argv++;
        } else if (strcmp(*argv, "--json") == 0) {
            is_of_guard = args->json = true;
        } else if (strcmp(*argv, "--allow-no-traffic") == 0) {
            is_of_guard = args->no_traffic_is_fine = true;
        } else if (weir_traffic_option(&args->traffic, argv, &used, &good)) {
            if (!good) {
                return false;
            }
            is_of_guard = true;
            argv += used - 1;
        } else {
            fprintf(stderr, "weir: reload: \"%s\": expected --guard SHARE, and with it --traffic FILE, --recorder, "
                    "--format NAME, --host NAME, --allow-no-traffic or --json\n", *argv);
            return false;
        }
    }
    if (is_of_guard && args->share_text == NULL) {
        fprintf(stderr, "weir: reload: these options are of --guard, which is not there\n");
        return false;
    }
    if (args->traffic.log != NULL && args->traffic.recorder) {
        fprintf(stderr, "weir: reload: --traffic and --recorder: expected one of them\n");
        return false;
    }
    args->traffic.recorder = args->traffic.log == NULL;
    return true;
}

/* -- the guard -- */

static const char *
reload_why(const reload_args_t *args, const weir_traffic_sums_t *sums)
{
    if (sums->judged == 0) {
        return args->no_traffic_is_fine ? NULL : "there is no traffic to judge it by";
    }
    return 100.0 * (double) sums->lost > args->share * (double) sums->judged ? "it loses what requests had" : NULL;
}

static void
reload_tell(const reload_args_t *args, const weir_traffic_sums_t *sums, const char *why)
{
    json_t *told;

    if (args->json) {
        told = json_object();
        (void) json_object_set_new(told, "refused", json_boolean(why != NULL));
        (void) json_object_set_new(told, "guard", json_real(args->share));
        if (why != NULL) {
            (void) json_object_set_new(told, "why", json_string(why));
        }
        (void) json_object_set_new(told, "traffic", weir_traffic_json(sums));
        weir_explain_dump(told);
        json_decref(told);
    } else if (sums->judged != 0) {
        weir_traffic_print(sums, true);
    }
    (void) fflush(stdout);
    if (sums->judged == 0) {
        fprintf(stderr, "weir: reload: no request is recorded%s: %s\n", args->traffic.log != NULL ? " in the log" : "",
                why != NULL ? "refused, as nothing is known of what would be lost (--allow-no-traffic reloads all the "
                              "same, --traffic FILE reads a log); the running configuration stays"
                            : "it is reloaded without having been judged");
    } else if (why != NULL) {
        fprintf(stderr, "weir: reload: refused: %llu of %llu requests (%.2f%%) lose a policy or their route, more than "
                "%s: the running configuration stays\n", (unsigned long long) sums->lost,
                (unsigned long long) sums->judged, 100.0 * (double) sums->lost / (double) sums->judged,
                args->share_text);
    }
}

/* What is served is judged against `new`, whose reference it takes; 0: it may be taken up. */
static int
reload_judge(const reload_args_t *args, weir_generation_t *live, weir_generation_t *new, pid_t pid)
{
    weir_fate_side_t    *old_side = weir_fate_side_open(live, "reload"), *new_side = weir_fate_side_open(new, "reload");
    weir_traffic_t *traffic = NULL;
    const char     *why = NULL;
    int             code = RELOAD_FAILED;

    if (old_side != NULL && new_side != NULL) {
        traffic = weir_traffic_judge(old_side, new_side, &args->traffic, pid);
    }
    if (traffic != NULL) {
        why = reload_why(args, weir_traffic_sums(traffic));
        reload_tell(args, weir_traffic_sums(traffic), why);
        weir_traffic_destroy(traffic);
        code = why != NULL ? RELOAD_REFUSED : 0;
    }
    weir_fate_side_close(old_side);
    weir_fate_side_close(new_side);
    return code;
}

/* -- what was judged is what was taken up -- */

typedef struct { weir_arena_t *arena; weir_str_t text; } reload_text_t;

static void
reload_add_text(void *data, weir_str_t path, weir_str_t bytes)
{
    reload_text_t *to = data;

    to->text = weir_str_printf(to->arena, "%.*s%.*s\n%zu\n%.*s", WEIR_STR_ARG(to->text), WEIR_STR_ARG(path), bytes.len,
                               WEIR_STR_ARG(bytes));
}

static bool
reload_is_what_was_judged(const weir_conf_source_t *source, const weir_bundle_t *judged)
{
    weir_bundle_t     *bundle = NULL;
    weir_generation_t *live = weir_live_load(source, &bundle);
    weir_arena_t       arena;
    reload_text_t      a = { .arena = &arena }, b = { .arena = &arena };
    bool               same;

    if (live == NULL) {
        return false;
    }
    weir_arena_init(&arena, 65536);
    weir_bundle_each_conf(judged, reload_add_text, &a);
    weir_bundle_each_conf(bundle, reload_add_text, &b);
    same = weir_str_eq(a.text, b.text);
    weir_arena_fini(&arena);
    weir_bundle_destroy(bundle);
    weir_generation_unref(live);
    return same;
}

/* -- the tool -- */

/* 0: it may be taken up; *judged: what was read of the files, the caller's, or NULL. */
static int
reload_guarded(const reload_args_t *args, const weir_conf_source_t *source, const weir_settings_t *settings,
               weir_bundle_t **judged)
{
    weir_error_t       error = { .text = "" };
    weir_generation_t *live, *new;
    pid_t              pid;

    if (!weir_running_serving(settings->pid_file, &pid) || (live = weir_live_load(source, NULL)) == NULL) {
        return RELOAD_FAILED;
    }
    new = weir_load(source, 1, judged, &error);
    if (new == NULL) {
        weir_generation_unref(live);
        return RELOAD_FAILED;
    }
    return reload_judge(args, live, new, pid);
}

int
weir_tool_reload(const weir_conf_source_t *before, char *const *argv)
{
    reload_args_t      args = { .traffic = { .tool = "reload" } };
    weir_conf_source_t source = *before;
    weir_error_t       error = { .text = "" };
    weir_bundle_t     *judged = NULL;
    weir_generation_t *files;
    weir_settings_t    settings;
    int                code = 0;

    if (!reload_read_args(&args, argv)) {
        return WEIR_EXPLAIN_MISUSE;
    }
    source.keeps_lines = true;
    files = weir_load(&source, 1, NULL, &error);
    if (files == NULL) {
        return RELOAD_FAILED;
    }
    weir_settings_read(&settings, files);
    if (args.share_text != NULL) {
        code = reload_guarded(&args, &source, &settings, &judged);
    }
    if (code == 0) {
        code = weir_tool_signal(&settings, "reload", true);
    }
    if (code == 0 && judged != NULL && !reload_is_what_was_judged(&source, judged)) {
        fprintf(stderr, "weir: reload: the files have changed while they were judged: what is served now was not\n");
        code = RELOAD_FAILED;
    }
    if (judged != NULL) {
        weir_bundle_destroy(judged);
    }
    weir_generation_unref(files);
    return code;
}
