/*
 * conn.c - the TLS transport, both sides in one loop: handshake, names and protocols, transfers in parts, the stream's
 * end, floods, plain bytes, resumption, idle checks.
 */
#define _GNU_SOURCE 1

#include "os/clock.h"
#include "tls/conn.h"
#include "tls/session.h"
#include "tls/verify.h"

#include "../event/pair.h"

#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#define BIG 3000000

static weir_loop_t        *loop;
static weir_conn_t         server, client;
static weir_tls_context_t *served, *dialled;
static char                cert_pem[4096], key_pem[4096], big[BIG], got_big[BIG];
static char                name_seen[256];
static bool                refuses_names;
static weir_str_t          protocols = WEIR_STR("\x02h2\x08http/1.1");

/* -- making -- */

static void
bio_to(BIO *bio, char *room, size_t cap)
{
    int n = BIO_read(bio, room, (int) cap - 1);

    pair_need(n > 0, "BIO_read");
    room[n] = '\0';
    BIO_free(bio);
}

static void
make_certificate(void)
{
    EVP_PKEY       *key = EVP_EC_gen("P-256");
    X509           *cert = X509_new();
    X509_NAME      *name = X509_get_subject_name(cert);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
                                              "DNS:one.example,DNS:*.wild.example,IP:127.0.0.1");
    BIO            *bio = BIO_new(BIO_s_mem());

    (void) X509_set_version(cert, 2);
    (void) ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    (void) X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    (void) X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    (void) X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *) "one.example", -1, -1, 0);
    (void) X509_set_issuer_name(cert, name);
    (void) X509_set_pubkey(cert, key);
    pair_need(san != NULL && X509_add_ext(cert, san, -1) == 1 && X509_sign(cert, key, EVP_sha256()) > 0, "X509_sign");
    (void) PEM_write_bio_X509(bio, cert);
    bio_to(bio, cert_pem, sizeof(cert_pem));
    bio = BIO_new(BIO_s_mem());
    (void) PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    bio_to(bio, key_pem, sizeof(key_pem));
    X509_EXTENSION_free(san);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static weir_tls_file_t
file(const char *name, const char *text)
{
    return (weir_tls_file_t) { weir_str_from_z(name), weir_str_from_z(text) };
}

static weir_tls_context_t *
create(const weir_tls_settings_t *settings)
{
    weir_error_t        error = { .text = "" };
    weir_tls_context_t *context = weir_tls_context_create(settings, &error);

    if (context == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(2);
    }
    return context;
}

static weir_tls_context_t *
make_served(uint32_t versions)
{
    weir_tls_pair_t pair = { file("cert", cert_pem), file("key", key_pem) };

    return create(&(weir_tls_settings_t) {
        .is_server = true, .pairs = &pair, .n_pairs = 1, .protocols = versions, .session_timeout_s = 300,
        .tickets = true,
        .buffer_size = 16384,
    });
}

static weir_tls_context_t *
make_dialled(uint32_t versions, bool verifies)
{
    return create(&(weir_tls_settings_t) {
        .protocols = versions, .tickets = true, .buffer_size = 16384,
        .verify = verifies ? WEIR_TLS_VERIFY_ON : WEIR_TLS_VERIFY_OFF,
        .verify_depth = 1, .trusted = verifies ? file("cert", cert_pem) : (weir_tls_file_t) { .name = WEIR_STR_NONE },
    });
}

static void
make_contexts(uint32_t versions, bool verifies)
{
    weir_tls_context_unref(served);
    weir_tls_context_unref(dialled);
    served = make_served(versions);
    dialled = make_dialled(versions, verifies);
}

static weir_tls_context_t *
choose(void *owner WEIR_UNUSED, weir_str_t name)
{
    snprintf(name_seen, sizeof(name_seen), "%.*s", WEIR_STR_ARG(name));
    return refuses_names ? NULL : served;
}

static weir_str_t
offers(void *owner WEIR_UNUSED)
{
    return protocols;
}

static const weir_tls_acceptor_t acceptor = { .choose = choose, .protocols = offers };

static void
on_ready(weir_watch_t *watch WEIR_UNUSED)
{
}

