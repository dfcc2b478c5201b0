/*
 * site.c - what the worker serves: files, certificates, sockets, and three configurations that a reload changes
 * between.
 */
#define _GNU_SOURCE 1

#include "world.h"

#include "log/log.h"
#include "os/addr.h"
#include "store/ask.h"
#include "store/read.h"

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
static int         names_hold;
static uint64_t    site_serial;

/* A password that takes long. */
#define SITE_HARD "u:$6$rounds=1000$aaaaaaaa$" \
                  "ZaWwz4hBtm9HwjUUcWm4R7Aw.N05ZnGAty9nwYEU6i.ntV1tdnxq5diXXxf9EKU7.walEBo/P3xJBdDJeRJEC1\n"

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

static char *
site_path(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", world.dir, name);
    return strdup(path);
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

/* A consumer and its key. */
static void
site_store(void)
{
    static const char *const commands[] = {
        "{\"do\":\"consumer.add\",\"name\":\"c\"}",
        "{\"do\":\"key.create\",\"consumer\":\"c\",\"secret\":\"" SITE_KEY "\"}",
    };
    weir_store_ask_t ask;
    weir_error_t error = { .text = "" };
    char *path = site_path("store");
    bool is_made;

    site_folder("/store");
    is_made = weir_store_ask_open(&ask, path, 1 << 20, &error);
    for (size_t i = 0; is_made && i < weir_countof(commands); i++) {
        json_t *command = json_loads(commands[i], 0, NULL), *answer = NULL;
        is_made = weir_store_ask(&ask, &command, &answer, 1, &error) && json_is_true(json_object_get(answer, "ok"));
        json_decref(command);
        json_decref(answer);
    }
    if (!is_made) {
        world_fail("the store: %s", error.text);
    }
    weir_store_ask_close(&ask);
    weir_store_read_from(weir_str_from_z(path));
    free(path);
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

    if (bind(fd, (struct sockaddr *) &addr, len) != 0 || listen(fd, 64) != 0
        || getsockname(fd, (struct sockaddr *) &addr, &len) != 0)
    {
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
    for (const weir_list_t *l = world.serve->sockets.next; l != &world.serve->sockets; l = l->next) {
        if (weir_addr_eq(&weir_list_entry(l, weir_serve_socket_t, link)->addr, addr)) {
            return true;
        }
    }
    return false;
}

/* As the master does: a socket for each address that the generation in use says. */
void
site_listen(void)
{
    for (int i = 0; i < SITE_LISTENERS; i++) {
        bool is_said = weir_listens_find(world.serve->generation, &site_addrs[i]) != NULL;

        site_listens[i] = is_said && !world.serve->is_quitting;
        if (site_listens[i] && !site_is_listened(&site_addrs[i])
            && !weir_accept_listen(world.serve, &site_addrs[i], fcntl(site_fds[i], F_DUPFD_CLOEXEC, 3), false))
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

unsigned
site_names_hold(void)
{
    return (unsigned) names_hold;
}

weir_generation_t *
site_build(unsigned which)
{
    static const char *const more[SITE_TEXTS] = {
        "listen unix:%s/p proxy_protocol; listen unix:%s/tp ssl proxy_protocol;",
        "listen unix:%s/p proxy_protocol; listen unix:%s/tp ssl proxy_protocol; client_line_ends lf;",
        "listen unix:%s/tp ssl proxy_protocol; client_line_ends lf;",
    };
    static const int requests[SITE_TEXTS] = { 1000, 5, 2 }, bursts[SITE_TEXTS] = { 3, 1, 5 };
    char listens[256], text[16384];
    weir_error_t error = { .text = "" };
    uint64_t serial = ++site_serial;
    weir_conf_source_t source = { .prefix = weir_str_from_z(site_prefix),
                                  .file = weir_str_from_z(site_files[serial & 1]) };
    weir_bundle_t *bundle = weir_bundle_create();
    weir_generation_t *generation;
    FILE *out;

    snprintf(listens, sizeof(listens), more[which], world.dir, world.dir);
    names_hold = bursts[which];
    if (snprintf(text, sizeof(text), site_text, world.dir, requests[which], tcp_port, names_port(), bursts[which],
                 listens)
        >= (int) sizeof(text))
    {
        world_fail("the configuration is too long");
    }
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

static int
site_remove_one(const char *path, const struct stat *info WEIR_UNUSED, int kind WEIR_UNUSED,
                struct FTW *where WEIR_UNUSED)
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
    site_write("html/z", "plain", 1);
    site_write("html/z.gz", "\x1f\x8b", 1);
    site_write("users", "u:{PLAIN}p\n", 1);
    site_write("hard", SITE_HARD, 1);
    site_store();
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
