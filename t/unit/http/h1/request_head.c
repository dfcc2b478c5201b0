/*
 * request_head.c - request heads: what is taken, and every head that must be refused, and why.
 *
 * Each row is scanned in one piece and cut at every byte, then parsed from memory that ends where the head ends.
 */
#include "http/h1/parse.h"
#include "tap.h"

#define BY_SCAN ((weir_h1_reason_t) WEIR_H1_REASON_MAX)

static const weir_h1_limits_t  limits = { .max_line = 8192, .max_field = 65536, .max_head = 131072,
.max_fields = 1000 };
static const weir_h1_options_t usual = { .ignore_invalid = true, .max_fields = 1000 };

static weir_arena_t arena;
static char        *memory;      /* of the head parsed last */

static bool
scan_at_every_cut(const char *data, size_t len, bool *good, size_t *head)
{
    weir_h1_scan_result_t whole, cut;
    weir_h1_scan_t        scan = { .at = 0 };
    size_t                at, other;

    whole = weir_h1_scan(&scan, &limits, data, len, head);
    for (at = 1; at < len && len < 1000; at++) {
        scan = (weir_h1_scan_t) { .at = 0 };
        other = 0;
        cut = weir_h1_scan(&scan, &limits, data, at, &other);
        if (cut == WEIR_H1_MORE) {
            cut = weir_h1_scan(&scan, &limits, data, len, &other);
        }
        if (cut != whole || (cut == WEIR_H1_DONE && other != *head)) {
            return false;
        }
    }
    *good = whole == WEIR_H1_DONE;
    return true;
}

/* Slices of *req point into `memory` until the next call. */
static weir_h1_reason_t
parse(weir_request_head_t *req, const weir_h1_options_t *options, const char *data, size_t len)
{
    size_t head = 0;
    bool   good = false;

    *req = (weir_request_head_t) { .minor = 0 };
    if (!scan_at_every_cut(data, len, &good, &head)) {
        ok(false, "the scan does not depend on cuts");
    }
    if (!good) {
        return BY_SCAN;
    }
    free(memory);
    memory = malloc(head);
    memcpy(memory, data, head);
    weir_arena_reset(&arena);
    return weir_h1_parse_request(req, options, weir_str(memory, head), &arena);
}

static weir_h1_reason_t
parse_z(weir_request_head_t *req, const char *head)
{
    return parse(req, &usual, head, strlen(head));
}

typedef struct { const char *name, *bytes; size_t len; weir_h1_reason_t want; } row_t;

#define LINE(name, line, want)    { name, line "\r\nHost: a\r\n\r\n", sizeof(line "\r\nHost: a\r\n\r\n") - 1, want }
#define FIELDS(name, text, want)  HEAD(name, "POST / HTTP/1.1\r\nHost: a\r\n" text "\r\n", want)
#define CL(name, value, want)     FIELDS(name, "Content-Length: " value "\r\n", want)
#define TE(name, value, want)     FIELDS(name, "Transfer-Encoding: " value "\r\n", want)
#define TARGET(name, t, want)     LINE(name, "GET " t " HTTP/1.1", want)
#define HEAD(name, text, want)    { name, text, sizeof(text) - 1, want }
#define HOST(name, value, want)   HEAD(name, "GET / HTTP/1.1\r\nHost: " value "\r\n\r\n", want)

#define BAD_CL WEIR_H1_BAD_CONTENT_LENGTH
#define BAD_TE WEIR_H1_BAD_TRANSFER_CODING
#define UNKNOWN WEIR_H1_UNKNOWN_TRANSFER_CODING

