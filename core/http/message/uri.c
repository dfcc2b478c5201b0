/*
 * uri.c - the normal form of a path: one pass that decodes, removes dot segments and spells the result anew (RFC 3986
 * §6.2.2).
 *
 * Runs in workers.  A path that is normal already, as nearly all are, costs one look at each byte and no memory;
 * another one is written twice (decoded, encoded) to the request's arena.
 */
#include "http/message/uri.h"

#include "http/message/syntax.h"

#define URI_ARG_NEAR 16                      /* bytes that are looked at one by one */

static const char uri_digits[] = "0123456789ABCDEF";

typedef enum { URI_NAME, URI_DOT, URI_DOT_DOT, URI_DOT_PARAMETER } uri_segment_t;

/* -- bytes that stay encoded in a path -- */

static bool
uri_is_hex2(const char *at, char high, char low)
{
    return at[0] == high && weir_char_lower(at[1]) == low;
}

/* How many bytes of a text, which begin at a '%', stand for themselves in both spellings: "%2F", "%5C", and a percent
 * sign before the digits of one of them, "%252F" and so on; 0: this percent sign is none of these. */
static size_t
uri_kept(const char *at, const char *end)
{
    const char *p = at + 1;

    while (end - p >= 4 && p[0] == '2' && p[1] == '5') {
        p += 2;
    }
    return end - p >= 2 && (uri_is_hex2(p, '2', 'f') || uri_is_hex2(p, '5', 'c')) ? (size_t) (p + 2 - at) : 0;
}

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
    bool        has_slash;          /* an encoded one, or a backslash */
    bool        has_percent;
    bool        is_reshaped;
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
            || !weir_byte_is(pass->in[2], WEIR_BYTE_HEX))
        {
            return false;
        }
        c = (char) (weir_byte_hex(pass->in[1]) << 4 | weir_byte_hex(pass->in[2]));
        pass->in += 3;
        if (c == '/' || c == '\\') {
            pass->path_at = uri_put_encoded(pass->path_at, (unsigned char) c);
            pass->wire_at = uri_put_encoded(pass->wire_at, (unsigned char) c);
            pass->has_slash = true;
            return true;
        }
        if (c == '\0') {
            return false;
        }
        pass->has_percent = pass->has_percent || c == '%';
        keep = weir_byte_is(c, WEIR_BYTE_UNRESERVED);
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

/* Takes the last segment off what was written.  false: there is none.  No slash is inside a segment: %2F stays
 * encoded. */
static bool
uri_pop_segment(uri_pass_t *pass)
{
    weir_assert((pass->path_at > pass->path) == (pass->wire_at > pass->wire));
    if (pass->path_at == pass->path) {
        return false;
    }
    while (*--pass->path_at != '/') {
    }
    while (*--pass->wire_at != '/') {
    }
    return true;
}

/* Would the segment have a dot segment in it for a reader that takes %2F or %5C for a slash? */
static bool
uri_hides_dots(const char *at, const char *end)
{
    const char *piece = at;

    for (;; at++) {
        bool is_end = at == end, is_slash = !is_end && *at == '%' && end - at >= 3 && uri_kept(at, at + 3) != 0;

        if ((is_end || is_slash) && uri_segment_kind(piece, at) != URI_NAME) {
            return true;
        }
        if (is_end) {
            return false;
        }
        if (is_slash) {
            piece = at + 3;
            at += 2;
        }
    }
}

/* in is at a '/'; takes it and the segment behind it.  What was written is complete segments, each with its '/'
 * before it. */
static bool
uri_take_segment(uri_pass_t *pass)
{
    char         *path = pass->path_at, *wire = pass->wire_at;
    uri_segment_t kind;
    bool          last, had_slash = pass->has_slash;

    pass->has_slash = false;
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
            pass->is_reshaped = true;
        }
        if (pass->has_slash && uri_hides_dots(path + 1, pass->path_at)) {
            return false;
        }
        pass->has_slash = pass->has_slash || had_slash;
        return !uri_has_overlong(path + 1, pass->path_at);
    }
    pass->has_slash = had_slash;
    pass->is_reshaped = true;
    pass->path_at = path;
    pass->wire_at = wire;
    if (kind == URI_DOT_PARAMETER || (kind == URI_DOT_DOT && !uri_pop_segment(pass))) {
        return false;
    }
    if (last) {                         /* "/a/." and "/a/b/.." are the directory "/a/" */
        *pass->path_at++ = '/';
        *pass->wire_at++ = '/';
    }
    weir_assert(pass->in <= pass->in_end && pass->path_at <= pass->wire);       /* two halves of one room */
    return true;
}

