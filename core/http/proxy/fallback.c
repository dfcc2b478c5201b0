/*
 * fallback.c - where a request goes that its group has not taken: another group is asked the same, or a location of the
 * server answers.
 *
 * Only a request that no peer has been sent: or one that failed before and may be sent again, which is then all the
 * same.  The first group's name stays in the list of what was asked, with why.
 */
#include "http/proxy/proxy.h"

#include "os/clock.h"

static void
fallback_tell(const weir_proxy_t *p, const weir_group_conf_t *group, weir_cause_t cause, weir_str_t to)
{
    weir_request_t *req = p->req;

    weir_cause_log(cause, &req->log, weir_str_to_z(&req->arena, weir_str_printf(&req->arena, "falls back from \"%.*s\" "
                   "to \"%.*s\"", WEIR_STR_ARG(group->name), WEIR_STR_ARG(to))));
}

bool
weir_proxy_fall_back(weir_proxy_t *p, weir_cause_t cause)
{
    const weir_group_conf_t *group = weir_proxy_group(p);
    weir_request_t          *req = p->req;

    weir_assert(p->attempt == NULL && p->picked && !p->released);
    if ((!weir_group_id_is(group->fallback) && group->fallback_location.len == 0) || p->own_group != NULL
        || weir_group_id_is(req->pass_to) || req->res.head_given || p->body_taken)
    {
        return false;
    }
    weir_pick_fell_back(&p->pick);
    if (!weir_group_id_is(group->fallback)) {
        fallback_tell(p, group, cause, group->fallback_location);
        weir_proxy_release(p);
        (void) weir_request_redirect_named(req, group->fallback_location);
        return true;
    }
    weir_pick_end(&p->pick);
    p->fallback = weir_upstream_by_id(req->generation, group->fallback);
    fallback_tell(p, group, cause, p->fallback->name);
    p->tries = 0;
    req->retry_after = 0;
    p->picked = false;
    weir_proxy_next_peer(p);
    return true;
}
