/*
 * consul.c - see discovery.h: `servers_consul`, a service as Consul's health API lists it.
 *
 * A question waits at Consul until there is something new (blocking queries): each names the index of the answer
 * before.  An index that goes back, or is none, begins anew.  Only instances whose checks all pass are asked for.
 *
 * Threat: an agent answers at once, all the time.  There is a moment between two questions.
 */
#include "discovery.h"

#include "base/json.h"
#include "os/clock.h"

#include <stdlib.h>

#define CONSUL_AT_ONCE 200                   /* ms between two questions, when there was news */
#define CONSUL_SAME    1000                  /* … when there was none */
#define CONSUL_MORE    20000                 /* ms that an answer may take beside the wait */
#define CONSUL_DEPTH   24
#define CONSUL_VALUES  2000000

/* -- what is asked -- */

static void
consul_ask(discovery_asks_t *asks, weir_fetch_spec_t *spec)
{
    weir_buf_t b;

    weir_buf_init(&b, asks->room, sizeof(asks->room));
    weir_buf_printf(&b, "%.*s", WEIR_STR_ARG(asks->conf->target));
    if (asks->index != 0) {
        weir_buf_printf(&b, "&index=%llu&wait=%llums", (unsigned long long) asks->index,
                        (unsigned long long) asks->conf->interval.ms);
        /* Consul adds a sixteenth at random */
        spec->patience.ms = asks->conf->interval.ms + asks->conf->interval.ms / 16 + CONSUL_MORE;
        spec->limit = spec->patience;
    }
    asks->at.target = weir_buf_str(&b);
}

static uint64_t
consul_taken(discovery_asks_t *asks, weir_str_t field)
{
    uint64_t index, before = asks->index, now = weir_clock_now().ms;
    uint64_t took = now - asks->asked;

    asks->index = weir_str_to_u64(field, &index) && index >= before ? index : 0;
    if (asks->index == 0) {                            /* it began anew, or says none: as a list that is looked at */
        return CONSUL_SAME;
    }
    if (asks->index != before) {
        return CONSUL_AT_ONCE;
    }
    return took < CONSUL_SAME ? CONSUL_SAME - took : 1;
}

/* -- what it answers -- */

static weir_str_t
consul_text(const weir_json_t *object, const char *name)
{
    weir_str_t text;

    return weir_json_get_string(object, weir_str_from_z(name), &text) ? text : WEIR_STR_NONE;
}

static bool
consul_locality(weir_arena_t *arena, const weir_json_t *service, weir_source_peer_t *peer)
{
    const weir_json_t *where = weir_json_get(service, WEIR_STR("Locality"));
    weir_str_t         region = where != NULL ? consul_text(where, "Region") : WEIR_STR_NONE;
    weir_str_t         zone = where != NULL ? consul_text(where, "Zone") : WEIR_STR_NONE;

    if (region.len == 0) {
        return true;
    }
    if (region.len + zone.len >= WEIR_SOURCE_TEXT_MAX || weir_str_find(region, '/') != NULL
        || weir_str_find(zone, '/') != NULL)
    {
        return false;
    }
    peer->locality = weir_str_printf(arena, "%.*s%s%.*s", WEIR_STR_ARG(region), zone.len != 0 ? "/" : "",
                                     WEIR_STR_ARG(zone));
    return true;
}

/* NULL, or what is expected in its place. */
static const char *
consul_read(weir_arena_t *arena, const weir_json_t *instance, weir_source_peer_t *peer)
{
    const weir_json_t *service = weir_json_get(instance, WEIR_STR("Service"));
    const weir_json_t *weight = service != NULL ? weir_json_get(service, WEIR_STR("Weights")) : NULL;
    const weir_json_t *port = service != NULL ? weir_json_get(service, WEIR_STR("Port")) : NULL;
    weir_str_t         address = service != NULL ? consul_text(service, "Address") : WEIR_STR_NONE;
    int64_t            number;

    if (service == NULL || service->kind != WEIR_JSON_OBJECT || port == NULL) {
        return "an instance with a Service and its Port";
    }
    if (address.len == 0) {                              /* it is that of the node */
        const weir_json_t *node = weir_json_get(instance, WEIR_STR("Node"));

        address = node != NULL ? consul_text(node, "Address") : WEIR_STR_NONE;
    }
    if (!weir_json_to_whole(port, &number) || number < 1 || number > UINT16_MAX
        || !weir_addr_from_ip(&peer->addr, address, (uint16_t) number))
    {
        return "an IP address and a port";
    }
    weight = weight != NULL ? weir_json_get(weight, WEIR_STR("Passing")) : NULL;
    if (weight != NULL) {
        if (!weir_json_to_whole(weight, &number) || number < 0 || number > WEIR_SOURCE_WEIGHT_MAX) {
            return "a weight from 0 to 65535";
        }
        peer->weight = number > 1 ? (uint32_t) number : 0;     /* 1 is also what it has when none was set */
        peer->down = number == 0;
    }
    return consul_locality(arena, service, peer) ? NULL : "a Locality without slashes";
}

