/*
 * dns.c - see dns.h.  Any process; allocates nothing.
 *
 * Threat: answers are forged, or made to be read for ever.  Only what answers the very question is read; names are
 * followed by pointers that lead backwards only, and CNAMEs so far and no further.
 */
#include "base/dns.h"

#include <string.h>

#define DNS_HEAD      12
#define DNS_NAME_MAX  255                 /* on the wire */
#define DNS_CNAMES    16
#define DNS_RECORDS   2048                /* looked at */
#define DNS_CLASS_IN  1
#define DNS_TYPE_CNAME 5
#define DNS_TYPE_SOA  6
#define DNS_TYPE_DNAME 39
#define DNS_TYPE_OPT  41

/* -- names -- */

bool
weir_dns_is_name(weir_str_t name)
{
    size_t label = 0;

    if (name.len != 0 && name.at[name.len - 1] == '.') {
        name.len--;
    }
    if (name.len == 0 || name.len > 253) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];

        if (c == '.') {
            if (label == 0) {
                return false;
            }
            label = 0;
            continue;
        }
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
            || ++label > 63)
        {
            return false;
        }
    }
    return label != 0;
}

/* The name in wire form, in lower case but for the letters that `upper` (NULL: none) has a bit for; its length. */
static size_t
dns_write_name(char *out, weir_str_t name, const uint8_t *upper)
{
    size_t n = 0, at = 0;
    weir_str_t label;

    weir_assert(name.len <= WEIR_DNS_NAME_MAX + 1);     /* a name of a host: at most a dot behind it */
    if (name.len != 0 && name.at[name.len - 1] == '.') {
        name.len--;
    }
    for (bool more = true; more; ) {
        more = weir_str_cut(name, '.', &label, &name);
        at += n != 0;                       /* the dot */
        out[n++] = (char) label.len;
        weir_assert(label.len <= 63);
        for (size_t i = 0; i < label.len; i++, at++) {
            char c = weir_char_lower(label.at[i]);
            bool is_upper = upper != NULL && (upper[at / 8 % 32] >> (at % 8) & 1) != 0 && c >= 'a' && c <= 'z';

            out[n++] = is_upper ? (char) (c - 'a' + 'A') : c;
        }
    }
    out[n++] = '\0';
    return n;
}

/* Reads a name at *at of the message, in lower case and wire form, into out (DNS_NAME_MAX bytes); 0: malformed.  *at
 * goes behind it. */
static size_t
dns_read_name(weir_str_t m, size_t *at, char *out)
{
    size_t pos = *at, limit = *at, n = 0;
    bool has_jumped = false;

    weir_assert(*at <= m.len);
    for ( ;; ) {
        if (pos >= m.len) {
            return 0;
        }
        size_t len = (unsigned char) m.at[pos];
        if ((len & 0xc0) == 0xc0) {         /* a pointer: to before where this name began, so that it comes to an end */
            if (m.len - pos < 2) {
                return 0;
            }
            size_t to = (len & 0x3f) << 8 | (unsigned char) m.at[pos + 1];
            if (!has_jumped) {
                *at = pos + 2;
                has_jumped = true;
            }
            if (to >= limit) {
                return 0;
            }
            pos = limit = to;
            continue;
        }
        if (len > 63 || m.len - pos < len + 1 || n + len + 1 > DNS_NAME_MAX) {
            return 0;
        }
        out[n++] = (char) len;
        for (size_t i = 0; i < len; i++) {
            out[n++] = weir_char_lower(m.at[pos + 1 + i]);
        }
        pos += len + 1;
        if (len == 0) {
            break;
        }
    }
    if (!has_jumped) {
        *at = pos;
    }
    return n;
    weir_assert(n != 0 && n <= DNS_NAME_MAX && *at <= m.len);
}

/* -- questions -- */

static char *
dns_put_u16(char *out, unsigned value)
{
    out[0] = (char) (value >> 8);
    out[1] = (char) value;
    return out + 2;
}

static unsigned
dns_u16(const char *at)
{
    return (unsigned) (unsigned char) at[0] << 8 | (unsigned char) at[1];
}

