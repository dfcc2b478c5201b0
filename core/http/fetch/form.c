/*
 * form.c - see form.h.  Pure; load time and workers.
 */
#include "http/fetch/form.h"

#include "base/base64.h"

void
weir_fetch_form_add(weir_buf_t *form, weir_str_t name, weir_str_t value)
{
    if (weir_buf_len(form) != 0) {
        weir_buf_add_char(form, '&');
    }
    weir_buf_add_percent(form, name);
    weir_buf_add_char(form, '=');
    weir_buf_add_percent(form, value);
}

weir_str_t
weir_fetch_form_basic(weir_arena_t *arena, weir_str_t id, weir_str_t secret)
{
    static const weir_str_t scheme = WEIR_STR_INIT("Basic ");
    size_t                  room = 3 * (id.len + secret.len) + 1, coded = scheme.len + weir_base64_encoded(room);
    weir_buf_t              plain, out;

    weir_buf_init(&plain, weir_alloc_bytes(arena, room), room);
    weir_buf_add_percent(&plain, id);
    weir_buf_add_char(&plain, ':');
    weir_buf_add_percent(&plain, secret);
    weir_buf_init(&out, weir_alloc_bytes(arena, coded), coded);
    weir_buf_add_str(&out, scheme);
    weir_base64_add(&out, weir_buf_str(&plain));
    weir_assert(!plain.full && !out.full);
    return weir_buf_str(&out);
}
