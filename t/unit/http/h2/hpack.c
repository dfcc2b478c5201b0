/*
 * hpack.c - header compression: the examples of RFC 7541's appendix C, and the strictness of §4.2, §5 and §6.
 */
#include "http/h2/hpack.h"

#include "tap.h"

#include <string.h>

static char scratch[4096];

static size_t
unhex(const char *hex, char *out)
{
    size_t n = 0;
    unsigned byte;

    for (; *hex != '\0'; hex++) {
        if (*hex != ' ') {
            (void) sscanf(hex, "%2x", &byte);
            out[n++] = (char) byte;
            hex++;
        }
    }
    return n;
}

/* The block's fields as "name: value\n"…; "BAD" behind what could not be decoded. */
static const char *
decode_block(weir_hpack_decoder_t *d, weir_str_t block)
{
    static char        text[8192];
    weir_hpack_field_t field;
    size_t             at = 0, len = 0;

    text[0] = '\0';
    weir_hpack_block_begin(d);
    for ( ;; ) {
        size_t before = at;

        switch (weir_hpack_next(d, block, &at, &field)) {
        case WEIR_HPACK_FIELD:
            if (at <= before) {
                return "a field of no bytes";
            }
            len += (size_t) snprintf(text + len, sizeof(text) - len, "%.*s: %.*s\n", WEIR_STR_ARG(field.name),
                                     WEIR_STR_ARG(field.value));
            continue;
        case WEIR_HPACK_END:
            return text;
        default:
            (void) snprintf(text + len, sizeof(text) - len, "BAD");
            return text;
        }
    }
}

static const char *
decode_hex(weir_hpack_decoder_t *d, const char *hex)
{
    char   bytes[1024];
    size_t n = unhex(hex, bytes);
    char  *exact = malloc(n + 1);         /* a sanitizer sees the first byte read beyond it */
    const char *text;

    memcpy(exact, bytes, n);
    text = decode_block(d, weir_str(exact, n));
    free(exact);
    return text;
}

static void
is_decoded(weir_hpack_decoder_t *d, const char *hex, const char *want, uint32_t size, const char *what)
{
    is_str(weir_str_from_z(decode_hex(d, hex)), want, what);
    is_int(d->table.size, size, "and the table is as large as it should be");
}

static const char *
once(const char *hex)
{
    weir_hpack_decoder_t d;
    const char *text;

    weir_hpack_decoder_init(&d, 4096, scratch, sizeof(scratch));
    text = decode_hex(&d, hex);
    weir_hpack_decoder_fini(&d);
    return text;
}

/* -- appendix C -- */

#define C_FIRST  ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n"
#define C_SECOND C_FIRST "cache-control: no-cache\n"
#define C_THIRD  ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n"
#define C_302    ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n"
#define C_307    ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n"
#define C_200    ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\nlocation: https://www.example.com\n" \
                 "content-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n"

static void
requests(bool huffman)
{
    weir_hpack_decoder_t d;

    weir_hpack_decoder_init(&d, 4096, scratch, sizeof(scratch));
    is_decoded(&d, huffman ? "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"
               : "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
               C_FIRST, 57, huffman ? "C.4.1" : "C.3.1");
    is_decoded(&d, huffman ? "8286 84be 5886 a8eb 1064 9cbf" : "8286 84be 5808 6e6f 2d63 6163 6865", C_SECOND, 110,
               huffman ? "C.4.2" : "C.3.2");
    is_decoded(&d, huffman ? "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"
                           : "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
               C_THIRD, 164, huffman ? "C.4.3" : "C.3.3");
    weir_hpack_decoder_fini(&d);
}

