/*
 * chunked.c - the chunked decoder: a state for each place in the grammar, one byte of framing at a time, data in bulk.
 *
 * Runs in workers.  Allocates, from the arena given, only to keep trailer lines.  RFC 9112 §7.1, strictly: lines end
 * in CRLF, nothing stands between a size and its extensions, data and its CRLF.
 */
#include "http/h1/chunked.h"
#include "http/message/syntax.h"

typedef enum {
    CHUNKED_SIZE,               /* digits */
    CHUNKED_EXT_NAME_FIRST,     /* ; */
    CHUNKED_EXT_NAME,           /* ;a */
    CHUNKED_EXT_VALUE_FIRST,    /* ;a= */
    CHUNKED_EXT_VALUE,          /* ;a=b */
    CHUNKED_EXT_QUOTED,         /* ;a="b */
    CHUNKED_EXT_ESCAPE,         /* ;a="b\ */
    CHUNKED_EXT_QUOTED_END,     /* ;a="b" */
    CHUNKED_SIZE_LF,            /* after the size line's CR */
    CHUNKED_DATA,
    CHUNKED_DATA_CR,            /* after the data */
    CHUNKED_DATA_LF,
    CHUNKED_LINE_FIRST,         /* a trailer line, or the last CRLF */
    CHUNKED_LINE,
    CHUNKED_LINE_LF,
    CHUNKED_LAST_LF,
    CHUNKED_END,
    CHUNKED_BROKEN,
} chunked_state_t;

#define CHUNKED_MAX_DIGITS 16

static weir_chunked_result_t
chunked_go(weir_chunked_t *chunked, chunked_state_t state)
{
    chunked->state = (uint8_t) state;
    return WEIR_CHUNKED_MORE;
}

/* --- size lines --- */

static weir_chunked_result_t
chunked_size(weir_chunked_t *chunked, char c)
{
    if (weir_byte_is(c, WEIR_BYTE_HEX)) {
        if (chunked->digits == CHUNKED_MAX_DIGITS || chunked->left >> 59 != 0) {
            return WEIR_CHUNKED_BAD;
        }
        chunked->digits++;
        chunked->left = chunked->left << 4 | weir_byte_hex(c);
        return WEIR_CHUNKED_MORE;
    }
    if (chunked->digits == 0 || chunked->left > INT64_MAX - chunked->total) {
        return WEIR_CHUNKED_BAD;
    }
    return c == ';' ? chunked_go(chunked, CHUNKED_EXT_NAME_FIRST)
           : c == '\r' ? chunked_go(chunked, CHUNKED_SIZE_LF) : WEIR_CHUNKED_BAD;
}

/* Behind a complete name or value. */
static weir_chunked_result_t
chunked_extension_ends(weir_chunked_t *chunked, char c)
{
    return c == ';' ? chunked_go(chunked, CHUNKED_EXT_NAME_FIRST)
           : c == '\r' ? chunked_go(chunked, CHUNKED_SIZE_LF) : WEIR_CHUNKED_BAD;
}

