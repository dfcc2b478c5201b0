/*
 * site.c - what the worker serves: files, certificates, sockets, and three configurations that a reload changes between.
 */
#define _GNU_SOURCE 1

#include "world.h"

#include "log/log.h"
#include "os/addr.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const site_names[SITE_LISTENERS] = { "l", "t", "p", "tp" };
static int         site_fds[SITE_LISTENERS], upstream_fds[SITE_UPSTREAMS];
static weir_addr_t site_addrs[SITE_LISTENERS];
static bool        site_listens[SITE_LISTENERS];
static char       *site_paths[SITE_LISTENERS], *site_prefix, *site_files[2];
static unsigned    tcp_port;
static uint64_t    site_serial;

/* %1 the directory · %2 what differs between texts: requests a connection · %3 the TCP upstream's port · %4 the name server's · %5 the burst of
 * limits · %6 more listeners */
static const char site_text[] =
    "error_log /dev/null emerg; pid %1$s/pid; store_path %1$s/store; worker_processes 1; events { worker_connections 64; }\n"
    "http { log_format f \"$remote_addr $server_addr $server_port $request_uri $status $upstream_addr $upstream_status "
    "$upstream_response_time $limit_conn_status $gzip_ratio $sent_http_x $ssl_protocol $proxy_protocol_addr $request_id $weir_cause\";\n"
    "access_log /dev/null f; client_body_temp_path %1$s/tmp; proxy_temp_path %1$s/tmp; root %1$s/html;\n"
    "keepalive_requests %2$d; client_max_body_size 30k; client_body_buffer_size 2k; proxy_buffers 4 4k; proxy_max_temp_file_size 64k;\n"
    "limit_conn_zone $host zone=c%2$d:64k; limit_req_zone $uri zone=r:64k rate=1r/s; quota_zone $host zone=q:64k per=hour;\n"
    "map $uri $mapped { ~^/(?<head>..) $head; default x; } resolver 127.0.0.1:%4$d valid=%5$ds; resolver_timeout 5s;\n"
    "upstream a { server unix:%1$s/u1; keepalive 4; } upstream b { server unix:%1$s/u2; keepalive 4; }\n"
    "upstream s { server unix:%1$s/u4; keepalive 2; }\n"
    "upstream ab { server unix:%1$s/u1 max_fails=%5$d; server unix:%1$s/u1 backup; server unix:%1$s/u2 down; }\n"
    "server { listen unix:%1$s/l; listen unix:%1$s/t ssl; %6$s server_name a; http2 on; http2_max_concurrent_streams 16;\n"
    "ssl_certificate %1$s/cert; ssl_certificate_key %1$s/key; set_real_ip_from unix:; real_ip_header proxy_protocol;\n"
    "proxy_set_header X-Weir-Id $request_id; grpc_set_header X-Weir-Id $request_id; proxy_set_header Upgrade $http_upgrade;\n"
    "proxy_ssl_verify off; proxy_connect_timeout 5s;\n"
    "location /h1/ { proxy_pass http://a; } location /h1s/ { proxy_pass http://a; proxy_request_buffering off; }\n"
    "location /h1nb/ { proxy_pass http://a; proxy_buffering off; }\n"
    "location /h2/ { proxy_pass http://b; proxy_http_version 2; }\n"
    "location /h2s/ { proxy_pass http://b; proxy_http_version 2; proxy_request_buffering off; }\n"
    "location /h2big/ { proxy_pass http://b; proxy_http_version 2; proxy_buffering off; limit_rate 20000; }\n"
    "location /grpc/ { grpc_pass grpc://b; } location /gw/ { grpc_web on; grpc_pass grpc://b; }\n"
    "location /gwr/ { grpc_web on; limit_rate 500; grpc_pass grpc://b; }\n"
    "location /mir/ { mirror /m; proxy_pass http://a; } location = /m { internal; proxy_pass http://b; proxy_http_version 2; }\n"
    "location /mirs/ { mirror /m; mirror /ar; mirror_request_body off; proxy_request_buffering off; proxy_pass http://a; }\n"
    "location /auth/ { auth_request /ar; auth_request_set $u $upstream_http_x; proxy_pass http://a; }\n"
    "location = /ar { internal; proxy_pass http://a; proxy_pass_request_body off; }\n"
    "location /af/ { auth_request /af2/; error_page 403 401 500 = @named; proxy_pass http://a; }\n"
    "location /af2/ { internal; auth_request /ar; limit_req zone=r burst=%5$d; proxy_pass http://b; proxy_http_version 2; }\n"
    "location /x/ { proxy_pass http://a; proxy_intercept_errors on; error_page 404 503 /err/a; proxy_redirect default; proxy_cookie_path / /q; }\n"
    "location /int/ { internal; proxy_pass http://a; } location @named { proxy_pass http://b; proxy_http_version 2; }\n"
    "location = /204 { return 204; } location = /len { return 200 \"$mapped$request_body_file$args\"; } location = /big { alias %1$s/html/file; limit_rate 20000; }\n"
    "location /err/ { proxy_pass http://a; error_page 502 504 = @named; } location /ws/ { proxy_pass http://a; proxy_set_header Connection upgrade;\n"
    "  proxy_set_header Upgrade websocket; proxy_set_header X-Weir-Id $request_id; }\n"
    "location /next/ { proxy_pass http://ab; proxy_next_upstream error timeout http_503 http_404 invalid_header; }\n"
    "location /gz/ { gzip on; gzip_types *; gzip_proxied any; proxy_pass http://a; }\n"
    "location /lim/ { limit_conn c%2$d 1; proxy_pass http://a; } location /req/ { limit_req zone=r burst=%5$d; proxy_pass http://a; }\n"
    "location /quota/ { quota zone=q limit=%2$d; proxy_pass http://a; }\n"
    "location /rate/ { limit_rate 1000; limit_rate_after 10; proxy_pass http://a; }\n"
    "location /ea/ { proxy_pass http://a; proxy_ignore_client_abort on; proxy_limit_rate 1000; }\n"
    "location /name/ { proxy_pass http://$arg_n:%3$d; } location /names/ { mirror /name/m?n=two.test; mirror_request_body off; proxy_pass http://four.$host:%3$d; }\n"
    "location /tls/ { proxy_pass https://s; } location /any/ { satisfy any; deny all; auth_basic x; auth_basic_user_file %1$s/users; proxy_pass http://a; }\n"
    "location /try/ { try_files $uri /dir/$uri @named; } location /rw/ { rewrite ^/rw/(.*) /h1/$1 last; }\n"
    "location /guard/ { auth_request /ar; limit_conn c%2$d 2; error_page 404 = @guarded; } location @guarded { auth_basic x; auth_basic_user_file %1$s/users; proxy_pass http://a; }\n"
    "location /dir/ { autoindex on; }\n"
    "} server { listen unix:%1$s/l; server_name b; location / { proxy_pass http://a; proxy_set_header X-Weir-Id $request_id; limit_conn c%2$d 3; } } }\n";

