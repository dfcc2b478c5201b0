/*
 * precondition.c - see precondition.h.  Runs in workers; allocates nothing.
 *
 * Where both are sent, If-Match stands for If-Unmodified-Since and If-None-Match for If-Modified-Since (§13.2.2): nginx
 * asks for both.
 */
#include "http/filter/precondition.h"

#include "base/date.h"

/* Takes `W/` off; false: no entity tag. */
static bool
tag_opaque(weir_str_t tag, weir_str_t *opaque, bool *is_weak)
{
    *is_weak = weir_str_starts(tag, WEIR_STR("W/"));
    *opaque = weir_str_skip(tag, *is_weak ? 2 : 0);
    return opaque->len >= 2 && opaque->at[0] == '"' && opaque->at[opaque->len - 1] == '"';
}

bool
weir_precondition_has_etag(weir_str_t list, weir_str_t tag, bool weak)
{
    weir_str_t element, mine, theirs;
    bool mine_weak, theirs_weak;

    if (weir_str_eq(weir_str_trim(list), WEIR_STR("*"))) {
        return true;
    }
    if (!tag_opaque(tag, &mine, &mine_weak)) {
        return false;
    }
    while (weir_syntax_list_next(&list, &element)) {
        if (tag_opaque(element, &theirs, &theirs_weak) && weir_str_eq(mine, theirs)
            && (weak || (!mine_weak && !theirs_weak)))
        {
            return true;
        }
    }
    return false;
}

/* A field of any number of lines. */
static bool
tag_in_fields(const weir_request_t *req, weir_header_id_t id, weir_str_t tag, bool weak)
{
    const weir_field_t *field = weir_fields_first(&req->head.fields, id);

    for (; field != NULL; field = weir_fields_next(&req->head.fields, field)) {
        if (weir_precondition_has_etag(field->value, tag, weak)) {
            return true;
        }
    }
    return false;
}

/* §13.1.1, §13.1.4 */
static bool
precondition_failed(const weir_request_t *req)
{
    const weir_field_t *since = weir_fields_first(&req->head.fields, WEIR_HEADER_IF_UNMODIFIED_SINCE);
    int64_t limit, modified;

    if (weir_fields_first(&req->head.fields, WEIR_HEADER_IF_MATCH) != NULL) {
        return !tag_in_fields(req, WEIR_HEADER_IF_MATCH, weir_response_value(req, WEIR_HEADER_ETAG), false);
    }
    return since != NULL && weir_date_http_read(since->value, &limit)
           && weir_date_http_read(weir_response_value(req, WEIR_HEADER_LAST_MODIFIED), &modified) && modified > limit;
}

/* §13.1.2, §13.1.3: the client has it? */
static bool
precondition_not_modified(const weir_request_t *req, weir_if_modified_t how)
{
    const weir_field_t *since = weir_fields_first(&req->head.fields, WEIR_HEADER_IF_MODIFIED_SINCE);
    weir_str_t changed = weir_response_value(req, WEIR_HEADER_LAST_MODIFIED);
    int64_t limit, modified;

    if (weir_fields_first(&req->head.fields, WEIR_HEADER_IF_NONE_MATCH) != NULL) {
        return tag_in_fields(req, WEIR_HEADER_IF_NONE_MATCH, weir_response_value(req, WEIR_HEADER_ETAG), true);
    }
    if (since == NULL || how == WEIR_MODIFIED_OFF || changed.len == 0) {
        return false;
    }
    if (!weir_date_http_read(since->value, &limit) || !weir_date_http_read(changed, &modified)) {
        return false;
    }
    return limit == modified || (how == WEIR_MODIFIED_BEFORE && limit > modified);
}

/* What describes the content goes: there is none (§15.4.5). */
static weir_step_t
precondition_answer_304(weir_request_t *req)
{
    for (uint32_t i = 0; i < req->res.fields.n; i++) {
        weir_field_t *field = &req->res.fields.at[i];

        if (field->id == WEIR_HEADER_CONTENT_TYPE || field->id == WEIR_HEADER_CONTENT_ENCODING
            || field->id == WEIR_HEADER_ACCEPT_RANGES)
        {
            field->flags |= WEIR_FIELD_DROP;
        }
    }
    req->res.status = 304;
    req->res.length = WEIR_LENGTH_NONE;
    req->res.has_ranges = false;
    if (weir_response_head(req) != WEIR_ERROR) {
        (void) weir_response_end(req);
    }
    weir_request_finish(req);
    return WEIR_DONE;
}

weir_step_t
weir_precondition_check(weir_request_t *req, weir_if_modified_t how)
{
    bool is_read = req->head.method == WEIR_METHOD_GET || req->head.method == WEIR_METHOD_HEAD;

    if (req->error_status != 0 || req->is_sub) {
        return WEIR_NEXT;                          /* a page for an error is no answer to what was asked */
    }
    if (precondition_failed(req)) {
        return weir_request_fail(req, WEIR_CAUSE_CLIENT_PRECONDITION, NULL);
    }
    if (precondition_not_modified(req, how)) {
        return is_read ? precondition_answer_304(req) : weir_request_fail(req, WEIR_CAUSE_CLIENT_PRECONDITION, NULL);
    }
    return WEIR_NEXT;
}

bool
weir_precondition_if_range_holds(const weir_request_t *req)
{
    const weir_field_t *field = weir_fields_first(&req->head.fields, WEIR_HEADER_IF_RANGE);
    int64_t theirs, ours;

    if (field == NULL) {
        return true;
    }
    if (weir_str_ends(field->value, WEIR_STR("\""))) {
        weir_str_t tag = weir_response_value(req, WEIR_HEADER_ETAG), opaque;
        bool is_weak;
        return weir_str_eq(field->value, tag) && tag_opaque(tag, &opaque, &is_weak) && !is_weak;
    }
    return weir_date_http_read(field->value, &theirs)
        && weir_date_http_read(weir_response_value(req, WEIR_HEADER_LAST_MODIFIED), &ours) && theirs == ours;
}
