/*
 * uri.c - the normal form of a path: one pass that decodes, removes dot segments and spells the result anew (RFC 3986
 * §6.2.2).
 *
 * Runs in workers.  A path that is normal already, as nearly all are, costs one look at each byte and no memory;
 * another one is written twice (decoded, encoded) to the request's arena.
 */
#include "http/uri.h"

#include "http/syntax.h"

static const char uri_digits[] = "0123456789ABCDEF";

typedef enum { URI_NAME, URI_DOT, URI_DOT_DOT, URI_DOT_PARAMETER } uri_segment_t;

/* What a decoded segment is: ".", "..", one of them with a ";" parameter that some readers cut off, or a name. */
static uri_segment_t
uri_segment_kind(const char *at, const char *end)
{
    size_t dots = 0;

    while (at < end && *at == '.' && dots < 3) {
        at++;
        dots++;
    }
    if (dots == 0 || dots == 3) {
        return URI_NAME;
    }
    if (at == end) {
        return dots == 1 ? URI_DOT : URI_DOT_DOT;
    }
    return *at == ';' ? URI_DOT_PARAMETER : URI_NAME;
}

/* No byte to decode or encode, no dot segment, and no "//" when they are merged. */
static bool
uri_is_normal(weir_str_t raw, bool merge_slashes)
{
    const char *at, *end = raw.at + raw.len, *stop;
    char        before = '\0';

    for (at = raw.at; at < end; before = *at++) {
        if (!weir_byte_is(*at, WEIR_BYTE_WIRE)) {
            return false;
        }
        if (before != '/') {
            continue;
        }
        if (*at == '/' && merge_slashes) {
            return false;
        }
        if (*at == '.') {
            stop = memchr(at, '/', (size_t) (end - at));
            if (uri_segment_kind(at, stop != NULL ? stop : end) != URI_NAME) {
                return false;
            }
        }
    }
    return true;
}

/* --- UTF-8 --- */

/* Does the sequence at `at` stand for a character that needs fewer bytes, or for '.', '/', '\' or NUL in the eyes of a
 * decoder that does not look at the marks of the bytes that follow?  Only a lead byte without payload can start one. */
static bool
uri_is_overlong(const char *at, const char *end)
{
    unsigned char lead = (unsigned char) *at;
    size_t        follow = lead == 0xe0 ? 2 : lead == 0xf0 ? 3 : lead == 0xf8 ? 4 : lead == 0xfc ? 5 : 0;
    bool          marked = true;
    uint32_t      value = 0;
    size_t        i;

    if (lead == 0xc0 || lead == 0xc1) {
        return true;
    }
    if (follow == 0 || (size_t) (end - at) <= follow) {
        return false;
    }
    for (i = 1; i <= follow; i++) {
        marked = marked && ((unsigned char) at[i] & 0xc0) == 0x80;
        value = value << 6 | ((unsigned char) at[i] & 0x3f);
    }
    /* Least values: 2^11, 2^16, 2^21, 2^26. */
    if (marked && value < UINT32_C(1) << (5 * follow + 1)) {
        return true;
    }
    return value == '.' || value == '/' || value == '\\' || value == '\0';
}

static bool
uri_has_overlong(const char *at, const char *end)
{
    for (; at < end; at++) {
        if ((unsigned char) *at >= 0xc0 && uri_is_overlong(at, end)) {
            return true;
        }
    }
    return false;
}

/* --- the pass --- */

typedef struct {
    const char *in, *in_end;
    char       *path, *path_at;
    char       *wire, *wire_at;
    bool        merge_slashes;
} uri_pass_t;

static char *
uri_put_encoded(char *out, unsigned char byte)
{
    out[0] = '%';
    out[1] = uri_digits[byte >> 4];
    out[2] = uri_digits[byte & 15];
    return out + 3;
}

/* One byte of the value, from one or three of the input.  false: it may not stand in a path. */
static bool
uri_take_byte(uri_pass_t *pass)
{
    char c = *pass->in;
    bool keep;

    if (c == '%') {
        if (pass->in_end - pass->in < 3 || !weir_byte_is(pass->in[1], WEIR_BYTE_HEX)
            || !weir_byte_is(pass->in[2], WEIR_BYTE_HEX)) {
            return false;
        }
        c = (char) (weir_byte_hex(pass->in[1]) << 4 | weir_byte_hex(pass->in[2]));
        if (c == '/' || c == '\\' || c == '\0') {
            return false;
        }
        keep = weir_byte_is(c, WEIR_BYTE_UNRESERVED);
        pass->in += 3;
    } else {
        if (!weir_byte_is(c, WEIR_BYTE_PATH)) {
            return false;
        }
        keep = weir_byte_is(c, WEIR_BYTE_WIRE);
        pass->in++;
    }
    *pass->path_at++ = c;
    if (keep) {
        *pass->wire_at++ = c;
    } else {
        pass->wire_at = uri_put_encoded(pass->wire_at, (unsigned char) c);
    }
    return true;
}

/* Takes the last segment off what was written.  false: there is none.  No slash is inside a segment, as %2F is
 * refused. */
static bool
uri_pop_segment(uri_pass_t *pass)
{
    if (pass->path_at == pass->path) {
        return false;
    }
    while (*--pass->path_at != '/') {
    }
    while (*--pass->wire_at != '/') {
    }
    return true;
}

/* in is at a '/'; takes it and the segment behind it.  What was written is complete segments, each with its '/'
 * before it. */
