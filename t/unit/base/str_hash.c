/* str_hash.c - the keyed hash: SipHash-1-3, another function for each seed. */
#include "base/str.h"

#include "tap.h"

int
main(void)
{
    char     text[64] = { 0 };
    unsigned bucket[256] = { 0 }, most = 0;
    uint64_t seen[65];
    size_t   i, j, n;
    bool     distinct = true, shifted = true;

    /* With the seed 0 the key is 0: the values of CPython's bytes hash under PYTHONHASHSEED=0. */
    ok(weir_str_hash(WEIR_STR("a"), 0) == UINT64_C(0x407448d2b89b1813), "a");
    ok(weir_str_hash(WEIR_STR("weir"), 0) == UINT64_C(0xafd841259e24ac48), "weir");
    ok(weir_str_hash(WEIR_STR("01234567"), 0) == UINT64_C(0xda3dcedf84ea6cc6), "01234567");
    ok(weir_str_hash(WEIR_STR("0123456789abcdef"), 0) == UINT64_C(0x1d42b30f7e060c24), "0123456789abcdef");
    ok(weir_str_hash(WEIR_STR("content-length"), 0) == UINT64_C(0x236a70d12a318422), "content-length");
    ok(weir_str_hash(WEIR_STR("a name of twenty-three"), 0) == UINT64_C(0xced3816e93be8a43), "a name of twenty-three");
    ok(weir_str_hash(WEIR_STR("weir"), 1) != weir_str_hash(WEIR_STR("weir"), 2), "another seed, another hash");

    for (i = 0; i < weir_countof(seen); i++) {
        seen[i] = weir_str_hash(weir_str(text, i < 64 ? i : 63), i < 64 ? 5 : 6);
        for (j = 0; j < i; j++) {
            distinct = distinct && seen[i] != seen[j];
        }
    }
    ok(distinct, "zeros of each length differ");

    for (i = 0; i < 8; i++) {
        memmove(text + i, "some-header-name", 16);
        shifted = shifted && weir_str_hash(weir_str(text + i, 16), 9) == weir_str_hash(WEIR_STR("some-header-name"), 9);
    }
    ok(shifted, "where the bytes lie does not matter");

    for (i = 0; i < 25600; i++) {
        n = (size_t) snprintf(text, sizeof(text), "key%zu", i);
        bucket[weir_str_hash(weir_str(text, n), 3) & 255]++;
    }
    for (i = 0; i < 256; i++) {
        most = bucket[i] > most ? bucket[i] : most;
    }
    ok(most < 160, "names that differ in a digit spread evenly");
    return done();
}
