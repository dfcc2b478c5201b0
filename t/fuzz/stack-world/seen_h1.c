/*
 * seen_h1.c - reads what Weir wrote over HTTP/1.1, more strictly than it reads itself (RFC 9112).
 *
 * A client's reader knows how many requests were sent and by which methods: exactly one final answer each, in order,
 * with the body that its head promised, nothing behind a "Connection: close".  An upstream's reader takes every byte
 * for a request or its body: a head with one Host, one way to tell a length, and Weir's id of the request.
 */
#define _GNU_SOURCE 1

#include "world.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

typedef struct {
    bool     has_length, is_chunked, closes, upgrades, has_coding;
    uint64_t length;
    size_t   hosts, ids, tags;
    uint32_t tag, answer;
} seen_head_t;

static void
seen_h1_bad(const seen_t *seen, const char *what)
{
    fprintf(stderr, "read so far: %.*s\n", (int) weir_min(seen->len, (size_t) 2000), seen->bytes);
    world_fail("%s: %s", seen->is_client ? "an answer" : "a request upstream", what);
}

static void
seen_take(seen_t *seen, size_t n)
{
    memmove(seen->bytes, seen->bytes + n, seen->len - n);
    seen->len -= n;
}

/* -- heads -- */

static bool
seen_is_token(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char) at[i]) && strchr("!#$%&'*+-.^_`|~", at[i]) == NULL) {
            return false;
        }
    }
    return len != 0;
}

static bool
seen_is(const char *at, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(at, word, len) == 0;
}

static uint64_t
seen_number(const seen_t *seen, const char *at, size_t len)
{
    uint64_t n = 0;

    if (len == 0 || len > 18) {
        seen_h1_bad(seen, "a length of no digits or too many");
    }
    for (size_t i = 0; i < len; i++) {
        if (at[i] < '0' || at[i] > '9') {
            seen_h1_bad(seen, "a length that is no number");
        }
        n = n * 10 + (uint64_t) (at[i] - '0');
    }
    return n;
}

static void
seen_field(const seen_t *seen, seen_head_t *head, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t name = colon != NULL ? (size_t) (colon - line) : 0, value_len;
    const char *value;

    if (!seen_is_token(line, name)) {
        seen_h1_bad(seen, "a field without a name");
    }
    for (size_t i = 0; i < len; i++) {
        if (((unsigned char) line[i] < 32 && line[i] != '\t') || line[i] == 127) {
            seen_h1_bad(seen, "a control byte in a field");
        }
    }
    value = colon + 1;
    value_len = len - name - 1;
    while (value_len != 0 && *value == ' ') {
        value++;
        value_len--;
    }
    if (seen_is(line, name, "content-length")) {
        if (head->has_length) {
            seen_h1_bad(seen, "two lengths");
        }
        head->has_length = true;
        head->length = seen_number(seen, value, value_len);
    } else if (seen_is(line, name, "transfer-encoding")) {
        if (head->is_chunked || !seen_is(value, value_len, "chunked")) {
            seen_h1_bad(seen, "a transfer coding that is not chunked, or two");
        }
        head->is_chunked = true;
    } else if (seen_is(line, name, "connection")) {
        head->closes = head->closes || seen_is(value, value_len, "close");
        head->upgrades = head->upgrades || seen_is(value, value_len, "upgrade");
    } else if (seen_is(line, name, "host")) {
        head->hosts++;
    } else if (seen_is(line, name, "x-weir-id")) {
        head->ids += value_len == 32 ? 1 : 2;
    } else if (seen_is(line, name, "x-tag")) {
        head->tags++;
        head->tag = ledger_read_number(value, value_len);
    } else if (seen_is(line, name, "x-answer")) {
        head->answer = ledger_read_number(value, value_len);
    } else if (seen_is(line, name, "content-encoding")) {
        head->has_coding = true;
    }
}

static void
seen_fields(const seen_t *seen, seen_head_t *head, const char *at, const char *end)
{
    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t) (end - at));
        if (lf == NULL || lf == at || lf[-1] != '\r') {
            seen_h1_bad(seen, "a line that does not end in CRLF");
        }
        seen_field(seen, head, at, (size_t) (lf - 1 - at));
        at = lf + 1;
    }
    if (head->has_length && head->is_chunked) {
        seen_h1_bad(seen, "a length and a coding");
    }
}