/* The path of a wire form in which there are percent signs: "%25" is one, but not before the digits of a slash. */
static size_t
uri_decode_wire(char *path, weir_str_t wire)
{
    const char *at = wire.at, *end = wire.at + wire.len;
    char       *out = path;

    while (at < end) {
        size_t kept = *at == '%' ? uri_kept(at, end) : 0;

        if (kept != 0) {
            memcpy(out, at, kept);
            out += kept;
            at += kept;
        } else if (*at == '%') {
            weir_assert(end - at >= 3);
            *out++ = (char) (weir_byte_hex(at[1]) << 4 | weir_byte_hex(at[2]));
            at += 3;
        } else {
            *out++ = *at++;
        }
    }
    return (size_t) (out - path);
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
    uri->has_slash = uri->is_reshaped = false;
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
    weir_assert(uri->wire.at[0] == '/' && uri->path.len <= uri->wire.len);
    weir_assert(uri->path.len != 0 && uri->path.at[0] == '/' && uri->path.len <= raw.len);
    if (pass.has_percent) {
        uri->path.len = uri_decode_wire(pass.path, uri->wire);
    }
    uri->has_slash = pass.has_slash;
    uri->is_reshaped = pass.is_reshaped;
    return WEIR_URI_OK;
}

weir_str_t
weir_uri_decode(weir_str_t text, weir_arena_t *arena)
{
    weir_str_t wire = weir_uri_encode_rest(text, arena);
    char      *out;

    weir_assert(weir_str_find(text, '?') == NULL);
    if (wire.len == 0 || memchr(wire.at, '%', wire.len) == NULL) {
        return wire;
    }
    out = weir_alloc_bytes(arena, wire.len);
    return weir_str(out, uri_decode_wire(out, wire));
}

/* The byte that two digits make; 0: they are none (or it is that). */
static unsigned char
uri_hex2(const char *at)
{
    return weir_byte_is(at[0], WEIR_BYTE_HEX) && weir_byte_is(at[1], WEIR_BYTE_HEX)
             ? (unsigned char) (weir_byte_hex(at[0]) << 4 | weir_byte_hex(at[1]))
             : 0;
}

weir_str_t
weir_uri_decode_form(weir_str_t text, weir_arena_t *arena)
{
    char  *out;
    size_t n = 0;

    if (text.len == 0 || (memchr(text.at, '%', text.len) == NULL && memchr(text.at, '+', text.len) == NULL)) {
        return text;
    }
    out = weir_alloc_bytes(arena, text.len);
    for (size_t i = 0; i < text.len; i++) {
        bool is_coded = text.at[i] == '%' && text.len - i > 2 && weir_byte_is(text.at[i + 1], WEIR_BYTE_HEX)
                     && weir_byte_is(text.at[i + 2], WEIR_BYTE_HEX);

        out[n++] = is_coded ? (char) (weir_byte_hex(text.at[i + 1]) << 4 | weir_byte_hex(text.at[i + 2]))
                            : text.at[i] == '+' ? ' ' : text.at[i];
        i += is_coded ? 2 : 0;
    }
    return weir_str(out, n);
}

weir_str_t
weir_uri_decode_printable(weir_str_t text, weir_arena_t *arena)
{
    char  *out;
    size_t n = 0, i = 0;

    if (weir_likely(text.len == 0 || memchr(text.at, '%', text.len) == NULL)) {
        return text;
    }
    out = weir_alloc_bytes(arena, text.len);
    while (i < text.len) {
        unsigned char byte = text.at[i] == '%' && text.len - i >= 3 ? uri_hex2(text.at + i + 1) : 0;
        bool is_decoded = byte >= '&' && byte < 0x7f;

        out[n++] = is_decoded ? (char) byte : text.at[i];
        i += is_decoded ? 3 : 1;
        if (out[n - 1] == '?') {
            break;
        }
    }
    weir_assert(n <= i && i <= text.len);
    memcpy(out + n, text.at + i, text.len - i);
    return weir_str(out, n + text.len - i);
}