static void
turn(void)
{
    weir_loop_turn(loop, MS(20));
}

/* fds[0] is the client's. */
static void
open_server(int fd)
{
    pair_need(weir_conn_open(&server, loop, fd, on_ready) && weir_tls_accept(&server, served, &acceptor, NULL),
              "accept");
}

static void
open_both(const weir_tls_target_t *target)
{
    int fds[2];

    pair_tcp(fds);
    open_server(fds[1]);
    pair_need(weir_conn_open(&client, loop, fds[0], on_ready) && weir_tls_connect(&client, dialled, target), "connect");
}

static void
close_both(void)
{
    weir_conn_close(&client);
    weir_conn_close(&server);
}

/* Both are done: true.  Either failed: false. */
static bool
shake(void)
{
    weir_io_t ours = WEIR_AGAIN, theirs = WEIR_AGAIN;

    for (int i = 0; i < 100 && (ours == WEIR_AGAIN || theirs == WEIR_AGAIN) && ours != WEIR_ERROR
         && theirs != WEIR_ERROR; i++)
    {
        ours = ours == WEIR_OK ? ours : weir_tls_handshake(&client);
        theirs = theirs == WEIR_OK ? theirs : weir_tls_handshake(&server);
        if (ours == WEIR_AGAIN || theirs == WEIR_AGAIN) {
            turn();
        }
    }
    return ours == WEIR_OK && theirs == WEIR_OK;
}

static bool
meet(const weir_tls_target_t *target)
{
    open_both(target);
    return shake();
}

/* -- transfers -- */

static weir_io_t
receive(weir_conn_t *conn, char *room, size_t cap, size_t *got)
{
    weir_io_t io = WEIR_AGAIN;

    *got = 0;
    for (int i = 0; i < 50 && io == WEIR_AGAIN; i++) {
        io = weir_conn_recv(conn, room, cap, got);
        if (io == WEIR_AGAIN) {
            turn();
        }
    }
    return io;
}

static bool
says(weir_conn_t *from, weir_conn_t *to, const char *text)
{
    struct iovec iov = { (void *) (uintptr_t) text, strlen(text) };
    char         room[256];
    size_t       n = 0;

    return weir_conn_send(from, &iov, 1, &n) == WEIR_OK && n == strlen(text)
           && receive(to, room, sizeof(room), &n) == WEIR_OK
           && n == strlen(text) && memcmp(room, text, n) == 0;
}

static void
test_handshake(void)
{
    static const struct { uint32_t bit; const char *name; } versions[] = { { WEIR_TLS_V1_2, "TLS 1.2" },
                                                                           { WEIR_TLS_V1_3, "TLS 1.3" } };

    for (size_t i = 0; i < weir_countof(versions); i++) {
        make_contexts(versions[i].bit, true);
        ok(meet(&(weir_tls_target_t) { .server_name = WEIR_STR("One.EXAMPLE."), .verify_name = WEIR_STR("one.example"),
                                       .protocols = WEIR_STR("\x08http/1.1") }), versions[i].name);
        is_str(weir_str_from_z(name_seen), "one.example", "the name comes in small letters, without the last dot");
        is_str(weir_tls_protocol(&server), "http/1.1", "the protocol that both speak");
        is_str(weir_tls_protocol(&client), "http/1.1", "as the client sees it");
        ok(!weir_tls_was_resumed(&client) && !weir_tls_has_peer_certificate(&server),
           "no session, no client's certificate");
        ok(weir_tls_context_of(&server) == served, "the context that was chosen");
        ok(says(&client, &server, "hello") && says(&server, &client, "hello yourself"), "words both ways");
        ok(client.sent == 5 && server.received == 5 && server.sent == 14, "counted in bytes of the stream");
        ok(weir_tls_why(&server)[0] == '\0', "nothing failed");
        close_both();
    }
}

