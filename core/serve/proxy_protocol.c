/*
 * proxy_protocol.c - see proxy_protocol.h.  Runs in workers.
 *
 * Threat: the bytes are of any client that connects.  Lengths are checked before what they count; nothing is kept of a
 * header that is not whole.
 */
#include "serve/proxy_protocol.h"

#include <string.h>

#define PROXIED_V1_MAX  107               /* with its CRLF */
#define PROXIED_V2_HEAD 16
#define PROXIED_SSL_HEAD 5                /* of the TLV: a byte of bits, four of verify */

enum { TLV_ALPN = 0x01, TLV_AUTHORITY = 0x02, TLV_UNIQUE_ID = 0x05, TLV_SSL = 0x20, TLV_NETNS = 0x30 };
enum {
    TLV_SSL_VERSION = 0x21,
    TLV_SSL_CN = 0x22,
    TLV_SSL_CIPHER = 0x23,
    TLV_SSL_SIG_ALG = 0x24,
    TLV_SSL_KEY_ALG = 0x25
};

static const char proxied_v2[12] = { '\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

static unsigned
proxied_u16(const char *at)
{
    return (unsigned) (unsigned char) at[0] << 8 | (unsigned char) at[1];
}

/* -- version 1: a line -- */

static bool
proxied_port(weir_str_t text, uint16_t *port)
{
    uint64_t n;

    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.at[0] == '0') || !weir_str_to_u64(text, &n) || n > 65535)
    {
        return false;
    }
    *port = (uint16_t) n;
    return true;
}

static bool
proxied_line(weir_str_t line, weir_proxied_t *proxied)
{
    weir_str_t words[6], rest = line;
    uint16_t from, to;
    size_t n = 0;
    bool more = true;

    while (more && n < weir_countof(words)) {
        more = weir_str_cut(rest, ' ', &words[n], &rest);
        n++;
    }
    if (n >= 2 && weir_str_eq(words[1], WEIR_STR("UNKNOWN"))) {
        return true;
    }
    if (n != 6 || more || !proxied_port(words[4], &from) || !proxied_port(words[5], &to)) {
        return false;
    }
    bool is_v6 = weir_str_eq(words[1], WEIR_STR("TCP6"));
    if ((!is_v6 && !weir_str_eq(words[1], WEIR_STR("TCP4"))) || weir_str_find(words[2], '[') != NULL
        || weir_str_find(words[3], '[') != NULL)
    {
        return false;
    }
    return weir_addr_from_ip(&proxied->source, words[2], from) && weir_addr_from_ip(&proxied->destination, words[3], to)
        && proxied->source.any.sa_family == (is_v6 ? AF_INET6 : AF_INET)
        && proxied->destination.any.sa_family == proxied->source.any.sa_family;
}

static weir_proxied_result_t
proxied_read_v1(weir_str_t data, weir_proxied_t *proxied, size_t *used)
{
    size_t most = weir_min(data.len, (size_t) PROXIED_V1_MAX);
    const char *end = memchr(data.at, '\n', most);

    if (end == NULL) {
        return most == PROXIED_V1_MAX ? WEIR_PROXIED_BAD : WEIR_PROXIED_MORE;
    }
    *used = (size_t) (end - data.at) + 1;
    weir_assert(*used <= data.len);
    if (*used < 2 || end[-1] != '\r' || !proxied_line(weir_str(data.at, *used - 2), proxied)) {
        return WEIR_PROXIED_BAD;
    }
    return WEIR_PROXIED_DONE;
}

/* -- version 2: binary -- */

static bool
proxied_v2_addresses(weir_str_t *rest, unsigned family, weir_proxied_t *proxied)
{
    size_t size = family == 0x1 ? 4 : 16, unix_size = 108;

    if (family == 0x3) {                       /* both ends' paths: of no use as an address */
        if (rest->len < 2 * unix_size) {
            return false;
        }
        *rest = weir_str_skip(*rest, 2 * unix_size);
        return true;
    }
    if (rest->len < 2 * size + 4) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        weir_addr_t *addr = i == 0 ? &proxied->source : &proxied->destination;
        const char *ip = rest->at + i * size;

        memset(addr, 0, sizeof(*addr));
        if (family == 0x1) {
            addr->v4.sin_family = AF_INET;
            memcpy(&addr->v4.sin_addr, ip, size);
            addr->len = sizeof(addr->v4);
        } else {
            addr->v6.sin6_family = AF_INET6;
            memcpy(&addr->v6.sin6_addr, ip, size);
            addr->len = sizeof(addr->v6);
        }
        weir_addr_set_port(addr, (uint16_t) proxied_u16(rest->at + 2 * size + 2 * i));
    }
    *rest = weir_str_skip(*rest, 2 * size + 4);
    return true;
}

/* Takes the first of a row; false: it is not whole. */
static bool
proxied_next_tlv(weir_str_t *tlvs, unsigned *type, weir_str_t *value)
{
    size_t len;

    if (tlvs->len < 3) {
        return false;
    }
    *type = (unsigned char) tlvs->at[0];
    len = proxied_u16(tlvs->at + 1);
    if (tlvs->len - 3 < len) {
        return false;
    }
    *value = weir_str(tlvs->at + 3, len);
    *tlvs = weir_str_skip(*tlvs, 3 + len);
    return true;
}

