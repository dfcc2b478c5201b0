/*
 * stories.c - `weir why ID`: the story of one request; `weir tail`: a line for each as it ends, those that pass
 * the filters.
 *
 * What clients wrote is shown with its controls and high bytes escaped: a terminal is not theirs to command.
 */
#include "tool/stories.h"

#include "http/message/cause.h"
#include "os/sys.h"
#include "tool/attach.h"
#include "tool/running.h"
#include "shm/story.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STORIES_POLL_MS 100

/* -- showing -- */

static void
stories_show_text(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t) text.at[i];

        if (c < 0x20 || c >= 0x7f || c == '\\') {
            printf("\\x%02x", c);
        } else {
            putchar(c);
        }
    }
}

static const char *
stories_cause(uint16_t cause)
{
    return cause < WEIR_CAUSE_MAX ? weir_cause_row((weir_cause_t) cause)->word.at : "?";
}

static void
stories_time(uint64_t wall_ms)
{
    time_t    seconds = (time_t) (wall_ms / 1000);
    struct tm t;
    char      text[40] = "";

    if (localtime_r(&seconds, &t) != NULL) {
        (void) strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &t);
    }
    printf("%s.%03u", text, (unsigned) (wall_ms % 1000));
}

static void
stories_show(const weir_story_t *story, unsigned which)
{
    stories_show_text(weir_story_text(story, which));
}

/* A route is called "route NAME"; no location can be. */
static void
stories_place(const weir_story_t *story)
{
    weir_str_t name = weir_story_text(story, WEIR_STORY_LOCATION), begin = WEIR_STR("route ");
    bool       is_route = weir_str_starts(name, begin);

    printf("%s \"", is_route ? "route" : "location");
    stories_show_text(is_route ? weir_str_skip(name, begin.len) : name);
    putchar('"');
}

static void
stories_request(const weir_story_t *story)
{
    stories_show(story, WEIR_STORY_METHOD);
    putchar(' ');
    stories_show(story, WEIR_STORY_TARGET);
    printf(" HTTP/%u.%u", story->version / 10, story->version % 10);
}

static void
stories_ms(const char *what, uint32_t ms)
{
    if (ms != UINT32_MAX) {
        printf(", %s %u ms", what, ms);
    }
}

static void
stories_tell(const weir_story_t *story)
{
    uint32_t shown = story->n_attempts < WEIR_STORY_ATTEMPTS ? story->n_attempts : WEIR_STORY_ATTEMPTS;

    weir_assert(shown <= weir_countof(story->attempts));
    stories_time(story->wall_ms);
    printf("  worker %u, connection %llu of ", story->pid, (unsigned long long) story->connection);
    stories_show(story, WEIR_STORY_CLIENT);
    printf("%s\n  asked    ", story->is_tls ? " over TLS" : "");
    stories_request(story);
    printf("\n  for      ");
    stories_show(story, WEIR_STORY_HOST);
    printf("\n  went to  server \"");
    stories_show(story, WEIR_STORY_SERVER);
    printf("\", ");
    stories_place(story);
    putchar('\n');
    for (unsigned i = 0; i < story->n_verdicts && i < WEIR_STORY_VERDICTS; i++) {
        printf("  judged   ");
        stories_show(story, WEIR_STORY_VERDICT + i);
        putchar('\n');
    }
    if (story->n_attempts > shown) {
        printf("  …        %u attempts before\n", story->n_attempts - shown);
    }
    for (uint32_t i = 0; i < shown; i++) {
        const weir_story_attempt_t *its = &story->attempts[i];

        printf("  upstream ");
        stories_show(story, WEIR_STORY_PEER + i);
        printf(": %u%s%s", its->status, its->cause != WEIR_CAUSE_NONE ? ", cause " : "",
               its->cause != WEIR_CAUSE_NONE ? stories_cause(its->cause) : "");
        stories_ms("connected in", its->connect_ms);
        stories_ms("head after", its->header_ms);
        stories_ms("over after", its->response_ms);
        putchar('\n');
    }
    printf("  answered %u", story->status);
    if (story->cause != WEIR_CAUSE_NONE) {
        printf(", cause %s: %s", stories_cause(story->cause),
               story->cause < WEIR_CAUSE_MAX ? weir_cause_row((weir_cause_t) story->cause)->help : "");
        if (weir_story_text(story, WEIR_STORY_DETAIL).len != 0) {
            printf(" (");
            stories_show(story, WEIR_STORY_DETAIL);
            printf(")");
        }
    }
    printf("\n  took     %llu.%03llu ms, %llu bytes in, %llu out\n", (unsigned long long) (story->total_us / 1000),
           (unsigned long long) (story->total_us % 1000), (unsigned long long) story->received,
           (unsigned long long) story->sent);
}

/* -- filters: status=404, status=5xx, cause=WORD…, host=, path=…, client=, slow=MS -- */