static void
test_refusals(void)
{
    make_contexts(WEIR_TLS_V1_2 | WEIR_TLS_V1_3, true);
    ok(!meet(&(weir_tls_target_t) { .verify_name = WEIR_STR("two.example") }), "a certificate of another name");
    ok(strstr(weir_tls_why(&client), "hostname mismatch") != NULL, weir_tls_why(&client));
    close_both();
    ok(meet(&(weir_tls_target_t) { .verify_name = WEIR_STR("a.wild.example") }), "a wildcard stands for one label");
    close_both();
    ok(!meet(&(weir_tls_target_t) { .verify_name = WEIR_STR("a.b.wild.example") }), "and not for two");
    close_both();
    ok(meet(&(weir_tls_target_t) { .verify_name = WEIR_STR("127.0.0.1"), .server_name = WEIR_STR("127.0.0.1") }),
       "an address is verified");
    is_str(weir_str_from_z(name_seen), "", "and not sent as a name");
    close_both();
    ok(!meet(&(weir_tls_target_t) { .verify_name = WEIR_STR("127.0.0.2") }), "another address is not");
    close_both();
    ok(!meet(&(weir_tls_target_t) { .protocols = WEIR_STR("\x03" "foo") }), "no protocol in common");
    ok(strstr(weir_tls_why(&client), "no application protocol") != NULL
       || strstr(weir_tls_why(&server), "no application protocol") != NULL,
       weir_tls_why(&server));
    close_both();
    refuses_names = true;
    ok(!meet(&(weir_tls_target_t) { .server_name = WEIR_STR("one.example") }), "a name that is refused");
    ok(weir_tls_handshake(&server) == WEIR_ERROR, "stays refused");
    refuses_names = false;
    close_both();
}

static void
test_resuming(void)
{
    static char     memory[WEIR_TLS_TICKETS_BYTES];
    weir_tls_slot_t slot = { NULL };
    char            room[64];
    size_t          n;

    ok(weir_tls_tickets_init(memory, WEIR_STR_NONE, weir_clock_wall_ms() / 1000), "a ring of keys");
    weir_tls_tickets_use(memory);
    for (uint32_t version = WEIR_TLS_V1_2; version <= WEIR_TLS_V1_3; version *= 2) {
        make_contexts(version, true);
        ok(meet(&(weir_tls_target_t) { .slot = &slot }) && says(&server, &client, "x"), "a first connection");
        ok(slot.session != NULL && !weir_tls_was_resumed(&server), "gets a session");
        close_both();
        ok(meet(&(weir_tls_target_t) { .slot = &slot }) && says(&server, &client, "x"), "the second");
        ok(weir_tls_was_resumed(&server) && weir_tls_was_resumed(&client), "resumes it");
        weir_tls_use_slot(&client, NULL);
        weir_conn_shutdown(&server);
        ok(receive(&client, room, sizeof(room), &n) == WEIR_EOF, "and ends, without a slot to keep anything in");
        close_both();
        weir_tls_tickets_use(NULL);
        ok(meet(&(weir_tls_target_t) { .slot = &slot }) && !weir_tls_was_resumed(&server),
           "keys that are gone: a full handshake");
        close_both();
        weir_tls_tickets_use(memory);
        weir_tls_slot_fini(&slot);
    }
}

/* -- parts -- */

/* Little room in the kernel, so that sends are taken in part. */
static void
narrow(const weir_conn_t *conn)
{
    int bytes = 16384;

    pair_need(setsockopt(conn->watch.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) == 0
              && setsockopt(conn->watch.fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) == 0, "setsockopt");
}

/* Sends all of `big` in pieces of `piece` bytes, as many of them as fit a call, while the other side reads `sip` bytes
 * now and then. */