static bool
proxied_tlvs_are_whole(weir_str_t tlvs)
{
    weir_str_t value;
    unsigned type;

    while (tlvs.len != 0) {
        if (!proxied_next_tlv(&tlvs, &type, &value)) {
            return false;
        }
    }
    return true;
}

static weir_proxied_result_t
proxied_read_v2(weir_str_t data, weir_proxied_t *proxied, size_t *used)
{
    unsigned command, family, transport;
    weir_str_t rest;
    size_t len;

    if (data.len < PROXIED_V2_HEAD) {
        return WEIR_PROXIED_MORE;
    }
    command = (unsigned char) data.at[12];
    family = (unsigned char) data.at[13] >> 4;
    transport = (unsigned char) data.at[13] & 15;
    len = proxied_u16(data.at + 14);
    if (command >> 4 != 2 || (command & 15) > 1 || family > 3 || transport > 2
        || PROXIED_V2_HEAD + len > WEIR_PROXY_PROTOCOL_MAX)
    {
        return WEIR_PROXIED_BAD;
    }
    if (data.len - PROXIED_V2_HEAD < len) {
        return WEIR_PROXIED_MORE;
    }
    *used = PROXIED_V2_HEAD + len;
    weir_assert(*used <= data.len && *used <= WEIR_PROXY_PROTOCOL_MAX);
    rest = weir_str(data.at + PROXIED_V2_HEAD, len);
    /* LOCAL, or of nothing we know: the connected address is the client's */
    if ((command & 15) == 0 || family == 0 || transport != 1) {
        return WEIR_PROXIED_DONE;
    }
    if (!proxied_v2_addresses(&rest, family, proxied) || !proxied_tlvs_are_whole(rest)) {
        return WEIR_PROXIED_BAD;
    }
    proxied->tlvs = rest;
    return WEIR_PROXIED_DONE;
}

weir_proxied_result_t
weir_proxy_protocol_read(weir_str_t data, weir_proxied_t *proxied, size_t *used)
{
    static const char v1[] = "PROXY ";
    size_t n1 = weir_min(data.len, sizeof(v1) - 1), n2 = weir_min(data.len, sizeof(proxied_v2));

    memset(proxied, 0, sizeof(*proxied));
    *used = 0;
    if (data.len == 0) {
        return WEIR_PROXIED_MORE;
    }
    if (memcmp(data.at, v1, n1) == 0) {
        return proxied_read_v1(data, proxied, used);
    }
    if (memcmp(data.at, proxied_v2, n2) == 0) {
        return proxied_read_v2(data, proxied, used);
    }
    return WEIR_PROXIED_BAD;
}

/* -- looking -- */

bool
weir_proxy_protocol_tlv(weir_str_t tlvs, unsigned type, weir_str_t *value)
{
    unsigned its;

    while (proxied_next_tlv(&tlvs, &its, value)) {
        if (its == type) {
            return true;
        }
    }
    return false;
}

static bool
proxied_type(weir_str_t name, unsigned *type)
{
    static const struct { const char *name; unsigned type;
    } known[] = {
        { "alpn", TLV_ALPN },
        { "authority", TLV_AUTHORITY },
        { "unique_id", TLV_UNIQUE_ID },
        { "ssl", TLV_SSL },
        { "netns", TLV_NETNS },
        { "ssl_version", TLV_SSL_VERSION },
        { "ssl_cn", TLV_SSL_CN },
        { "ssl_cipher", TLV_SSL_CIPHER },
        { "ssl_sig_alg", TLV_SSL_SIG_ALG },
        { "ssl_key_alg", TLV_SSL_KEY_ALG },
    };
    uint64_t number;

    for (size_t i = 0; i < weir_countof(known); i++) {
        if (weir_str_eq(name, weir_str_from_z(known[i].name))) {
            *type = known[i].type;
            return true;
        }
    }
    if (weir_str_starts(name, WEIR_STR("ssl_"))) {
        name = weir_str_skip(name, 4);
    }
    if (!weir_str_starts(name, WEIR_STR("0x")) || !weir_str_hex_to_u64(weir_str_skip(name, 2), &number) || number > 255)
    {
        return false;
    }
    *type = (unsigned) number;
    return true;
}

bool
weir_proxy_protocol_named(weir_str_t tlvs, weir_str_t name, weir_arena_t *arena, weir_str_t *value)
{
    bool is_verify = weir_str_eq(name, WEIR_STR("ssl_verify"));
    unsigned type = 0;

    if (!is_verify && !proxied_type(name, &type)) {
        return false;
    }
    if (weir_str_starts(name, WEIR_STR("ssl_"))) {         /* inside the one of TLS */
        weir_str_t ssl;

        if (!weir_proxy_protocol_tlv(tlvs, TLV_SSL, &ssl) || ssl.len < PROXIED_SSL_HEAD) {
            return false;
        }
        if (is_verify) {
            *value = weir_str_printf(arena, "%lu",
                                     (unsigned long) proxied_u16(ssl.at + 1) << 16 | proxied_u16(ssl.at + 3));
            return true;
        }
        tlvs = weir_str_skip(ssl, PROXIED_SSL_HEAD);
    }
    return weir_proxy_protocol_tlv(tlvs, type, value);
}
