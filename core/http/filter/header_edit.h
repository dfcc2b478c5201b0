/*
 * header_edit.h - `set|add|remove NAME [value]`: changes of a message's fields that the configuration asks for, one
 * after another, each on what those before it left.
 *
 * For requests and for answers, of a place (modules/http/header_rules.c) and of a target that its proxy_pass names.
 */
#ifndef WEIR_HTTP_FILTER_HEADER_EDIT_H
#define WEIR_HTTP_FILTER_HEADER_EDIT_H

#include "conf/module.h"
#include "http/request.h"

typedef enum { WEIR_HEADER_EDIT_SET, WEIR_HEADER_EDIT_ADD, WEIR_HEADER_EDIT_REMOVE } weir_header_edit_kind_t;

typedef struct {
    weir_header_edit_kind_t kind;
    weir_header_id_t        id;
    weir_str_t              name;
    const weir_template_t  *value;       /* NULL: REMOVE has none */
} weir_header_edit_t;

typedef struct { weir_header_edit_t *at; size_t n; } weir_header_edits_t;

/* One change whose value is known: an empty one adds nothing. */
typedef struct {
    weir_header_edit_kind_t kind;
    weir_header_id_t        id;
    weir_str_t              name, value;
} weir_header_change_t;

/* Of rows whose field is a weir_header_edits_t; parse refuses what is not of the message but of the connection. */
extern const weir_conf_type_t weir_header_edit_type_request, weir_header_edit_type_response;

/* Before a handler of WEIR_PHASE_FILTER changes req->head.fields: what the client sent is kept.  Again is nothing. */
void weir_header_edit_keep(weir_request_t *req);
/* The request has other fields from here on, for all readers; what the client sent is kept (req->sent_fields) until
 * the request goes to another place. */
void weir_header_edit_request(weir_request_t *req, const weir_header_edits_t *edits);
/* Of an answer whose head is on its way. */
void weir_header_edit_response(weir_request_t *req, const weir_header_edits_t *edits);

/* What others are told of a request's field: of Cookie what no module owns (module.h); else its value. */
weir_str_t weir_header_edit_told(weir_request_t *req, const weir_field_t *field);

/* The same, of one field each, whose name may be changed: */
void weir_header_change_request(weir_request_t *req, const weir_header_change_t *change);
void weir_header_change_response(weir_request_t *req, const weir_header_change_t *change);
/* Framing is Weir's alone, and some fields are of one connection: those may not, and neither Host and Expect of a
 * request nor Date of an answer. */
bool weir_header_may_change(weir_header_id_t id, bool is_request);

#endif
