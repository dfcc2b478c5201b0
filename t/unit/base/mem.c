/* mem.c - the allocation seam. */
#include "base/mem.h"

#include "tap.h"

/* AddressSanitizer ends the program at a size that no memory has, unless told not to. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

int
main(void)
{
    char *p = weir_mem_try(100), *q;
    bool  zero = true;
    int   i;

    memset(p, 'x', 100);
    q = weir_mem_try_resize(p, 10000);
    ok(q != NULL && q[0] == 'x' && q[99] == 'x', "a larger one keeps the bytes");
    ok(weir_mem_try_resize(q, SIZE_MAX / 2 - 1) == NULL, "no memory is NULL");
    ok(q[99] == 'x', "and leaves the old one");
    weir_mem_wipe(q, 100);
    ok(q[0] == 0 && q[99] == 0, "wipe overwrites");
    weir_mem_wipe(NULL, 0);
    weir_mem_free(q);
    weir_mem_free(NULL);

    p = weir_mem_need(1000);
    for (i = 0; i < 1000; i++) {
        zero = zero && p[i] == 0;
    }
    ok(zero, "need gives zeroed memory");
    weir_mem_free(p);

    p = weir_mem_try(0);
    ok(p != NULL, "no bytes are no failure");
    weir_mem_free(p);
    ok(weir_mem_try(SIZE_MAX / 2) == NULL, "a size that no memory has is NULL");
    return done();
}
