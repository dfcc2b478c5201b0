/*
 * grpc_web.c - `grpc_web on`: browsers' gRPC-Web calls become gRPC for the peer, and its answers gRPC-Web again.
 *
 * A filter (filter.h) near the client: the request's body is decoded from base64 when it is
 * application/grpc-web-text, the answer's trailers, which scripts cannot read, go into the body as a last frame (flag
 * 0x80), and the content types are exchanged.  What is behind (grpc_pass) sees gRPC only, over whichever protocol the
 * client came.  Runs in workers; memory: the request's arena.
 */
#include "http/module.h"
#include "base/buf.h"
#include "http/message/field_rules.h"
#include "http/serve/runtime.h"

#include <string.h>

#define WEB_PIECE        24576             /* of an answer, encoded at once: a multiple of 3 */
#define WEB_TRAILERS_MAX 16384

typedef struct { weir_flag_t on; } web_conf_t;

typedef struct {
    weir_filter_t       filter;
    weir_str_t          type;              /* the client's */
    bool                is_text;
    char               *room;              /* decoded request body, encoded answer */
    uint8_t             carry[4];          /* base64 digits of a group that is not complete */
    uint8_t             n_carry;
    bool                padded;            /* '=' came in the group */
    bool                failed, has_frames;
} web_t;

static web_t *web_of(weir_filter_t *self) { return weir_container_of(self, web_t, filter); }

/* -- base64 (RFC 4648 §4); groups may be padded anywhere, as streams of separately encoded pieces are -- */

static const char web_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
web_digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A whole group of four: its bytes at out; how many, or -1. */
static int
web_group(const uint8_t *four, int digits, char *out)
{
    uint32_t bits = (uint32_t) four[0] << 18 | (uint32_t) four[1] << 12 | (uint32_t) four[2] << 6 | four[3];

    weir_assert(digits <= 4);
    if (digits < 2 || (digits == 2 && (four[1] & 15) != 0) || (digits == 3 && (four[2] & 3) != 0)) {
        return -1;                         /* bits that are not used: two spellings of one value */
    }
    out[0] = (char) (bits >> 16);
    out[1] = (char) (bits >> 8);
    out[2] = (char) bits;
    return digits - 1;
}

/* Decodes text behind what is carried; false: it is not base64.  out has room for text.len + 3 bytes. */
static bool
web_decode(web_t *w, weir_str_t text, char *out, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = web_digit(text.at[i]), n;

        if (text.at[i] == '=' ? w->n_carry < 2 : digit < 0 || w->padded) {
            return false;
        }
        if (text.at[i] == '=') {
            if (!w->padded) {
                w->carry[3] = w->n_carry;  /* digits of the group; its last byte is padding, so there is room */
            }
            w->padded = true;
            digit = 0;
        }
        if (w->n_carry == 3) {
            weir_assert(!w->padded || w->carry[3] <= 3);
            uint8_t digits = w->padded ? w->carry[3] : 4;
            w->carry[3] = (uint8_t) digit;
            if (w->padded) {
                w->carry[2] = digits == 2 ? 0 : w->carry[2];
            }
            n = web_group(w->carry, digits, out + *len);
            w->n_carry = 0;
            w->padded = false;
            if (n < 0) {
                return false;
            }
            *len += (size_t) n;
        } else {
            w->carry[w->n_carry++] = (uint8_t) digit;
        }
    }
    return true;
}

static size_t
web_encode(char *out, weir_str_t bytes)
{
    const uint8_t *b = (const uint8_t *) bytes.at;
    char *p = out;

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = weir_min(3, bytes.len - i);
        uint32_t bits = (uint32_t) b[i] << 16 | (n > 1 ? (uint32_t) b[i + 1] << 8 : 0) | (n > 2 ? b[i + 2] : 0);

        *p++ = web_digits[bits >> 18];
        *p++ = web_digits[bits >> 12 & 63];
        *p++ = n > 1 ? web_digits[bits >> 6 & 63] : '=';
        *p++ = n > 2 ? web_digits[bits & 63] : '=';
    }
    return (size_t) (p - out);
}