static weir_str_t
uri_decode_slashes(weir_str_t path, bool backslashes, weir_arena_t *arena)
{
    char  *out = weir_alloc_bytes(arena, path.len);
    size_t n = 0;

    for (size_t i = 0; i < path.len; i++) {
        bool is_slash = path.len - i >= 3 && path.at[i] == '%'
                     && (uri_is_hex2(path.at + i + 1, '2', 'f')
                         || (backslashes && uri_is_hex2(path.at + i + 1, '5', 'c')));

        out[n++] = is_slash ? '/' : path.at[i];
        i += is_slash ? 2 : 0;
    }
    weir_assert(n <= path.len);
    return weir_str(out, n);
}

weir_str_t
weir_uri_decode_slashes(weir_str_t path, weir_arena_t *arena)
{
    return uri_decode_slashes(path, false, arena);
}

weir_str_t
weir_uri_plain_slashes(weir_str_t path, weir_arena_t *arena)
{
    return uri_decode_slashes(path, true, arena);
}

size_t
weir_uri_wire_offset(const weir_uri_t *uri, size_t n)
{
    const char *end = uri->wire.at + uri->wire.len;
    size_t      offset = 0, kept = 0;

    weir_assert(n <= uri->path.len);
    if (uri->path.len == uri->wire.len) {   /* nothing is encoded, or all that is stays so */
        return n;
    }
    for (; n > 0; n--) {
        weir_assert(offset < uri->wire.len);
        if (kept == 0 && uri->wire.at[offset] == '%') {
            kept = uri_kept(uri->wire.at + offset, end);
        }
        offset += kept == 0 && uri->wire.at[offset] == '%' ? 3 : 1;
        kept -= kept != 0;
    }
    return offset;
}

/* --- encoding --- */

typedef struct {
    uint8_t     classes;            /* what stands as it is */
    const char *also;               /* so does this */
    const char *but;                /* this does not */
    bool        is_path;            /* what stays encoded in a path is not decoded */
    bool        keeps_encoded;      /* so is a percent sign with two digits */
} uri_encoding_t;

/* Bytes from `at` on that stand as they are; 0: one is to be encoded. */
static size_t
uri_stands(const uri_encoding_t *how, const char *at, const char *end)
{
    if (*at == '%' && how->is_path) {
        return uri_kept(at, end);
    }
    if (*at == '%' && how->keeps_encoded) {
        return end - at >= 3 && weir_byte_is(at[1], WEIR_BYTE_HEX) && weir_byte_is(at[2], WEIR_BYTE_HEX) ? 3 : 0;
    }
    return *at != '\0' && (weir_byte_is(*at, how->classes) || strchr(how->also, *at) != NULL)
        && strchr(how->but, *at) == NULL;
}

/* text itself when there is nothing to encode. */
static weir_str_t
uri_encode(weir_str_t text, const uri_encoding_t *how, weir_arena_t *arena)
{
    const char *in, *end;
    char       *out, *at;
    size_t      n = 0, stands;

    if (text.len == 0) {                    /* it may be no string at all, and C adds nothing to a null pointer */
        return text;
    }
    end = text.at + text.len;
    for (in = text.at; in < end; in += stands != 0 ? stands : 1) {
        stands = uri_stands(how, in, end);
        n += stands == 0;
    }
    if (n == 0) {
        return text;
    }
    out = at = weir_alloc_bytes(arena, text.len + 2 * n);
    for (in = text.at; in < end; ) {
        stands = uri_stands(how, in, end);
        if (stands == 0) {
            at = uri_put_encoded(at, (unsigned char) *in++);
            continue;
        }
        memcpy(at, in, stands);
        at += stands;
        in += stands;
    }
    weir_assert((size_t) (at - out) == text.len + 2 * n);
    return weir_str(out, (size_t) (at - out));
}

weir_str_t
weir_uri_encode(weir_str_t path, weir_arena_t *arena)
{
    static const uri_encoding_t how = { .classes = WEIR_BYTE_WIRE, .also = "", .but = "", .is_path = true };

    return uri_encode(path, &how, arena);
}

