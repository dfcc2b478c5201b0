/*
 * credentials.c - see credentials.h.  Runs in workers; a decoded password lies in the arena given, until it is wiped.
 */
#include "http/message/credentials.h"

#include <openssl/crypto.h>
#include <string.h>

/* -- base64 (RFC 4648 §4) -- */

static int
credentials_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int) (at - digits);
}

bool
weir_credentials_decode(weir_str_t coded, unsigned char *out, size_t *len)
{
    uint32_t bits = 0;
    int      n = 0;

    *len = 0;
    while (coded.len != 0 && coded.at[coded.len - 1] == '=') {
        coded.len--;
    }
    for (size_t i = 0; i < coded.len; i++) {
        int digit = credentials_digit(coded.at[i]);

        if (digit < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t) digit;
        n += 6;
        if (n >= 8) {
            n -= 8;
            out[(*len)++] = (unsigned char) (bits >> n & 0xff);
        }
    }
    weir_assert(n < 8 && *len <= coded.len);
    return true;
}

/* -- credentials (RFC 7617) -- */

bool
weir_credentials_basic(const weir_fields_t *fields, weir_arena_t *arena, weir_str_t *user, weir_str_t *password)
{
    const weir_field_t *field = weir_fields_first(fields, WEIR_HEADER_AUTHORIZATION);
    weir_str_t          coded;
    char               *out;
    size_t              len;

    if (field == NULL || !weir_str_starts_fold(field->value, WEIR_STR("basic "))) {
        return false;
    }
    coded = weir_str_trim(weir_str_skip(field->value, sizeof("basic ") - 1));
    out = weir_alloc_bytes(arena, coded.len + 1);
    return weir_credentials_decode(coded, (unsigned char *) out, &len)
        && weir_str_cut(weir_str(out, len), ':', user, password) && user->len != 0;
}

void
weir_credentials_forget(weir_str_t password)
{
    if (password.len != 0) {
        OPENSSL_cleanse((char *) (uintptr_t) password.at, password.len);
    }
}
