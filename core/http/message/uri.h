/*
 * uri.h - one normal form of a request's path, used by the matcher, the guards, the log and the emitter (RFC 3986
 * §6.2.2).
 *
 * Two spellings of the same value come out of one pass: `path`, decoded, which is matched; and `wire`, in which
 * unreserved characters are decoded, everything that must be is percent-encoded with upper-case digits, and reserved
 * characters stay as the client wrote them (so %2B stays %2B), which is sent on.  Each can be made of the other.
 *
 * An encoded slash or backslash is no separator, so both spellings keep it encoded: "%2F" and "%5C" in `path` are those
 * and nothing else.  So that this holds, a percent sign that stands before one of them stays encoded, too: the path of
 * /a%252Fb is "/a%252Fb".  Every other percent sign in `path` is one that the client encoded as %25.
 *
 * What two readers may read differently is refused: %00, bad or missing hex digits, overlong UTF-8 and what a careless
 * decoder takes for '.', '/' or '\', ".." above the root, a `;` parameter on a dot segment ("..;"), a dot segment that
 * is one only if an encoded slash is taken for a slash ("..%2Fx"); and, unencoded, a space, a control, a backslash and
 * '#'.  Bytes >= 0x80 are taken for their encoded form.  Other encoded controls (%0D%0A) are data: they stay encoded in
 * `wire`, and `path` holds the byte.
 */
#ifndef WEIR_HTTP_URI_H
#define WEIR_HTTP_URI_H

#include "base/str.h"

typedef struct {
    weir_str_t path;       /* decoded normal form: starts with '/' */
    weir_str_t wire;       /* encoded normal form */
    bool       has_slash;  /* an encoded slash or backslash */
    bool       is_reshaped;/* dot segments or slashes of the raw one are gone: the rest is spelling */
} weir_uri_t;

typedef enum { WEIR_URI_OK, WEIR_URI_BAD, WEIR_URI_NO_MEMORY } weir_uri_result_t;

/* raw: the path of a request target, without '?' and what follows.  When raw is normal already both results are
 * slices of it; otherwise they are in the arena.  merge_slashes: "//" becomes "/". */
weir_uri_result_t weir_uri_normalise(weir_uri_t *uri, weir_str_t raw, bool merge_slashes, weir_arena_t *arena);

/* A path, raw or decoded, in which %2F is a slash; or each of %2F and %5C. */
weir_str_t weir_uri_decode_slashes(weir_str_t path, weir_arena_t *arena);
weir_str_t weir_uri_plain_slashes(weir_str_t path, weir_arena_t *arena);

/* Offset in wire of the byte that path offset n came from (n <= path.len). */
size_t weir_uri_wire_offset(const weir_uri_t *uri, size_t n);

/* Encodes a decoded path for a request target (after an internal redirect, or for proxy_pass with a URI); the path
 * itself when there is nothing to encode. */
weir_str_t weir_uri_encode(weir_str_t path, weir_arena_t *arena);
/* For a Location header or log: encodes everything that may not stand in a URI reference, keeps '%', '?', '#'. */
weir_str_t weir_uri_encode_reference(weir_str_t text, weir_arena_t *arena);
/* The same, and a percent sign that begins no encoded byte: for texts that are to be a path, or a path and a query. */
weir_str_t weir_uri_encode_rest(weir_str_t text, weir_arena_t *arena);
/* The path that such a text without a query is, decoded; what stays encoded in a path stays so. */
weir_str_t weir_uri_decode(weir_str_t text, weir_arena_t *arena);
/* Up to a '?': printable bytes from '&' on that stand encoded, decoded; all others stay as they are.  A value that a
 * redirect leads to. */
weir_str_t weir_uri_decode_printable(weir_str_t text, weir_arena_t *arena);
/* For a query: encodes what none may have; and for a decoded text that becomes a value in one: also what would end or
 * change it there. */
weir_str_t weir_uri_encode_query(weir_str_t text, weir_arena_t *arena);
weir_str_t weir_uri_encode_argument(weir_str_t value, weir_arena_t *arena);
/* For a text that is encoded, and becomes a value in a query: only what would end or change it there. */
weir_str_t weir_uri_encode_separators(weir_str_t value, weir_arena_t *arena);

/* Query: bytes 0x21-0x7E except '#', and every '%' followed by two hex digits or left as it is. false: something
 * else. */
bool weir_uri_query_ok(weir_str_t query);

/* Parts of a target that was received, from its path on: the query is behind the first '?', and a fragment, which is
 * the client's own business, is cut off.  A query may have bytes >= 0x80.  false: a byte that no target
 * has. */
bool weir_uri_split(weir_str_t target, weir_str_t *path, weir_str_t *query, bool *has_query) WEIR_MUST_USE;

/* A name or a value of application/x-www-form-urlencoded, decoded: "+" is a space, and what is no encoded byte stays
 * as it is. */
weir_str_t weir_uri_decode_form(weir_str_t text, weir_arena_t *arena);

/* The value of argument `name` ("a=1&b=2"), undecoded, as nginx's $arg_: the first one, in any case, with a '=';
 * false: not there. */
bool weir_uri_arg(weir_str_t query, weir_str_t name, weir_str_t *value);
/* The same for each of that name: *query becomes what stands behind it. */
bool weir_uri_next_arg(weir_str_t *query, weir_str_t name, weir_str_t *value);

/* host [ ":" port ] of a Host field or an authority: letters, digits, '-', '.', '_', '~' or an IPv6 literal in
 * brackets, <= 255 bytes, labels <= 63; no userinfo, no empty host.  host comes out as written (the
 * caller lowers it; an IPv6 literal with its brackets), trailing dot removed. port 0: none given. */
bool weir_uri_authority(weir_str_t text, weir_str_t *host, uint16_t *port) WEIR_MUST_USE;

/* An authority without the colon that stands before no port: what is passed on has one form. */
static inline weir_str_t
weir_uri_authority_plain(weir_str_t authority)
{
    authority.len -= authority.len != 0 && authority.at[authority.len - 1] == ':';
    return authority;
}

#endif