/* -- files -- */

static void
site_write(const char *name, const char *text, size_t times)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s", world.dir, name);
    out = fopen(path, "w");
    while (out != NULL && times-- > 0) {
        fputs(text, out);
    }
    if (out == NULL || fclose(out) != 0) {
        world_fail("%s cannot be written", path);
    }
}

static void
site_folder(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s%s", world.dir, name);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        world_fail("%s cannot be made", path);
    }
}

/* A certificate that signs itself. */
static void
site_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    char path[128];
    FILE *out;

    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * 3650);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *) "a", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_sign(cert, key, EVP_sha256());
    snprintf(path, sizeof(path), "%s/cert", world.dir);
    out = fopen(path, "w");
    PEM_write_X509(out, cert);
    fclose(out);
    snprintf(path, sizeof(path), "%s/key", world.dir);
    out = fopen(path, "w");
    PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    fclose(out);
    chmod(path, 0600);
    world.tls_client = SSL_CTX_new(TLS_client_method());
    world.tls_server = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(world.tls_server, cert);
    SSL_CTX_use_PrivateKey(world.tls_server, key);
    SSL_CTX_set_mode(world.tls_client, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_mode(world.tls_server, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* -- sockets -- */

static int
site_unix(const char *name)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", world.dir, name);
    unlink(addr.sun_path);
    if (bind(fd, (struct sockaddr *) &addr, sizeof(addr)) != 0 || listen(fd, 64) != 0) {
        world_fail("%s cannot be bound", addr.sun_path);
    }
    return fd;
}

static int
site_tcp(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *) &addr, len) != 0 || listen(fd, 64) != 0 || getsockname(fd, (struct sockaddr *) &addr, &len) != 0) {
        world_fail("no port for an upstream");
    }
    tcp_port = ntohs(addr.sin_port);
    return fd;
}

