/*
 * fragment.c - see fragment.h.  Pure.
 */
#include "conf/fragment.h"

#define FRAGMENT_SEED UINT64_C(0x66726167)

bool
weir_fragment_name_is_good(weir_str_t name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_'
              || c == '/' || c == '-'))
        {
            return false;
        }
    }
    return name.len != 0 && name.len <= WEIR_FRAGMENT_NAME_MAX;
}

uint64_t
weir_fragment_digest(weir_str_t tree)
{
    return weir_str_hash(tree, FRAGMENT_SEED);
}