static const row_t framing_rows[] = {
    /* both a length and a coding */
    FIELDS("CL then TE", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", WEIR_H1_LENGTH_AND_CODING),
    FIELDS("TE then CL", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", WEIR_H1_LENGTH_AND_CODING),
    FIELDS("CL 0 and TE", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", WEIR_H1_LENGTH_AND_CODING),
    FIELDS("empty CL and TE", "Content-Length:\r\nTransfer-Encoding: chunked\r\n", WEIR_H1_LENGTH_AND_CODING),
    FIELDS("two CL, different", "Content-Length: 5\r\nContent-Length: 6\r\n", WEIR_H1_TWO_CONTENT_LENGTHS),
    FIELDS("two CL, same", "Content-Length: 5\r\ncontent-length: 5\r\n", WEIR_H1_TWO_CONTENT_LENGTHS),
    FIELDS("two CL, empty first", "Content-Length:\r\nContent-Length: 5\r\n", WEIR_H1_TWO_CONTENT_LENGTHS),
    FIELDS("two CL, empty last", "Content-Length: 5\r\nContent-Length:\r\n", WEIR_H1_TWO_CONTENT_LENGTHS),
    CL("CL list, same", "5, 5", BAD_CL),
    CL("CL list, different", "5,6", BAD_CL),
    CL("CL list, empty member", "5,", BAD_CL),
    /* lengths that are no plain digits */
    CL("CL +5", "+5", BAD_CL),
    CL("CL -5", "-5", BAD_CL),
    CL("CL -0", "-0", BAD_CL),
    CL("CL 0x5", "0x5", BAD_CL),
    CL("CL 0o5", "0o5", BAD_CL),
    CL("CL 1_0", "1_0", BAD_CL),
    CL("CL 1 0", "1 0", BAD_CL),
    CL("CL 5a", "5a", BAD_CL),
    CL("CL 5.0", "5.0", BAD_CL),
    CL("CL 5e0", "5e0", BAD_CL),
    CL("CL superscript two", "\xc2\xb2", BAD_CL),
    CL("CL quoted", "\"5\"", BAD_CL),
    CL("CL with parameter", "5;x", BAD_CL),
    CL("CL with NUL", "5\0", WEIR_H1_BAD_FIELD_VALUE),
    CL("CL with VT", "\v5", WEIR_H1_BAD_FIELD_VALUE),
    CL("CL with CR", "5\r", WEIR_H1_BAD_FIELD_VALUE),
    CL("CL empty", "", BAD_CL),
    CL("CL of spaces", "   \t ", BAD_CL),
    CL("CL with a leading zero", "05", BAD_CL),
    CL("CL 00", "00", BAD_CL),
    CL("CL with NBSP", "\xa0" "5", BAD_CL),
    /* lengths that wrap */
    CL("CL 2^32+5", "4294967301", WEIR_H1_OK),
    CL("CL 2^63-1", "9223372036854775807", WEIR_H1_OK),
    CL("CL 2^63", "9223372036854775808", BAD_CL),
    CL("CL 2^64", "18446744073709551616", BAD_CL),
    CL("CL 2^64+5", "18446744073709551621", BAD_CL),
    CL("CL of 40 digits", "1234567890123456789012345678901234567890", BAD_CL),
    /* codings that are not chunked */
    TE("xchunked", "xchunked", UNKNOWN),
    TE("chunked, chunked", "chunked, chunked", BAD_TE),
    TE("chunked, gzip", "chunked, gzip", BAD_TE),
    TE("gzip, chunked", "gzip, chunked", BAD_TE),
    TE("gzip", "gzip", UNKNOWN),
    TE("identity", "identity", UNKNOWN),
    TE("double quotes", "\"chunked\"", BAD_TE),
    TE("single quotes", "'chunked'", UNKNOWN),
    TE("a parameter", "chunked;q=1", BAD_TE),
    TE("a bare semicolon", "chunked;", BAD_TE),
    TE("VT before", "\vchunked", WEIR_H1_BAD_FIELD_VALUE),
    TE("VT behind", "chunked\v", WEIR_H1_BAD_FIELD_VALUE),
    TE("FF before", "\fchunked", WEIR_H1_BAD_FIELD_VALUE),
    TE("NUL behind", "chunked\0", WEIR_H1_BAD_FIELD_VALUE),
    TE("NBSP before", "\xa0" "chunked", BAD_TE),
    TE("0x85 behind", "chunked\x85", BAD_TE),
    TE("a space inside", "chun ked", BAD_TE),
    TE("empty", "", BAD_TE),
    TE("commas only", ", ,", BAD_TE),
    FIELDS("unknown with CL", "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", WEIR_H1_LENGTH_AND_CODING),
    FIELDS("bad with CL", "Transfer-Encoding: \"x\r\nContent-Length: 5\r\n", WEIR_H1_LENGTH_AND_CODING),
    /* spellings of chunked that are allowed */
    TE("empty member before", ", chunked", WEIR_H1_OK),
    TE("empty member behind", "chunked ,\t", WEIR_H1_OK),
    TE("upper case", "CHUNKED", WEIR_H1_OK),
    /* two fields of codings */
    FIELDS("two TE, same", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", BAD_TE),
    FIELDS("two TE, identity first", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", BAD_TE),
    FIELDS("two TE, x last", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", BAD_TE),
    FIELDS("two TE, empty first", "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", BAD_TE),
    /* space before a colon, folded lines */
    FIELDS("TE, space before the colon", "Transfer-Encoding : chunked\r\n", WEIR_H1_SPACE_BEFORE_COLON),
    FIELDS("TE, tab before the colon", "Transfer-Encoding\t: chunked\r\n", WEIR_H1_SPACE_BEFORE_COLON),
    FIELDS("CL, spaces before the colon", "Content-Length \t : 5\r\n", WEIR_H1_SPACE_BEFORE_COLON),
    FIELDS("tab in the name", "Transfer\tEncoding: chunked\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("space in the name", "Transfer Encoding: chunked\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("leading space", " Transfer-Encoding: chunked\r\n", WEIR_H1_OBS_FOLD),
    FIELDS("TE in a fold", "X: y\r\n\tTransfer-Encoding: chunked\r\n", WEIR_H1_OBS_FOLD),
    FIELDS("TE folded", "Transfer-Encoding:\r\n chunked\r\n", WEIR_H1_OBS_FOLD),
    FIELDS("TE behind bare LF", "X: y\nTransfer-Encoding: chunked\r\n", BY_SCAN),
    FIELDS("TE behind bare CR", "X: y\rTransfer-Encoding: chunked\r\n", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("NUL in the name", "Transfer-Encoding\0: chunked\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("CR before the name", "\rTransfer-Encoding: chunked\r\n", WEIR_H1_BAD_FIELD_NAME),
    /* a coding in HTTP/1.0 */
    HEAD("TE in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", WEIR_H1_CODING_IN_1_0),
    HEAD("TE and CL in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
         WEIR_H1_LENGTH_AND_CODING),
};

static const row_t line_rows[] = {
    /* request lines and their ends */
    LINE("bare LF", "GET / HTTP/1.1\nX: y", BY_SCAN),
    LINE("CRCRLF", "GET / HTTP/1.1\r", WEIR_H1_BAD_VERSION),
    LINE("CR instead of CRLF", "GET / HTTP/1.1\rX: y", WEIR_H1_BAD_REQUEST_LINE),
    LINE("two SP before the target", "GET  / HTTP/1.1", WEIR_H1_BAD_REQUEST_LINE),
    LINE("two SP behind the target", "GET /  HTTP/1.1", WEIR_H1_BAD_REQUEST_LINE),
    LINE("a tab before the target", "GET\t/ HTTP/1.1", WEIR_H1_BAD_REQUEST_LINE),
    LINE("a tab behind the target", "GET /\tHTTP/1.1", WEIR_H1_BAD_REQUEST_LINE),
    LINE("a tab in the target", "GET /a\tb HTTP/1.1", WEIR_H1_BAD_TARGET),
    LINE("leading SP", " GET / HTTP/1.1", BY_SCAN),
    LINE("trailing SP", "GET / HTTP/1.1 ", WEIR_H1_BAD_REQUEST_LINE),
    LINE("no target", "GET HTTP/1.1", WEIR_H1_BAD_REQUEST_LINE),
    LINE("an empty target", "GET  HTTP/1.1", WEIR_H1_BAD_REQUEST_LINE),
    LINE("a method with @", "GE@T / HTTP/1.1", WEIR_H1_BAD_METHOD),
    LINE("a method with a byte above 0x7f", "G\xc9T / HTTP/1.1", WEIR_H1_BAD_METHOD),
    LINE("a method with NUL", "GE\0T / HTTP/1.1", WEIR_H1_BAD_METHOD),
    LINE("a method with a colon", "GET: / HTTP/1.1", WEIR_H1_BAD_METHOD),
    LINE("lower-case version", "GET / http/1.1", WEIR_H1_BAD_VERSION),
    LINE("HTTP/1", "GET / HTTP/1", WEIR_H1_BAD_VERSION),
    LINE("HTTP/1.", "GET / HTTP/1.", WEIR_H1_BAD_VERSION),
    LINE("HTTP/01.1", "GET / HTTP/01.1", WEIR_H1_BAD_VERSION),
    LINE("HTTP/1.10", "GET / HTTP/1.10", WEIR_H1_BAD_VERSION),
    LINE("HTTP/1.1x", "GET / HTTP/1.1x", WEIR_H1_BAD_VERSION),
    LINE("HTTP/1x1", "GET / HTTP/1x1", WEIR_H1_BAD_VERSION),
    LINE("HTTP/0.9", "GET / HTTP/0.9", WEIR_H1_BAD_VERSION),
    LINE("HTTP/4.0", "GET / HTTP/4.0", WEIR_H1_VERSION_UNSUPPORTED),
    LINE("HTTQ/1.1", "GET / HTTQ/1.1", WEIR_H1_BAD_VERSION),
    LINE("HTTP/2.0", "GET / HTTP/2.0", WEIR_H1_VERSION_UNSUPPORTED),
    LINE("HTTP/3.0", "GET / HTTP/3.0", WEIR_H1_VERSION_UNSUPPORTED),
    LINE("HTTP/1.2", "GET / HTTP/1.2", WEIR_H1_OK),
    LINE("HTTP/1.9", "GET / HTTP/1.9", WEIR_H1_OK),
    /* targets */
    TARGET("NUL in the target", "/a\0b", WEIR_H1_BAD_TARGET),
    TARGET("a control in the target", "/a\x01", WEIR_H1_BAD_TARGET),
    TARGET("DEL in the target", "/a\x7f", WEIR_H1_BAD_TARGET),
    TARGET("0xe9 in the target", "/\xe9", WEIR_H1_OK),
    TARGET("0xe9 in the query", "/?\xe9", WEIR_H1_OK),
    TARGET("a space in the target", "/a b", WEIR_H1_BAD_REQUEST_LINE),
    TARGET("a fragment", "/a#frag", WEIR_H1_OK),
    TARGET("a fragment in the query", "/a?b#frag", WEIR_H1_OK),
    TARGET("a backslash", "/a\\x", WEIR_H1_BAD_TARGET),
    TARGET("a backslash first", "\\x", WEIR_H1_BAD_TARGET),
    TARGET("no slash", "index.html", WEIR_H1_BAD_TARGET),
    TARGET("a query only", "?a", WEIR_H1_BAD_TARGET),
    TARGET("* with GET", "*", WEIR_H1_BAD_TARGET),
    LINE("** with OPTIONS", "OPTIONS ** HTTP/1.1", WEIR_H1_BAD_TARGET),
    LINE("* with OPTIONS", "OPTIONS * HTTP/1.1", WEIR_H1_OK),
    TARGET("what browsers send raw", "/|[]^{}\"<>`?a=|[]^{}\"<>`\\", WEIR_H1_OK),
    /* targets in absolute form and Host */
    TARGET("absolute form, equal", "http://a/x", WEIR_H1_OK),
    TARGET("absolute form, case", "HTTP://A/x", WEIR_H1_OK),
    TARGET("absolute form, default port", "http://a:80/x", WEIR_H1_OK),
    TARGET("absolute form, default port of https", "https://a:443/x", WEIR_H1_OK),
    TARGET("absolute form, other default port", "https://a:80/x", WEIR_H1_OK),
    TARGET("absolute form, other host", "http://b/x", WEIR_H1_OK),
    TARGET("absolute form, other port", "http://a:8080/x", WEIR_H1_OK),
    TARGET("absolute form, userinfo", "http://u@a/x", WEIR_H1_BAD_TARGET),
    TARGET("absolute form, userinfo with password", "http://u:p@a/x", WEIR_H1_BAD_TARGET),
    TARGET("absolute form, empty host", "http:///x", WEIR_H1_BAD_TARGET),
    TARGET("absolute form, port only", "http://:80/x", WEIR_H1_BAD_TARGET),
    TARGET("absolute form, empty port", "http://a:/x", WEIR_H1_OK),
    TARGET("absolute form, other scheme", "ftp://a/x", WEIR_H1_BAD_TARGET),
    TARGET("absolute form, file", "file:///etc/passwd", WEIR_H1_BAD_TARGET),
    TARGET("absolute form, no slashes", "http:a/x", WEIR_H1_BAD_TARGET),
    TARGET("absolute form, fragment", "http://a#/x", WEIR_H1_BAD_TARGET),
    TARGET("absolute form, backslash", "http://a\\@b/x", WEIR_H1_BAD_TARGET),
    TARGET("authority form with GET", "a:80", WEIR_H1_BAD_TARGET),
    /* versions and methods */
    HEAD("HTTP/0.9", "GET /x\r\n\r\n", WEIR_H1_BAD_REQUEST_LINE),
    HEAD("HTTP/0.9 with SP", "GET /x \r\n\r\n", WEIR_H1_BAD_VERSION),
    HEAD("a method only", "GET\r\n\r\n", WEIR_H1_BAD_REQUEST_LINE),
    HEAD("leading CRLF", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BY_SCAN),
    HEAD("h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", WEIR_H1_VERSION_UNSUPPORTED),
    LINE("CONNECT, origin form", "CONNECT / HTTP/1.1", WEIR_H1_BAD_TARGET),
    LINE("CONNECT without port", "CONNECT a HTTP/1.1", WEIR_H1_BAD_TARGET),
    LINE("CONNECT, absolute form", "CONNECT http://a:80/ HTTP/1.1", WEIR_H1_BAD_TARGET),
    LINE("CONNECT to another", "CONNECT b:443 HTTP/1.1", WEIR_H1_HOST_MISMATCH),
    LINE("CONNECT, other port", "CONNECT a:443 HTTP/1.1", WEIR_H1_HOST_MISMATCH),
    HEAD("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: A:443\r\n\r\n", WEIR_H1_OK),
    LINE("TRACE is parsed", "TRACE / HTTP/1.1", WEIR_H1_OK),
    LINE("an unknown method is parsed", "brew!#$%&'*+-.^_`|~ / HTTP/1.1", WEIR_H1_OK),
};

static const row_t field_rows[] = {
    /* line ends and controls in values */
    FIELDS("bare LF in a value", "X: a\nb\r\n", BY_SCAN),
    FIELDS("bare CR in a value", "X: a\rb\r\n", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("CRCRLF behind a value", "X: a\r\r\n", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("NUL in a value", "X: a\0b\r\n", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("0x01 in a value", "X: a\x01\r\n", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("0x1f in a value", "X: a\x1f\r\n", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("ESC in a value", "X: \x1b[31m\r\n", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("DEL in a value", "X: a\x7f\r\n", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("a control in the second sixteen bytes", "X: 0123456789abcdef0123\x02\r\n", WEIR_H1_BAD_FIELD_VALUE),
    FIELDS("a tab in a value", "X: a\tb\r\n", WEIR_H1_OK),
    /* bytes above 0x7f */
    FIELDS("bytes above 0x7f in a value", "X: \x80\xa0\xff\xc3\xa9\r\n", WEIR_H1_OK),
    /* names */
    FIELDS("empty name", ": x\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("name with a byte above 0x7f", "X\xe9: y\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("name with [", "X[0]: y\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("name with ]", "X]: y\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("name with @", "X@: y\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("name with =", "X=: y\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("name with /", "X/: y\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("name with a quote", "X\": y\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("name with a comma", "X,: y\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("name with DEL", "X\x7f: y\r\n", WEIR_H1_BAD_FIELD_NAME),
    FIELDS("name with (", "X(: y\r\n", WEIR_H1_BAD_FIELD_NAME),
    /* lines without a colon, folded lines */
    FIELDS("no colon", "X y\r\n", WEIR_H1_NO_COLON),
    FIELDS("no colon, one word", "X\r\n", WEIR_H1_NO_COLON),
    FIELDS("no colon, odd byte", "X@y\r\n", WEIR_H1_NO_COLON),
    FIELDS("no colon, last byte is a space", "X \r\n", WEIR_H1_NO_COLON),
    LINE("SP before the first header", "GET / HTTP/1.1\r\n X: y", WEIR_H1_OBS_FOLD),
    LINE("HTAB before the first header", "GET / HTTP/1.1\r\n\tX: y", WEIR_H1_OBS_FOLD),
    FIELDS("obs-fold with SP", "X: y\r\n z\r\n", WEIR_H1_OBS_FOLD),
    FIELDS("obs-fold with HTAB", "X: y\r\n\tz\r\n", WEIR_H1_OBS_FOLD),
    FIELDS("obs-fold with nothing", "X: y\r\n \r\n", WEIR_H1_OBS_FOLD),
    /* Host */
    HEAD("no Host in 1.1", "GET / HTTP/1.1\r\n\r\n", WEIR_H1_NO_HOST),
    HEAD("no Host in 1.0", "GET / HTTP/1.0\r\n\r\n", WEIR_H1_OK),
    HEAD("two Hosts, same", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", WEIR_H1_TWO_HOSTS),
    HEAD("two Hosts, different", "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", WEIR_H1_TWO_HOSTS),
    HEAD("two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", WEIR_H1_TWO_HOSTS),
    HEAD("bad Host in 1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", WEIR_H1_BAD_HOST),
    HEAD("bad Host, absolute form", "GET http://a/ HTTP/1.1\r\nHost: a,b\r\n\r\n", WEIR_H1_BAD_HOST),
    HEAD("no Host, absolute form", "GET http://a/ HTTP/1.1\r\n\r\n", WEIR_H1_NO_HOST),
    HOST("Host empty", "", WEIR_H1_BAD_HOST),
    HOST("Host with comma", "a,b", WEIR_H1_BAD_HOST),
    HOST("Host with userinfo", "u@a", WEIR_H1_BAD_HOST),
    HOST("Host with path", "a/b", WEIR_H1_BAD_HOST),
    HOST("Host with SP", "a b", WEIR_H1_BAD_HOST),
    HOST("Host with NUL", "a\0b", WEIR_H1_BAD_FIELD_VALUE),
    HOST("Host with %0d", "a%0d", WEIR_H1_BAD_HOST),
    HOST("Host with bad port", "a:x", WEIR_H1_BAD_HOST),
    HOST("Host with [::1", "[::1", WEIR_H1_BAD_HOST),
    HOST("Host with #", "a#b", WEIR_H1_BAD_HOST),
    HOST("Host with ?", "a?b", WEIR_H1_BAD_HOST),
    HOST("Host with 0xe9", "\xe9", WEIR_H1_BAD_HOST),
    HOST("Host with backslash", "a\\b", WEIR_H1_BAD_HOST),
    HOST("Host, IPv6 and port", "[::1]:8080", WEIR_H1_OK),
};

static void
test_rows(const row_t *rows, size_t n)
{
    weir_request_head_t req;
    size_t            i;

    for (i = 0; i < n; i++) {
        is_int(parse(&req, &usual, rows[i].bytes, rows[i].len), rows[i].want, rows[i].name);
    }
}

static void
test_values(void)
{
    weir_request_head_t req;
    weir_field_t     *field;

    is_int(parse_z(&req,
                   "GET /a/b?c=d?e HTTP/1.1\r\nHost: Example.org:8080\r\nUser-Agent:\t x y \t\r\nEmpty:\r\n\r\nrest"),
           WEIR_H1_OK, "a plain GET");
    is_str(req.line, "GET /a/b?c=d?e HTTP/1.1", "its line");
    is_int(req.method, WEIR_METHOD_GET, "its method");
    is_str(req.target, "/a/b?c=d?e", "its target");
    is_str(req.path, "/a/b", "its path");
    is_str(req.query, "c=d?e", "its query");
    ok(req.has_query && req.form == WEIR_TARGET_ORIGIN, "its form");
    is_str(req.host, "Example.org", "its host, as written");
    is_int(req.port, 8080, "its port");
    ok(req.minor == 1 && req.keep_alive && !req.chunked && req.content_length == WEIR_LENGTH_NONE,
       "no body, kept alive");
    is_int(req.fields.n, 3, "its fields");
    field = weir_fields_first(&req.fields, WEIR_HEADER_USER_AGENT);
    ok(field != NULL, "a known field is found");
    is_str(field->value, "x y", "its value is trimmed");
    is_str(field->name, "User-Agent", "its name is as written");
    is_str(weir_fields_find(&req.fields, WEIR_STR("empty"))->value, "", "an empty value");

    is_int(parse_z(&req, "POST / HTTP/1.0\r\nContent-Length: 12\r\n\r\n"), WEIR_H1_OK, "HTTP/1.0");
    ok(req.minor == 0 && !req.keep_alive && req.host.len == 0 && req.content_length == 12, "not kept alive, no host");
    ok(!req.has_query && req.query.len == 0, "no query");
    is_int(parse_z(&req, "POST / HTTP/1.7\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"), WEIR_H1_OK, "HTTP/1.7");
    ok(req.minor == 1 && req.chunked && req.content_length == WEIR_LENGTH_NONE, "is 1.1, chunked");

    is_int(parse_z(&req, "GET http://Host:80?q HTTP/1.1\r\nHost: host\r\n\r\n"), WEIR_H1_OK,
           "absolute form without path");
    is_str(req.path, "/", "has path /");
    is_str(req.query, "q", "its query");
    is_str(req.scheme, "http", "its scheme");
    is_str(req.host, "Host", "the target's host");
    is_int(req.port, 80, "the target's port");
    is_int(parse_z(&req, "GET https://[::1]/x%2 HTTP/1.0\r\n\r\n"), WEIR_H1_OK, "absolute form in 1.0 without Host");
    is_str(req.host, "[::1]", "its host");
    is_str(req.path, "/x%2", "percent signs are for the normaliser");
    is_int(parse_z(&req, "GET / HTTP/1.1\r\nHost: a.b.\r\n\r\n"), WEIR_H1_OK, "a trailing dot");
    is_str(req.host, "a.b", "is taken off");

    is_int(parse_z(&req, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), WEIR_H1_BAD_HOST, "a refused head");
    is_str(req.line, "GET / HTTP/1.1", "has its line for the log");
}

static void
test_connection(void)
{
    weir_request_head_t req;

#define ASK(version, fields) parse_z(&req, "GET / HTTP/" version "\r\nHost: a\r\n" fields "\r\n")
    (void) ASK("1.1", "Connection: close\r\n");
    ok(!req.keep_alive, "1.1, close");
    (void) ASK("1.1", "Connection: Keep-Alive\r\nConnection: x , CLOSE\r\n");
    ok(!req.keep_alive, "1.1, close in the second line");
    (void) ASK("1.0", "Connection: keep-alive\r\n");
    ok(req.keep_alive, "1.0, keep-alive");
    (void) ASK("1.0", "Connection: keep-alive, close\r\n");
    ok(!req.keep_alive, "1.0, both");
    (void) ASK("1.1", "Connection: closed\r\n");
    ok(req.keep_alive, "1.1, closed is not close");
    (void) ASK("1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    ok(req.upgrade, "upgrade");
    (void) ASK("1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n");
    ok(!req.upgrade, "no upgrade in 1.0");
    (void) ASK("1.1", "Upgrade: websocket\r\n");
    ok(!req.upgrade, "no upgrade without Connection");
    (void) ASK("1.1", "Connection: upgrade\r\n");
    ok(!req.upgrade, "no upgrade without Upgrade");
    (void) ASK("1.1", "TE: deflate;q=0.5, Trailers\r\n");
    ok(req.te_trailers, "TE: trailers");
    (void) ASK("1.1", "TE: trailersx\r\n");
    ok(!req.te_trailers, "TE without trailers");

    /* Expect */
    (void) ASK("1.1", "Expect: 100-Continue\r\n");
    ok(req.expect_continue && !req.expect_unknown, "Expect");
    (void) ASK("1.1", "Expect: y 100-continue\r\n");
    ok(!req.expect_continue && req.expect_unknown, "another Expect");
    (void) ASK("1.1", "Expect: 100-continue, x\r\n");
    ok(!req.expect_continue && req.expect_unknown, "Expect with more");
    (void) ASK("1.1", "Expect: 100-continue\r\nExpect: x\r\n");
    ok(!req.expect_continue && req.expect_unknown, "Expect, and another one");
    (void) ASK("1.1", "Expect:\r\n");
    ok(!req.expect_continue && req.expect_unknown, "an empty Expect");
    (void) ASK("1.0", "Expect: 100-continue\r\n");
    ok(!req.expect_continue && !req.expect_unknown, "Expect in 1.0");
#undef ASK
}

static bool
is_hop(const weir_request_head_t *req, const char *name)
{
    return (weir_fields_find(&req->fields, weir_str_from_z(name))->flags & WEIR_FIELD_HOP) != 0;
}

/* fields that Connection names */
static void
test_hop_by_hop(void)
{
    weir_request_head_t req;
    char              head[1024];
    size_t            i, n;

    is_int(parse_z(&req, "GET / HTTP/1.1\r\nX-One: 1\r\nx-two: 2\r\nX-Two: 3\r\nx-three: 3\r\nAccept: x\r\n"
                         "Connection: close, X-ONE, x-two,accept\r\nTE: x\r\nTrailer: y\r\nKeep-Alive: 5\r\n"
                         "Upgrade: h2c\r\nHTTP2-Settings: z\r\nProxy-Connection: close\r\n"
                         "Transfer-Encoding: chunked\r\nHost: a\r\n\r\n"),
           WEIR_H1_OK, "hop-by-hop fields");
    ok(is_hop(&req, "x-one") && is_hop(&req, "x-two") && is_hop(&req, "accept"), "named by Connection");
    ok((weir_fields_next(&req.fields, weir_fields_find(&req.fields, WEIR_STR("X-Two")))->flags & WEIR_FIELD_HOP) != 0,
       "all lines of a name");
    ok(!is_hop(&req, "x-three") && !is_hop(&req, "host"), "not named");
    ok(is_hop(&req, "connection") && is_hop(&req, "te") && is_hop(&req, "trailer") && is_hop(&req, "keep-alive")
       && is_hop(&req, "upgrade") && is_hop(&req, "http2-settings") && is_hop(&req, "proxy-connection")
       && is_hop(&req, "transfer-encoding"), "by nature");

    is_int(parse_z(&req, "GET / HTTP/1.1\r\nConnection: host, content-length, authorization, x-forwarded-for,"
                         "X-Forwarded-Port, forwarded, x-real-ip, x-request-id, cookie\r\nHost: a\r\n"
                         "Content-Length: 5\r\nAuthorization: x\r\nX-Forwarded-For: x\r\nX-Forwarded-Port: 5\r\n"
                         "Forwarded: x\r\nX-Real-IP: x\r\nX-Request-ID: x\r\nCookie: x\r\n\r\n"),
           WEIR_H1_OK, "fields nobody can have removed");
    ok(!is_hop(&req, "host") && !is_hop(&req, "content-length") && !is_hop(&req, "authorization")
       && !is_hop(&req, "x-forwarded-for") && !is_hop(&req, "x-forwarded-port") && !is_hop(&req, "forwarded")
       && !is_hop(&req, "x-real-ip") && !is_hop(&req, "x-request-id") && !is_hop(&req, "cookie"), "are kept");

    n = (size_t) snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a\r\nConnection: ");
    for (i = 0; i < 65; i++) {
        n += (size_t) snprintf(head + n, sizeof(head) - n, "x%zu,", i);
    }
    snprintf(head + n, sizeof(head) - n, "\r\n\r\n");
    is_int(parse_z(&req, head), WEIR_H1_BAD_FIELD_VALUE, "Connection names 65 fields");
}

static void
test_odd_names(void)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nX_Under: 1\r\nX.Dot: 2\r\nX-Fine9: 3\r\n"
                               "Content_Length: 4\r\nTransfer.Encoding: chunked\r\ncontent!length: 5\r\n\r\n";
    weir_h1_options_t options = usual;
    weir_request_head_t req;

    is_int(parse(&req, &options, head, sizeof(head) - 1), WEIR_H1_OK, "odd names");
    ok(req.fields.n == 2 && req.dropped == 5, "are dropped");
    ok(req.content_length == WEIR_LENGTH_NONE && !req.chunked, "aliases mean nothing");
    options.underscores = true;
    (void) parse(&req, &options, head, sizeof(head) - 1);
    ok(weir_fields_find(&req.fields, WEIR_STR("x_under")) != NULL && req.fields.n == 3 && req.dropped == 4,
       "with underscores those stay");
    options.ignore_invalid = false;
    options.underscores = false;
    (void) parse(&req, &options, head, sizeof(head) - 1);
    ok(weir_fields_find(&req.fields, WEIR_STR("x.dot")) != NULL && req.fields.n == 4 && req.dropped == 3,
       "not ignored, they stay but for aliases of framing");
    is_int(parse(&req, &usual, "GET / HTTP/1.1\r\nHost: a\r\nX_Y: \x01\r\n\r\n", 35), WEIR_H1_BAD_FIELD_VALUE,
           "a dropped field must be well-formed");
}

static void
test_many_fields(void)
{
    weir_h1_options_t options = usual;
    weir_request_head_t req;
    char              head[4096];
    size_t            i, n;

    n = (size_t) snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a\r\n");
    for (i = 0; i < 299; i++) {
        n += (size_t) snprintf(head + n, sizeof(head) - n, "n%zu: v\r\n", i);
    }
    n += (size_t) snprintf(head + n, sizeof(head) - n, "\r\n");
    is_int(parse(&req, &options, head, n), WEIR_H1_OK, "300 fields");
    is_int(req.fields.n, 300, "all are there");
    is_str(weir_fields_find(&req.fields, WEIR_STR("N298"))->value, "v", "the last too");
    options.max_fields = 300;
    is_int(parse(&req, &options, head, n), WEIR_H1_OK, "as many as allowed");
    options.max_fields = 299;
    is_int(parse(&req, &options, head, n), WEIR_H1_TOO_MANY_FIELDS, "one too many");
}

/* What no scan lets through must not harm the parser. */
static void
test_unscanned(void)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    weir_request_head_t req;
    size_t            len, good = 0;

    for (len = 0; len < sizeof(head) - 1; len++) {
        free(memory);
        memory = malloc(len + 1);
        memcpy(memory, head, len);
        weir_arena_reset(&arena);
        good += weir_h1_parse_request(&req, &usual, weir_str(memory, len), &arena) == WEIR_H1_OK;
    }
    is_int(good, 0, "a head cut anywhere is refused");
    is_int(weir_h1_parse_request(&req, &usual, WEIR_STR("GET / HTTP/1.1\r\nHost: a\r\n\r\nX: y\r\n\r\n"), &arena),
           WEIR_H1_NO_COLON, "an empty line inside is refused");
    is_int(weir_h1_parse_request(&req, &usual, WEIR_STR("\n\r\n\r\n"), &arena), WEIR_H1_BAD_REQUEST_LINE, "LF first");
}

static void
test_methods(void)
{
    is_int(weir_method_parse(WEIR_STR("UNLOCK")), WEIR_METHOD_UNLOCK, "a known method");
    is_int(weir_method_parse(WEIR_STR("get")), WEIR_METHOD_OTHER, "methods have case");
    is_int(weir_method_parse(WEIR_STR("")), WEIR_METHOD_OTHER, "no method");
    ok(weir_method_is_safe(WEIR_METHOD_HEAD) && !weir_method_is_safe(WEIR_METHOD_POST)
       && !weir_method_is_safe(WEIR_METHOD_OTHER), "safe methods");
    ok(weir_method_is_idempotent(WEIR_METHOD_PUT) && weir_method_is_idempotent(WEIR_METHOD_GET)
       && !weir_method_is_idempotent(WEIR_METHOD_POST) && !weir_method_is_idempotent(WEIR_METHOD_PATCH)
       && !weir_method_is_idempotent(WEIR_METHOD_LOCK), "idempotent methods");
}

static void
test_reasons(void)
{
    unsigned i, missing = 0;

    for (i = 0; i < WEIR_H1_REASON_MAX; i++) {
        missing += weir_h1_reason_text((weir_h1_reason_t) i) == NULL;
    }
    is_int(missing, 0, "every reason has a text");
}

int
main(void)
{
    weir_arena_init(&arena, 4096);
    test_rows(framing_rows, weir_countof(framing_rows));
    test_rows(line_rows, weir_countof(line_rows));
    test_rows(field_rows, weir_countof(field_rows));
    test_values();
    test_connection();
    test_hop_by_hop();
    test_odd_names();
    test_many_fields();
    test_unscanned();
    test_methods();
    test_reasons();
    weir_arena_fini(&arena);
    free(memory);
    return done();
}
