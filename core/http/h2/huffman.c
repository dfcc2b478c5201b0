/*
 * huffman.c - the Huffman code of HPACK (RFC 7541 §5.2, appendix B).
 *
 * The code is canonical: the lengths of the 257 codes are the one fact, codes and decoding tables are derived from them
 * when the program starts.  Pure; allocates nothing.
 */
#include "http/h2/hpack.h"

#define HUFFMAN_EOS    256
#define HUFFMAN_FAST   10            /* bits looked up at once; longer codes are rare and take a short search */
#define HUFFMAN_LONGEST 30

static const uint8_t huffman_lengths[HUFFMAN_EOS + 1] = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
    28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
    23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19,
    22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
    27, 27, 27, 26, 30,
};

static uint32_t huffman_codes[HUFFMAN_EOS + 1];
static struct { uint8_t symbol, length; } huffman_fast[1 << HUFFMAN_FAST];      /* length 0: longer than HUFFMAN_FAST */
static uint16_t huffman_symbols[HUFFMAN_EOS + 1];                               /* in order of code */
static struct { uint32_t first; uint16_t at, n; } huffman_of_length[HUFFMAN_LONGEST + 1];

static void
huffman_make_fast(unsigned symbol)
{
    unsigned length = huffman_lengths[symbol], spare = HUFFMAN_FAST - length;

    for (uint32_t i = 0; i < 1u << spare; i++) {
        huffman_fast[huffman_codes[symbol] << spare | i].symbol = (uint8_t) symbol;
        huffman_fast[huffman_codes[symbol] << spare | i].length = (uint8_t) length;
    }
}

__attribute__((constructor)) static void
huffman_make(void)
{
    uint32_t code = 0;
    uint16_t at = 0;

    for (unsigned length = 1; length <= HUFFMAN_LONGEST; length++, code <<= 1) {
        huffman_of_length[length].first = code;
        huffman_of_length[length].at = at;
        for (unsigned symbol = 0; symbol <= HUFFMAN_EOS; symbol++) {
            if (huffman_lengths[symbol] == length) {
                huffman_codes[symbol] = code++;
                huffman_symbols[at++] = (uint16_t) symbol;
                huffman_of_length[length].n++;
                if (length <= HUFFMAN_FAST) {
                    huffman_make_fast(symbol);
                }
            }
        }
    }
}

size_t
weir_huffman_encoded_size(weir_str_t text)
{
    size_t bits = 7;

    for (size_t i = 0; i < text.len; i++) {
        bits += huffman_lengths[(uint8_t) text.at[i]];
    }
    return bits / 8;
}

size_t
weir_huffman_encode(char *out, weir_str_t text)
{
    char *p = out;
    uint64_t bits = 0;
    unsigned n = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t symbol = (uint8_t) text.at[i];

        bits = bits << huffman_lengths[symbol] | huffman_codes[symbol];
        n += huffman_lengths[symbol];
        while (n >= 8) {
            n -= 8;
            *p++ = (char) (bits >> n);
        }
    }
    if (n != 0) {
        *p++ = (char) (bits << (8 - n) | 0xffu >> n);       /* the first bits of EOS: all ones */
    }
    return (size_t) (p - out);
}

/* The symbol of a code longer than HUFFMAN_FAST at the top of the n valid ones of `window` (32 bits); its length, 0:
 * not complete or none. */
static unsigned
huffman_long(uint32_t window, unsigned n, unsigned *symbol)
{
    for (unsigned length = HUFFMAN_FAST + 1; length <= HUFFMAN_LONGEST && length <= n; length++) {
        uint32_t code = window >> (32 - length), first = huffman_of_length[length].first;

        if (code >= first && code - first < huffman_of_length[length].n) {
            *symbol = huffman_symbols[huffman_of_length[length].at + (code - first)];
            return length;
        }
    }
    return 0;
}

size_t
weir_huffman_decode(char *out, size_t cap, weir_str_t coded)
{
    const uint8_t *at = (const uint8_t *) coded.at, *end = at + coded.len;
    uint64_t bits = 0;                       /* the low n are valid */
    unsigned n = 0, symbol, length;
    size_t len = 0;

    for ( ;; ) {
        while (n <= 56 && at < end) {
            bits = bits << 8 | *at++;
            n += 8;
        }
        if (n == 0) {
            return len;
        }
        uint32_t window = (uint32_t) (n >= 32 ? bits >> (n - 32) : bits << (32 - n));
        length = huffman_fast[window >> (32 - HUFFMAN_FAST)].length;
        symbol = huffman_fast[window >> (32 - HUFFMAN_FAST)].symbol;
        if (length == 0) {
            length = huffman_long(window, n, &symbol);
        }
        if (length == 0 || length > n || symbol == HUFFMAN_EOS) {
            break;
        }
        if (len < cap) {
            out[len] = (char) symbol;
        }
        len++;
        n -= length;
    }
    /* What is left must be padding: fewer than eight bits, all ones (§5.2). */
    return n < 8 && at == end && (bits & ((1u << n) - 1)) == (1u << n) - 1 ? len : SIZE_MAX;
}