static bool
uri_take_segment(uri_pass_t *pass)
{
    char         *path = pass->path_at, *wire = pass->wire_at;
    uri_segment_t kind;
    bool          last;

    *pass->path_at++ = '/';
    *pass->wire_at++ = '/';
    pass->in++;
    while (pass->in < pass->in_end && *pass->in != '/') {
        if (!uri_take_byte(pass)) {
            return false;
        }
    }
    last = pass->in == pass->in_end;
    kind = uri_segment_kind(path + 1, pass->path_at);
    if (kind == URI_NAME) {
        if (pass->path_at == path + 1 && !last && pass->merge_slashes) {
            pass->path_at = path;
            pass->wire_at = wire;
        }
        return !uri_has_overlong(path + 1, pass->path_at);
    }
    pass->path_at = path;
    pass->wire_at = wire;
    if (kind == URI_DOT_PARAMETER || (kind == URI_DOT_DOT && !uri_pop_segment(pass))) {
        return false;
    }
    if (last) {                         /* "/a/." and "/a/b/.." are the directory "/a/" */
        *pass->path_at++ = '/';
        *pass->wire_at++ = '/';
    }
    return true;
}

/* Bytes that become three. */
static size_t
uri_count_encoded(weir_str_t text)
{
    size_t i, n = 0;

    for (i = 0; i < text.len; i++) {
        n += !weir_byte_is(text.at[i], WEIR_BYTE_WIRE) && text.at[i] != '%';
    }
    return n;
}

weir_uri_result_t
weir_uri_normalise(weir_uri_t *uri, weir_str_t raw, bool merge_slashes, weir_arena_t *arena)
{
    uri_pass_t pass = { .in = raw.at, .merge_slashes = merge_slashes };

    if (raw.len == 0 || raw.at[0] != '/') {
        return WEIR_URI_BAD;
    }
    if (uri_is_normal(raw, merge_slashes)) {
        uri->path = uri->wire = raw;
        return WEIR_URI_OK;
    }
    pass.in_end = raw.at + raw.len;
    pass.path = pass.path_at = weir_try_alloc(arena, 2 * raw.len + 2 * uri_count_encoded(raw));
    if (pass.path == NULL) {
        return WEIR_URI_NO_MEMORY;
    }
    pass.wire = pass.wire_at = pass.path + raw.len;
    while (pass.in < pass.in_end) {
        if (!uri_take_segment(&pass)) {
            return WEIR_URI_BAD;
        }
    }
    uri->path = weir_str(pass.path, (size_t) (pass.path_at - pass.path));
    uri->wire = weir_str(pass.wire, (size_t) (pass.wire_at - pass.wire));
    return WEIR_URI_OK;
}

size_t
weir_uri_wire_offset(const weir_uri_t *uri, size_t n)
{
    size_t offset = 0;

    if (uri->path.len == uri->wire.len) {   /* nothing is encoded */
        return n;
    }
    for (; n > 0; n--) {
        offset += uri->wire.at[offset] == '%' ? 3 : 1;
    }
    return offset;
}

/* --- encoding --- */

/* Encodes what is neither of the classes nor one of `also`, and what is one of `but`; text itself when there is nothing to encode. */
static weir_str_t
uri_encode(weir_str_t text, uint8_t classes, const char *also, const char *but, weir_arena_t *arena)
{
    char  *out, *at;
    size_t i, n = 0;

    for (i = 0; i < text.len; i++) {
        n += !weir_byte_is(text.at[i], classes) || strchr(but, text.at[i]) != NULL;
    }
    if (n == 0) {
        return text;
    }
    out = at = weir_alloc_bytes(arena, text.len + 2 * n);
    for (i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c != '\0' && (weir_byte_is(c, classes) || strchr(also, c) != NULL) && strchr(but, c) == NULL) {
            *at++ = c;
        } else {
            at = uri_put_encoded(at, (unsigned char) c);
        }
    }
    return weir_str(out, (size_t) (at - out));
}

weir_str_t
weir_uri_encode(weir_str_t path, weir_arena_t *arena)
{
    return uri_encode(path, WEIR_BYTE_WIRE, "", "", arena);
}

weir_str_t
weir_uri_encode_reference(weir_str_t text, weir_arena_t *arena)
{
    return uri_encode(text, WEIR_BYTE_WIRE, "%?#[]", "", arena);
}

weir_str_t
weir_uri_encode_query(weir_str_t text, weir_arena_t *arena)
{
    return uri_encode(text, WEIR_BYTE_QUERY, "", "", arena);
}

weir_str_t
weir_uri_encode_argument(weir_str_t value, weir_arena_t *arena)
{
    return uri_encode(value, WEIR_BYTE_WIRE, "", "&+;", arena);
}

/* --- query --- */

bool
weir_uri_query_ok(weir_str_t query)
{
    return query.len == 0 || weir_byte_span(query.at, query.at + query.len, WEIR_BYTE_QUERY) == query.at + query.len;
}

bool
weir_uri_next_arg(weir_str_t *query, weir_str_t name, weir_str_t *value)
{
    weir_str_t pair, key;

    while (query->len != 0) {
        (void) weir_str_cut(*query, '&', &pair, query);
        if (weir_str_cut(pair, '=', &key, &pair) && weir_str_eq_fold(key, name)) {
            *value = pair;
            return true;
        }
    }
    return false;
}

bool
weir_uri_arg(weir_str_t query, weir_str_t name, weir_str_t *value)
{
    return weir_uri_next_arg(&query, name, value);
}