int
site_connect(int listener)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", world.dir, site_names[listener]);
    if (!site_listens[listener] || connect(fd, (struct sockaddr *) &addr, sizeof(addr)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int
site_upstream(int which)
{
    return accept4(upstream_fds[which], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static bool
site_is_listened(const weir_addr_t *addr)
{
    for (const weir_list_t *l = world.http->sockets.next; l != &world.http->sockets; l = l->next) {
        if (weir_addr_eq(&weir_list_entry(l, weir_http_socket_t, link)->addr, addr)) {
            return true;
        }
    }
    return false;
}

/* As the master does: a socket for each address that the generation in use says. */
void
site_listen(void)
{
    const weir_http_conf_t *conf = world.http->generation->http;

    for (int i = 0; i < SITE_LISTENERS; i++) {
        bool is_said = false;
        for (size_t k = 0; k < conf->n_listens; k++) {
            is_said = is_said || weir_addr_eq(&conf->listens[k]->addr, &site_addrs[i]);
        }
        site_listens[i] = is_said && !world.http->quitting;
        if (site_listens[i] && !site_is_listened(&site_addrs[i])
            && !weir_http_listen_on(world.http, &site_addrs[i], fcntl(site_fds[i], F_DUPFD_CLOEXEC, 3), false))
        {
            world_fail("a socket is not listened on");
        }
    }
}

/* Connections that nobody accepted any more. */
void
site_forget(void)
{
    for (int i = 0; i < SITE_LISTENERS + SITE_UPSTREAMS; i++) {
        int listener = i < SITE_LISTENERS ? site_fds[i] : upstream_fds[i - SITE_LISTENERS], fd;
        while ((fd = accept(listener, NULL, NULL)) >= 0) {
            close(fd);
        }
    }
}

/* -- configurations -- */

weir_generation_t *
site_build(unsigned which)
{
    static const char *const more[SITE_TEXTS] = {
        "listen unix:%s/p proxy_protocol; listen unix:%s/tp ssl proxy_protocol;", "listen unix:%s/p proxy_protocol; listen unix:%s/tp ssl proxy_protocol;",
        "listen unix:%s/tp ssl proxy_protocol;",
    };
    static const int requests[SITE_TEXTS] = { 1000, 5, 2 }, bursts[SITE_TEXTS] = { 3, 1, 5 };
    char listens[256], text[sizeof(site_text) + 4096];
    weir_error_t error = { .text = "" };
    uint64_t serial = ++site_serial;
    weir_conf_source_t source = { .prefix = weir_str_from_z(site_prefix), .file = weir_str_from_z(site_files[serial & 1]) };
    weir_bundle_t *bundle = weir_bundle_create();
    weir_generation_t *generation;
    FILE *out;

    snprintf(listens, sizeof(listens), more[which], world.dir, world.dir);
    snprintf(text, sizeof(text), site_text, world.dir, requests[which], tcp_port, names_port(), bursts[which], listens);
    out = fopen(site_files[serial & 1], "w");
    fputs(text, out);
    fclose(out);
    generation = weir_generation_build(bundle, &source, serial, &error);
    weir_bundle_destroy(bundle);
    if (generation == NULL) {
        world_fail("the configuration: %s", error.text);
    }
    return generation;
}

static char *
site_path(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", world.dir, name);
    return strdup(path);
}

static int
site_remove_one(const char *path, const struct stat *info WEIR_UNUSED, int kind WEIR_UNUSED, struct FTW *where WEIR_UNUSED)
{
    return remove(path);
}

/* At the process's end; after a finding the folder stays. */
static void
site_remove(void)
{
    (void) nftw(world.dir, site_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void
site_begin(void)
{
    snprintf(world.dir, sizeof(world.dir), "/tmp/weir-stack-XXXXXX");
    if (mkdtemp(world.dir) == NULL) {
        world_fail("no folder");
    }
    atexit(site_remove);
    site_folder("/html");
    site_folder("/html/dir");
    site_folder("/tmp");
    site_write("html/file", "0123456789", 6000);
    site_write("html/dir/inner", "x", 1);
    site_write("users", "u:{PLAIN}p\n", 1);
    site_certificate();
    site_prefix = site_path("");
    site_files[0] = site_path("c0");
    site_files[1] = site_path("c1");
    for (int i = 0; i < SITE_LISTENERS; i++) {
        site_fds[i] = site_unix(site_names[i]);
        site_paths[i] = site_path(site_names[i]);
        if (!weir_addr_from_unix(&site_addrs[i], weir_str_from_z(site_paths[i]))) {
            world_fail("no address");
        }
    }
    upstream_fds[0] = site_unix("u1");
    upstream_fds[1] = site_unix("u2");
    upstream_fds[2] = site_tcp();
    upstream_fds[3] = site_unix("u4");
}
