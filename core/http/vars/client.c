/*
 * client.c - variables of the connection and of this machine: addresses, ports, TCP's numbers, time, names.
 *
 * Runs in workers.
 */
#include "serve/proxy_protocol.h"
#include "http/vars/vars.h"

#include "os/clock.h"
#include "os/sys.h"

#include <netinet/tcp.h>
#include <unistd.h>

static const weir_client_t *
client_of(const void *subject)
{
    return subject;
}

/* -- the client -- */

WEIR_GETTER(client_get_addr)
{
    *value = client_of(subject)->text;
    return true;
}

/* (whatever makes client->text makes client->addr) */
static const weir_endpoint_t *
client_address(void *subject)
{
    const weir_client_t *client = client_of(subject);

    return client->addr.family == AF_INET || client->addr.family == AF_INET6 ? &client->addr : NULL;
}

/* 4 bytes, 16 bytes, or a unix socket's text. */
WEIR_GETTER(client_get_binary_addr)
{
    const weir_client_t *client = client_of(subject);

    switch (client->addr.family) {
    case AF_INET:
        *value = weir_str((const char *) &client->addr.v4, sizeof(client->addr.v4));
        break;
    case AF_INET6:
        *value = weir_str((const char *) &client->addr.v6, sizeof(client->addr.v6));
        break;
    default:
        *value = client->text;
    }
    return true;
}

WEIR_GETTER(client_get_port)
{
    return client_of(subject)->addr.port != 0 && weir_vars_number(arena, ntohs(client_of(subject)->addr.port), value);
}

WEIR_GETTER(client_get_connection)
{
    return weir_vars_number(arena, client_of(subject)->number, value);
}

WEIR_GETTER(client_get_requests)
{
    return weir_vars_number(arena, client_of(subject)->requests, value);
}

WEIR_GETTER(client_get_connection_time)
{
    return weir_vars_seconds(arena, (weir_msec_t) { weir_clock_now().ms - client_of(subject)->opened.ms }, value);
}

WEIR_GETTER(client_get_forwarded_for)
{
    const weir_request_t *req = subject;
    weir_str_t addr = req->client->text, before;

    before = weir_fields_join(&req->head.fields, WEIR_STR("x-forwarded-for"), arena);
    *value = before.len == 0 ? addr : weir_str_printf(arena, "%.*s, %.*s", WEIR_STR_ARG(before), WEIR_STR_ARG(addr));
    return true;
}