static void
responses(bool huffman)
{
    weir_hpack_decoder_t d;

    weir_hpack_decoder_init(&d, 256, scratch, sizeof(scratch));
    is_decoded(&d,
               huffman ? "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e "
                         "919d 29ad 1718"
                             "63c7 8f0b 97c8 e9ae 82ae 43d3"
                           : "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 "
                             "303a 3133 3a32 3120"
                             "474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
               C_302, 222, huffman ? "C.6.1" : "C.5.1");
    is_decoded(&d, huffman ? "4883 640e ffc1 c0bf" : "4803 3330 37c1 c0bf", C_307, 222,
               huffman ? "C.6.2: entries are evicted" : "C.5.2");
    is_decoded(&d,
               huffman ? "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 "
                         "821d d7f2 e6c7"
                             "b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 "
                             "3d50 07"
                           : "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 "
                             "5a04 677a 6970 7738"
                             "666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d "
                             "6178 2d61 6765 3d33"
                             "3630 303b 2076 6572 7369 6f6e 3d31",
               C_200, 215, huffman ? "C.6.3" : "C.5.3");
    weir_hpack_decoder_fini(&d);
}

static void
literals(void)
{
    weir_hpack_decoder_t d;

    weir_hpack_decoder_init(&d, 4096, scratch, sizeof(scratch));
    is_decoded(&d, "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", "custom-key: custom-header\n",
               55, "C.2.1");
    is_decoded(&d, "040c 2f73 616d 706c 652f 7061 7468", ":path: /sample/path\n", 55, "C.2.2: not added");
    is_decoded(&d, "1008 7061 7373 776f 7264 0673 6563 7265 74", "password: secret\n", 55, "C.2.3: never");
    is_decoded(&d, "82", ":method: GET\n", 55, "C.2.4");
    weir_hpack_decoder_fini(&d);
}

/* -- what must be refused -- */

static void
refusals(void)
{
    static const struct { const char *hex, *what; } rows[] = {
        { "80", "§6.1 index 0" }, { "be", "§2.3.3 an index beyond the table" },
        { "ff80 8080 8080 8080 8080 01", "§5.1 an integer too large" },
        { "ffff ffff ffff ffff ffff ff7f", "§5.1 an integer of many bytes" }, { "ff", "§5.1 an integer cut short" },
        { "40", "a literal without a name" }, { "400a 6375", "a name cut short" },
        { "4001 61", "a name without a value" },
        { "4001 6183 ff", "a Huffman string cut short" }, { "4001 6181 00", "§5.2 padding of zeros" },
        { "4001 6182 1fff", "§5.2 padding longer than seven bits" }, { "4001 6184 ffff ffff", "§5.2 EOS" },
        { "3fe2 1f", "§6.3 a table larger than allowed" }, { "82 20", "§4.2 a size update behind a field" },
    };

    for (size_t i = 0; i < weir_countof(rows); i++) {
        const char *text = once(rows[i].hex);
        size_t len = strlen(text);

        ok(len >= 3 && strcmp(text + len - 3, "BAD") == 0, rows[i].what);
    }
    is_str(weir_str_from_z(once("20 3fe1 1f 82")), ":method: GET\n", "§4.2 two size updates at the beginning are fine");
    is_str(weir_str_from_z(once("4001 6181 1f")), "a: a\n", "§5.2 seven bits of padding or less");
}