/* -- the request -- */

static weir_io_t
web_fail(weir_request_t *req, web_t *w)
{
    w->failed = true;
    if (req->cause == WEIR_CAUSE_NONE) {
        req->cause = WEIR_CAUSE_CLIENT_BODY_MALFORMED;
        req->detail = "base64 of gRPC-Web";
    }
    return WEIR_ERROR;
}

static weir_io_t
web_read(weir_filter_t *self, weir_str_t *bytes)
{
    web_t *w = web_of(self);
    weir_request_t *req = self->req;
    weir_str_t text;
    size_t len;

    if (!w->is_text) {
        return weir_filter_pull(self, bytes);
    }
    while (!w->failed) {
        weir_io_t io = weir_filter_pull(self, &text);

        if (io == WEIR_EOF && w->n_carry != 0) {
            return web_fail(req, w);
        }
        if (io != WEIR_OK) {
            return io;
        }
        if (text.len > WEIR_RX_BYTES || !web_decode(w, text, w->room, &len)) {
            return web_fail(req, w);
        }
        if (len != 0) {
            *bytes = weir_str(w->room, len);
            return WEIR_OK;
        }
    }
    return WEIR_ERROR;
}

/* -- the answer -- */

static weir_step_t
web_head(weir_filter_t *self)
{
    web_t *w = web_of(self);
    weir_request_t *req = self->req;
    weir_field_t *type = weir_fields_first(&req->res.fields, WEIR_HEADER_CONTENT_TYPE);

    w->has_frames = type != NULL && weir_str_starts_fold(type->value, WEIR_STR("application/grpc"));
    if (w->has_frames) {
        type->value = w->type;
        req->res.length = WEIR_LENGTH_NONE;          /* the trailers come on top */
    }
    return WEIR_NEXT;
}

static weir_io_t
web_piece(web_t *w, weir_str_t bytes)
{
    weir_io_t io = WEIR_OK;

    weir_assert(!w->is_text || w->room != NULL);
    if (!w->is_text) {
        return weir_filter_pass_body(&w->filter, bytes);
    }
    while (bytes.len != 0 && io != WEIR_ERROR) {
        size_t n = weir_min(bytes.len, WEB_PIECE);

        io = weir_filter_pass_body(&w->filter, weir_str(w->room, web_encode(w->room, weir_str(bytes.at, n))));
        bytes = weir_str_skip(bytes, n);
    }
    return io;
}

static weir_io_t
web_body(weir_filter_t *self, weir_str_t bytes)
{
    web_t *w = web_of(self);

    return w->has_frames ? web_piece(w, bytes) : weir_filter_pass_body(self, bytes);
}

/* "grpc-status: 0\r\n…": the frame's payload.  What a codec would not send as a trailer is not in it either. */
static weir_str_t
web_trailers(weir_request_t *req, char *room)
{
    const weir_fields_t *trailers = &req->res.trailers;
    weir_buf_t b;
    uint32_t len;

    weir_buf_init(&b, room, WEB_TRAILERS_MAX);
    weir_buf_add(&b, "\x80\0\0\0\0", 5);
    for (uint32_t i = 0; i < trailers->n; i++) {
        const weir_field_t *f = &trailers->at[i];

        if (weir_field_rules_may_trail(f) && weir_syntax_is_token(f->name) && weir_syntax_is_field_value(f->value)) {
            for (size_t k = 0; k < f->name.len; k++) {
                char c = f->name.at[k];
                weir_buf_add_char(&b, (char) (c >= 'A' && c <= 'Z' ? c | 0x20 : c));
            }
            weir_buf_add_lit(&b, ": ");
            weir_buf_add_str(&b, f->value);
            weir_buf_add_lit(&b, "\r\n");
        }
    }
    if (b.full) {
        weir_buf_init(&b, room, WEB_TRAILERS_MAX);
        weir_buf_add(&b, "\x80\0\0\0\0", 5);
        weir_buf_add_lit(&b, "grpc-status: 13\r\ngrpc-message: trailers are too large\r\n");
    }
    len = (uint32_t) (weir_buf_len(&b) - 5);
    for (size_t i = 0; i < 4; i++) {
        room[1 + i] = (char) (len >> (24 - 8 * i));
    }
    return weir_buf_str(&b);
}

