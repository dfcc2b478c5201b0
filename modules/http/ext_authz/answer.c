/*
 * answer.c - see answer.h.
 *
 * A message that stands once where it may stand twice by the format's own rules (the last one wins, or they are
 * merged) is refused when it comes twice: two readers would differ.  What is not known is passed over, as the format
 * asks for.
 */
#include "answer.h"

#include "base/protobuf.h"
#include "base/utf8.h"
#include "http/filter/header_edit.h"

#define ANSWER_FIELDS 1024u              /* of all messages in one answer */
#define ANSWER_LIST   128u               /* entries of one list */

/* Numbers of fields, as the published messages have them. */
enum { CHECK_STATUS = 1, CHECK_DENIED = 2, CHECK_OK = 3 };
enum { STATUS_CODE = 1 };
enum { DENIED_STATUS = 1, DENIED_HEADERS = 2, DENIED_BODY = 3 };
enum { OK_HEADERS = 2, OK_REMOVE = 5, OK_SHOWN = 6, OK_SET_ARGS = 7, OK_REMOVE_ARGS = 8 };
enum { OPTION_HEADER = 1, OPTION_APPEND = 2, OPTION_ACTION = 3 };
enum { HEADER_KEY = 1, HEADER_VALUE = 2, HEADER_RAW = 3 };
enum { ARG_KEY = 1, ARG_VALUE = 2 };

typedef struct {
    weir_arena_t *arena;
    uint32_t      budget;                /* of fields that may still come */
    const char   *why;                   /* NULL: nothing is wrong so far */
} answer_reader_t;

static bool
answer_wrong(answer_reader_t *r, const char *why)
{
    r->why = r->why != NULL ? r->why : why;
    return false;
}

/* The next field of a message.  false: there is none, or (r->why) it is broken. */
static bool
answer_next(answer_reader_t *r, weir_protobuf_reader_t *message, weir_protobuf_field_t *field)
{
    weir_io_t io = weir_protobuf_next(message, field);

    if (io == WEIR_ERROR) {
        (void) answer_wrong(r, r->budget == 0 ? "too many fields" : "it is not a message of Protocol Buffers");
    }
    return io == WEIR_OK;
}

static weir_protobuf_reader_t
answer_open(answer_reader_t *r, weir_str_t message)
{
    return weir_protobuf_reader(message.len != 0 ? message : WEIR_STR(""), &r->budget);
}

/* A message or a text, once. */
static bool
answer_bytes(answer_reader_t *r, const weir_protobuf_field_t *field, weir_str_t *bytes)
{
    if (field->type != WEIR_PROTOBUF_BYTES) {
        return answer_wrong(r, "a field has the wrong type");
    }
    if (bytes->at != NULL) {
        return answer_wrong(r, "a field stands twice");
    }
    *bytes = field->bytes;
    return true;
}

static bool
answer_text(answer_reader_t *r, const weir_protobuf_field_t *field, weir_str_t *text)
{
    return answer_bytes(r, field, text) && (weir_utf8_is_text(*text) || answer_wrong(r, "a text is not UTF-8"));
}

static bool
answer_number(answer_reader_t *r, const weir_protobuf_field_t *field, uint64_t max, uint64_t *number)
{
    if (field->type != WEIR_PROTOBUF_VARINT) {
        return answer_wrong(r, "a field has the wrong type");
    }
    *number = field->value;
    return field->value <= max || answer_wrong(r, "a number is too large");
}

/* Room for one more entry of a list.  NULL: it has enough. */
static void *
answer_push(answer_reader_t *r, void **at, size_t *n, size_t item)
{
    if (*n >= ANSWER_LIST) {
        (void) answer_wrong(r, "too many entries in a list");
        return NULL;
    }
    if (*n == 0) {
        *at = weir_try_alloc(r->arena, ANSWER_LIST * item);
        if (*at == NULL) {
            (void) answer_wrong(r, "no memory");
            return NULL;
        }
    }
    return (char *) *at + item * (*n)++;
}

/* -- fields of headers -- */

/* BoolValue: a message around a flag. */
static bool
answer_flag(answer_reader_t *r, weir_str_t message, bool *flag)
{
    weir_protobuf_reader_t in = answer_open(r, message);
    weir_protobuf_field_t  field;
    uint64_t               number = 0;

    while (answer_next(r, &in, &field)) {
        if (field.number == 1 && !answer_number(r, &field, 1, &number)) {
            return false;
        }
    }
    *flag = number == 1;
    return r->why == NULL;
}