/* Consul shuffles its answers: `hash` is to see one order. */
static int
consul_compare(const void *a_, const void *b_)
{
    const weir_source_peer_t *a = a_, *b = b_;
    int                       order = weir_addr_compare_ip(&a->addr, &b->addr);

    return order != 0 ? order : (int) weir_addr_port(&a->addr) - (int) weir_addr_port(&b->addr);
}

bool
discovery_consul_parse(weir_arena_t *arena, weir_str_t text, weir_source_list_t *list, weir_error_t *error)
{
    weir_json_limits_t limits = { .depth = CONSUL_DEPTH, .values = CONSUL_VALUES };
    const weir_json_t *root;
    const char        *expected;

    *list = (weir_source_list_t) { NULL, 0 };
    if (weir_json_parse(arena, text, limits, &root) != WEIR_JSON_GOOD || root->kind != WEIR_JSON_ARRAY) {
        return weir_error_set(error, "its answer is no JSON array, or too large");
    }
    if (root->n > WEIR_SOURCE_PEERS) {
        return weir_error_set(error, "there are more than %d servers", WEIR_SOURCE_PEERS);
    }
    list->at = weir_new_n(arena, weir_source_peer_t, root->n + 1);
    for (const weir_json_t *instance = root->first; instance != NULL; instance = instance->next) {
        expected = consul_read(arena, instance, &list->at[list->n]);
        if (expected != NULL) {
            return weir_error_set(error, "instance %zu: expected %s", list->n, expected);
        }
        list->n++;
    }
    qsort(list->at, list->n, sizeof(*list->at), consul_compare);
    return true;
}

const discovery_kind_t discovery_consul = {
    .wanted = WEIR_STR_INIT("X-Consul-Index"), .what = "Consul", .ask = consul_ask, .parse = discovery_consul_parse,
    .taken = consul_taken,
};

/* -- the directive's own options -- */

static bool
consul_is_word(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = weir_char_lower(text.at[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.')) {
            return false;
        }
    }
    return text.len != 0 && text.len <= 255;
}

/* The target grows: the service first, whatever the order of the words. */
bool
discovery_consul_option(weir_conf_t *cf, size_t word, discovery_t *source, weir_str_t name, weir_str_t value,
                        bool *is_mine)
{
    static const char *const names[] = { "tag", "dc", "ns", "partition" };

    *is_mine = true;
    if (weir_str_eq(name, WEIR_STR("service"))) {
        weir_str_t rest = source->target, base = source->url.target;

        while (base.len != 0 && base.at[base.len - 1] == '/') {
            base.len--;
        }
        source->target = weir_str_printf(cf->arena, "%.*s/v1/health/service/%.*s?passing=1%.*s", WEIR_STR_ARG(base),
                                         WEIR_STR_ARG(value), WEIR_STR_ARG(rest));
        return consul_is_word(value) || weir_conf_invalid(cf, word, "the name of a service");
    }
    for (size_t i = 0; i < weir_countof(names); i++) {
        if (weir_str_eq(name, weir_str_from_z(names[i]))) {
            source->target = weir_str_printf(cf->arena, "%.*s&%s=%.*s", WEIR_STR_ARG(source->target), names[i],
                                             WEIR_STR_ARG(value));
            return consul_is_word(value) || weir_conf_invalid(cf, word, "letters, digits, \"-\", \"_\" and \".\"");
        }
    }
    *is_mine = false;
    return true;
}

bool
discovery_consul_bind(weir_conf_t *cf, discovery_t *source)
{
    if (source->target.len == 0 || source->target.at[0] == '&') {
        return weir_conf_error(cf, 0, "\"servers_consul\" must have \"service=name\"");
    }
    return source->target.len < DISCOVERY_TARGET_MAX / 2 || weir_conf_error(cf, 1, "the address is too long");
}