static void
sizes(void)
{
    weir_hpack_decoder_t d;

    weir_hpack_decoder_init(&d, 4096, scratch, sizeof(scratch));
    (void) decode_hex(&d, "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
    is_decoded(&d, "3f17 be", &"custom-key: custom-header\nBAD"[26], 0,
               "§4.3 a smaller table forgets what does not fit");
    weir_hpack_decoder_fini(&d);

    weir_hpack_decoder_init(&d, 4096, scratch, sizeof(scratch));
    (void) decode_hex(&d, "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
    weir_hpack_decoder_limit(&d, 0);
    is_str(weir_str_from_z(decode_hex(&d, "82")), "BAD", "§4.2 when our limit went down the next block must say so");
    weir_hpack_decoder_fini(&d);
}

/* -- encoding -- */

static const struct { weir_header_id_t id; const char *name, *value; } fields[] = {
    { WEIR_HEADER_OTHER, "x-one", "value" }, { WEIR_HEADER_SERVER, "server", "weir" },
    { WEIR_HEADER_DATE, "date", "Mon, 21 Oct 2013 20:13:21 GMT" },
    { WEIR_HEADER_OTHER, "authorization", "Bearer secret" }, { WEIR_HEADER_OTHER, "x-empty", "" },
    { WEIR_HEADER_OTHER, "x-high", "\xff\xfe\x80" },
};

/* Encoded again and again, with a peer that changes its mind about the table, and decoded: always the same. */
static void
round_trips(void)
{
    weir_hpack_encoder_t e;
    weir_hpack_decoder_t d;
    char room[4096], want[4096];
    bool same = true, smaller = false;
    size_t first = 0, len = 0;

    for (size_t i = 0; i < weir_countof(fields); i++) {
        len += (size_t) snprintf(want + len, sizeof(want) - len, "%s: %s\n", fields[i].name, fields[i].value);
    }
    weir_hpack_encoder_init(&e, 4096);
    weir_hpack_decoder_init(&d, 4096, scratch, sizeof(scratch));
    for (uint32_t round = 0; round < 200; round++) {
        weir_buf_t out;

        if (round % 20 == 19) {
            uint32_t limit = (round * 37) % 300;
            weir_hpack_encoder_limit(&e, limit);
            weir_hpack_encoder_limit(&e, round % 40 == 19 ? 0 : 4096);
            weir_hpack_decoder_limit(&d, round % 40 == 19 ? 0 : 4096);
        }
        weir_buf_init(&out, room, sizeof(room));
        weir_hpack_encode_begin(&e, &out);
        for (size_t i = 0; i < weir_countof(fields); i++) {
            weir_hpack_encode(&e, &out, fields[i].id, weir_str_from_z(fields[i].name),
                              weir_str_from_z(fields[i].value));
        }
        same = same && !out.full && strcmp(decode_block(&d, weir_buf_str(&out)), want) == 0;
        same = same && e.table.size == d.table.size;
        first = round == 0 ? weir_buf_len(&out) : first;
        smaller = smaller || (round == 1 && weir_buf_len(&out) < first);
    }
    ok(same, "what is encoded is decoded to the same, over changes of the table, and both tables agree");
    ok(smaller, "what was said before is said in fewer bytes");
    weir_hpack_encoder_fini(&e);
    weir_hpack_decoder_fini(&d);
}

static void
secrets(void)
{
    weir_hpack_encoder_t e;
    char room[256];
    weir_buf_t out;

    weir_hpack_encoder_init(&e, 4096);
    weir_buf_init(&out, room, sizeof(room));
    weir_hpack_encode_begin(&e, &out);
    weir_hpack_encode(&e, &out, weir_header_id(WEIR_STR("authorization")), WEIR_STR("authorization"),
                      WEIR_STR("Bearer secret"));
    is_int((unsigned char) room[0] & 0xf0, 0x10, "§7.1.3 Authorization is never indexed");
    is_int(e.table.size, 0, "nor kept");
    weir_hpack_encoder_fini(&e);
}

static void
huffman(void)
{
    char all[256], coded[1024], back[256];
    bool good = true;

    for (int i = 0; i < 256; i++) {
        all[i] = (char) i;
    }
    for (size_t from = 0; from < 256; from++) {
        for (size_t n = 0; n <= 256 - from; n += 1 + n / 3) {
            weir_str_t text = weir_str(all + from, n);
            size_t     size = weir_huffman_encoded_size(text);

            good = good && size <= sizeof(coded) && weir_huffman_encode(coded, text) == size
                   && weir_huffman_decode(back, sizeof(back), weir_str(coded, size)) == n
                   && (n == 0 || memcmp(back, text.at, n) == 0);
        }
    }
    ok(good, "every byte, at every place, survives Huffman's code");
    is_int(weir_huffman_decode(back, 1, weir_str("\x1f", 1)), 1, "output beyond its room is counted");
}

int
main(void)
{
    literals();
    requests(false);
    requests(true);
    responses(false);
    responses(true);
    refusals();
    sizes();
    round_trips();
    secrets();
    huffman();
    return done();
}