static bool
answer_header(answer_reader_t *r, weir_str_t message, ext_field_t *header)
{
    weir_protobuf_reader_t in = answer_open(r, message);
    weir_protobuf_field_t  field;
    weir_str_t             name = WEIR_STR_NONE, value = WEIR_STR_NONE, raw = WEIR_STR_NONE;

    while (r->why == NULL && answer_next(r, &in, &field)) {
        switch (field.number) {
        case HEADER_KEY: (void) answer_text(r, &field, &name); break;
        case HEADER_VALUE: (void) answer_text(r, &field, &value); break;
        case HEADER_RAW: (void) answer_bytes(r, &field, &raw); break;
        default: break;
        }
    }
    if (value.len != 0 && raw.len != 0) {
        (void) answer_wrong(r, "a header has two values");
    }
    header->name = name;
    header->value = weir_str_trim(raw.len != 0 ? raw : value);
    return r->why == NULL;
}

static bool
answer_check_header(answer_reader_t *r, ext_field_t *header, bool is_request)
{
    if (!weir_syntax_is_token(header->name)) {
        return answer_wrong(r, "the name of a header is none");
    }
    if (!weir_syntax_is_field_value(header->value)) {
        return answer_wrong(r, "a header's value has a control in it");
    }
    header->id = weir_header_id(header->name);
    return weir_header_may_change(header->id, is_request)
        || answer_wrong(r, "a header is of the framing, of the connection, Host or Date");
}

/* HeaderValueOption.  `append` says more than append_action, of which none is the same as the first. */
static bool
answer_option(answer_reader_t *r, const weir_protobuf_field_t *outer, ext_fields_t *list, bool is_request)
{
    static const ext_how_t actions[] = { EXT_OVERWRITE, EXT_IF_ABSENT, EXT_OVERWRITE, EXT_IF_PRESENT };
    weir_str_t             message = WEIR_STR_NONE, header = WEIR_STR_NONE, append = WEIR_STR_NONE;
    weir_protobuf_reader_t in;
    weir_protobuf_field_t  field;
    uint64_t               action = 0;
    bool                   appends = false;
    ext_field_t           *entry;

    if (!answer_bytes(r, outer, &message)) {
        return false;
    }
    in = answer_open(r, message);
    while (r->why == NULL && answer_next(r, &in, &field)) {
        switch (field.number) {
        case OPTION_HEADER: (void) answer_bytes(r, &field, &header); break;
        case OPTION_APPEND: (void) answer_bytes(r, &field, &append); break;
        case OPTION_ACTION: (void) answer_number(r, &field, weir_countof(actions) - 1, &action); break;
        default: break;
        }
    }
    entry = r->why == NULL ? answer_push(r, (void **) &list->at, &list->n, sizeof(*list->at)) : NULL;
    if (entry == NULL || !answer_header(r, header, entry) || !answer_check_header(r, entry, is_request)) {
        return false;
    }
    if (append.at != NULL && !answer_flag(r, append, &appends)) {
        return false;
    }
    entry->how = append.at == NULL ? actions[action] : appends ? EXT_APPEND : EXT_OVERWRITE;
    return true;
}

/* -- the two kinds of answers -- */

/* Pseudo-headers and what is of the connection are not to be removed: they are passed over. */
static bool
answer_remove(answer_reader_t *r, const weir_protobuf_field_t *field, weir_strs_t *list)
{
    weir_str_t  name = WEIR_STR_NONE;
    weir_str_t *entry;

    if (!answer_text(r, field, &name)) {
        return false;
    }
    if (weir_str_starts(name, WEIR_STR(":")) || !weir_header_may_change(weir_header_id(name), true)) {
        return true;
    }
    if (!weir_syntax_is_token(name)) {
        return answer_wrong(r, "the name of a header is none");
    }
    entry = answer_push(r, (void **) &list->at, &list->n, sizeof(*list->at));
    if (entry != NULL) {
        *entry = name;
    }
    return entry != NULL;
}

static bool
answer_arg(answer_reader_t *r, const weir_protobuf_field_t *outer, ext_args_t *list)
{
    ext_arg_t              arg = { .is_removed = outer->number == OK_REMOVE_ARGS };
    weir_str_t             message = WEIR_STR_NONE;
    weir_protobuf_reader_t in;
    weir_protobuf_field_t  field;
    ext_arg_t             *entry;

    if (arg.is_removed) {
        (void) answer_text(r, outer, &arg.name);
    } else if (answer_bytes(r, outer, &message)) {
        in = answer_open(r, message);
        while (r->why == NULL && answer_next(r, &in, &field)) {
            if (field.number == ARG_KEY || field.number == ARG_VALUE) {
                (void) answer_text(r, &field, field.number == ARG_KEY ? &arg.name : &arg.value);
            }
        }
    }
    if (r->why == NULL && arg.name.len == 0) {
        (void) answer_wrong(r, "an argument of the query has no name");
    }
    entry = r->why == NULL ? answer_push(r, (void **) &list->at, &list->n, sizeof(*list->at)) : NULL;
    if (entry != NULL) {
        *entry = arg;
    }
    return entry != NULL;
}