static bool
pass_big(weir_conn_t *from, weir_conn_t *to, size_t piece, size_t sip, unsigned often)
{
    struct iovec iov[8];
    size_t       sent = 0, got = 0, n;
    unsigned     again = 0;

    memset(got_big, 0, sizeof(got_big));
    for (unsigned i = 0; got < BIG && i < 300000; i++) {
        size_t count = 0, at = sent;
        while (count < 8 && at < BIG) {
            iov[count] = (struct iovec) { big + at, weir_min(piece, BIG - at) };
            at += iov[count++].iov_len;
        }
        n = 0;
        if (count != 0) {
            weir_io_t io = weir_conn_send(from, iov, count, &n);
            if (io == WEIR_ERROR || (io == WEIR_OK && n != at - sent)) {
                return false;
            }
            again += io == WEIR_AGAIN;
            sent += n;
        }
        n = 0;
        if (i % often == 0 && to->watch.readable
            && (weir_conn_recv(to, got_big + got, weir_min(sip, BIG - got), &n) == WEIR_ERROR || n > sip))
        {
            return false;
        }
        got += n;
        weir_loop_turn(loop, MS(from->watch.writable || to->watch.readable ? 0 : 20));
    }
    return got == BIG && sent == BIG && memcmp(big, got_big, BIG) == 0 && (often == 1 || again > 0);
}

static void
test_parts(void)
{
    for (size_t i = 0; i < BIG; i++) {
        big[i] = (char) ((i * 2654435761u) >> 13);
    }
    for (uint32_t version = WEIR_TLS_V1_2; version <= WEIR_TLS_V1_3; version *= 2) {
        make_contexts(version, false);
        ok(meet(&(weir_tls_target_t) { .slot = NULL }), "a connection");
        narrow(&client);
        narrow(&server);
        ok(pass_big(&server, &client, 65536, 65536, 1), "3 MB to a quick reader");
        ok(pass_big(&server, &client, 100000, 3001, 3), "to one that sips and is late");
        ok(pass_big(&client, &server, 700, 40000, 5), "the other way in small pieces");
        ok(pass_big(&client, &server, 16384, 16384, 2), "in pieces as large as a record");

        close_both();
    }
}

/* Ciphertext is kept, and the caller closes: no crash, and what was kept may be lost, but never changed. */
static void
test_closing_in_between(void)
{
    struct iovec iov = { big, BIG };
    size_t       n = 0, got;
    weir_io_t    io = WEIR_OK;

    make_contexts(WEIR_TLS_V1_3, false);
    ok(meet(&(weir_tls_target_t) { .slot = NULL }), "a connection");
    for (int i = 0; i < 1000 && io == WEIR_OK; i++) {
        io = weir_conn_send(&server, &iov, 1, &got);
        n += got;
    }
    ok(io == WEIR_AGAIN, "the socket is full");
    weir_conn_close(&server);
    n = 0;
    while ((io = receive(&client, got_big, 65536, &got)) == WEIR_OK) {
        n += got;
    }
    ok(io == WEIR_ERROR && client.error == ECONNRESET, "the reader is told that the end is none");
    ok(n > 0, "after what did come");
    close_both();
}

/* -- the end -- */

static void
test_ends(void)
{
    char         room[64];
    size_t       n;
    struct iovec iov = { big, 10 };

    for (uint32_t version = WEIR_TLS_V1_2; version <= WEIR_TLS_V1_3; version *= 2) {
        make_contexts(version, false);
        ok(meet(&(weir_tls_target_t) { .slot = NULL }) && says(&server, &client, "bye"), "a connection");
        weir_conn_shutdown(&server);
        weir_conn_shutdown(&server);
        ok(receive(&client, room, sizeof(room), &n) == WEIR_EOF, "close_notify is the end");
        ok(weir_conn_recv(&client, room, sizeof(room), &n) == WEIR_EOF, "again at each call");
        ok(says(&client, &server, "and you"), "the other way goes on");
        ok(weir_conn_send(&server, &iov, 1, &n) == WEIR_ERROR && server.error == EPIPE, "but not this one");
        close_both();

        ok(meet(&(weir_tls_target_t) { .slot = NULL }) && says(&client, &server, "cut"), "a connection");
        (void) shutdown(client.watch.fd, SHUT_WR);
        ok(receive(&server, room, sizeof(room), &n) == WEIR_ERROR && server.error == ECONNRESET,
           "a FIN without close_notify is none");
        ok(strstr(weir_tls_why(&server), "without close_notify") != NULL, weir_tls_why(&server));
        ok(weir_conn_recv(&server, room, sizeof(room), &n) == WEIR_ERROR, "again at each call");
        close_both();

        ok(meet(&(weir_tls_target_t) { .slot = NULL }) && weir_conn_send(&client, &iov, 1, &n) == WEIR_OK, "data,");
        (void) shutdown(client.watch.fd, SHUT_WR);
        ok(receive(&server, room, sizeof(room), &n) == WEIR_OK && n == 10, "then a FIN: the data first,");
        ok(receive(&server, room, sizeof(room), &n) == WEIR_ERROR, "then the error");
        close_both();
    }
    open_both(&(weir_tls_target_t) { .slot = NULL });
    ok(weir_tls_handshake(&client) == WEIR_AGAIN, "the first flight");
    (void) shutdown(client.watch.fd, SHUT_WR);
    weir_io_t io = WEIR_AGAIN;
    for (int i = 0; i < 20 && io == WEIR_AGAIN; i++) {
        turn();
        io = weir_tls_handshake(&server);
    }
    ok(io == WEIR_ERROR && server.error == ECONNRESET, "an end in the handshake");
    close_both();
}