size_t
weir_dns_write_query(char *out, const weir_dns_question_t *question)
{
    char *p = dns_put_u16(out, question->id);

    p = dns_put_u16(p, 0x0100);                      /* recursion desired */
    p = dns_put_u16(p, 1);
    p = dns_put_u16(p, 0);
    p = dns_put_u16(p, 0);
    p = dns_put_u16(p, question->is_plain ? 0 : 1);  /* EDNS below */
    p += dns_write_name(p, question->name, question->upper);
    p = dns_put_u16(p, question->type);
    p = dns_put_u16(p, DNS_CLASS_IN);
    if (!question->is_plain) {
        *p++ = '\0';
        p = dns_put_u16(p, DNS_TYPE_OPT);
        p = dns_put_u16(p, WEIR_DNS_UDP_SIZE);
        memset(p, 0, 6);                             /* no flags, no options */
        p += 6;
    }
    weir_assert((size_t) (p - out) <= WEIR_DNS_QUERY_MAX);
    return (size_t) (p - out);
}

/* -- answers -- */

typedef struct { char owner[DNS_NAME_MAX]; size_t owner_len; unsigned type, class; uint32_t ttl; size_t data, len;
                 } dns_record_t;

static bool
dns_read_record(weir_str_t m, size_t *at, dns_record_t *r)
{
    r->owner_len = dns_read_name(m, at, r->owner);
    if (r->owner_len == 0 || m.len - *at < 10) {
        return false;
    }
    r->type = dns_u16(m.at + *at);
    r->class = dns_u16(m.at + *at + 2);
    r->ttl = (uint32_t) dns_u16(m.at + *at + 4) << 16 | dns_u16(m.at + *at + 6);
    r->len = dns_u16(m.at + *at + 8);
    r->data = *at + 10;
    if (m.len - r->data < r->len) {
        return false;
    }
    *at = r->data + r->len;
    return true;
}

/* OK: it is, letter by letter · OTHER_CASE · OTHER. */
static weir_dns_result_t
dns_is_question(weir_str_t m, size_t *at, const weir_dns_question_t *question)
{
    char theirs[DNS_NAME_MAX], ours[DNS_NAME_MAX + 1];
    size_t begin = *at, n = dns_read_name(m, at, theirs), want = dns_write_name(ours, question->name, NULL);
    bool same;

    if (n != want || memcmp(theirs, ours, n) != 0 || m.len - *at < 4 || *at - begin != n) {
        return WEIR_DNS_OTHER;
    }
    same = dns_u16(m.at + *at) == (unsigned) question->type && dns_u16(m.at + *at + 2) == DNS_CLASS_IN;
    *at += 4;
    (void) dns_write_name(ours, question->name, question->upper);
    return !same ? WEIR_DNS_OTHER
           : question->any_case || memcmp(m.at + begin, ours, n) == 0 ? WEIR_DNS_OK : WEIR_DNS_OTHER_CASE;
}

static void
dns_take_address(weir_str_t m, const dns_record_t *r, weir_dns_answer_t *answer)
{
    weir_dns_address_t *address;

    if (answer->n == WEIR_DNS_ADDRESSES) {
        return;
    }
    address = &answer->at[answer->n++];
    address->len = (uint8_t) r->len;
    memcpy(address->bytes, m.at + r->data, r->len);
}

/* One that is whole: its target ends where the record does. */
static void
dns_take_service(weir_str_t m, const dns_record_t *r, weir_dns_answer_t *answer)
{
    char target[DNS_NAME_MAX];
    size_t at = r->data + 6;

    if (answer->n_services == WEIR_DNS_SERVICES || r->len < 7 || dns_read_name(m, &at, target) == 0
        || at != r->data + r->len)
    {
        return;
    }
    answer->services[answer->n_services++] = (weir_dns_service_t) {
        .priority = (uint16_t) dns_u16(m.at + r->data), .weight = (uint16_t) dns_u16(m.at + r->data + 2),
        .port = (uint16_t) dns_u16(m.at + r->data + 4), .target = (uint16_t) (r->data + 6),
    };
}

