/*
 * ranges.c - see ranges.h.  Runs in workers; memory is the request's arena, bounded by the length of the Range field.
 *
 * Threat: many ranges, overlapping, tiny or huge, make a small request ask for a large answer.  Together they
 * may not be more than the whole; many small ones may not cost more than the whole with what stands between them;
 * max_ranges limits their number.
 */
#include "http/filter/ranges.h"

#include "http/filter/precondition.h"

#define RANGES_FEW       16             /* so many may cost more than the whole, with their heads */
#define RANGES_HEAD_COST 80             /* about what stands before a part, without its type */

/* -- reading -- */

typedef enum { RANGE_IS_THERE, RANGE_IS_NOT, RANGE_IS_WRONG } range_kind_t;

/* A number; larger than any length there is: the largest.  false: not one. */
static bool
range_number(weir_str_t text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        *number = *number > (UINT64_MAX - 9) / 10 ? UINT64_MAX : *number * 10 + (uint64_t) (text.at[i] - '0');
    }
    return text.len != 0;
}

static range_kind_t
range_read(weir_str_t text, uint64_t length, weir_range_t *range)
{
    weir_str_t first, last;
    uint64_t n;

    if (!weir_str_cut(text, '-', &first, &last)) {
        return RANGE_IS_WRONG;
    }
    first = weir_str_trim(first);
    last = weir_str_trim(last);
    if (first.len == 0) {                          /* the last n */
        if (!range_number(last, &n)) {
            return RANGE_IS_WRONG;
        }
        range->from = length - weir_min(n, length);
        range->to = length;
    } else {
        if (!range_number(first, &range->from) || (last.len != 0 && !range_number(last, &n))) {
            return RANGE_IS_WRONG;
        }
        if (last.len != 0 && n < range->from) {
            return RANGE_IS_WRONG;
        }
        range->to = last.len == 0 || n >= length ? length : n + 1;
    }
    return range->from < range->to ? RANGE_IS_THERE : RANGE_IS_NOT;
}

static bool
ranges_too_costly(const weir_ranges_t *ranges, uint64_t length)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < ranges->n; i++) {
        sum += ranges->at[i].to - ranges->at[i].from;
        if (sum > length) {
            return true;
        }
    }
    return ranges->n > RANGES_FEW && sum + (uint64_t) ranges->n * RANGES_HEAD_COST > length;
}

weir_io_t
weir_ranges_read(weir_str_t value, uint64_t length, uint32_t max, bool may_go_back, weir_arena_t *arena,
                 weir_ranges_t *ranges)
{
    weir_str_t unit, list, element;
    size_t room = 1;
    bool in_order = true;

    *ranges = (weir_ranges_t) { .n = 0 };
    if (!weir_str_cut(value, '=', &unit, &list) || !weir_str_eq_fold(weir_str_trim(unit), WEIR_STR("bytes")) || max == 0
        || length == 0)
    {
        return WEIR_OK;                            /* a unit we do not know; of nothing all is sent, as nginx does */
    }
    for (size_t i = 0; i < list.len; i++) {
        room += list.at[i] == ',';
    }
    if (room > max) {
        return WEIR_OK;
    }
    ranges->at = weir_try_alloc(arena, room * sizeof(*ranges->at));
    if (ranges->at == NULL) {
        return WEIR_OK;
    }
    for (bool more = true; more; ) {
        weir_range_t range = { .head = WEIR_STR_NONE };

        more = weir_str_cut(list, ',', &element, &list);
        switch (range_read(element, length, &range)) {
        case RANGE_IS_WRONG:
            return WEIR_EOF;
        case RANGE_IS_NOT:
            break;
        case RANGE_IS_THERE:
            in_order = in_order && (ranges->n == 0 || range.from >= ranges->at[ranges->n - 1].to);
            ranges->at[ranges->n++] = range;
        }
    }
    if (ranges->n == 0) {
        return WEIR_EOF;
    }
    if (ranges_too_costly(ranges, length)) {
        ranges->n = 0;
        return WEIR_OK;
    }
    if (!in_order && !may_go_back) {
        ranges->n = 0;
        return WEIR_AGAIN;
    }
    return WEIR_OK;
}