/* -- an answer -- */

static void
seen_answer(seen_t *seen, const seen_head_t *head, unsigned status)
{
    char method = seen->n_asked != 0 ? seen->asked[0].method : '?';
    bool is_empty = method == 'H' || status == 204 || status == 304;

    if (status == 101) {
        seen->state = SEEN_TUNNEL;
        return;
    }
    if (status < 200) {
        if (head->has_length || head->is_chunked) {
            seen_h1_bad(seen, "an interim answer with a body");
        }
        return;
    }
    if (seen->n_asked == 0) {
        seen_h1_bad(seen, "an answer to no request");
    }
    ledger_final(seen->asked[0].tag, status, head->answer, &seen->body, is_empty || status == 206 || head->has_coding);
    memmove(seen->asked, seen->asked + 1, --seen->n_asked * sizeof(seen->asked[0]));
    seen->finals++;
    world.finals_seen++;
    seen->closes = head->closes;
    if (is_empty) {
        if (status == 204 && (head->has_length || head->is_chunked)) {
            seen_h1_bad(seen, "204 with a length");
        }
        seen->state = seen->closes ? SEEN_CLOSED : SEEN_HEAD;
    } else if (head->is_chunked) {
        seen->state = SEEN_CHUNK;
    } else if (head->has_length) {
        seen->left = head->length;
        seen->state = SEEN_LENGTH;          /* of none, too */
    } else {
        seen->state = SEEN_TO_CLOSE;
    }
}

static void
seen_status_line(seen_t *seen, const char *line_end, const seen_head_t *head)
{
    const char *at = seen->bytes;

    if (line_end - at < 13 || memcmp(at, "HTTP/1.1 ", 9) != 0 || !isdigit((unsigned char) at[9])
        || !isdigit((unsigned char) at[10])
        || !isdigit((unsigned char) at[11]) || at[12] != ' ' || at[9] == '0')
    {
        seen_h1_bad(seen, "no status line");
    }
    seen_answer(seen, head, (unsigned) (at[9] - '0') * 100 + (unsigned) (at[10] - '0') * 10
                + (unsigned) (at[11] - '0'));
}

/* -- a request -- */

/* A question of Weir's own, which no request has an id for. */
static bool
seen_is_own(const char *target, const char *end)
{
    return end - target > 5 && memcmp(target, "/own/", 5) == 0;
}

static void
seen_request_line(seen_t *seen, const char *line_end, const seen_head_t *head)
{
    const char *at = seen->bytes, *space = memchr(at, ' ', (size_t) (line_end - at)), *last;

    if (space == NULL || !seen_is_token(at, (size_t) (space - at)) || line_end - space < 11 || space[1] != '/') {
        seen_h1_bad(seen, "no request line");
    }
    last = line_end - 9;
    if (memcmp(last, " HTTP/1.", 8) != 0 || memchr(space + 1, ' ', (size_t) (last - space - 1)) != NULL) {
        seen_h1_bad(seen, "a request line of more than three words, or of another version");
    }
    if (head->hosts != 1 || (head->ids != 1 && (head->ids != 0 || !seen_is_own(space + 1, last)))) {
        seen_h1_bad(seen, "not one Host, or not one id of Weir's");
    }
    if (head->tags > 1) {
        seen_h1_bad(seen, "fields of two requests");
    }
    world.requests_seen++;
    seen->tag = head->tag;
    seen->method = at[0];
    seen->n_asked++;
    ledger_upstream(head->tag, &seen->body);
    if (head->is_chunked) {
        seen->state = SEEN_CHUNK;
    } else if (head->has_length && head->length != 0) {
        seen->left = head->length;
        seen->state = SEEN_LENGTH;
    } else {
        ledger_body_ends(false, &seen->body);
    }
}

/* -- one thing after another; false: more is needed -- */