static bool
answer_ok(answer_reader_t *r, weir_str_t message, ext_answer_t *answer)
{
    weir_protobuf_reader_t in = answer_open(r, message);
    weir_protobuf_field_t  field;

    while (r->why == NULL && answer_next(r, &in, &field)) {
        switch (field.number) {
        case OK_HEADERS: (void) answer_option(r, &field, &answer->fields, true); break;
        case OK_SHOWN: (void) answer_option(r, &field, &answer->shown, false); break;
        case OK_REMOVE: (void) answer_remove(r, &field, &answer->removed); break;
        case OK_SET_ARGS: case OK_REMOVE_ARGS: (void) answer_arg(r, &field, &answer->args); break;
        default: break;
        }
    }
    return r->why == NULL;
}

/* HttpStatus: a code; Envoy's own numbers are those of HTTP.  None is 403. */
static bool
answer_http_status(answer_reader_t *r, weir_str_t message, uint16_t *status)
{
    weir_protobuf_reader_t in = answer_open(r, message);
    weir_protobuf_field_t  field;
    uint64_t               code = 0;

    while (r->why == NULL && answer_next(r, &in, &field)) {
        if (field.number == STATUS_CODE) {
            (void) answer_number(r, &field, 599, &code);
        }
    }
    if (r->why == NULL && code != 0 && code < 200) {
        (void) answer_wrong(r, "the status of a refusal is none of 200 to 599");
    }
    *status = code != 0 ? (uint16_t) code : *status;
    return r->why == NULL;
}

static bool
answer_denied(answer_reader_t *r, weir_str_t message, ext_answer_t *answer)
{
    weir_protobuf_reader_t in = answer_open(r, message);
    weir_protobuf_field_t  field;
    weir_str_t             status = WEIR_STR_NONE;

    while (r->why == NULL && answer_next(r, &in, &field)) {
        switch (field.number) {
        case DENIED_STATUS: (void) answer_bytes(r, &field, &status); break;
        case DENIED_HEADERS: (void) answer_option(r, &field, &answer->fields, false); break;
        case DENIED_BODY: (void) answer_text(r, &field, &answer->body); break;
        default: break;
        }
    }
    return r->why == NULL && (status.at == NULL || answer_http_status(r, status, &answer->status));
}

/* google.rpc.Status: its code, 0 when it has none.  (Negative codes are refusals, too.) */
static bool
answer_code(answer_reader_t *r, weir_str_t message, uint64_t *code)
{
    weir_protobuf_reader_t in = answer_open(r, message);
    weir_protobuf_field_t  field;

    *code = 0;
    while (r->why == NULL && answer_next(r, &in, &field)) {
        if (field.number == STATUS_CODE) {
            (void) answer_number(r, &field, UINT64_MAX, code);
        }
    }
    return r->why == NULL;
}

/* What lets in must say so: an empty message is no permission, and neither is one that says two things. */
static bool
answer_judge(answer_reader_t *r, weir_str_t status, weir_str_t denied, weir_str_t ok, ext_answer_t *answer)
{
    uint64_t code = 0;

    if (status.at != NULL && !answer_code(r, status, &code)) {
        return false;
    }
    if (status.at == NULL && ok.at == NULL && denied.at == NULL) {
        return answer_wrong(r, "it says nothing");
    }
    answer->is_allowed = code == 0 && denied.at == NULL;
    if ((denied.at != NULL && (ok.at != NULL || (status.at != NULL && code == 0)))
        || (ok.at != NULL && !answer->is_allowed))
    {
        return answer_wrong(r, "it lets in and refuses");
    }
    answer->status = answer->is_allowed ? 0 : 403;
    return (ok.at == NULL || answer_ok(r, ok, answer)) && (denied.at == NULL || answer_denied(r, denied, answer));
}

bool
ext_answer_read(weir_arena_t *arena, weir_str_t message, ext_answer_t *answer, const char **why)
{
    answer_reader_t        r = { .arena = arena, .budget = ANSWER_FIELDS };
    weir_str_t             status = WEIR_STR_NONE, denied = WEIR_STR_NONE, ok = WEIR_STR_NONE;
    weir_protobuf_reader_t in = answer_open(&r, message);
    weir_protobuf_field_t  field;

    *answer = (ext_answer_t) { .is_allowed = false };
    while (r.why == NULL && answer_next(&r, &in, &field)) {
        switch (field.number) {
        case CHECK_STATUS: (void) answer_bytes(&r, &field, &status); break;
        case CHECK_DENIED: (void) answer_bytes(&r, &field, &denied); break;
        case CHECK_OK: (void) answer_bytes(&r, &field, &ok); break;
        default: break;
        }
    }
    if (r.why == NULL) {
        (void) answer_judge(&r, status, denied, ok, answer);
    }
    *why = r.why;
    return r.why == NULL;
}