/* -- a request -- */

static const weir_field_t *
ranges_asked(const weir_request_t *req)
{
    const weir_field_t *field = weir_fields_first(&req->head.fields, WEIR_HEADER_RANGE);

    /* §14.2: of GET only; a Range of several lines is none */
    if (field == NULL || req->is_sub || req->head.method != WEIR_METHOD_GET
        || weir_fields_next(&req->head.fields, field) != NULL || req->error_status != 0
        || !weir_precondition_if_range_holds(req))
    {
        return NULL;
    }
    return field;
}

bool
weir_ranges_refuse(weir_request_t *req, uint64_t length)
{
    const weir_field_t *field = ranges_asked(req);
    weir_ranges_t ranges;

    req->whole_length = length;
    return field != NULL
        && weir_ranges_read(field->value, length, weir_request_core(req)->max_ranges, true, &req->arena, &ranges)
               == WEIR_EOF;
}

weir_step_t
weir_ranges_check(weir_request_t *req, uint64_t length)
{
    return weir_ranges_refuse(req, length) ? weir_request_fail(req, WEIR_CAUSE_CLIENT_RANGE, NULL) : WEIR_NEXT;
}

static weir_str_t
ranges_content_range(weir_request_t *req, const weir_range_t *range, uint64_t length)
{
    return weir_str_printf(&req->arena, "bytes %llu-%llu/%llu", (unsigned long long) range->from,
                           (unsigned long long) range->to - 1, (unsigned long long) length);
}

/* §15.3.7.2: the parts' type goes into the parts, the answer's own says how they are told apart. */
static void
ranges_make_multipart(weir_request_t *req, weir_ranges_t *ranges, uint64_t length)
{
    weir_field_t *type = weir_fields_first(&req->res.fields, WEIR_HEADER_CONTENT_TYPE);
    weir_str_t boundary = weir_request_id(req), line = WEIR_STR_NONE;
    uint64_t total = 0;

    if (type != NULL && (type->flags & WEIR_FIELD_DROP) == 0) {
        line = weir_str_printf(&req->arena, "Content-Type: %.*s\r\n", WEIR_STR_ARG(type->value));
        type->flags |= WEIR_FIELD_DROP;
    }
    for (uint32_t i = 0; i < ranges->n; i++) {
        weir_range_t *range = &ranges->at[i];

        range->head = weir_str_printf(&req->arena, "\r\n--%.*s\r\n%.*sContent-Range: %.*s\r\n\r\n",
                                      WEIR_STR_ARG(boundary), WEIR_STR_ARG(line),
                                      WEIR_STR_ARG(ranges_content_range(req, range, length)));
        total += range->head.len + (range->to - range->from);
    }
    ranges->tail = weir_str_printf(&req->arena, "\r\n--%.*s--\r\n", WEIR_STR_ARG(boundary));
    weir_response_add(req, WEIR_HEADER_CONTENT_TYPE,
                      weir_str_printf(&req->arena, "multipart/byteranges; boundary=%.*s", WEIR_STR_ARG(boundary)));
    req->res.length = total + ranges->tail.len;
}

/* -- the body -- */

static weir_ranges_t *ranges_of(weir_filter_t *self) { return weir_container_of(self, weir_ranges_t, filter); }

static weir_io_t
ranges_open(weir_ranges_t *ranges)
{
    weir_io_t io = WEIR_OK;

    if (!ranges->is_open) {
        ranges->is_open = true;
        if (ranges->at[ranges->next].head.len != 0) {
            io = weir_filter_pass_body(&ranges->filter, ranges->at[ranges->next].head);
        }
    }
    return io;
}

static void
ranges_advance(weir_ranges_t *ranges, uint64_t n)
{
    weir_assert(ranges->next < ranges->n && ranges->position + n <= ranges->at[ranges->next].to);
    ranges->position += n;
    if (ranges->position >= ranges->at[ranges->next].to) {
        ranges->next++;
        ranges->is_open = false;
    }
}

