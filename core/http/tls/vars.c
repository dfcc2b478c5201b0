/*
 * vars.c - nginx's $ssl_* variables: what the connection's TLS can tell.
 *
 * Runs in workers; texts are in the request's arena or live as long as the connection.
 */
#include "http/vars/vars.h"

#include "tls/info.h"

WEIR_GETTER(tls_get)
{
    const weir_conn_t *conn = ((const weir_client_t *) subject)->conn;

    return conn != NULL && weir_tls_is_on(conn) && weir_tls_info(conn, (weir_tls_info_t) ref->row->data, arena, value);
}

#define VAR(text, what, say)                                                                                           \
    {                                                                                                                  \
        .name = (text), .subject = WEIR_OF_CONNECTION, .get = tls_get, .data = WEIR_TLS_##what, .help = (say)          \
    }

static const weir_variable_t tls_variables[] = {
    VAR("ssl_alpn_protocol", ALPN, "The protocol that ALPN agreed on."),
    VAR("ssl_cipher", CIPHER, "The cipher of the connection."),
    VAR("ssl_ciphers", CIPHERS, "The ciphers that the client offered, with colons between."),
    VAR("ssl_client_cert", CLIENT_CERT,
        "The client's certificate in PEM, each line but the first with a tab before it."),
    VAR("ssl_client_escaped_cert", CLIENT_ESCAPED_CERT, "The client's certificate in PEM, percent-encoded."),
    VAR("ssl_client_fingerprint", CLIENT_FINGERPRINT, "SHA-1 of the client's certificate."),
    VAR("ssl_client_i_dn", CLIENT_I_DN, "The issuer of the client's certificate, as RFC 2253 writes it."),
    VAR("ssl_client_i_dn_legacy", CLIENT_I_DN_LEGACY, "The same with slashes."),
    VAR("ssl_client_raw_cert", CLIENT_RAW_CERT, "The client's certificate in PEM."),
    VAR("ssl_client_s_dn", CLIENT_S_DN, "The subject of the client's certificate, as RFC 2253 writes it."),
    VAR("ssl_client_s_dn_legacy", CLIENT_S_DN_LEGACY, "The same with slashes."),
    VAR("ssl_client_serial", CLIENT_SERIAL, "The serial number of the client's certificate."),
    VAR("ssl_client_v_end", CLIENT_V_END, "The last day of the client's certificate."),
    VAR("ssl_client_v_remain", CLIENT_V_REMAIN, "Days until then."),
    VAR("ssl_client_v_start", CLIENT_V_START, "The first day of the client's certificate."),
    VAR("ssl_client_verify", CLIENT_VERIFY, "SUCCESS, NONE, or FAILED: and why."),
    VAR("ssl_curve", CURVE, "The group of the key exchange."),
    VAR("ssl_curves", CURVES, "The groups that the client supports, with colons between."),
    VAR("ssl_early_data", EARLY_DATA, "\"1\" while the handshake is not complete, else nothing."),
    VAR("ssl_protocol", PROTOCOL, "The version of TLS."),
    VAR("ssl_server_name", SERVER_NAME, "The name that the client asked for in its hello."),
    VAR("ssl_session_id", SESSION_ID, "The id of the session."),
    VAR("ssl_session_reused", SESSION_REUSED, "\"r\" when the session was resumed, else \".\"."),
    VAR("ssl_sigalg", SIGALG, "The algorithm of the server's signature."),
    WEIR_VARIABLES_END
};

const weir_module_t weir_http_vars_tls = { .name = "http_vars_tls", .area = "TLS", .variables = tls_variables };
