/*
 * oidc_cookies.c - fuzz target: what a browser sends as its session.  The first byte says how the rest is taken:
 *
 *     0  a Cookie field: pieces are gathered, cookies are taken out, and what is gathered is opened
 *     1  a sealed text, opened as a session of one provider and of another
 *     2  the bytes of a session, as if they had been sealed         3  the bytes of a login
 *     4  a session's texts, which are written, sealed, spread over cookies, and come back
 *
 * Oracle: what was sealed comes back, to the byte, and for nobody else; what is read and written again is the same
 * session; a field without our cookies has none of them, and all of the others.
 */
#include "http/message/cookies.h"
#include "../../modules/http/oidc/oidc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const weir_str_t name = WEIR_STR_INIT("__Host-s"), mine = WEIR_STR_INIT("mine"), other = WEIR_STR_INIT("other");
static weir_seal_t     *seal;

static bool
is_wanted(void *data, weir_str_t cookie)
{
    *(size_t *) data += 1;
    return weir_cookies_piece(cookie, name) == SIZE_MAX;
}

static void
try_open(weir_arena_t *arena, weir_str_t sealed)
{
    weir_str_t     plain;
    oidc_session_t session;

    switch (weir_seal_open(seal, sealed, mine, weir_alloc_bytes(arena, sealed.len + 1), &plain)) {
    case WEIR_SEAL_OPENED: case WEIR_SEAL_OPENED_OLD:
        (void) !oidc_session_read(plain, arena, &session);
        weir_assert(weir_seal_open(seal, sealed, other, weir_alloc_bytes(arena, sealed.len + 1), &plain)
                    == WEIR_SEAL_BROKEN);
        break;
    default:
        break;
    }
}

static weir_cookies_result_t
gather(weir_arena_t *arena, weir_str_t field, weir_str_t *value)
{
    weir_fields_t fields = { .n = 0 };
    uint32_t      pieces;

    weir_assert(weir_fields_add(&fields, arena, WEIR_HEADER_COOKIE, WEIR_STR("Cookie"), field, 0) != NULL);
    return weir_cookies_gather(&fields, name, 16384, arena, value, &pieces);
}

static void
fuzz_field(weir_arena_t *arena, weir_str_t field)
{
    weir_str_t value, rest, again;
    size_t     seen = 0, left = 0;

    if (gather(arena, field, &value) == WEIR_COOKIES_WHOLE) {
        weir_assert(value.len <= 16384);
        try_open(arena, value);
    }
    rest = weir_cookies_without(field, arena, is_wanted, &seen);
    weir_assert(rest.len <= 2 * field.len);
    again = weir_cookies_without(rest, arena, is_wanted, &left);
    weir_assert(again.at == rest.at && again.len == rest.len);           /* nothing of ours is left */
    weir_assert(gather(arena, rest, &value) == WEIR_COOKIES_NONE);
}

static void
fuzz_session(weir_arena_t *arena, weir_str_t bytes)
{
    oidc_session_t session, again;
    weir_str_t     written;

    if (!oidc_session_read(bytes, arena, &session)) {
        return;
    }
    written = oidc_session_write(&session, arena);
    if (written.at == NULL) {
        return;                                  /* (of packed texts, longer as they are) */
    }
    weir_assert(oidc_session_read(written, arena, &again));
    weir_assert(weir_str_eq(session.id_token, again.id_token) && weir_str_eq(session.access_token, again.access_token)
                && weir_str_eq(session.refresh_token, again.refresh_token) && session.seen_s == again.seen_s
                && session.created_s == again.created_s && memcmp(session.id, again.id, sizeof(again.id)) == 0);
}

/* Three texts, parted by line ends, go the whole way. */
static void
fuzz_way(weir_arena_t *arena, weir_str_t text)
{
    oidc_session_t session = { .created_s = 1, .seen_s = 2 }, again;
    weir_str_t     plain, sealed, back, field = WEIR_STR("a=b");
    size_t         n;
    char          *room;

    (void) weir_str_cut(text, '\n', &session.id_token, &text);
    (void) weir_str_cut(text, '\n', &session.access_token, &session.refresh_token);
    plain = oidc_session_write(&session, arena);
    if (plain.at == NULL || plain.len > 10000) {
        return;
    }
    room = weir_alloc_bytes(arena, weir_seal_room(plain.len));
    weir_assert(weir_seal_close(seal, plain, mine, room));
    sealed = weir_str(room, weir_seal_room(plain.len));
    n = (sealed.len + WEIR_COOKIES_PIECE - 1) / WEIR_COOKIES_PIECE;
    for (size_t i = n; i-- > 0;) {               /* in whatever order */
        weir_str_t piece = weir_str_skip(sealed, i * WEIR_COOKIES_PIECE);

        piece.len = weir_min(piece.len, (size_t) WEIR_COOKIES_PIECE);
        field = i == 0 ? weir_str_printf(arena, "%.*s; __Host-s=%zu.%.*s", WEIR_STR_ARG(field), n, WEIR_STR_ARG(piece))
                : weir_str_printf(arena, "%.*s; __Host-s.%zu=%.*s", WEIR_STR_ARG(field), i, WEIR_STR_ARG(piece));
    }
    weir_assert(gather(arena, field, &back) == WEIR_COOKIES_WHOLE && weir_str_eq(back, sealed));
    weir_assert(weir_seal_open(seal, back, mine, weir_alloc_bytes(arena, back.len + 1), &plain) == WEIR_SEAL_OPENED);
    if (oidc_session_read(plain, arena, &again)) {                       /* (else a text has a control) */
        weir_assert(weir_str_eq(session.id_token, again.id_token)
                    && weir_str_eq(session.access_token, again.access_token)
                    && weir_str_eq(session.refresh_token, again.refresh_token));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_str_t   secrets[] = { WEIR_STR("the first secret of a fuzz target"),
                               WEIR_STR("the second secret of a fuzz target") };
    weir_str_t   text;
    oidc_login_t login;
    weir_arena_t arena;

    if (seal == NULL) {
        seal = weir_seal_create((weir_strs_t) { secrets, 2 }, WEIR_STR("fuzz"));
        weir_assert(seal != NULL);
    }
    if (size == 0 || size > 40000) {
        return 0;
    }
    text = weir_str((const char *) data + 1, size - 1);
    weir_arena_init(&arena, 4096);
    switch (data[0] % 5) {
    case 0: fuzz_field(&arena, text); break;
    case 1: try_open(&arena, text); break;
    case 2: fuzz_session(&arena, text); break;
    case 3: (void) !oidc_login_read(text, &login); break;
    default: fuzz_way(&arena, text); break;
    }
    weir_arena_fini(&arena);
    return 0;
}