/* A piece of the whole, less what was not asked for. */
static weir_io_t
ranges_body(weir_filter_t *self, weir_str_t bytes)
{
    weir_ranges_t *ranges = ranges_of(self);
    weir_io_t io = weir_filter_is_pending(self) ? WEIR_AGAIN : WEIR_OK;

    while (bytes.len != 0 && ranges->next < ranges->n) {
        const weir_range_t *range = &ranges->at[ranges->next];

        if (ranges->position < range->from) {
            size_t skipped = weir_min(bytes.len, range->from - ranges->position);
            bytes = weir_str_skip(bytes, skipped);
            ranges->position += skipped;
            continue;
        }
        size_t n = weir_min(bytes.len, range->to - ranges->position);
        if (ranges_open(ranges) == WEIR_ERROR) {
            return WEIR_ERROR;
        }
        io = weir_filter_pass_body(self, weir_str(bytes.at, n));
        if (io == WEIR_ERROR) {
            return io;
        }
        bytes = weir_str_skip(bytes, n);
        ranges_advance(ranges, n);
    }
    return io;
}

/* What is asked next was said by ranges_wants. */
static weir_io_t
ranges_file(weir_filter_t *self, int fd, uint64_t *offset, uint64_t end)
{
    uint64_t from = *offset;
    weir_io_t io = weir_filter_pass_file(self, fd, offset, end);

    if (*offset != from) {
        ranges_advance(ranges_of(self), *offset - from);
    }
    return io;
}

static weir_io_t
ranges_wants(weir_filter_t *self, uint64_t *from, uint64_t *to)
{
    weir_ranges_t *ranges = ranges_of(self);

    if (ranges->next == ranges->n) {
        return WEIR_EOF;
    }
    if (!ranges->is_open) {
        ranges->position = ranges->at[ranges->next].from;
        if (ranges_open(ranges) == WEIR_ERROR) {
            return WEIR_ERROR;
        }
    }
    *from = ranges->position;
    *to = ranges->at[ranges->next].to;
    return WEIR_OK;
}

static weir_io_t
ranges_end(weir_filter_t *self)
{
    weir_ranges_t *ranges = ranges_of(self);

    if (ranges->tail.len != 0 && ranges->next == ranges->n && weir_filter_pass_body(self, ranges->tail) == WEIR_ERROR) {
        return WEIR_ERROR;
    }
    return weir_filter_pass_end(self);
}

static const weir_filter_ops_t ranges_filter = {
    .place = WEIR_FILTER_RANGE, .body = ranges_body, .file = ranges_file, .end = ranges_end, .wants = ranges_wants,
};

/* -- the head -- */

static void
ranges_choose(weir_request_t *req)
{
    weir_response_t *res = &req->res;
    const weir_field_t *field;
    weir_ranges_t *ranges;

    if (res->status != 200 || res->length == WEIR_LENGTH_NONE || weir_filters_change_body(req, WEIR_FILTER_RANGE)
        || weir_request_core(req)->max_ranges == 0)
    {
        return;
    }
    field = ranges_asked(req);
    if (field != NULL) {
        ranges = weir_new(&req->arena, weir_ranges_t);
        weir_io_t io = weir_ranges_read(field->value, res->length, weir_request_core(req)->max_ranges, res->may_go_back,
                                        &req->arena, ranges);
        if (io == WEIR_OK && ranges->n != 0) {
            uint64_t length = res->length;

            res->status = 206;
            res->reason = WEIR_STR_NONE;
            weir_filter_add(req, &ranges->filter, &ranges_filter);
            if (ranges->n == 1) {
                weir_response_add(req, WEIR_HEADER_CONTENT_RANGE, ranges_content_range(req, &ranges->at[0], length));
                res->length = ranges->at[0].to - ranges->at[0].from;
            } else {
                ranges_make_multipart(req, ranges, length);
            }
            return;
        }
    }
    if (weir_fields_first(&res->fields, WEIR_HEADER_ACCEPT_RANGES) == NULL) {
        weir_response_add(req, WEIR_HEADER_ACCEPT_RANGES, WEIR_STR("bytes"));
    }
}

weir_step_t
weir_ranges_head(weir_request_t *req, const void *conf)
{
    (void) conf;
    if (req->res.has_ranges) {
        ranges_choose(req);
    }
    return WEIR_NEXT;
}
