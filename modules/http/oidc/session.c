/*
 * session.c - sessions and logins as bytes, before they are sealed and after they were opened; pure.
 *
 *     session:  2 · created · seen · access until · refresh at (8 bytes each, most significant first) · id (16) · texts
 *     login:    1 · created · texts
 *
 * A text is its length (2 bytes) and its bytes.  One that is a signed token (three parts of base64url) is kept as what
 * its parts say, a quarter shorter: the length is OIDC_PACKED, and three texts follow.  Strict base64url has one text
 * for each sequence of bytes, so what comes out is what went in.
 *
 * Hostile: a sealed text is authentic, but keys leak and formats change; so nothing is believed.
 */
#include "oidc.h"

#include "jose/base64url.h"

#define SESSION_VERSION 2
#define LOGIN_VERSION   1
#define OIDC_PACKED     0xffff
#define SESSION_TEXTS   3

/* -- writing -- */

static void
session_add_number(weir_buf_t *out, uint64_t value, int bytes)
{
    while (bytes-- > 0) {
        weir_buf_add_char(out, (char) (value >> 8 * bytes));
    }
}

static void
session_add_bytes(weir_buf_t *out, weir_str_t text)
{
    if (text.len >= OIDC_PACKED) {
        out->full = true;
        return;
    }
    session_add_number(out, text.len, 2);
    weir_buf_add_str(out, text);
}

static void
session_add_text(weir_buf_t *out, weir_str_t text, weir_arena_t *arena)
{
    weir_str_t parts[3], bytes[3];

    if (!weir_jose_split(text, parts, 3) || !weir_base64url_decode_to(arena, parts[0], &bytes[0])
        || !weir_base64url_decode_to(arena, parts[1], &bytes[1])
        || !weir_base64url_decode_to(arena, parts[2], &bytes[2]))
    {
        session_add_bytes(out, text);
        return;
    }
    session_add_number(out, OIDC_PACKED, 2);
    for (size_t i = 0; i < weir_countof(parts); i++) {
        session_add_bytes(out, bytes[i]);
    }
}

weir_str_t
oidc_session_write(const oidc_session_t *session, weir_arena_t *arena)
{
    weir_buf_t out;

    weir_buf_init(&out, weir_alloc_bytes(arena, OIDC_SESSION_MAX), OIDC_SESSION_MAX);
    weir_buf_add_char(&out, SESSION_VERSION);
    session_add_number(&out, session->created_s, 8);
    session_add_number(&out, session->seen_s, 8);
    session_add_number(&out, session->access_until_s, 8);
    session_add_number(&out, session->refresh_at_s, 8);
    weir_buf_add(&out, (const char *) session->id, sizeof(session->id));
    session_add_text(&out, session->id_token, arena);
    session_add_text(&out, session->access_token, arena);
    session_add_text(&out, session->refresh_token, arena);
    return out.full ? WEIR_STR_NONE : weir_buf_str(&out);
}

weir_str_t
oidc_login_write(const oidc_login_t *login, weir_arena_t *arena)
{
    const weir_str_t texts[] = { login->state, login->nonce, login->verifier, login->uri };
    size_t           room = 9;
    weir_buf_t       out;

    for (size_t i = 0; i < weir_countof(texts); i++) {
        room += 2 + texts[i].len;
    }
    weir_buf_init(&out, weir_alloc_bytes(arena, room), room);
    weir_buf_add_char(&out, LOGIN_VERSION);
    session_add_number(&out, login->created_ms, 8);
    for (size_t i = 0; i < weir_countof(texts); i++) {
        session_add_bytes(&out, texts[i]);
    }
    return out.full ? WEIR_STR_NONE : weir_buf_str(&out);
}

/* -- reading -- */

static bool
session_take_number(weir_str_t *rest, int bytes, uint64_t *value)
{
    *value = 0;
    if (rest->len < (size_t) bytes) {
        return false;
    }
    for (int i = 0; i < bytes; i++) {
        *value = *value << 8 | (uint8_t) rest->at[i];
    }
    *rest = weir_str_skip(*rest, (size_t) bytes);
    return true;
}

static bool
session_take_rest(weir_str_t *rest, uint64_t len, weir_str_t *text)
{
    if (rest->len < len) {
        return false;
    }
    *text = weir_str(rest->at, (size_t) len);
    *rest = weir_str_skip(*rest, (size_t) len);
    return true;
}

static bool
session_take_bytes(weir_str_t *rest, weir_str_t *text)
{
    uint64_t len;

    return session_take_number(rest, 2, &len) && len != OIDC_PACKED && session_take_rest(rest, len, text);
}

static bool
session_take_packed(weir_str_t *rest, weir_arena_t *arena, weir_str_t *text)
{
    weir_str_t bytes[3];
    size_t     n = 0;
    char      *room;

    for (size_t i = 0; i < weir_countof(bytes); i++) {
        if (!session_take_bytes(rest, &bytes[i])) {
            return false;
        }
        n += weir_base64url_encoded(bytes[i].len) + (i != 0);
    }
    room = weir_try_alloc(arena, n + 1);
    if (room == NULL) {
        return false;
    }
    *text = weir_str(room, n);
    for (size_t i = 0; i < weir_countof(bytes); i++) {
        if (i != 0) {
            *room++ = '.';
        }
        weir_base64url_encode(bytes[i], room);
        room += weir_base64url_encoded(bytes[i].len);
    }
    return true;
}

static bool
session_take_text(weir_str_t *rest, weir_arena_t *arena, weir_str_t *text)
{
    uint64_t len;

    if (!session_take_number(rest, 2, &len)) {
        return false;
    }
    return len == OIDC_PACKED ? session_take_packed(rest, arena, text) : session_take_rest(rest, len, text);
}

/* Of a token that goes into a field: printable characters. */
static bool
session_is_visible(weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < ' ' || text.at[i] > '~') {
            return false;
        }
    }
    return true;
}

bool
oidc_session_read(weir_str_t bytes, weir_arena_t *arena, oidc_session_t *session)
{
    weir_str_t *const texts[SESSION_TEXTS] = { &session->id_token, &session->access_token, &session->refresh_token };
    uint64_t          version;
    weir_str_t        id;

    if (bytes.len > OIDC_SESSION_MAX || !session_take_number(&bytes, 1, &version) || version != SESSION_VERSION
        || !session_take_number(&bytes, 8, &session->created_s) || !session_take_number(&bytes, 8, &session->seen_s)
        || !session_take_number(&bytes, 8, &session->access_until_s)
        || !session_take_number(&bytes, 8, &session->refresh_at_s)
        || !session_take_rest(&bytes, sizeof(session->id), &id))
    {
        return false;
    }
    memcpy(session->id, id.at, sizeof(session->id));
    for (size_t i = 0; i < weir_countof(texts); i++) {
        if (!session_take_text(&bytes, arena, texts[i]) || !session_is_visible(*texts[i])) {
            return false;
        }
    }
    return bytes.len == 0;
}

bool
oidc_login_read(weir_str_t bytes, oidc_login_t *login)
{
    uint64_t version;

    return session_take_number(&bytes, 1, &version) && version == LOGIN_VERSION
           && session_take_number(&bytes, 8, &login->created_ms) && session_take_bytes(&bytes, &login->state)
           && session_take_bytes(&bytes, &login->nonce) && session_take_bytes(&bytes, &login->verifier)
           && session_take_bytes(&bytes, &login->uri) && bytes.len == 0;
}