static weir_chunked_result_t
chunked_extension(weir_chunked_t *chunked, char c)
{
    bool token = weir_byte_is(c, WEIR_BYTE_TOKEN);

    if (++chunked->extensions > WEIR_CHUNK_MAX_EXTENSIONS) {
        return WEIR_CHUNKED_BAD;
    }
    switch ((chunked_state_t) chunked->state) {
    case CHUNKED_EXT_NAME_FIRST:
        return token ? chunked_go(chunked, CHUNKED_EXT_NAME) : WEIR_CHUNKED_BAD;
    case CHUNKED_EXT_NAME:
        if (c == '=') {
            return chunked_go(chunked, CHUNKED_EXT_VALUE_FIRST);
        }
        return token ? WEIR_CHUNKED_MORE : chunked_extension_ends(chunked, c);
    case CHUNKED_EXT_VALUE_FIRST:
        if (c == '"') {
            return chunked_go(chunked, CHUNKED_EXT_QUOTED);
        }
        return token ? chunked_go(chunked, CHUNKED_EXT_VALUE) : WEIR_CHUNKED_BAD;
    case CHUNKED_EXT_VALUE:
        return token ? WEIR_CHUNKED_MORE : chunked_extension_ends(chunked, c);
    case CHUNKED_EXT_QUOTED:
        if (c == '"' || c == '\\') {
            return chunked_go(chunked, c == '"' ? CHUNKED_EXT_QUOTED_END : CHUNKED_EXT_ESCAPE);
        }
        return weir_byte_is(c, WEIR_BYTE_VALUE) ? WEIR_CHUNKED_MORE : WEIR_CHUNKED_BAD;
    case CHUNKED_EXT_ESCAPE:
        return weir_byte_is(c, WEIR_BYTE_VALUE) ? chunked_go(chunked, CHUNKED_EXT_QUOTED) : WEIR_CHUNKED_BAD;
    default:
        return chunked_extension_ends(chunked, c);    /* CHUNKED_EXT_QUOTED_END */
    }
}

static weir_chunked_result_t
chunked_size_lf(weir_chunked_t *chunked, char c)
{
    if (c != '\n' || chunked->framing > WEIR_CHUNK_FREE_FRAMING + WEIR_CHUNK_MAX_RATIO * chunked->total) {
        return WEIR_CHUNKED_BAD;
    }
    return chunked_go(chunked, chunked->left != 0 ? CHUNKED_DATA : CHUNKED_LINE_FIRST);
}

static weir_chunked_result_t
chunked_data_lf(weir_chunked_t *chunked, char c)
{
    chunked->digits = 0;
    return c == '\n' ? chunked_go(chunked, CHUNKED_SIZE) : WEIR_CHUNKED_BAD;
}

/* --- trailer lines --- */

static weir_chunked_result_t
chunked_keep(weir_chunked_t *chunked, char c, chunked_state_t state, weir_arena_t *arena)
{
    size_t cap;
    char  *room;

    weir_assert(chunked->trailers_len <= chunked->trailers_cap);
    if (chunked->trailers_len == WEIR_CHUNK_MAX_TRAILERS) {
        return WEIR_CHUNKED_BAD;
    }
    if (chunked->trailers_len == chunked->trailers_cap) {
        cap = chunked->trailers_cap != 0 ? chunked->trailers_cap * 2 : 256;
        room = weir_try_alloc(arena, cap);
        if (room == NULL) {
            return WEIR_CHUNKED_NO_MEMORY;
        }
        if (chunked->trailers_len != 0) {
            memcpy(room, chunked->trailers, chunked->trailers_len);
        }
        chunked->trailers = room;
        chunked->trailers_cap = cap;
    }
    chunked->trailers[chunked->trailers_len++] = c;
    return chunked_go(chunked, state);
}

/* Behind the last chunk. The lines' own grammar is weir_h1_parse_trailers()'s; here they only have to end. */
static weir_chunked_result_t
chunked_trailer(weir_chunked_t *chunked, char c, weir_arena_t *arena)
{
    switch ((chunked_state_t) chunked->state) {
    case CHUNKED_LINE_FIRST:
        if (c == '\r') {
            return chunked->trailers_len != 0 ? chunked_keep(chunked, c, CHUNKED_LAST_LF, arena)
                                              : chunked_go(chunked, CHUNKED_LAST_LF);
        }
        return weir_byte_is(c, WEIR_BYTE_TOKEN) ? chunked_keep(chunked, c, CHUNKED_LINE, arena) : WEIR_CHUNKED_BAD;
    case CHUNKED_LINE:
        if (c == '\r') {
            return chunked_keep(chunked, c, CHUNKED_LINE_LF, arena);
        }
        return weir_byte_is(c, WEIR_BYTE_VALUE) ? chunked_keep(chunked, c, CHUNKED_LINE, arena) : WEIR_CHUNKED_BAD;
    case CHUNKED_LINE_LF:
        return c == '\n' ? chunked_keep(chunked, c, CHUNKED_LINE_FIRST, arena) : WEIR_CHUNKED_BAD;
    default:                                          /* CHUNKED_LAST_LF */
        if (c != '\n') {
            return WEIR_CHUNKED_BAD;
        }
        return chunked->trailers_len != 0 ? chunked_keep(chunked, c, CHUNKED_END, arena)
                                          : chunked_go(chunked, CHUNKED_END);
    }
}