weir_str_t
weir_uri_encode_rest(weir_str_t text, weir_arena_t *arena)
{
    static const uri_encoding_t how = { .classes = WEIR_BYTE_WIRE, .also = "?", .but = "", .keeps_encoded = true };
    weir_str_t path, query;

    if (!weir_str_cut(text, '?', &path, &query)) {
        return uri_encode(text, &how, arena);
    }
    path = uri_encode(path, &how, arena);
    query = weir_uri_encode_query(query, arena);
    return path.at == text.at && query.at == text.at + path.len + 1
               ? text : weir_str_printf(arena, "%.*s?%.*s", WEIR_STR_ARG(path), WEIR_STR_ARG(query));
}

weir_str_t
weir_uri_encode_reference(weir_str_t text, weir_arena_t *arena)
{
    static const uri_encoding_t how = { .classes = WEIR_BYTE_WIRE, .also = "%?#[]", .but = "" };

    return uri_encode(text, &how, arena);
}

weir_str_t
weir_uri_encode_query(weir_str_t text, weir_arena_t *arena)
{
    static const uri_encoding_t how = { .classes = WEIR_BYTE_QUERY, .also = "", .but = "" };

    return uri_encode(text, &how, arena);
}

weir_str_t
weir_uri_encode_argument(weir_str_t value, weir_arena_t *arena)
{
    static const uri_encoding_t how = { .classes = WEIR_BYTE_WIRE, .also = "", .but = "&+;", .is_path = true };

    return uri_encode(value, &how, arena);
}

weir_str_t
weir_uri_encode_separators(weir_str_t value, weir_arena_t *arena)
{
    static const uri_encoding_t how = { .classes = WEIR_BYTE_QUERY, .also = "", .but = "&+;" };

    return uri_encode(value, &how, arena);
}

/* --- query --- */

bool
weir_uri_query_ok(weir_str_t query)
{
    return query.len == 0 || weir_byte_span(query.at, query.at + query.len, WEIR_BYTE_QUERY) == query.at + query.len;
}

bool
weir_uri_split(weir_str_t target, weir_str_t *path, weir_str_t *query, bool *has_query)
{
    const char *at = target.at, *end = target.at + target.len, *stop = weir_byte_span(at, end, WEIR_BYTE_PATH);

    *path = weir_str(at, (size_t) (stop - at));
    *query = weir_str(stop, 0);
    *has_query = stop < end && *stop == '?';
    if (*has_query) {
        at = ++stop;
        while (stop < end && (weir_byte_is(*stop, WEIR_BYTE_QUERY) || (*stop & 0x80))) {
            stop++;
        }
        *query = weir_str(at, (size_t) (stop - at));
    }
    return stop == end
        || (*stop == '#' && weir_byte_span(stop, end, WEIR_BYTE_VALUE) == end
            && memchr(stop, ' ', (size_t) (end - stop)) == NULL && memchr(stop, '\t', (size_t) (end - stop)) == NULL);
}

/* "NAME=" begins there, in any case.  (A name that has a '=' or a '&' in it is none.) */
static inline bool
uri_arg_begins(const char *at, const char *end, weir_str_t name)
{
    if ((size_t) (end - at) <= name.len || at[name.len] != '=') {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (weir_char_lower(at[i]) != weir_char_lower(name.at[i]) || at[i] == '=' || at[i] == '&') {
            return false;
        }
    }
    return true;
}

/* The '&' behind, or the end.  Most are near. */
static inline const char *
uri_arg_end(const char *at, const char *end)
{
    const char *near = at + weir_min((size_t) (end - at), (size_t) URI_ARG_NEAR), *found;

    for (; at < near; at++) {
        if (*at == '&') {
            return at;
        }
    }
    found = at < end ? memchr(at, '&', (size_t) (end - at)) : NULL;
    return found != NULL ? found : end;
}

bool
weir_uri_next_arg(weir_str_t *query, weir_str_t name, weir_str_t *value)
{
    const char *at = query->at, *end = at + query->len, *stop;
    bool        found = false;

    while (at < end && !found) {
        found = uri_arg_begins(at, end, name);
        stop = uri_arg_end(at, end);
        if (found) {
            *value = weir_str(at + name.len + 1, (size_t) (stop - at) - name.len - 1);
        }
        at = stop < end ? stop + 1 : end;
    }
    weir_assert(at <= end || query->len == 0);
    *query = weir_str(at, (size_t) (end - at));
    return found;
}

bool
weir_uri_arg(weir_str_t query, weir_str_t name, weir_str_t *value)
{
    return weir_uri_next_arg(&query, name, value);
}
