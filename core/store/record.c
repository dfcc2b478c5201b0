/*
 * record.c - see record.h.  Pure.
 */
#include "store/record.h"

bool
weir_store_name_is_good(weir_str_t name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
              || (c != '\0' && strchr("._@+-", c) != NULL)))
        {
            return false;
        }
    }
    return name.len > 0 && name.len < WEIR_STORE_NAME;
}

void
weir_store_put_text(char *room, size_t size, weir_str_t text)
{
    size_t len = weir_min(text.len, size - 1);

    weir_assert(size != 0);
    memset(room, 0, size);
    memcpy(room, text.at != NULL ? text.at : "", len);
}

weir_str_t
weir_store_text(const char *room, size_t size)
{
    return weir_str(room, strnlen(room, size));
}