static weir_io_t
web_end(weir_filter_t *self)
{
    web_t *w = web_of(self);
    weir_request_t *req = self->req;
    char room[WEB_TRAILERS_MAX];

    weir_assert(w->filter.req == req);
    if (w->has_frames && req->res.trailers.n != 0) {
        weir_str_t frame = web_trailers(req, room);

        weir_fields_reset(&req->res.trailers);       /* said once */
        if (web_piece(w, frame) == WEIR_ERROR) {
            return WEIR_ERROR;
        }
    }
    return weir_filter_pass_end(self);
}

/* (Neither a file nor a pipe: their bytes may have to be encoded, and a frame follows them.) */
static const weir_filter_ops_t web_filter = { .place = WEIR_FILTER_PROTOCOL, .head = web_head, .body = web_body,
                                              .end = web_end, .read = web_read };

/* -- which requests -- */

/* "application/grpc-web[-text][+proto]": true, with what follows the name.  Parameters behind ';' go. */
static bool
web_is_call(weir_str_t type, bool *is_text, weir_str_t *rest)
{
    weir_str_t before;

    (void) weir_str_cut(type, ';', &before, rest);
    before = weir_str_trim(before);
    if (!weir_str_starts_fold(before, WEIR_STR("application/grpc-web"))) {
        return false;
    }
    before = weir_str_skip(before, sizeof("application/grpc-web") - 1);
    *is_text = weir_str_starts_fold(before, WEIR_STR("-text"));
    if (*is_text) {
        before = weir_str_skip(before, sizeof("-text") - 1);
    }
    *rest = before;
    return before.len == 0 || before.at[0] == '+';
}

static weir_step_t
web_access(weir_request_t *req, const void *conf)
{
    weir_field_t *type = weir_fields_first(&req->head.fields, WEIR_HEADER_CONTENT_TYPE);
    weir_str_t rest;
    bool is_text;
    web_t *w;

    (void) conf;
    if (type == NULL || req->head.method != WEIR_METHOD_POST || !web_is_call(type->value, &is_text, &rest)) {
        return WEIR_NEXT;
    }
    w = weir_new(&req->arena, web_t);
    w->is_text = is_text;
    w->type = type->value;
    if (is_text) {
        w->room = weir_try_alloc(&req->arena, WEIR_RX_BYTES + 8);
        if (w->room == NULL) {
            return weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, NULL);
        }
        req->head.content_length = WEIR_LENGTH_NONE;           /* of the text, not of what it says */
    }
    type->value = rest.len != 0 ? weir_str_concat(&req->arena, WEIR_STR("application/grpc"), rest)
                  : WEIR_STR("application/grpc");
    req->head.te_trailers = true;                              /* no script may say so, and gRPC wants it said */
    weir_filter_add(req, &w->filter, &web_filter);
    return WEIR_NEXT;
}

static bool
web_enabled(const void *conf, weir_phase_t phase)
{
    return phase != WEIR_PHASE_MAX && ((const web_conf_t *) conf)->on.on;
}

static const weir_directive_t web_directives[] = {
    WEIR_DIRECTIVE(web_conf_t, on, "grpc_web", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Translates gRPC-Web calls, binary and text, to gRPC for grpc_pass, and its answers "
                           "back."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_grpc_web = {
    .name = "http_grpc_web",
    .area = "gRPC",
    .conf_size = sizeof(web_conf_t),
    .directives = web_directives,
    .on = { [WEIR_PHASE_ACCESS] = web_access },
    .admits_anybody = true,
    .enabled = web_enabled,
};