static void
test_quiet(void)
{
    struct iovec iov = { big, 3 };
    size_t       n;

    for (uint32_t version = WEIR_TLS_V1_2; version <= WEIR_TLS_V1_3; version *= 2) {
        make_contexts(version, false);
        ok(meet(&(weir_tls_target_t) { .slot = NULL }), "a connection");
        turn();
        ok(weir_conn_is_quiet(&client) && weir_conn_is_quiet(&client),
           "idle: it may be used (tickets are no bytes of the stream)");
        ok(weir_conn_is_quiet(&server), "the other side too");
        ok(weir_conn_send(&server, &iov, 1, &n) == WEIR_OK, "bytes from the other side");
        PAIR_TURN_UNTIL(loop, client.watch.readable);
        ok(!weir_conn_is_quiet(&client), "bytes nobody asked for: not to be used");
        close_both();
        ok(meet(&(weir_tls_target_t) { .slot = NULL }), "a connection");
        weir_conn_shutdown(&server);
        PAIR_TURN_UNTIL(loop, client.watch.readable);
        client.watch.readable = false;                   /* as when no edge had told of it yet */
        ok(!weir_conn_is_quiet(&client), "one that was ended is not");
        close_both();
    }
}

/* -- a peer that is OpenSSL by itself, in blocking mode -- */

static SSL_CTX *raw_ctx;
static SSL     *raw;
static int      raw_fd;

/* The handshake's client part runs in this process too: turn by turn. */
static void
open_raw(int version)
{
    int       fds[2], rc = -1;
    weir_io_t io = WEIR_AGAIN;

    pair_tcp(fds);
    raw_fd = fds[0];
    pair_need(setsockopt(raw_fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int)) == 0, "setsockopt");
    open_server(fds[1]);
    raw_ctx = SSL_CTX_new(TLS_client_method());
    (void) SSL_CTX_set_min_proto_version(raw_ctx, version);
    (void) SSL_CTX_set_max_proto_version(raw_ctx, version);
    raw = SSL_new(raw_ctx);
    (void) SSL_set_fd(raw, raw_fd);
    SSL_set_connect_state(raw);
    for (int i = 0; i < 100 && (rc != 1 || io != WEIR_OK); i++) {
        rc = rc != 1 ? SSL_do_handshake(raw) : rc;
        io = io == WEIR_AGAIN ? weir_tls_handshake(&server) : io;
        turn();
    }
    ok(rc == 1 && io == WEIR_OK, "a handshake with OpenSSL by itself");
}

static void
close_raw(void)
{
    SSL_free(raw);
    SSL_CTX_free(raw_ctx);
    close(raw_fd);
    weir_conn_close(&server);
}