/* A record of what was asked for. */
static void
dns_take(weir_str_t m, const dns_record_t *r, weir_dns_type_t type, weir_dns_answer_t *answer)
{
    if (type == WEIR_DNS_SRV) {
        dns_take_service(m, r, answer);
    } else if (r->len == (type == WEIR_DNS_A ? 4u : 16u)) {
        dns_take_address(m, r, answer);
    } else {
        return;
    }
    answer->ttl = (uint32_t) weir_min(answer->ttl, r->ttl);
}

/* A DNAME (RFC 6672 §2.2): what is below its owner is the same below its target.  name is changed; its new length, 0:
 * the record says nothing of it. */
static size_t
dns_below(weir_str_t m, const dns_record_t *r, char *name, size_t name_len)
{
    char target[DNS_NAME_MAX];
    size_t at = r->data, kept = 0, n;

    while (kept < name_len && name_len - kept > r->owner_len) {
        kept += (size_t) (unsigned char) name[kept] + 1;
    }
    if (kept == 0 || name_len - kept != r->owner_len || memcmp(name + kept, r->owner, r->owner_len) != 0) {
        return 0;
    }
    n = dns_read_name(m, &at, target);
    if (n == 0 || kept + n > DNS_NAME_MAX) {
        return 0;
    }
    memcpy(name + kept, target, n);
    return kept + n;
}

/* One round over the records: addresses of `name` are taken; where it leads to is in name and *name_len then.  false:
 * malformed. */
static bool
dns_round(weir_str_t m, size_t at, unsigned n_records, char *name, size_t *name_len, weir_dns_type_t type,
          weir_dns_answer_t *answer, bool *leads_on)
{
    char below[DNS_NAME_MAX + 1];
    size_t alias = 0, below_len = 0, was = *name_len;
    dns_record_t r;

    for (unsigned i = 0; i < n_records; i++) {
        if (!dns_read_record(m, &at, &r)) {
            return false;
        }
        if (r.class == DNS_CLASS_IN && r.type == DNS_TYPE_DNAME && below_len == 0) {
            memcpy(below, name, was);
            below_len = dns_below(m, &r, below, was);
            answer->ttl = below_len != 0 ? (uint32_t) weir_min(answer->ttl, r.ttl) : answer->ttl;
        }
        if (r.class != DNS_CLASS_IN || r.owner_len != was || memcmp(r.owner, name, was) != 0) {
            continue;
        }
        if (r.type == (unsigned) type) {
            dns_take(m, &r, type, answer);
        } else if (r.type == DNS_TYPE_CNAME) {
            alias = r.data;
            answer->ttl = (uint32_t) weir_min(answer->ttl, r.ttl);
        }
    }
    *leads_on = alias != 0 || below_len != 0;
    if (alias != 0) {
        *name_len = dns_read_name(m, &alias, name);
        return *name_len != 0;
    }
    if (below_len != 0) {
        memcpy(name, below, below_len);
        *name_len = below_len;
    }
    return true;
}

/* A name in wire form as text, if it is one of a host; its length, 0: it is not. */
static size_t
dns_text(const char *name, size_t name_len, char out[WEIR_DNS_NAME_MAX + 2])
{
    size_t n = 0;

    for (size_t at = 0; at + 1 < name_len; at += (size_t) (unsigned char) name[at] + 1) {
        size_t len = (unsigned char) name[at];

        if (memchr(name + at + 1, '.', len) != NULL) {
            return 0;
        }
        if (n != 0) {
            out[n++] = '.';
        }
        memcpy(out + n, name + at + 1, len);
        n += len;
    }
    return weir_dns_is_name(weir_str(out, n)) ? n : 0;
}

size_t
weir_dns_read_host(weir_str_t m, uint16_t where, char out[WEIR_DNS_NAME_MAX + 2])
{
    char name[DNS_NAME_MAX];
    size_t at = where, n = at <= m.len ? dns_read_name(m, &at, name) : 0;

    return n != 0 ? dns_text(name, n, out) : 0;
}

/* The records from `begin` on: addresses of `name` (wire form), which CNAMEs change.  Records may stand in any order:
 * once round for each CNAME. */