static bool
seen_one_head(seen_t *seen)
{
    const char *end = memmem(seen->bytes, seen->len, "\r\n\r\n", 4), *line;
    seen_head_t head = { .length = 0 };

    if (end == NULL) {
        return false;
    }
    line = memmem(seen->bytes, seen->len, "\r\n", 2);
    seen_fields(seen, &head, line + 2, end + 2);
    if (seen->is_client) {
        seen_status_line(seen, line, &head);
    } else {
        seen_request_line(seen, line, &head);
    }
    seen_take(seen, (size_t) (end + 4 - seen->bytes));
    return true;
}

static void
seen_body_done(seen_t *seen)
{
    ledger_body_ends(seen->is_client, &seen->body);
    seen->state = seen->is_client && seen->closes ? SEEN_CLOSED : SEEN_HEAD;
}

static bool
seen_length(seen_t *seen)
{
    size_t n = weir_min(seen->left, seen->len);

    ledger_body(seen->is_client, &seen->body, seen->bytes, n);
    seen_take(seen, n);
    seen->left -= n;
    if (seen->left == 0 && seen->state == SEEN_LENGTH) {
        seen_body_done(seen);
    } else if (seen->left == 0) {
        seen->state = SEEN_CHUNK_END;
    }
    return n != 0 || seen->left == 0;
}

/* Weir makes chunks anew: digits, nothing else. */
static bool
seen_chunk(seen_t *seen)
{
    size_t digits = 0;

    while (digits < seen->len && isxdigit((unsigned char) seen->bytes[digits])) {
        digits++;
    }
    if (digits > 15 || (digits < seen->len && (digits == 0 || seen->bytes[digits] != '\r'))
        || (digits + 1 < seen->len && seen->bytes[digits + 1] != '\n'))
    {
        seen_h1_bad(seen, "no size of a chunk");
    }
    if (digits + 2 > seen->len) {
        return false;
    }
    seen->left = strtoull(seen->bytes, NULL, 16);
    seen->state = seen->left != 0 ? SEEN_CHUNK_DATA : SEEN_TRAILERS;
    seen_take(seen, digits + 2);
    return true;
}

static bool
seen_chunk_end(seen_t *seen)
{
    if (seen->len < 2) {
        return false;
    }
    if (memcmp(seen->bytes, "\r\n", 2) != 0) {
        seen_h1_bad(seen, "a chunk that does not end in CRLF");
    }
    seen_take(seen, 2);
    seen->state = SEEN_CHUNK;
    return true;
}

static bool
seen_trailers(seen_t *seen)
{
    const char *end;
    seen_head_t head = { .length = 0 };

    if (seen->len >= 2 && memcmp(seen->bytes, "\r\n", 2) == 0) {
        seen_take(seen, 2);
        seen_body_done(seen);
        return true;
    }
    end = memmem(seen->bytes, seen->len, "\r\n\r\n", 4);
    if (end == NULL) {
        return false;
    }
    seen_fields(seen, &head, seen->bytes, end + 2);
    if (head.has_length || head.is_chunked || head.hosts != 0) {
        seen_h1_bad(seen, "framing in a trailer");
    }
    seen_take(seen, (size_t) (end + 4 - seen->bytes));
    seen_body_done(seen);
    return true;
}

static bool
seen_one(seen_t *seen)
{
    switch (seen->state) {
    case SEEN_HEAD: return seen_one_head(seen);
    case SEEN_LENGTH: case SEEN_CHUNK_DATA: return seen_length(seen);
    case SEEN_CHUNK: return seen_chunk(seen);
    case SEEN_CHUNK_END: return seen_chunk_end(seen);
    case SEEN_TRAILERS: return seen_trailers(seen);
    case SEEN_TO_CLOSE:
        ledger_body(seen->is_client, &seen->body, seen->bytes, seen->len);
        seen->len = 0;
        return false;
    case SEEN_TUNNEL:
        seen->len = 0;
        return false;
    case SEEN_CLOSED:
        seen_h1_bad(seen, "bytes behind an answer that said close");
    }
    return false;
}

void
seen_h1_read(seen_t *seen)
{
    while ((seen->len != 0 || (seen->state == SEEN_LENGTH && seen->left == 0)) && seen_one(seen)) { }
}