/* --- the decoder --- */

static weir_chunked_result_t
chunked_framing(weir_chunked_t *chunked, char c, weir_arena_t *arena)
{
    chunked->framing++;
    switch ((chunked_state_t) chunked->state) {
    case CHUNKED_SIZE:
        return chunked_size(chunked, c);
    case CHUNKED_SIZE_LF:
        return chunked_size_lf(chunked, c);
    case CHUNKED_DATA_CR:
        return c == '\r' ? chunked_go(chunked, CHUNKED_DATA_LF) : WEIR_CHUNKED_BAD;
    case CHUNKED_DATA_LF:
        return chunked_data_lf(chunked, c);
    case CHUNKED_LINE_FIRST:
    case CHUNKED_LINE:
    case CHUNKED_LINE_LF:
    case CHUNKED_LAST_LF:
        return chunked_trailer(chunked, c, arena);
    default:
        return chunked_extension(chunked, c);
    }
}

/* As much of the chunk's data as there is: moved to `to`. */
static size_t
chunked_take_data(weir_chunked_t *chunked, char *to, const char *from, size_t len)
{
    size_t n = (size_t) weir_min(chunked->left, len);

    weir_assert(len != 0 && chunked->left != 0);
    if (to != from) {
        memmove(to, from, n);
    }
    chunked->left -= n;
    chunked->total += n;
    if (chunked->left == 0) {
        chunked->state = CHUNKED_DATA_CR;
    }
    return n;
}

weir_chunked_result_t
weir_chunked_decode(weir_chunked_t *chunked, char *data, size_t len, size_t *consumed, size_t *produced,
                    weir_arena_t *arena)
{
    weir_chunked_result_t result = WEIR_CHUNKED_MORE;
    size_t                in = 0, out = 0, n;

    while (in < len && result == WEIR_CHUNKED_MORE && chunked->state < CHUNKED_END) {
        if (chunked->state == CHUNKED_DATA) {
            n = chunked_take_data(chunked, data + out, data + in, len - in);
            in += n;
            out += n;
        } else {
            result = chunked_framing(chunked, data[in++], arena);
        }
    }
    if (result != WEIR_CHUNKED_MORE) {
        chunked->state = CHUNKED_BROKEN;
    }
    *consumed = in;
    *produced = out;
    weir_assert(in <= len && out <= in);
    if (chunked->state == CHUNKED_BROKEN) {
        return result == WEIR_CHUNKED_NO_MEMORY ? result : WEIR_CHUNKED_BAD;
    }
    return chunked->state == CHUNKED_END ? WEIR_CHUNKED_DONE : WEIR_CHUNKED_MORE;
}

weir_str_t
weir_chunked_trailers(const weir_chunked_t *chunked)
{
    return weir_str(chunked->trailers, chunked->trailers_len);
}

size_t
weir_chunked_head(char *out, uint64_t size)
{
    char   digits[16];
    size_t n = sizeof(digits);

    do {
        digits[--n] = "0123456789abcdef"[size & 15];
        size >>= 4;
    } while (size != 0);
    memcpy(out, digits + n, sizeof(digits) - n);
    memcpy(out + sizeof(digits) - n, "\r\n", 2);
    return sizeof(digits) - n + 2;
}

uint64_t
weir_chunked_announced(const weir_chunked_t *chunked)
{
    return chunked->state == CHUNKED_DATA ? chunked->left : 0;
}
