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
#define DNS_RECORDS   256                 /* looked at */
#define DNS_CLASS_IN  1
#define DNS_TYPE_CNAME 5
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

/* The name in wire form, in lower case; its length. */
static size_t
dns_write_name(char *out, weir_str_t name)
{
    size_t n = 0;
    weir_str_t label;

    weir_assert(name.len <= WEIR_DNS_NAME_MAX + 1);     /* a name of a host: at most a dot behind it */
    if (name.len != 0 && name.at[name.len - 1] == '.') {
        name.len--;
    }
    for (bool more = true; more; ) {
        more = weir_str_cut(name, '.', &label, &name);
        out[n++] = (char) label.len;
        weir_assert(label.len <= 63);
        for (size_t i = 0; i < label.len; i++) {
            out[n++] = weir_char_lower(label.at[i]);
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
weir_dns_write_query(char *out, uint16_t id, weir_str_t name, weir_dns_type_t type)
{
    char *p = dns_put_u16(out, id);

    p = dns_put_u16(p, 0x0100);                      /* recursion desired */
    p = dns_put_u16(p, 1);
    p = dns_put_u16(p, 0);
    p = dns_put_u16(p, 0);
    p = dns_put_u16(p, 1);                           /* EDNS below */
    p += dns_write_name(p, name);
    p = dns_put_u16(p, type);
    p = dns_put_u16(p, DNS_CLASS_IN);
    *p++ = '\0';
    p = dns_put_u16(p, DNS_TYPE_OPT);
    p = dns_put_u16(p, WEIR_DNS_UDP_SIZE);
    memset(p, 0, 6);                                 /* no flags, no options */
    weir_assert((size_t) (p + 6 - out) <= WEIR_DNS_QUERY_MAX);
    return (size_t) (p + 6 - out);
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

static bool
dns_is_question(weir_str_t m, size_t *at, weir_str_t name, weir_dns_type_t type)
{
    char theirs[DNS_NAME_MAX], ours[DNS_NAME_MAX + 1];
    size_t n = dns_read_name(m, at, theirs), want = dns_write_name(ours, name);

    if (n != want || memcmp(theirs, ours, n) != 0 || m.len - *at < 4) {
        return false;
    }
    bool same = dns_u16(m.at + *at) == (unsigned) type && dns_u16(m.at + *at + 2) == DNS_CLASS_IN;
    *at += 4;
    return same;
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
        if (r.type == (unsigned) type && r.len == (type == WEIR_DNS_A ? 4u : 16u)) {
            dns_take_address(m, &r, answer);
            answer->ttl = (uint32_t) weir_min(answer->ttl, r.ttl);
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

/* The name as text, if it is one of a host. */
static void
dns_set_alias(weir_dns_answer_t *answer, const char *name, size_t name_len)
{
    char *out = answer->alias;
    size_t n = 0;

    for (size_t at = 0; at + 1 < name_len; at += (size_t) (unsigned char) name[at] + 1) {
        size_t len = (unsigned char) name[at];

        if (memchr(name + at + 1, '.', len) != NULL) {
            return;
        }
        if (n != 0) {
            out[n++] = '.';
        }
        memcpy(out + n, name + at + 1, len);
        n += len;
    }
    answer->alias_len = weir_dns_is_name(weir_str(out, n)) ? n : 0;
}

/* The records from `begin` on: addresses of `name` (wire form), which CNAMEs change.  Records may stand in any order:
 * once round for each CNAME. */
static bool
dns_follow(weir_str_t m, size_t begin, unsigned n_records, char *name, size_t name_len, weir_dns_type_t type,
           weir_dns_answer_t *answer)
{
    size_t before = answer->n;
    bool leads_on;

    answer->alias_len = 0;
    for (int hop = 0; hop <= DNS_CNAMES; hop++) {
        if (!dns_round(m, begin, n_records, name, &name_len, type, answer, &leads_on)) {
            return false;
        }
        if (!leads_on) {
            if (hop != 0 && answer->n == before) {
                dns_set_alias(answer, name, name_len);
            }
            return true;
        }
    }
    return true;                                     /* a circle: no address is at its end */
}

weir_dns_result_t
weir_dns_read_answer(weir_str_t m, uint16_t id, weir_str_t name, weir_dns_type_t type, weir_dns_answer_t *answer)
{
    size_t at = DNS_HEAD;
    char wire[DNS_NAME_MAX + 1];
    unsigned flags, n_records;

    if (m.len < DNS_HEAD || dns_u16(m.at) != id) {
        return WEIR_DNS_OTHER;
    }
    flags = dns_u16(m.at + 2);
    if ((flags & 0x8000) == 0 || (flags & 0x7800) != 0 || dns_u16(m.at + 4) != 1
        || !dns_is_question(m, &at, name, type))
    {
        return WEIR_DNS_OTHER;
    }
    if (flags & 0x0200) {
        return WEIR_DNS_TRUNCATED;
    }
    switch (flags & 15) {
    case 0: break;
    case 3: return WEIR_DNS_NO_NAME;
    default: return WEIR_DNS_FAILED;
    }
    n_records = dns_u16(m.at + 6);
    if (n_records > DNS_RECORDS) {
        return WEIR_DNS_MALFORMED;
    }
    return dns_follow(m, at, n_records, wire, dns_write_name(wire, name), type, answer) ? WEIR_DNS_OK
           : WEIR_DNS_MALFORMED;
}
