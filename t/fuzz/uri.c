/*
 * uri.c - fuzz target: paths, authorities and queries.
 *
 * Oracles: the wire form is its own normal form, decodes to the path, and is made of what may stand in a path; what is
 * encoded decodes to what it was.
 */
#include "http/message/header.h"
#include "http/message/syntax.h"
#include "http/message/uri.h"
#include "kept_slashes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static weir_str_t
decode(weir_str_t text, weir_arena_t *arena)
{
    return kept_decode(text, weir_alloc(arena, text.len + 1));
}

static void
check_segments(weir_str_t path, bool merge_slashes)
{
    weir_str_t segment;
    bool       more = weir_str_cut(path, '/', &segment, &path);

    weir_assert(more && segment.len == 0);
    while (more) {
        more = weir_str_cut(path, '/', &segment, &path);
        weir_assert(!weir_str_eq(segment, WEIR_STR(".")) && !weir_str_eq(segment, WEIR_STR("..")));
        weir_assert(!weir_str_starts(segment, WEIR_STR(".;")) && !weir_str_starts(segment, WEIR_STR("..;")));
        weir_assert(!merge_slashes || segment.len != 0 || !more);
        weir_assert(!weir_str_starts(segment, WEIR_STR("..%2F")) && !weir_str_ends(segment, WEIR_STR("%5C..")));
    }
}

static void
check_path(weir_str_t raw, bool merge_slashes, weir_arena_t *arena)
{
    weir_uri_t uri, again;
    size_t     i;

    if (weir_uri_normalise(&uri, raw, merge_slashes, arena) != WEIR_URI_OK) {
        return;
    }
    weir_assert(weir_uri_normalise(&again, uri.wire, merge_slashes, arena) == WEIR_URI_OK);
    weir_assert(weir_str_eq(again.wire, uri.wire) && weir_str_eq(again.path, uri.path));
    weir_assert(weir_str_eq(decode(uri.wire, arena), uri.path));
    for (i = 0; i < uri.wire.len; i++) {
        weir_assert(weir_byte_is(uri.wire.at[i], WEIR_BYTE_WIRE) || uri.wire.at[i] == '%');
    }
    for (i = 0; i < uri.path.len; i++) {
        weir_assert(uri.path.at[i] != '\0' && uri.path.at[i] != '\\');
        weir_assert(weir_uri_wire_offset(&uri, i) < weir_uri_wire_offset(&uri, i + 1));
        if (i > 64) {
            break;
        }
    }
    weir_assert(weir_uri_wire_offset(&uri, uri.path.len) == uri.wire.len);
    check_segments(uri.path, merge_slashes);

    weir_assert(weir_uri_normalise(&again, weir_uri_encode(uri.path, arena), merge_slashes, arena) == WEIR_URI_OK);
    weir_assert(weir_str_eq(again.path, uri.path));
}

static void
check_authority(weir_str_t text)
{
    weir_str_t host, again;
    uint16_t   port, none;

    if (weir_uri_authority(text, &host, &port)) {
        weir_assert(host.len != 0 && host.len <= 255 && weir_str_find(host, '@') == NULL);
        weir_assert(weir_uri_authority(host, &again, &none) && none == 0 && weir_str_eq(host, again));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_arena_t arena;
    weir_str_t   text, value;
    char        *exact = malloc(size + 1);

    weir_assert(exact != NULL);
    if (size != 0) {
        memcpy(exact, data, size);
    }
    text = weir_str(exact, size);
    weir_arena_init(&arena, 4096);
    check_path(text, true, &arena);
    check_path(text, false, &arena);
    check_authority(text);
    weir_assert(weir_str_eq(decode(weir_uri_encode(text, &arena), &arena), text));
    weir_assert(weir_syntax_is_field_value(weir_uri_encode_reference(text, &arena)));
    if (weir_uri_query_ok(text)) {
        weir_assert(weir_syntax_is_field_value(text));
    }
    if (weir_uri_arg(text, WEIR_STR("a"), &value)) {
        weir_assert(value.at >= text.at && value.at + value.len <= text.at + text.len);
    }
    weir_arena_fini(&arena);
    free(exact);
    return 0;
}
