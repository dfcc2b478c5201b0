/*
 * calls.c - see calls.h.  Runs in workers; nothing is allocated but the consumer's name.
 */
#include "http/record/calls.h"

#include "os/clock.h"

#define CALLS_DAY_S    86400
#define CALLS_SERVER   50                    /* bytes of each part; longer ones are cut */
#define CALLS_PLACE    60
#define CALLS_API      50
#define CALLS_CONSUMER 64

_Static_assert(CALLS_SERVER + CALLS_PLACE + CALLS_API + CALLS_CONSUMER + 3 <= WEIR_TALLY_TEXT, "a text has room");

const weir_zone_kind_t weir_calls_zone = { .name = "calls", .layout = 1, .describe = weir_tally_describe };

static void
calls_give_back(void *zone)
{
    weir_zone_give_back(zone);
}

weir_calls_t *
weir_calls_open(weir_conf_t *cf)
{
    weir_zone_id_t id = { .kind = &weir_calls_zone, .name = WEIR_STR(""), .size = weir_tally_bytes(WEIR_CALLS_ROWS) };
    weir_error_t   error = { .text = "" };
    weir_zone_t   *zone = weir_zone_take(&id, &error);
    weir_calls_t  *calls = weir_new(cf->arena, weir_calls_t);
    weir_str_t     nearest;

    if (zone == NULL) {
        (void) weir_conf_error_at(cf, cf->words, "%s", error.text);
        return NULL;
    }
    weir_arena_on_cleanup(cf->arena, calls_give_back, zone);
    calls->tally = weir_tally_open(weir_zone_memory(zone), weir_zone_size(zone));
    if (calls->tally == NULL) {
        (void) weir_conf_error_at(cf, cf->words, "the memory for calls holds something else");
        return NULL;
    }
    calls->has_consumer = weir_vars_find(cf->vars, WEIR_STR("consumer"), &calls->consumer, &nearest);
    return calls;
}

/* A part of a text, without what parts parts. */
static void
calls_add(weir_buf_t *text, weir_str_t part, size_t max)
{
    for (size_t i = 0; i < part.len && i < max; i++) {
        char c = part.at[i];

        weir_buf_add_char(text, c == WEIR_CALLS_SEPARATOR || c == WEIR_CALLS_OTHERS[0] ? '?' : c);
    }
}

void
weir_calls_count(const weir_calls_t *calls, weir_request_t *req, weir_str_t api)
{
    const weir_http_location_t *location = req->location;
    uint32_t   day = (uint32_t) (weir_clock_wall_ms() / 1000 / CALLS_DAY_S);
    char       room[WEIR_TALLY_TEXT];
    weir_str_t consumer = WEIR_STR_NONE;
    weir_buf_t text;
    char      *place_end;

    if (req->is_sub || req->is_call_counted) {
        return;
    }
    req->is_call_counted = true;
    if (calls->has_consumer && !weir_request_get(req, &calls->consumer, &consumer)) {
        consumer = WEIR_STR_NONE;
    }
    weir_buf_init(&text, room, sizeof(room));
    calls_add(&text, req->server->primary_name, CALLS_SERVER);
    weir_buf_add_char(&text, WEIR_CALLS_SEPARATOR);
    calls_add(&text, location->route != NULL ? location->route->name : location->name, CALLS_PLACE);
    weir_buf_add_char(&text, WEIR_CALLS_SEPARATOR);
    calls_add(&text, api, CALLS_API);
    weir_buf_add_char(&text, WEIR_CALLS_SEPARATOR);
    place_end = text.pos;
    calls_add(&text, consumer, CALLS_CONSUMER);
    weir_assert(!text.full);
    if (!weir_tally_count(calls->tally, weir_buf_str(&text), day, false)) {
        text.pos = place_end;
        weir_buf_add_lit(&text, WEIR_CALLS_OTHERS);
        (void) !weir_tally_count(calls->tally, weir_buf_str(&text), day, true);      /* more places than that: lost */
    }
}