static void
test_floods(void)
{
    char      room[64];
    size_t    n = 0;
    weir_io_t io = WEIR_AGAIN;
    bool      fine = true;
    int       rounds;

    make_contexts(WEIR_TLS_V1_2 | WEIR_TLS_V1_3, false);
    open_raw(TLS1_3_VERSION);
    for (int i = 0; i < 500 && fine; i++) {
        fine = SSL_key_update(raw, i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED) == 1
               && SSL_write(raw, "x", 1) == 1
               && receive(&server, room, sizeof(room), &n) == WEIR_OK && n == 1;
        (void) SSL_read(raw, room, sizeof(room));    /* the answers */
    }
    ok(fine, "KeyUpdate after KeyUpdate, with a byte between, is served");
    ok(SSL_write(raw, "y", 1) == 1 && receive(&server, room, sizeof(room), &n) == WEIR_OK && room[0] == 'y',
       "the keys are right after it");
    close_raw();

    open_raw(TLS1_3_VERSION);
    for (rounds = 0; rounds < 2000 && io == WEIR_AGAIN; rounds++) {
        (void) SSL_key_update(raw, SSL_KEY_UPDATE_REQUESTED);
        (void) SSL_do_handshake(raw);
        PAIR_TURN_UNTIL(loop, server.watch.readable);
        n = 0;
        io = weir_conn_recv(&server, room, sizeof(room), &n);
    }
    ok(io == WEIR_ERROR && server.error == EPROTO && n == 0, "without one it is a flood, and ends the connection");
    if (!ok(rounds < 200, "soon")) {
        printf("# after %d\n", rounds);
    }
    ok(strstr(weir_tls_why(&server), "carry nothing") != NULL, weir_tls_why(&server));
    close_raw();

    /* All of them in one go: no more is read than one call may. */
    open_raw(TLS1_3_VERSION);
    for (int i = 0; i < 300; i++) {
        (void) SSL_key_update(raw, SSL_KEY_UPDATE_NOT_REQUESTED);
        (void) SSL_do_handshake(raw);
    }
    ok(receive(&server, room, sizeof(room), &n) == WEIR_ERROR, "so does a whole packet of them");
    close_raw();

    /* Renegotiation, TLS 1.2. */
    open_raw(TLS1_2_VERSION);
    io = WEIR_AGAIN;
    (void) SSL_renegotiate(raw);
    (void) SSL_do_handshake(raw);
    turn();
    n = 0;
    io = weir_conn_recv(&server, room, sizeof(room), &n);
    turn();
    ok(SSL_do_handshake(raw) != 1 && n == 0, "renegotiation is refused");
    close_raw();
}

static void
test_plain(void)
{
    char      room[64];
    size_t    n;
    int       fds[2];
    weir_io_t io = WEIR_AGAIN;

    pair_tcp(fds);
    open_server(fds[1]);
    pair_put(fds[0], "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 20 && io == WEIR_AGAIN; i++) {
        turn();
        io = weir_tls_handshake(&server);
    }
    ok(io == WEIR_ERROR && weir_tls_was_plain(&server), "plain HTTP is known for it");
    n = weir_tls_take_plain(&server, room, sizeof(room));
    is_str(weir_str(room, n), "GET / HTTP/1.1\r\n", "and none of it is lost");
    ok(!weir_tls_is_on(&server), "the connection is a plain one again");
    pair_put(fds[0], "more");
    ok(receive(&server, room, sizeof(room), &n) == WEIR_OK && n == 4, "that goes on");
    weir_conn_close(&server);
    ok(read(fds[0], room, sizeof(room)) == 0, "no alert was sent to who would not understand it");
    close(fds[0]);

    pair_tcp(fds);
    open_server(fds[1]);
    pair_put(fds[0], "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 20 && weir_tls_handshake(&server) == WEIR_AGAIN; i++) {
        turn();
    }
    is_int(weir_tls_take_plain(&server, room, 3), 3, "no more is given than there is room for");
    weir_conn_close(&server);
    close(fds[0]);
}

int
main(void)
{
    int fds;

    weir_clock_update();
    make_certificate();
    loop = weir_loop_create(64);
    pair_need(loop != NULL, "weir_loop_create");
    test_handshake();
    fds = pair_open_fds();
    test_refusals();
    test_resuming();
    test_parts();
    test_closing_in_between();
    test_ends();
    test_quiet();
    test_floods();
    test_plain();
    is_int(pair_open_fds(), fds, "no descriptor is left");
    weir_tls_context_unref(served);
    weir_tls_context_unref(dialled);
    weir_loop_destroy(loop);
    weir_tls_conn_fini();
    return done();
}
