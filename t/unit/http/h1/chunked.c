/*
 * chunked.c - chunked bodies: split at every byte the same, and every malformed one refused.
 */
#include "http/h1/chunked.h"
#include "tap.h"

typedef struct {
    weir_chunked_result_t result;
    char                  data[1024];
    size_t                produced, consumed, trailers_len;
    char                  trailers[256];
} outcome_t;

/* Decodes in pieces of `step` bytes, each in memory of exactly its size. */
static void
decode(outcome_t *out, const char *bytes, size_t len, size_t step)
{
    weir_chunked_t chunked = { .state = 0 };
    weir_arena_t   arena;
    weir_str_t     trailers;
    size_t         at, n, consumed, produced;
    char          *piece;

    weir_arena_init(&arena, 1024);
    *out = (outcome_t) { .result = WEIR_CHUNKED_MORE };
    for (at = 0; at < len && out->result == WEIR_CHUNKED_MORE; at += n) {
        n = step < len - at ? step : len - at;
        piece = malloc(n);
        memcpy(piece, bytes + at, n);
        out->result = weir_chunked_decode(&chunked, piece, n, &consumed, &produced, &arena);
        weir_assert(consumed <= n && produced <= consumed && out->produced + produced <= sizeof(out->data));
        weir_assert(out->result != WEIR_CHUNKED_MORE || consumed == n);
        if (produced != 0) {
            memcpy(out->data + out->produced, piece, produced);
        }
        out->produced += produced;
        out->consumed += consumed;
        free(piece);
    }
    trailers = weir_chunked_trailers(&chunked);
    if (trailers.len != 0 && trailers.len <= sizeof(out->trailers)) {
        memcpy(out->trailers, trailers.at, trailers.len);
    }
    out->trailers_len = trailers.len;
    weir_arena_fini(&arena);
}

static bool
same(const outcome_t *a, const outcome_t *b)
{
    return a->result == b->result && a->produced == b->produced && a->consumed == b->consumed
           && memcmp(a->data, b->data, a->produced) == 0 && a->trailers_len == b->trailers_len
           && memcmp(a->trailers, b->trailers, sizeof(a->trailers)) == 0;
}

typedef struct {
    const char *name, *bytes;
    size_t      len;
    weir_chunked_result_t want;
    const char *data, *rest, *trailers;
} row_t;

#define GOOD(name, bytes, data, rest, trailers)                                                                        \
    { name, bytes rest, sizeof(bytes rest) - 1, WEIR_CHUNKED_DONE, data, rest, trailers }
#define BAD(name, bytes)  { name, bytes, sizeof(bytes) - 1, WEIR_CHUNKED_BAD, NULL, NULL, NULL }
#define MORE(name, bytes) { name, bytes, sizeof(bytes) - 1, WEIR_CHUNKED_MORE, NULL, NULL, NULL }

