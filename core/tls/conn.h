/*
 * conn.h - TLS on a weir_conn_t: the handshake of either side, then a transport row like the plain one.
 *
 * Runs in workers, on the loop.  A handshake and an idle connection hold as little as OpenSSL lets them (its buffers
 * are released while idle); received ciphertext passes through one buffer per worker.  After the handshake the stream
 * is used through weir_conn_recv, weir_conn_send, weir_conn_shutdown (sends close_notify), weir_conn_close, which keep
 * conn.h's contract: one system call per transfer where the plain transport makes one, watch.readable true while
 * decrypted or undecrypted bytes wait inside.  The end of the peer's stream without close_notify is WEIR_ERROR
 * (ECONNRESET): a truncated body must not pass for a whole one (RFC 9112 §9.8).  Renegotiation is refused; a flood of
 * records that carry no byte of the stream (KeyUpdate, empty records, alerts) ends the connection.
 */
#ifndef WEIR_TLS_CONN_H
#define WEIR_TLS_CONN_H

#include "event/conn.h"
#include "tls/context.h"

extern const weir_transport_t weir_transport_tls;

/* What a server decides when the client's hello is here, before anything of it is answered and before a session is
 * looked up.  `owner` is what weir_tls_accept was given. */
typedef struct {
    /* server_name: lower case, checked for length and bytes, without a trailing dot; empty: none was sent.  The context
     * (borrowed until the handshake's next step; the connection takes its own reference), or NULL: refused with
     * unrecognized_name. */
    weir_tls_context_t *(*choose)(void *owner, weir_str_t server_name);
    /* Then: the protocols we speak, ALPN wire format (RFC 7301 §3.1), most wanted first.  A client that offers some,
     * but none of these, is refused with no_application_protocol. */
    weir_str_t          (*protocols)(void *owner);
} weir_tls_acceptor_t;

/* Makes `conn`, open and plain, a TLS server's side.  false: no memory (conn is as it was). */
bool weir_tls_accept(weir_conn_t *conn, weir_tls_context_t *context, const weir_tls_acceptor_t *acceptor,
                     void *owner) WEIR_MUST_USE;

/* Where a client keeps the session to resume next time: one for each (peer, context, name).  Zeroed at first. */
typedef struct weir_tls_slot { void *session; } weir_tls_slot_t;
void weir_tls_slot_fini(weir_tls_slot_t *slot);

typedef struct {
    weir_str_t       server_name;       /* SNI; empty, or an IP address: none is sent */
    /* name the certificate must have (RFC 9525), or an IP address; empty: none is checked */
    weir_str_t       verify_name;
    weir_str_t       protocols;         /* ALPN wire format; empty: not offered */
    weir_tls_slot_t *slot;              /* NULL: no session is kept */
} weir_tls_target_t;

/* Makes `conn`, connected and plain, a TLS client's side.  false: no memory. */
bool weir_tls_connect(weir_conn_t *conn, weir_tls_context_t *context, const weir_tls_target_t *target) WEIR_MUST_USE;
/* The slot goes, or moves with its peer (NULL: no session is kept any more). */
void weir_tls_use_slot(weir_conn_t *conn, weir_tls_slot_t *slot);

/* One step of the handshake.  OK: done · AGAIN: call again when an edge came · ERROR: failed (weir_tls_why). */
weir_io_t weir_tls_handshake(weir_conn_t *conn) WEIR_MUST_USE;
/* Why the handshake or the last transfer failed, for the log; empty when it was the socket (conn->error).
 * NUL-terminated, of the process, until the next call into core/tls. */
const char *weir_tls_why(const weir_conn_t *conn);
/* The client's first bytes were not TLS at all (plain HTTP, say): after a failed handshake. */
bool weir_tls_was_plain(const weir_conn_t *conn);
/* Then: conn is a plain one again, and what came so far is copied to room; its length (no more than cap, which 16 KiB
 * suffice for). */
size_t weir_tls_take_plain(weir_conn_t *conn, char *room, size_t cap);

static inline bool weir_tls_is_on(const weir_conn_t *conn) { return conn->secure != NULL; }
/* ALPN that was agreed on; empty: none.  Lives with it */
weir_str_t          weir_tls_protocol(const weir_conn_t *conn);
weir_tls_context_t *weir_tls_context_of(const weir_conn_t *conn);     /* borrowed */
bool                weir_tls_was_resumed(const weir_conn_t *conn);
/* Is what is being received still 0-RTT data, which may be a replay (RFC 8446 §8, RFC 8470)? */
bool                weir_tls_is_early(const weir_conn_t *conn);

/* The client's certificate: 0 when there is none, else X509_V_OK… as OpenSSL numbers them. */
bool weir_tls_has_peer_certificate(const weir_conn_t *conn);
long weir_tls_verify_result(const weir_conn_t *conn);

/* Memory that is given back before a worker ends. */
void weir_tls_conn_fini(void);

#endif