typedef struct { const char *status, *cause, *host, *path, *client; uint64_t slow_us; } filter_t;

static bool
stories_fail_filter(const char *word, const char *expected, const char *near)
{
    fprintf(stderr, "weir: \"%s\" is no filter: %s%s%s%s\n", word, expected, near != NULL ? ", did you mean \"" : "",
            near != NULL ? near : "",
            near != NULL ? "\"?" : "");
    return false;
}

/* "404" or "4xx"; a status that no answer has would be waited for without end. */
static bool
stories_read_status(const char *word, const char *value)
{
    bool is_class = value[0] >= '1' && value[0] <= '5' && strcmp(value + 1, "xx") == 0;
    uint64_t status;

    if (is_class || (strlen(value) == 3 && weir_str_to_u64(weir_str_from_z(value), &status) && status >= 100
                     && status <= 999))
    {
        return true;
    }
    return stories_fail_filter(word, "a status is three digits as 404, or a class as 5xx", NULL);
}

/* The beginning of at least one cause. */
static bool
stories_read_cause(const char *word, const char *value)
{
    const char *words[WEIR_CAUSE_MAX];
    size_t      n = 0;

    for (int cause = WEIR_CAUSE_NONE + 1; cause < WEIR_CAUSE_MAX; cause++) {
        weir_assert(n < weir_countof(words));
        words[n] = weir_cause_row((weir_cause_t) cause)->word.at;
        if (weir_str_starts(weir_cause_row((weir_cause_t) cause)->word, weir_str_from_z(value))) {
            return true;
        }
        n++;
    }
    return stories_fail_filter(word, "no cause begins so (docs/reference/causes.md lists them)",
                               weir_conf_nearest(weir_str_from_z(value), words, n));
}

static bool
stories_read_slow(filter_t *filter, const char *word, const char *value)
{
    uint64_t ms;

    if (!weir_str_to_u64(weir_str_from_z(value), &ms) || ms > 1000000000) {
        return stories_fail_filter(word, "slow wants a number of milliseconds as 100", NULL);
    }
    filter->slow_us = ms * 1000;
    return true;
}

static bool
stories_read_filter(filter_t *filter, const char *word)
{
    static const char *const names[] = { "status", "cause", "host", "path", "client", "slow" };
    const char *value = strchr(word, '=');
    const char **const at[] = { &filter->status, &filter->cause, &filter->host, &filter->path, &filter->client };
    weir_str_t name = weir_str(word, value != NULL ? (size_t) (value - word) : strlen(word));

    if (value == NULL || value[1] == '\0') {
        return stories_fail_filter(word,
                                   "it has no value (status=404, status=5xx, cause=limit., host=, path=/api, client=, "
                                   "slow=100)",
                                   weir_conf_nearest(name, names, weir_countof(names)));
    }
    value++;
    for (size_t i = 0; i < weir_countof(at); i++) {
        if (weir_str_eq(name, weir_str_from_z(names[i]))) {
            *at[i] = value;
            return at[i] == &filter->status ? stories_read_status(word, value) : at[i] == &filter->cause
                   ? stories_read_cause(word, value) : true;
        }
    }
    if (weir_str_eq(name, WEIR_STR("slow"))) {
        return stories_read_slow(filter, word, value);
    }
    return stories_fail_filter(word,
                               "there are status=404, status=5xx, cause=limit., host=, path=/api, client=, slow=100",
                               weir_conf_nearest(name, names, weir_countof(names)));
}

/* "5xx" or "503". */
static bool
stories_status_fits(const char *wanted, uint16_t status)
{
    char text[8];

    (void) snprintf(text, sizeof(text), "%03u", status);
    return strcmp(wanted, text) == 0 || (strlen(wanted) == 3 && strcmp(wanted + 1, "xx") == 0 && wanted[0] == text[0]);
}

static bool
stories_starts(weir_str_t text, const char *prefix)
{
    return prefix == NULL || weir_str_starts(text, weir_str_from_z(prefix));
}

static bool
stories_is(weir_str_t text, const char *wanted)
{
    return wanted == NULL || weir_str_eq(text, weir_str_from_z(wanted));
}

static bool
stories_fits(const filter_t *filter, const weir_story_t *story)
{
    return (filter->status == NULL || stories_status_fits(filter->status, story->status))
           && stories_starts(weir_str_from_z(stories_cause(story->cause)), filter->cause)
           && stories_is(weir_story_text(story, WEIR_STORY_HOST), filter->host)
           && stories_starts(weir_story_text(story, WEIR_STORY_TARGET), filter->path)
           && stories_is(weir_story_text(story, WEIR_STORY_CLIENT), filter->client)
           && story->total_us >= filter->slow_us;
}

/* -- the zone -- */

