/*
 * mirror.c - see mirror.h.
 *
 * A copy is a subrequest that lives on its own: it begins in the place where the request is, with the client's fields,
 * and is passed on as the request is, but to another group (req->pass_to).  The request waits for none of them.  Where
 * its turn has come to be copied its body is read before any peer gets it, so that all get the same.  Runs in workers.
 */
#include "http/proxy/mirror.h"

#include "http/filter/read_ahead.h"
#include "http/proxy/forward.h"
#include "http/sub.h"
#include "upstream/group.h"

/* -- a request -- */

/* Which of the place's mirrors have it, as bits. */
typedef struct { const weir_mirrors_t *mirrors; uint32_t chosen; } mirror_state_t;

static uint32_t
mirror_choose(const weir_mirrors_t *mirrors)
{
    uint32_t chosen = 0;

    for (size_t i = 0; i < mirrors->n; i++) {
        const weir_mirror_t *mirror = &mirrors->at[i];

        if (weir_group_id_is(mirror->group) && weir_share_next(&mirror->share) < mirror->below) {
            chosen |= 1u << i;
        }
    }
    return chosen;
}

static void
mirror_send(weir_request_t *req, const mirror_state_t *state)
{
    for (size_t i = 0; i < state->mirrors->n; i++) {
        weir_sub_spec_t spec = {
            .method = req->head.method_name, .body = req->body, .is_detached = true, .is_exempt = true,
            .pass_to = state->mirrors->at[i].group,
        };

        if ((state->chosen >> i & 1) && weir_sub_start(req, &spec) == NULL) {
            weir_log(WEIR_LOG_WARN, &req->log, 0, "too many mirrored requests are under way: one was not sent");
        }
    }
}

static void
mirror_on_body(weir_request_t *req)
{
    mirror_send(req, weir_request_kept(req, weir_http_forward_index));
    weir_request_resume(req);
}

weir_step_t
weir_mirror_precontent(weir_request_t *req, const weir_mirrors_t *mirrors)
{
    mirror_state_t *state;
    weir_step_t step;

    if (req->is_sub || weir_request_kept(req, weir_http_forward_index) != NULL) {
        return WEIR_NEXT;                          /* once, wherever it is redirected inside */
    }
    state = weir_new(&req->arena, mirror_state_t);
    *state = (mirror_state_t) { mirrors, mirror_choose(mirrors) };
    weir_request_keep(req, weir_http_forward_index, state);
    if (state->chosen == 0) {
        return WEIR_NEXT;
    }
    step = weir_read_ahead(req, mirror_on_body);
    if (step == WEIR_NEXT) {
        mirror_send(req, state);
    }
    return step;
}

/* -- load -- */

static bool
mirror_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_mirrors_t *mirrors = field;
    weir_mirror_t mirror = { .authority = words->at[1].text, .hundredths = 10000, .words = *words };

    if (mirror.authority.len == 0 || weir_str_find(mirror.authority, '/') != NULL
        || weir_conf_has_variables(cf, 1, mirror.authority))
    {
        return weir_conf_invalid(cf, 1, "the name of an upstream block, or host:port, without a scheme or a path");
    }
    if (words->n == 3
        && (!weir_str_starts(words->at[2].text, WEIR_STR("percent="))
            || !weir_conf_read_percent(weir_str_skip(words->at[2].text, 8), &mirror.hundredths)))
    {
        return weir_conf_invalid(cf, 2, "percent= with a number from 0 to 100, with at most two decimals");
    }
    if (mirrors->n == WEIR_MIRROR_MAX) {
        return weir_conf_error(cf, 0, "more than %d of \"%s\" in one place", WEIR_MIRROR_MAX, row->name);
    }
    *(weir_mirror_t *) weir_conf_list_push(cf, mirrors, sizeof(mirror)) = mirror;
    return true;
}

const weir_conf_type_t weir_mirror_type = {
    .name = "group [percent=number]", .size = sizeof(weir_mirrors_t), .min_args = 1, .max_args = 2, .repeats = true,
    .parse = mirror_parse, .item = sizeof(weir_mirror_t),
};

bool
weir_mirror_build(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block,
                  weir_mirrors_t *mirrors, uint16_t port)
{
    for (size_t i = 0; i < mirrors->n; i++) {
        weir_mirror_t *mirror = &mirrors->at[i];
        uint32_t gcd = weir_share_divisor(mirror->hundredths, 10000);
        const weir_group_conf_t *group;

        if (weir_group_id_is(mirror->group)) {
            continue;                              /* a part of the place has the same ones */
        }
        cf->words = &mirror->words;
        group = weir_upstream_for(cf, generation, mirror->authority, port);
        mirror->below = mirror->hundredths / gcd;
        if (group == NULL
            || !weir_share_build(cf, generation, &mirror->share,
                                 weir_share_name(cf->arena, block, "mirror_to", i), 10000 / gcd))
        {
            return false;
        }
        mirror->group = group->id;
    }
    return true;
}
