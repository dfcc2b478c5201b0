/* The table of numbers keeps each name's number over thousands that come and go, and stays as short as it may. */
#include "tap.h"
#include "upstream/numbers.h"

#include <stdlib.h>

#define NAMES 3000

static uint32_t held[NAMES];

static weir_str_t
name_of(char room[32], size_t i)
{
    return weir_str(room, (size_t) snprintf(room, 32, "group-%zu", i));
}

int
main(void)
{
    char     room[32];
    uint32_t highest = 0, wrong = 0;
    uint64_t random = 1;

    for (int step = 0; step < 200000; step++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t i = (size_t) (random >> 33) % NAMES;

        if (held[i] != 0 && (random >> 20 & 1)) {
            weir_numbers_give_back(held[i]);
            held[i] = 0;
        } else if (held[i] != 0) {
            wrong += weir_numbers_take(name_of(room, i), false) != held[i];
            weir_numbers_give_back(held[i]);
        } else {
            held[i] = weir_numbers_take(name_of(room, i), false);
            highest = held[i] > highest ? held[i] : highest;
            wrong += held[i] == 0;
        }
    }
    is_int(wrong, 0, "a name that has a number keeps it");
    ok(highest <= NAMES, "no number is higher than there are names");
    for (size_t i = 0; i < NAMES; i++) {
        for (size_t k = i + 1; k < NAMES; k++) {
            wrong += held[i] != 0 && held[i] == held[k];
        }
    }
    is_int(wrong, 0, "no two names have one number");
    ok(weir_numbers_take(WEIR_STR("group-x"), true) != weir_numbers_take(WEIR_STR("group-x"), false),
       "a block and an address of one text are two");
    return done();
}