static bool
dns_follow(weir_str_t m, size_t begin, unsigned n_records, char *name, size_t name_len, weir_dns_type_t type,
           weir_dns_answer_t *answer)
{
    size_t before = answer->n + answer->n_services;
    bool leads_on;

    answer->alias_len = 0;
    for (int hop = 0; hop <= DNS_CNAMES; hop++) {
        if (!dns_round(m, begin, n_records, name, &name_len, type, answer, &leads_on)) {
            return false;
        }
        if (!leads_on) {
            if (hop != 0 && answer->n + answer->n_services == before) {
                answer->alias_len = dns_text(name, name_len, answer->alias);
            }
            return true;
        }
    }
    return true;                                     /* a circle: no address is at its end */
}

/* How long it holds that there is nothing: of the SOA behind the answers (RFC 2308 §5), 0: there is none. */
static uint32_t
dns_negative_ttl(weir_str_t m, size_t at, unsigned n_answers, unsigned n_authority)
{
    char skipped[DNS_NAME_MAX];
    dns_record_t r;

    for (unsigned i = 0; i < n_answers + n_authority && i < DNS_RECORDS; i++) {
        if (!dns_read_record(m, &at, &r)) {
            return 0;
        }
        size_t end = r.data;
        if (i < n_answers || r.type != DNS_TYPE_SOA || r.class != DNS_CLASS_IN) {
            continue;
        }
        if (dns_read_name(m, &end, skipped) == 0 || dns_read_name(m, &end, skipped) == 0
            || end + 20 != r.data + r.len)
        {
            return 0;
        }
        uint32_t minimum = (uint32_t) dns_u16(m.at + end + 16) << 16 | dns_u16(m.at + end + 18);
        return (uint32_t) weir_min(minimum, r.ttl);
    }
    return 0;
}

/* NO_EDNS: what is said of a question that was not understood (RFC 6891 §7). */
static weir_dns_result_t
dns_code(unsigned flags, bool is_plain)
{
    switch (flags & 15) {
    case 0: return WEIR_DNS_OK;
    case 3: return WEIR_DNS_NO_NAME;
    case 1: case 4: return is_plain ? WEIR_DNS_FAILED : WEIR_DNS_NO_EDNS;
    default: return WEIR_DNS_FAILED;
    }
}

weir_dns_result_t
weir_dns_read_answer(weir_str_t m, const weir_dns_question_t *question, weir_dns_answer_t *answer)
{
    size_t at = DNS_HEAD;
    char wire[DNS_NAME_MAX + 1];
    unsigned flags, n_records;
    weir_dns_result_t result;

    if (m.len < DNS_HEAD || m.len > UINT16_MAX || dns_u16(m.at) != question->id) {
        return WEIR_DNS_OTHER;
    }
    flags = dns_u16(m.at + 2);
    if (m.len == DNS_HEAD && (flags & 0x800f) == 0x8001 && dns_u16(m.at + 4) == 0) {
        return question->is_plain ? WEIR_DNS_FAILED : WEIR_DNS_NO_EDNS;      /* of one that could not read it at all */
    }
    if ((flags & 0x8000) == 0 || (flags & 0x7800) != 0 || dns_u16(m.at + 4) != 1) {
        return WEIR_DNS_OTHER;
    }
    result = dns_is_question(m, &at, question);
    if (result != WEIR_DNS_OK) {
        return result;
    }
    if (flags & 0x0200) {
        return WEIR_DNS_TRUNCATED;
    }
    n_records = dns_u16(m.at + 6);
    result = n_records > DNS_RECORDS ? WEIR_DNS_MALFORMED : dns_code(flags, question->is_plain);
    answer->negative_ttl = dns_negative_ttl(m, at, n_records, dns_u16(m.at + 8));
    if (result != WEIR_DNS_OK) {
        return result;
    }
    return dns_follow(m, at, n_records, wire, dns_write_name(wire, question->name, NULL), question->type, answer)
           ? WEIR_DNS_OK : WEIR_DNS_MALFORMED;
}