typedef struct {
    filter_t filter;
    uint64_t id[2];
    uint64_t seen[256];                      /* tail: by slot */
    bool     begun, found, any;
} look_t;

static void
stories_find(void *data, const weir_zone_head_t *head, const weir_zone_kind_t *kind, const void *memory)
{
    look_t      *look = data;
    weir_story_t story;

    if (kind != &weir_stories_zone) {
        return;
    }
    look->any = true;
    for (uint32_t slot = 0; slot < weir_stories_slots(memory, head->size); slot++) {
        uint64_t last = weir_stories_last(memory, slot), kept = weir_stories_kept(memory);

        for (uint64_t number = last; number != 0 && number + kept > last; number--) {
            if (weir_stories_read(memory, slot, number, &story) && story.has_id && story.id[0] == look->id[0]
                && story.id[1] == look->id[1])
            {
                look->found = true;
                stories_tell(&story);
            }
        }
    }
}

static void
stories_line(const weir_story_t *story)
{
    stories_time(story->wall_ms);
    printf(" %u %llu.%03llums ", story->status, (unsigned long long) (story->total_us / 1000),
           (unsigned long long) (story->total_us % 1000));
    stories_show(story, WEIR_STORY_CLIENT);
    putchar(' ');
    stories_show(story, WEIR_STORY_HOST);
    printf(" \"");
    stories_request(story);
    putchar('"');
    if (story->n_attempts != 0) {
        uint32_t last = (story->n_attempts < WEIR_STORY_ATTEMPTS ? story->n_attempts : WEIR_STORY_ATTEMPTS) - 1;

        printf(" upstream=");
        stories_show(story, WEIR_STORY_PEER + last);
    }
    if (story->cause != WEIR_CAUSE_NONE) {
        printf(" cause=%s", stories_cause(story->cause));
    }
    if (story->has_id) {
        printf(" id=%016llx%016llx", (unsigned long long) story->id[0], (unsigned long long) story->id[1]);
    }
    putchar('\n');
}

static void
stories_follow(void *data, const weir_zone_head_t *head, const weir_zone_kind_t *kind, const void *memory)
{
    look_t      *look = data;
    weir_story_t story;

    if (kind != &weir_stories_zone) {
        return;
    }
    look->any = true;
    for (uint32_t slot = 0; slot < weir_stories_slots(memory, head->size) && slot < weir_countof(look->seen); slot++) {
        uint64_t last = weir_stories_last(memory, slot), kept = weir_stories_kept(memory), number = look->seen[slot];

        look->seen[slot] = last;
        if (!look->begun) {
            continue;
        }
        for (number = last - number > kept ? last - kept : number; number++ < last; ) {
            if (weir_stories_read(memory, slot, number, &story) && stories_fits(&look->filter, &story)) {
                stories_line(&story);
            }
        }
    }
}

static int
stories_failed(const char *what)
{
    fprintf(stderr, "weir: %s\n", what);
    return 1;
}

int
weir_tool_why(const weir_settings_t *settings, char *const *argv)
{
    weir_error_t error = { .text = "" };
    look_t       look = { .found = false };
    weir_str_t   id = weir_str_from_z(argv[0]);
    pid_t        pid;

    if (id.len != 32 || argv[1] != NULL || !weir_str_hex_to_u64(weir_str(id.at, 16), &look.id[0])
        || !weir_str_hex_to_u64(weir_str_skip(id, 16), &look.id[1]))
    {
        return stories_failed("\"why\" wants the id of a request: $request_id, 32 hexadecimal digits");
    }
    if (!weir_running_serving(settings->pid_file, &pid)) {
        return 1;
    }
    if (!weir_attach_zones(pid, stories_find, &look, &error)) {
        return stories_failed(error.text);
    }
    if (!look.any) {
        return stories_failed("nothing is recorded (recorder_requests 0)");
    }
    return look.found ? 0
           : stories_failed("no such request is kept: it is under way, too long ago, or nothing asked for its "
                            "$request_id");
}

int
weir_tool_tail(const weir_settings_t *settings, char *const *argv)
{
    weir_error_t error = { .text = "" };
    look_t       look = { .begun = false };
    pid_t        pid;

    for (; *argv != NULL; argv++) {
        if (!stories_read_filter(&look.filter, *argv)) {
            return 1;
        }
    }
    if (!weir_running_serving(settings->pid_file, &pid)) {
        return 1;
    }
    for (;; look.begun = true) {
        if (!weir_attach_zones(pid, stories_follow, &look, &error)) {
            return look.begun ? 0 : stories_failed(error.text);        /* it has ended */
        }
        if (!look.any) {
            return stories_failed("nothing is recorded (recorder_requests 0)");
        }
        if (fflush(stdout) != 0) {
            return 0;                        /* the reader is gone */
        }
        (void) poll(NULL, 0, STORIES_POLL_MS);
    }
}
