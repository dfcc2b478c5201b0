/*
 * uri.c - see uri.h.  Load time only.
 */
#include "schema/uri.h"

typedef struct {
    weir_str_t scheme, authority, path, query;      /* at == NULL: that part is missing */
} uri_parts_t;

void
weir_schema_uri_split(weir_str_t uri, weir_str_t *document, weir_str_t *fragment)
{
    if (!weir_str_cut(uri, '#', document, fragment)) {
        *document = uri;
        *fragment = WEIR_STR_NONE;
    }
}

static size_t
uri_scheme(weir_str_t uri)
{
    for (size_t i = 0; i < uri.len; i++) {
        char c = weir_char_lower(uri.at[i]);
        bool letter = c >= 'a' && c <= 'z';

        if (c == ':') {
            return i;
        }
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))) {
            return 0;
        }
    }
    return 0;
}

static uri_parts_t
uri_parse(weir_str_t uri)
{
    uri_parts_t parts = { .scheme = WEIR_STR_NONE };
    size_t      n = uri_scheme(uri);
    weir_str_t  rest, path;

    if (n != 0) {
        parts.scheme = weir_str(uri.at, n);
        uri = weir_str_skip(uri, n + 1);
    }
    if (!weir_str_cut(uri, '?', &rest, &parts.query)) {
        parts.query = WEIR_STR_NONE;
    }
    if (weir_str_starts(rest, WEIR_STR("//"))) {
        rest = weir_str_skip(rest, 2);
        if (!weir_str_cut(rest, '/', &parts.authority, &path)) {
            parts.authority = rest;
            parts.path = weir_str("", 0);
        } else {
            parts.path = weir_str(path.at - 1, path.len + 1);
        }
    } else {
        parts.path = rest;
    }
    return parts;
}

/* RFC 3986 §5.2.4. */
static weir_str_t
uri_without_dots(weir_arena_t *arena, weir_str_t path)
{
    char  *out = weir_alloc_bytes(arena, path.len + 1);
    size_t n = 0;

    while (path.len != 0) {
        const char *slash = weir_str_find(weir_str_skip(path, 1), '/');
        size_t      len = slash != NULL ? (size_t) (slash - path.at) : path.len;
        weir_str_t  piece = weir_str(path.at, len), name = piece.at[0] == '/' ? weir_str_skip(piece, 1) : piece;
        bool        is_last = len == path.len;

        if (weir_str_eq(name, WEIR_STR("..")) || weir_str_eq(name, WEIR_STR("."))) {
            while (name.len == 2 && n != 0 && out[--n] != '/') {
            }
            if (is_last && (n != 0 || piece.at[0] == '/')) {
                out[n++] = '/';
            }
        } else {
            memcpy(out + n, piece.at, piece.len);
            n += piece.len;
        }
        path = weir_str_skip(path, len);
    }
    return weir_str(out, n);
}

/* The base's path up to its last slash, then the reference's (§5.2.3). */
static weir_str_t
uri_merge(weir_arena_t *arena, const uri_parts_t *base, weir_str_t path)
{
    size_t n = base->path.len;

    if (base->authority.at != NULL && base->path.len == 0) {
        return weir_str_concat(arena, WEIR_STR("/"), path);
    }
    while (n != 0 && base->path.at[n - 1] != '/') {
        n--;
    }
    return weir_str_concat(arena, weir_str(base->path.at, n), path);
}

static weir_str_t
uri_write(weir_arena_t *arena, const uri_parts_t *parts)
{
    return weir_str_printf(arena, "%.*s%s%s%.*s%.*s%s%.*s", WEIR_STR_ARG(parts->scheme),
                           parts->scheme.at != NULL ? ":" : "", parts->authority.at != NULL ? "//" : "",
                           WEIR_STR_ARG(parts->authority), WEIR_STR_ARG(parts->path),
                           parts->query.at != NULL ? "?" : "", WEIR_STR_ARG(parts->query));
}

weir_str_t
weir_schema_uri_resolve(weir_arena_t *arena, weir_str_t base, weir_str_t reference)
{
    uri_parts_t from, to;
    weir_str_t  fragment;

    weir_schema_uri_split(reference, &reference, &fragment);
    weir_schema_uri_split(base, &base, &fragment);
    from = uri_parse(base);
    to = uri_parse(reference);
    if (to.scheme.at != NULL) {
        to.path = to.authority.at != NULL ? uri_without_dots(arena, to.path) : to.path;
        return uri_write(arena, &to);
    }
    to.scheme = from.scheme;
    if (to.authority.at != NULL) {
        to.path = uri_without_dots(arena, to.path);
        return uri_write(arena, &to);
    }
    to.authority = from.authority;
    if (to.path.len == 0) {
        to.path = from.path;
        to.query = to.query.at != NULL ? to.query : from.query;
    } else {
        to.path = uri_without_dots(arena, to.path.at[0] == '/' ? to.path : uri_merge(arena, &from, to.path));
    }
    return uri_write(arena, &to);
}

static int
uri_hex(char c)
{
    char low = weir_char_lower(c);

    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

weir_str_t
weir_schema_uri_decode(weir_arena_t *arena, weir_str_t text)
{
    char  *out;
    size_t n = 0;

    if (weir_str_find(text, '%') == NULL) {
        return text;
    }
    out = weir_alloc_bytes(arena, text.len);
    for (size_t i = 0; i < text.len; i++) {
        bool is_escape = text.at[i] == '%' && i + 2 < text.len && uri_hex(text.at[i + 1]) >= 0
                      && uri_hex(text.at[i + 2]) >= 0;

        out[n++] = is_escape ? (char) (uri_hex(text.at[i + 1]) << 4 | uri_hex(text.at[i + 2])) : text.at[i];
        i += is_escape ? 2 : 0;
    }
    return weir_str(out, n);
}