static const row_t rows[] = {
    GOOD("empty", "0\r\n\r\n", "", "", ""),
    GOOD("one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", "", ""),
    GOOD("two chunks, and the next request", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!", "GET / HTTP/1.1\r\n", ""),
    GOOD("hex in both cases", "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a", "", ""),
    GOOD("data that looks like framing", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n\r\n", "", ""),
    GOOD("leading zeros", "0005\r\nhello\r\n0000\r\n\r\n", "hello", "", ""),
    GOOD("an extension", "5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello", "", ""),
    GOOD("more extensions", "5;a=b;c=\"d\";e\r\nhello\r\n0\r\n\r\n", "hello", "", ""),
    GOOD("quoted extensions", "5;a=\"x y;,\\\"\\\\\xc3\t\";b\r\nhello\r\n0\r\n\r\n", "hello", "", ""),
    GOOD("an empty quoted extension", "1;a=\"\"\r\nx\r\n0\r\n\r\n", "x", "", ""),
    GOOD("trailers", "0\r\na: b\r\nc: d\r\n\r\n", "", "x", "a: b\r\nc: d\r\n\r\n"),
    /* sizes */
    BAD("0x5", "0x5\r\nhello\r\n0\r\n\r\n"),
    BAD("+5", "+5\r\nhello\r\n0\r\n\r\n"),
    BAD("-5", "-5\r\nhello\r\n0\r\n\r\n"),
    BAD("0_5", "0_5\r\nhello\r\n0\r\n\r\n"),
    BAD("leading SP", " 5\r\nhello\r\n0\r\n\r\n"),
    BAD("leading HTAB", "\t5\r\nhello\r\n0\r\n\r\n"),
    BAD("trailing SP", "5 \r\nhello\r\n0\r\n\r\n"),
    BAD("trailing HTAB", "5\t\r\nhello\r\n0\r\n\r\n"),
    BAD("junk behind the size", "5g\r\nhello\r\n0\r\n\r\n"),
    BAD("no size", "\r\nhello\r\n0\r\n\r\n"),
    BAD("no size but an extension", ";a\r\nhello\r\n0\r\n\r\n"),
    BAD("2^64+5", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
    BAD("-5 as 64 bits", "fffffffffffffffb\r\nhello\r\n0\r\n\r\n"),
    BAD("2^63", "8000000000000000\r\nhello\r\n0\r\n\r\n"),
    BAD("2^63-1 behind data", "5\r\nhello\r\n7fffffffffffffff\r\n"),
    BAD("60 leading zeros", "000000000000000000000000000000000000000000000000000000000000" "5\r\nhello\r\n0\r\n\r\n"),
    BAD("17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n"),
    MORE("2^32+5", "100000005\r\nhello\r\n0\r\n\r\n"),
    MORE("2^63-1", "7fffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    /* line ends */
    BAD("size line ends in LF", "5\nhello\r\n0\r\n\r\n"),
    BAD("size line ends in CR", "5\rhello\r\n0\r\n\r\n"),
    BAD("size line ends in CR;", "5\r;\nhello\r\n0\r\n\r\n"),
    BAD("size line ends in CRCRLF", "5\r\r\nhello\r\n0\r\n\r\n"),
    BAD("data ends in LF", "5\r\nhello\n0\r\n\r\n"),
    BAD("data ends in CR", "5\r\nhello\r0\r\n\r\n"),
    BAD("data ends in two bytes", "5\r\nhelloxx0\r\n\r\n"),
    BAD("data ends in nothing", "5\r\nhello0\r\n\r\n"),
    BAD("data ends in CRLFCRLF", "5\r\nhello\r\n\r\n0\r\n\r\n"),
    BAD("size smaller than data", "4\r\nhello\r\n0\r\n\r\n"),
    BAD("size larger than data", "6\r\nhello\r\n0\r\n\r\n"),
    /* extensions */
    BAD("a bare semicolon", "5;\r\nhello\r\n0\r\n\r\n"),
    BAD("two semicolons", "5;;a\r\nhello\r\n0\r\n\r\n"),
    BAD("an extension without name", "5;=a\r\nhello\r\n0\r\n\r\n"),
    BAD("an extension without value", "5;a=\r\nhello\r\n0\r\n\r\n"),
    BAD("a bad token", "5;a@\r\nhello\r\n0\r\n\r\n"),
    BAD("a bad value", "5;a=b@\r\nhello\r\n0\r\n\r\n"),
    BAD("NUL in an extension", "5;a\0\r\nhello\r\n0\r\n\r\n"),
    BAD("LF in an extension", "5;a\nhello\r\n0\r\n\r\n"),
    BAD("CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
    BAD("LF in a quoted string", "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"),
    BAD("CR in a quoted string", "5;a=\"\r\"\r\nhello\r\n0\r\n\r\n"),
    BAD("CRLF in a quoted string", "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n"),
    BAD("escaped CR in a quoted string", "5;a=\"\\\r\"\r\nhello\r\n0\r\n\r\n"),
    BAD("escaped LF in a quoted string", "5;a=\"\\\n\"\r\nhello\r\n0\r\n\r\n"),
    BAD("NUL in a quoted string", "5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"),
    BAD("text behind a quoted string", "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"),
    BAD("SP before an extension", "5 ;a\r\nhello\r\n0\r\n\r\n"),
    BAD("SP in an extension", "5; a\r\nhello\r\n0\r\n\r\n"),
    /* the last chunk */
    GOOD("last chunk 00", "00\r\n\r\n", "", "", ""),
    GOOD("last chunk with extension", "0;x\r\n\r\n", "", "", ""),
    BAD("last chunk ends in LF", "0\n\r\n"),
    BAD("body ends in LF", "0\r\n\n"),
    BAD("body ends in CR and something", "0\r\n\rx"),
    MORE("last CRLF missing", "0\r\n"),
    MORE("last LF missing", "0\r\n\r"),
    MORE("last chunk missing", "5\r\nhello\r\n"),
    /* trailers: what parse_trailers does not get to see */
    BAD("a folded trailer", "0\r\na: b\r\n c: d\r\n\r\n"),
    BAD("LF in a trailer", "0\r\na: b\n\r\n"),
    BAD("CR in a trailer", "0\r\na: b\rc\r\n\r\n"),
    BAD("NUL in a trailer", "0\r\na: \0\r\n\r\n"),
    BAD("a request as trailer", "0\r\n GET / HTTP/1.1\r\n\r\n"),
};

static void
test_rows(void)
{
    static outcome_t whole, split;
    size_t           i, step, differ;

    for (i = 0; i < weir_countof(rows); i++) {
        decode(&whole, rows[i].bytes, rows[i].len, rows[i].len);
        is_int(whole.result, rows[i].want, rows[i].name);
        if (rows[i].want == WEIR_CHUNKED_DONE) {
            is_str(weir_str(whole.data, whole.produced), rows[i].data, "  its data");
            is_int(whole.consumed, rows[i].len - strlen(rows[i].rest), "  what follows is left alone");
            is_str(weir_str(whole.trailers, whole.trailers_len), rows[i].trailers, "  its trailers");
        }
        for (differ = 0, step = 1; step < rows[i].len; step++) {
            decode(&split, rows[i].bytes, rows[i].len, step);
            differ += !same(&whole, &split);
        }
        is_int(differ, 0, "  the same in pieces of every size");
    }
}

/* n times `chunk`, then nothing. */
static weir_chunked_result_t
decode_many(weir_chunked_t *chunked, const char *chunk, size_t n)
{
    weir_chunked_result_t result = WEIR_CHUNKED_MORE;
    weir_arena_t          arena;
    size_t                consumed, produced;
    char                  piece[64];

    weir_arena_init(&arena, 1024);
    for (; n > 0 && result == WEIR_CHUNKED_MORE; n--) {
        memcpy(piece, chunk, strlen(chunk));
        result = weir_chunked_decode(chunked, piece, strlen(chunk), &consumed, &produced, &arena);
    }
    weir_arena_fini(&arena);
    return result;
}

static void
test_caps(void)
{
    weir_chunked_t chunked = { .state = 0 };

    is_int(decode_many(&chunked, "1\r\nx\r\n", 60000), WEIR_CHUNKED_MORE, "60,000 chunks of one byte");
    is_int(chunked.total, 60000, "are counted");
    is_int(decode_many(&chunked, "1\r\nx\r\n", 940000), WEIR_CHUNKED_BAD, "a million are not taken");
    is_int(decode_many(&chunked, "0\r\n\r\n", 1), WEIR_CHUNKED_BAD, "what is broken stays broken");
    chunked = (weir_chunked_t) { .state = 0 };
    is_int(decode_many(&chunked, "2\r\nxy\r\n", 1000000), WEIR_CHUNKED_MORE, "a million chunks of two bytes");
    chunked = (weir_chunked_t) { .state = 0 };
    is_int(decode_many(&chunked, "10;12345678=\"0123456789012345\"\r\n0123456789abcdef\r\n", 140), WEIR_CHUNKED_MORE,
           "extensions up to 4 KiB");
    is_int(decode_many(&chunked, "10;12345678=\"0123456789012345\"\r\n0123456789abcdef\r\n", 20), WEIR_CHUNKED_BAD,
           "extensions beyond 4 KiB");
    chunked = (weir_chunked_t) { .state = 0 };
    is_int(decode_many(&chunked, "0\r\n", 1), WEIR_CHUNKED_MORE, "trailers begin");
    is_int(decode_many(&chunked, "x-name: 123456\r\n", 1024), WEIR_CHUNKED_MORE, "trailers of 16 KiB");
    is_int(decode_many(&chunked, "\r\n", 1), WEIR_CHUNKED_BAD, "and one byte more");
    chunked = (weir_chunked_t) { .state = 0 };
    (void) decode_many(&chunked, "0\r\n", 1);
    is_int(decode_many(&chunked, "x", 100000), WEIR_CHUNKED_BAD, "a trailer line without end");
}

static void
test_limits(void)
{
    weir_chunked_t chunked = { .state = 0 };
    weir_arena_t   arena;
    char           head[] = "100000005\r\n", done_[] = "0\r\n\r\nx";
    size_t         consumed, produced;

    weir_arena_init(&arena, 1024);
    (void) weir_chunked_decode(&chunked, head, sizeof(head) - 1, &consumed, &produced, &arena);
    ok(chunked.total + chunked.left == UINT64_C(0x100000005), "the size is known before the data");
    chunked = (weir_chunked_t) { .state = 0 };
    (void) weir_chunked_decode(&chunked, done_, sizeof(done_) - 1, &consumed, &produced, &arena);
    is_int(weir_chunked_decode(&chunked, done_, 1, &consumed, &produced, &arena), WEIR_CHUNKED_DONE, "done stays done");
    is_int(consumed, 0, "and takes nothing");
    is_int(weir_chunked_decode(&(weir_chunked_t) { .state = 0 }, done_, 0, &consumed, &produced, &arena),
           WEIR_CHUNKED_MORE,
           "no bytes");
    weir_arena_fini(&arena);
}

static void
test_encode(void)
{
    char out[18];

    is_str(weir_str(out, weir_chunked_head(out, 0)), "0\r\n", "a last chunk's head");
    is_str(weir_str(out, weir_chunked_head(out, 0x1a2b)), "1a2b\r\n", "a chunk's head");
    is_str(weir_str(out, weir_chunked_head(out, UINT64_MAX)), "ffffffffffffffff\r\n", "the longest head");
}

int
main(void)
{
    test_rows();
    test_caps();
    test_limits();
    test_encode();
    return done();
}