WEIR_GETTER(client_get_tcpinfo)
{
    struct tcp_info info = { .tcpi_rtt = 0 };
    socklen_t len = sizeof(info);
    const weir_client_t *client = client_of(subject);
    uint32_t number;

    if (client->fd < 0 || client->addr.family == AF_UNIX
        || weir_sys_getsockopt(client->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
    {
        return false;
    }
    weir_assert(ref->row->data + sizeof(number) <= sizeof(info));
    memcpy(&number, (const char *) &info + ref->row->data, sizeof(number));
    return weir_vars_number(arena, number, value);
}

/* -- this side -- */

/* -- what a balancer said before the first byte -- */

WEIR_GETTER(client_get_proxied_addr)
{
    const weir_client_t *client = client_of(subject);
    const weir_addr_t   *addr;
    char                 text[WEIR_ADDR_TEXT];

    if (client->proxied == NULL) {
        return false;
    }
    addr = ref->row->data ? &client->proxied->destination : &client->proxied->source;
    if (addr->len == 0) {
        return false;
    }
    *value = weir_str_dup(arena, weir_str(text, weir_addr_text_ip(addr, text)));
    return true;
}

WEIR_GETTER(client_get_proxied_port)
{
    const weir_client_t *client = client_of(subject);
    const weir_addr_t   *addr;

    if (client->proxied == NULL) {
        return false;
    }
    addr = ref->row->data ? &client->proxied->destination : &client->proxied->source;
    return addr->len != 0 && weir_vars_number(arena, weir_addr_port(addr), value);
}

WEIR_GETTER(client_get_proxied_tlv)
{
    const weir_client_t *client = client_of(subject);

    return client->proxied != NULL && weir_proxy_protocol_named(client->proxied->tlvs, ref->suffix, arena, value);
}

WEIR_GETTER(client_get_scheme)
{
    *value = client_of(subject)->is_tls ? WEIR_STR("https") : WEIR_STR("http");
    return true;
}

WEIR_GETTER(client_get_https)
{
    *value = client_of(subject)->is_tls ? WEIR_STR("on") : WEIR_STR("");
    return true;
}

WEIR_GETTER(client_get_server_addr)
{
    weir_addr_t local = weir_request_local(subject);
    char text[WEIR_ADDR_TEXT];

    *value = weir_str_dup(arena, weir_str(text, weir_addr_text_ip(&local, text)));
    return true;
}

WEIR_GETTER(client_get_server_port)
{
    weir_addr_t local = weir_request_local(subject);
    uint16_t port = weir_addr_port(&local);

    return port != 0 && weir_vars_number(arena, port, value);
}

WEIR_GETTER(client_get_server_name)
{
    *value = ((const weir_request_t *) subject)->server->primary_name;
    return true;
}

WEIR_GETTER(client_get_hostname)
{
    static char name[256];

    if (name[0] == '\0' && gethostname(name, sizeof(name) - 1) != 0) {
        return false;
    }
    *value = weir_str_from_z(name);
    return true;
}

WEIR_GETTER(client_get_pid)
{
    return weir_vars_number(arena, (uint64_t) getpid(), value);
}

WEIR_GETTER(client_get_version)
{
    *value = WEIR_STR(WEIR_VERSION);
    return true;
}

/* -- time -- */

WEIR_GETTER(client_get_msec)
{
    return weir_vars_seconds(arena, (weir_msec_t) { weir_clock_wall_ms() }, value);
}

WEIR_GETTER(client_get_time)
{
    *value = weir_str_dup(arena, ref->row->data ? weir_clock_iso_date() : weir_clock_access_date());
    return true;
}

#define TCPINFO(member) .get = client_get_tcpinfo, .data = offsetof(struct tcp_info, member)

static const weir_variable_t client_variables[] = {
    { "binary_remote_addr", .subject = WEIR_OF_CONNECTION, .get = client_get_binary_addr,
      .help = "The client's address in 4 or 16 bytes." },
    { "connection", .subject = WEIR_OF_CONNECTION, .get = client_get_connection,
      .help = "Number of the connection, its own in the worker." },
    { "connection_requests", .subject = WEIR_OF_CONNECTION, .get = client_get_requests,
      .help = "How many requests the connection has carried, with this one." },
    { "connection_time", .subject = WEIR_OF_CONNECTION, .get = client_get_connection_time,
      .help = "Seconds since the connection was opened." },
    { "hostname", .subject = WEIR_OF_NONE, .get = client_get_hostname, .help = "The name of this machine." },
    { "https", .subject = WEIR_OF_CONNECTION, .get = client_get_https,
      .help = "\"on\" on a TLS connection, else nothing." },
    { "msec", .subject = WEIR_OF_NONE, .get = client_get_msec,
      .help = "The time in seconds since 1970, to the millisecond." },
    { "nginx_version", .subject = WEIR_OF_NONE, .get = client_get_version, .help = "The same as $weir_version." },
    { "pid", .subject = WEIR_OF_NONE, .get = client_get_pid, .help = "The process id of the worker." },
    { "proxy_add_x_forwarded_for", .subject = WEIR_OF_REQUEST, .get = client_get_forwarded_for,
      .help = "The request's X-Forwarded-For with the client's address added to it." },
    { "proxy_protocol_addr", .subject = WEIR_OF_CONNECTION, .get = client_get_proxied_addr,
      .help = "The client's address as the PROXY protocol header has it." },
    { "proxy_protocol_port", .subject = WEIR_OF_CONNECTION, .get = client_get_proxied_port, .help = "Its port." },
    { "proxy_protocol_server_addr", .subject = WEIR_OF_CONNECTION, .get = client_get_proxied_addr, .data = 1,
      .help = "The address it connected to, as the PROXY protocol header has it." },
    { "proxy_protocol_server_port", .subject = WEIR_OF_CONNECTION, .get = client_get_proxied_port, .data = 1,
      .help = "Its port." },
    { "proxy_protocol_tlv_", .is_prefix = true, .subject = WEIR_OF_CONNECTION, .get = client_get_proxied_tlv,
      .help = "A TLV of that header by its name (alpn, authority, unique_id, netns, ssl_cn, …) or number (0xea, "
              "ssl_0x21)." },
    { "remote_addr", .subject = WEIR_OF_CONNECTION, .get = client_get_addr, .address = client_address,
      .help = "The client's address." },
    { "remote_port", .subject = WEIR_OF_CONNECTION, .get = client_get_port, .help = "The client's port." },
    { "scheme", .subject = WEIR_OF_CONNECTION, .get = client_get_scheme, .help = "http or https." },
    { "server_addr", .subject = WEIR_OF_REQUEST, .is_early = true, .get = client_get_server_addr,
      .help = "The address the connection came to." },
    { "server_name", .subject = WEIR_OF_REQUEST, .is_early = true, .get = client_get_server_name,
      .help = "The first name of the server." },
    { "server_port", .subject = WEIR_OF_REQUEST, .is_early = true, .get = client_get_server_port,
      .help = "The port the connection came to." },
    { "tcpinfo_rcv_space", .subject = WEIR_OF_CONNECTION, TCPINFO(tcpi_rcv_space),
      .help = "The receive window that the kernel plans for the client, in bytes." },
    { "tcpinfo_rtt", .subject = WEIR_OF_CONNECTION, TCPINFO(tcpi_rtt),
      .help = "The client's round trip time, in microseconds." },
    { "tcpinfo_rttvar", .subject = WEIR_OF_CONNECTION, TCPINFO(tcpi_rttvar), .help = "Its variance." },
    { "tcpinfo_snd_cwnd", .subject = WEIR_OF_CONNECTION, TCPINFO(tcpi_snd_cwnd),
      .help = "The congestion window toward the client, in packets." },
    { "time_iso8601", .subject = WEIR_OF_NONE, .get = client_get_time, .data = 1,
      .help = "The local time as ISO 8601 writes it." },
    { "time_local", .subject = WEIR_OF_NONE, .get = client_get_time,
      .help = "The local time in the common log format." },
    { "weir_version", .subject = WEIR_OF_NONE, .get = client_get_version, .help = "The version of Weir." },
    WEIR_VARIABLES_END
};

const weir_module_t weir_http_vars_client = { .name = "http_vars_client",
                                              .area = "Variables",
                                              .variables = client_variables };
