/*
 * cause.h - why Weir itself answered: one table of stable words with their status and help (DESIGN §5).
 *
 * $weir_cause, a field of both logs, later a metric label.  A 4xx or 5xx of Weir's own without a cause is a bug.
 */
#ifndef WEIR_HTTP_CAUSE_H
#define WEIR_HTTP_CAUSE_H

#include "base/str.h"
#include "log/log.h"

/* X(token, "word", status, log level, "help") ; status 0: the connection ends without an answer, or the status is given
 * elsewhere. */
#define WEIR_CAUSES(X) \
    X(CLIENT_MALFORMED, "client.malformed", 400, INFO, \
      "The request head breaks RFC 9112 or could be read in two ways.") \
    X(CLIENT_TARGET, "client.target", 400, INFO, "The request target has no single normal form.") \
    X(CLIENT_HOST, "client.host", 400, INFO, "The Host is missing, doubled, malformed or differs from the target's.") \
    X(CLIENT_FRAMING, "client.framing", 400, INFO, \
      "Content-Length and Transfer-Encoding are wrong or contradict each other.") \
    X(CLIENT_BODY_MALFORMED, "client.body.malformed", 400, INFO, \
      "The body is not well-formed: its chunks, or the base64 of gRPC-Web.") \
    X(CLIENT_BODY_INCOMPLETE, "client.body.incomplete", 400, INFO, "The client closed before its body was complete.") \
    X(CLIENT_PLAIN_TO_TLS, "client.not_http", 400, INFO, "The bytes that were sent are not HTTP.") \
    X(CLIENT_HEADER_TIMEOUT, "client.header.timeout", 408, INFO, \
      "The request head did not arrive in client_header_timeout.") \
    X(CLIENT_BODY_TIMEOUT, "client.body.timeout", 408, INFO, "The body paused for longer than client_body_timeout.") \
    X(CLIENT_BODY_TOO_LARGE, "client.body.too_large", 413, ERROR, "The body is larger than client_max_body_size.") \
    X(CLIENT_URI_TOO_LONG, "client.uri.too_long", 414, INFO, "The request line is longer than a header buffer.") \
    X(CLIENT_EXPECTATION, "client.expectation", 417, INFO, "Expect asks for something other than 100-continue.") \
    X(CLIENT_PRECONDITION, "client.precondition", 412, INFO, \
      "A condition of the request does not hold: If-Match and the like.") \
    X(CLIENT_RANGE, "client.range", 416, INFO, "None of the parts that Range asks for exists.") \
    X(CLIENT_UPGRADE_REFUSED, "client.upgrade.refused", 400, INFO, \
      "An upgrade with a body or a bad WebSocket handshake.") \
    X(CLIENT_WEBSOCKET_VERSION, "client.websocket.version", 426, INFO, "Sec-WebSocket-Version is not 13.") \
    X(CLIENT_HEADER_TOO_LARGE, "client.header.too_large", 431, INFO, \
      "A header line, all of them or their number is too large.") \
    X(CLIENT_CODING, "client.coding", 501, INFO, "The transfer coding is not implemented.") \
    X(CLIENT_VERSION, "client.version", 505, INFO, "The HTTP version is not supported.") \
    X(CLIENT_METHOD, "client.method", 405, INFO, "The resource does not support this method.") \
    X(CLIENT_MISDIRECTED, "client.misdirected", 421, INFO, \
      "The Host belongs to a server with another policy for client certificates, or where HTTP/2 is off.") \
    X(CLIENT_PLAIN_ON_TLS, "client.tls.plain", 400, INFO, "Plain HTTP was sent to a port that speaks TLS.") \
    X(CLIENT_TLS_HANDSHAKE, "client.tls.handshake", 0, INFO, "The TLS handshake failed.") \
    X(CLIENT_TLS_TIMEOUT, "client.tls.timeout", 0, INFO, "The TLS handshake did not end in client_header_timeout.") \
    X(CLIENT_PROXY_PROTOCOL, "client.proxy_protocol", 0, INFO, \
      "The connection did not begin with a PROXY protocol header that can be read.") \
    X(CLIENT_CERT_REQUIRED, "client.cert.required", 400, INFO, \
      "ssl_verify_client asks for a certificate and none was sent.") \
    X(CLIENT_CERT_INVALID, "client.cert.invalid", 400, INFO, "The client's certificate was not accepted.") \
    X(CLIENT_EARLY_DATA, "client.early_data", 425, INFO, \
      "The method is not safe and the request was sent as TLS early data.") \
    X(CLIENT_H2_PROTOCOL, "client.h2.protocol", 0, INFO, "The connection or stream breaks RFC 9113 or RFC 7541.") \
    X(CLIENT_BODY_LENGTH, "client.body.length", 400, INFO, \
      "The body of the HTTP/2 request is not as long as its Content-Length says.") \
    X(CLIENT_H2_MALFORMED, "client.h2.malformed", 0, INFO, \
      "The HTTP/2 request is malformed, or would be ambiguous as HTTP/1.") \
    X(CLIENT_H2_RAPID_RESET, "client.h2.rapid_reset", 0, WARN, "Too many streams were reset in a short time.") \
    X(CLIENT_H2_FLOOD, "client.h2.flood", 0, WARN, \
      "Too many HTTP/2 frames that do no work: PING, SETTINGS, PRIORITY, empty or unknown ones.") \
    X(CLIENT_H2_CONTINUATION, "client.h2.continuation", 0, WARN, \
      "A header block of too many bytes or CONTINUATION frames, or that takes too long.") \
    X(CLIENT_H2_STALLED, "client.h2.stalled", 0, INFO, "The client kept an HTTP/2 window shut for send_timeout.") \
    X(CLIENT_CLOSED, "client.closed", 499, INFO, "The client closed before it was answered.") \
    X(CLIENT_SEND_TIMEOUT, "client.send.timeout", 0, INFO, "The client took no byte for send_timeout.") \
    X(ROUTE_NONE, "route.none", 404, ERROR, \
      "No location of the server matches this path, or it has nothing to answer with.") \
    X(ROUTE_INTERNAL, "route.internal", 404, ERROR, "The location is for internal redirects only.") \
    X(ROUTE_RETURN, "route.return", 0, INFO, "A `return` directive answered.") \
    X(ROUTE_LOOP, "route.loop", 500, ERROR, "More than 10 internal redirects or rewrites.") \
    X(ROUTE_REWRITE, "route.rewrite", 500, ERROR, "A rewrite made a path that is not valid.") \
    X(ROUTE_PATTERN_LIMIT, "route.pattern_limit", 403, ERROR, "A pattern ran into its match limit.") \
    X(FILE_NONE, "file.none", 404, ERROR, "The file does not exist.") \
    X(FILE_FORBIDDEN, "file.forbidden", 403, ERROR, "The file may not be read.") \
    X(FILE_FOLDER, "file.folder", 403, ERROR, "The path is a folder's: it has no index, and autoindex is off.") \
    X(FILE_NAME, "file.name", 404, ERROR, "The path is not the name of a file: it is too long or has a NUL.") \
    X(FILE_ERROR, "file.error", 500, CRIT, "The file could not be opened or read.") \
    X(ACCESS_MAINTENANCE, "access.maintenance", 503, INFO, "The location is closed by `maintenance`.") \
    X(ACCESS_DENIED, "access.denied", 403, ERROR, "The client's address is refused by `deny`.") \
    X(ACCESS_DEFAULT, "access.default", 403, INFO, "No guard let the request in, and `default_deny` is on.") \
    X(ACCESS_REQUIRE, "access.require", 403, INFO, "A condition that `require` asks for does not hold.") \
    X(ACCESS_METHOD, "access.method", 405, INFO, "The method is none that `accept_methods` lists.") \
    X(ACCESS_CONTENT_TYPE, "access.content_type", 415, INFO, \
      "The body's type is none that `accept_content_types` lists, or it has none.") \
    X(CORS_ORIGIN, "cors.origin", 403, INFO, "`cors` does not allow pages of this origin.") \
    X(CORS_METHOD, "cors.method", 403, INFO, "`cors` does not allow the method that the preflight announces.") \
    X(CORS_HEADER, "cors.header", 403, INFO, "`cors` does not allow a field that the preflight announces.") \
    X(DEPRECATED_BROWNOUT, "deprecated.brownout", 503, INFO, \
      "The place is deprecated and refuses requests for a while, so that its callers notice.") \
    X(API_DRAFT, "api.draft", 404, INFO, "The version of the API is a draft, and `preview` does not hold.") \
    X(API_RETIRED, "api.retired", 410, INFO, "The version of the API is retired.") \
    X(API_PLAN, "api.plan", 403, INFO, "The plan of the consumer is not among the `plans` of the API.") \
    X(FAULT_ABORT, "fault.abort", 503, INFO, "`fault` answers in the place of the peer, as it was asked to.") \
    X(BODY_TYPE, "body.type", 415, INFO, \
      "The body must be JSON, and Content-Type says that it is something else.") \
    X(BODY_ENCODING, "body.encoding", 415, INFO, "The body must be JSON, and its Content-Encoding is not known.") \
    X(BODY_JSON, "body.json", 400, INFO, "The body must be JSON, and it is not, or there is none.") \
    X(BODY_LIMIT, "body.limit", 413, INFO, \
      "The JSON of the body is larger, deeper or has more values than is allowed.") \
    X(BODY_SCHEMA, "body.schema", 400, INFO, "The body is not what its JSON Schema says.") \
    X(FORM_TYPE, "form.type", 415, INFO, "The body must be a form, and Content-Type says that it is something else.") \
    X(FORM_ENCODING, "form.encoding", 415, INFO, "The body must be a form, and its Content-Encoding is not taken.") \
    X(FORM_MALFORMED, "form.malformed", 400, INFO, \
      "The body must be a form, and it is not well-formed, or could be read in two ways.") \
    X(FORM_LIMIT, "form.limit", 413, INFO, \
      "The form has more fields or files, or longer ones, than is allowed.") \
    X(FORM_FILENAME, "form.filename", 400, INFO, "The name of a file in the form is one that may not be.") \
    X(FORM_FILE_TYPE, "form.file_type", 415, INFO, "The type of a file in the form is one that may not be.") \
    X(AUTH_KEY_MISSING, "auth.key.missing", 401, INFO, "An API key is required and none was sent.") \
    X(AUTH_KEY_UNKNOWN, "auth.key.unknown", 401, INFO, \
      "The API key is not in the store: it never was there, or it was revoked.") \
    X(AUTH_KEY_EXPIRED, "auth.key.expired", 401, INFO, "The API key has expired.") \
    X(AUTH_CONSUMER_DISABLED, "auth.consumer.disabled", 403, INFO, "The consumer is disabled.") \
    X(AUTH_CONSUMER_UNKNOWN, "auth.consumer.unknown", 403, INFO, \
      "An identity of the request is verified, but belongs to no consumer of the store.") \
    X(AUTH_CONSUMER_CONFLICT, "auth.consumer.conflict", 403, INFO, \
      "Two ways of `identify`, or one and the API key, name different consumers.") \
    X(AUTH_CONSUMER_PLAN, "auth.consumer.plan", 503, ERROR, "The plan that `anonymous` names is not in the store.") \
    X(AUTH_BASIC_MISSING, "auth.basic.missing", 401, INFO, "A name and a password are required and none were sent.") \
    X(AUTH_BASIC_UNKNOWN, "auth.basic.unknown", 401, INFO, "The name is not in auth_basic_user_file.") \
    X(AUTH_BASIC_PASSWORD, "auth.basic.password", 401, INFO, "The password is not the one of that name.") \
    X(AUTH_BASIC_FILE, "auth.basic.file", 403, ERROR, "auth_basic_user_file could not be read.") \
    X(AUTH_BASIC_BUSY, "auth.basic.busy", 503, ERROR, "Too many passwords with costly hashes are being checked.") \
    X(AUTH_JWT_MISSING, "auth.jwt.missing", 401, INFO, "A JWT is required and none was sent.") \
    X(AUTH_JWT_MALFORMED, "auth.jwt.malformed", 401, INFO, \
      "The JWT is not in the compact form, or base64url or JSON in it is wrong.") \
    X(AUTH_JWT_DUPLICATE, "auth.jwt.duplicate", 401, INFO, "An object in the JWT has a member twice.") \
    X(AUTH_JWT_TOO_LARGE, "auth.jwt.too_large", 401, INFO, "The JWT is longer than auth_jwt_max_size.") \
    X(AUTH_JWT_TYPE, "auth.jwt.type", 401, INFO, \
      "The JWT is signed where auth_jwt_type asks for an encrypted one, or the other way round.") \
    X(AUTH_JWT_NONE, "auth.jwt.none", 401, INFO, "The JWT is not signed: its algorithm is none.") \
    X(AUTH_JWT_ALGORITHM, "auth.jwt.algorithm", 401, INFO, \
      "The algorithm of the JWT is not known, or not among auth_jwt_algorithms.") \
    X(AUTH_JWT_CRIT, "auth.jwt.crit", 401, INFO, "The JWT has a critical extension that is not understood.") \
    X(AUTH_JWT_ZIP, "auth.jwt.zip", 401, INFO, "The plaintext of the JWT is compressed.") \
    X(AUTH_JWT_KEY_UNKNOWN, "auth.jwt.key.unknown", 401, INFO, "No key has the key id of the JWT.") \
    X(AUTH_JWT_KEY_MISMATCH, "auth.jwt.key.mismatch", 401, INFO, \
      "The key of the JWT is of another type, algorithm or use than its algorithm asks for.") \
    X(AUTH_JWT_KEY_WEAK, "auth.jwt.key.weak", 401, INFO, \
      "The key of the JWT is too weak: RSA below 2048 bits, or a secret shorter than the hash.") \
    X(AUTH_JWT_KEY_BROKEN, "auth.jwt.key.broken", 401, INFO, \
      "The key of the JWT is wrong in itself, or another one has its key id.") \
    X(AUTH_JWT_SIGNATURE, "auth.jwt.signature", 401, INFO, "The signature of the JWT is not that of the key.") \
    X(AUTH_JWT_DECRYPT, "auth.jwt.decrypt", 401, INFO, "The JWT cannot be decrypted.") \
    X(AUTH_JWT_EXPIRED, "auth.jwt.expired", 401, INFO, "The JWT has expired.") \
    X(AUTH_JWT_NOT_YET, "auth.jwt.not_yet", 401, INFO, "The JWT is not valid yet.") \
    X(AUTH_JWT_ISSUER, "auth.jwt.issuer", 401, INFO, "The JWT is of another issuer than auth_jwt_issuer.") \
    X(AUTH_JWT_AUDIENCE, "auth.jwt.audience", 401, INFO, "The JWT is for another audience than auth_jwt_audience.") \
    X(AUTH_JWT_REQUIRE, "auth.jwt.require", 401, INFO, "A value that auth_jwt_require asks for is empty or 0.") \
    X(AUTH_JWT_KEYS, "auth.jwt.keys", 500, ERROR, "The keys for JWTs cannot be had.") \
    X(AUTH_OAUTH2_MISSING, "auth.oauth2.missing", 401, INFO, "An OAuth 2.0 token is required and none was sent.") \
    X(AUTH_OAUTH2_MALFORMED, "auth.oauth2.malformed", 401, INFO, "The OAuth 2.0 token has bytes that no token has.") \
    X(AUTH_OAUTH2_TOO_LARGE, "auth.oauth2.too_large", 401, INFO, \
      "The OAuth 2.0 token is longer than oauth2_max_size.") \
    X(AUTH_OAUTH2_INACTIVE, "auth.oauth2.inactive", 401, INFO, \
      "The authorization server says that the token is not active: unknown, expired or revoked.") \
    X(AUTH_OAUTH2_EXPIRED, "auth.oauth2.expired", 401, INFO, "The OAuth 2.0 token has expired.") \
    X(AUTH_OAUTH2_NOT_YET, "auth.oauth2.not_yet", 401, INFO, "The OAuth 2.0 token is not valid yet.") \
    X(AUTH_OAUTH2_TYPE, "auth.oauth2.type", 401, INFO, \
      "The token is no bearer token: it is bound to a key of its client, or is not for access.") \
    X(AUTH_OAUTH2_ISSUER, "auth.oauth2.issuer", 401, INFO, "The token is of another issuer than oauth2_issuer.") \
    X(AUTH_OAUTH2_AUDIENCE, "auth.oauth2.audience", 401, INFO, \
      "The token is for another audience than oauth2_audience.") \
    X(AUTH_OAUTH2_SCOPE, "auth.oauth2.scope", 403, INFO, "The token lacks a scope that oauth2_scope asks for.") \
    X(AUTH_OAUTH2_UNAVAILABLE, "auth.oauth2.unavailable", 503, ERROR, \
      "The authorization server did not say whether the token is active.") \
    X(AUTH_OAUTH2_BUSY, "auth.oauth2.busy", 503, ERROR, \
      "Too many tokens are being asked about, or too many requests wait for an answer.") \
    X(AUTH_OIDC_SESSION, "auth.oidc.session", 401, INFO, \
      "A session is required, and this request is none that is sent to log in.") \
    X(AUTH_OIDC_CALLBACK, "auth.oidc.callback", 400, INFO, \
      "The request at redirect_uri is no answer of a provider: not GET, no code and no error, or one twice.") \
    X(AUTH_OIDC_STATE, "auth.oidc.state", 403, INFO, \
      "The answer of the provider does not belong to a login that this browser has begun.") \
    X(AUTH_OIDC_ISSUER, "auth.oidc.issuer", 403, WARN, "The answer at redirect_uri is of another issuer (RFC 9207).") \
    X(AUTH_OIDC_DENIED, "auth.oidc.denied", 403, INFO, "The provider did not let the user log in.") \
    X(AUTH_OIDC_CODE, "auth.oidc.code", 403, INFO, "The provider does not take the code: it was used, or is too old.") \
    X(AUTH_OIDC_NONCE, "auth.oidc.nonce", 403, WARN, "The id token was made for another login.") \
    X(AUTH_OIDC_ID_TOKEN, "auth.oidc.id_token", 502, ERROR, \
      "The id token of the provider cannot be read, or its signature is not good.") \
    X(AUTH_OIDC_CLAIMS, "auth.oidc.claims", 502, ERROR, \
      "The id token is of another issuer, for another audience or subject, or not valid now.") \
    X(AUTH_OIDC_CLIENT, "auth.oidc.client", 502, ERROR, "The provider does not take client_id and client_secret.") \
    X(AUTH_OIDC_TOKEN, "auth.oidc.token", 502, ERROR, "The provider's token endpoint did not give tokens.") \
    X(AUTH_OIDC_PROVIDER, "auth.oidc.provider", 502, ERROR, "The provider's endpoints or keys cannot be had.") \
    X(AUTH_OIDC_REFRESH, "auth.oidc.refresh", 503, ERROR, \
      "The session needs new tokens, and the provider cannot be asked for them now.") \
    X(AUTH_OIDC_TOO_LARGE, "auth.oidc.too_large", 502, ERROR, \
      "The tokens of the session do not fit into cookies of cookie_max_size.") \
    X(AUTH_SIGNATURE_MISSING, "auth.signature.missing", 401, INFO, \
      "A signature is required and none was sent, or none with the label or tag that is asked for.") \
    X(AUTH_SIGNATURE_MALFORMED, "auth.signature.malformed", 401, INFO, \
      "Signature-Input or Signature is not what RFC 9421 says, or has what Weir does not support.") \
    X(AUTH_SIGNATURE_COMPONENT, "auth.signature.component", 401, INFO, \
      "The signature covers a component that is not in the request, is not supported, or could be read in two ways.") \
    X(AUTH_SIGNATURE_UNCOVERED, "auth.signature.uncovered", 401, INFO, \
      "The signature does not cover a component that signature_require asks for.") \
    X(AUTH_SIGNATURE_KEY, "auth.signature.key", 401, INFO, "No key has the key id of the signature.") \
    X(AUTH_SIGNATURE_ALGORITHM, "auth.signature.algorithm", 401, INFO, \
      "The algorithm of the signature is not known, or not the one of its key.") \
    X(AUTH_SIGNATURE_BAD, "auth.signature.bad", 401, INFO, "The signature is not that of the key for this request.") \
    X(AUTH_SIGNATURE_EXPIRED, "auth.signature.expired", 401, INFO, \
      "The signature has expired, is older than signature_max_age, or does not say when it was made.") \
    X(AUTH_SIGNATURE_NOT_YET, "auth.signature.not_yet", 401, INFO, "The signature was made in the future.") \
    X(AUTH_SIGNATURE_NONCE, "auth.signature.nonce", 401, INFO, "The signature has no nonce, or one that is too long.") \
    X(AUTH_SIGNATURE_REPLAYED, "auth.signature.replayed", 401, INFO, "The nonce of the signature was used before.") \
    X(AUTH_SIGNATURE_TARGET, "auth.signature.target", 400, INFO, \
      "The signed path is not in its normal form, so that another one would be sent on.") \
    X(AUTH_SIGNATURE_DIGEST, "auth.signature.digest", 400, INFO, \
      "The body is not the one of Content-Digest, or that field has no digest that is known.") \
    X(AUTH_SIGNATURE_BODY, "auth.signature.body", 413, INFO, \
      "The body is longer than signature_max_body, so that its digest is not looked at.") \
    X(AUTH_SIGNATURE_FULL, "auth.signature.full", 503, ERROR, "The zone of signature_nonce has no room for a nonce.") \
    X(AUTH_REQUEST_UNKNOWN, "auth.request.unknown", 401, INFO, \
      "The service that auth_request asks requires credentials: 401.") \
    X(AUTH_REQUEST_DENIED, "auth.request.denied", 403, ERROR, \
      "The service that auth_request asks refuses the request: 403.") \
    X(AUTH_REQUEST_FAILED, "auth.request.failed", 500, ERROR, \
      "The service that auth_request asks did not answer with 2xx, 401 or 403.") \
    X(AUTH_EXT_DENIED, "auth.ext.denied", 403, INFO, "The service that ext_authz asks refuses the request.") \
    X(AUTH_EXT_UNKNOWN, "auth.ext.unknown", 401, INFO, \
      "The service that ext_authz asks requires credentials: 401.") \
    X(AUTH_EXT_UNAVAILABLE, "auth.ext.unavailable", 503, ERROR, \
      "The service that ext_authz asks cannot be reached, or gave no answer in time.") \
    X(AUTH_EXT_ANSWER, "auth.ext.answer", 503, ERROR, \
      "The service that ext_authz asks answered what cannot be used.") \
    X(AUTH_EXT_BODY, "auth.ext.body", 413, INFO, "The body is larger than ext_authz_body, which sends it along.") \
    X(LIMIT_RATE, "limit.rate", 503, INFO, "The key of a limit_req made too many requests.") \
    X(LIMIT_CONNECTIONS, "limit.connections", 503, INFO, "The key of a limit_conn has too many requests under way.") \
    X(LIMIT_QUOTA, "limit.quota", 429, INFO, "The key of a quota has used all of this hour, day or month.") \
    X(LIMIT_PLAN_RATE, "limit.plan.rate", 429, INFO, \
      "The client makes more requests than the rate of its plan allows.") \
    X(LIMIT_PLAN_CONCURRENCY, "limit.plan.concurrency", 429, INFO, \
      "The client has as many requests under way as its plan allows.") \
    X(LIMIT_PLAN_QUOTA, "limit.plan.quota", 429, INFO, \
      "The client has used all requests of this hour, day or month that its plan allows.") \
    X(LIMIT_PLAN_MISSING, "limit.plan.missing", 403, INFO, \
      "The client has no plan, or one that is not in the store, and may not come without.") \
    X(UPSTREAM_NONE, "upstream.none", 502, ERROR, "No peer of the group may be used now.") \
    X(UPSTREAM_BREAKER, "upstream.breaker", 503, INFO, \
      "The circuit breaker of the group is open, or has as many probes under way as it lets pass.") \
    X(UPSTREAM_FULL_REQUESTS, "upstream.full.requests", 503, ERROR, "The group has max_requests requests.") \
    X(UPSTREAM_FULL_PENDING, "upstream.full.pending", 503, ERROR, \
      "The group has max_pending requests that wait for a connection.") \
    X(UPSTREAM_FULL_CONNECTIONS, "upstream.full.connections", 503, ERROR, \
      "The group has max_connections connections.") \
    X(UPSTREAM_QUEUE_FULL, "upstream.queue.full", 502, ERROR, \
      "No server has room for the request, and as many as may wait for that.") \
    X(UPSTREAM_QUEUE_TIMEOUT, "upstream.queue.timeout", 502, ERROR, \
      "No server had room for the request in the time of queue.") \
    X(UPSTREAM_CONCURRENCY, "upstream.concurrency", 503, INFO, \
      "The group has as many requests as adaptive_concurrency lets it have now.") \
    X(UPSTREAM_RESOLVE, "upstream.resolve", 502, ERROR, \
      "The variables of proxy_pass make no address, or its host name could not be resolved.") \
    X(UPSTREAM_CONNECT_REFUSED, "upstream.connect.refused", 502, ERROR, "The peer refused the connection.") \
    X(UPSTREAM_CONNECT_FAILED, "upstream.connect.failed", 502, ERROR, "The connection to the peer could not be made.") \
    X(UPSTREAM_CONNECT_TIMEOUT, "upstream.connect.timeout", 504, ERROR, \
      "The peer did not accept in proxy_connect_timeout.") \
    X(UPSTREAM_SEND_FAILED, "upstream.send.failed", 502, ERROR, "The request could not be written to the peer.") \
    X(UPSTREAM_SEND_TIMEOUT, "upstream.send.timeout", 504, ERROR, "The peer took no byte for proxy_send_timeout.") \
    X(UPSTREAM_READ_TIMEOUT, "upstream.read.timeout", 504, ERROR, "The peer sent no byte for proxy_read_timeout.") \
    X(UPSTREAM_DEADLINE, "upstream.deadline", 504, INFO, \
      "The client's own deadline (grpc-timeout) passed before the answer.") \
    X(UPSTREAM_TIMEOUT, "upstream.timeout", 504, ERROR, \
      "The answer was not there in `timeout`, all tries together.") \
    X(UPSTREAM_TRY_TIMEOUT, "upstream.try_timeout", 504, ERROR, "The peer's answer did not begin in try_timeout.") \
    X(UPSTREAM_CLOSED, "upstream.closed", 502, ERROR, "The peer closed before it had answered.") \
    X(UPSTREAM_RESET, "upstream.reset", 502, ERROR, "The peer reset the connection before it had answered.") \
    X(UPSTREAM_MALFORMED, "upstream.malformed", 502, ERROR, \
      "The peer's answer breaks RFC 9112 or could be read in two ways.") \
    X(UPSTREAM_HEADER_TOO_LARGE, "upstream.header.too_large", 502, ERROR, \
      "The head of the peer's answer exceeds proxy_buffer_size.") \
    X(UPSTREAM_INTERIM, "upstream.interim", 502, ERROR, \
      "The peer sent more than 8 interim answers, or a 101 that was not asked for.") \
    X(UPSTREAM_BODY_INCOMPLETE, "upstream.body.incomplete", 502, ERROR, \
      "The peer's body ended early; the answer was cut.") \
    X(UPSTREAM_BODY_TOO_LARGE, "upstream.body.too_large", 502, ERROR, \
      "The answer to a request of Weir's own is too long.") \
    X(UPSTREAM_ANSWER, "upstream.answer", 502, ERROR, "The answer to a request of Weir's own cannot be used.") \
    X(UPSTREAM_BODY_MALFORMED, "upstream.body.malformed", 502, ERROR, \
      "The peer's chunked body is not well-formed; the answer was cut.") \
    X(UPSTREAM_TLS_HANDSHAKE, "upstream.tls.handshake", 502, ERROR, "The TLS handshake with the peer failed.") \
    X(UPSTREAM_TLS_VERIFY, "upstream.tls.verify", 502, ERROR, "The peer's certificate was not accepted.") \
    X(UPSTREAM_TLS_PROTOCOL, "upstream.tls.protocol", 502, ERROR, \
      "The peer did not agree on the application protocol.") \
    X(UPSTREAM_H2_PROTOCOL, "upstream.h2.protocol", 502, ERROR, \
      "The peer's HTTP/2 breaks RFC 9113 or RFC 7541, or floods.") \
    X(UPSTREAM_H2_REFUSED, "upstream.h2.refused", 502, ERROR, "The peer refused the stream before working on it.") \
    X(UPSTREAM_H2_RESET, "upstream.h2.reset", 502, ERROR, "The peer reset the stream.") \
    X(UPSTREAM_REDIRECT, "upstream.redirect", 502, ERROR, "The peer's X-Accel-Redirect is not a path of this server.") \
    X(UPSTREAM_STATUS, "upstream.status", 0, INFO, "The peer's own status was replaced by error_page.") \
    X(STORE_UNAVAILABLE, "store.unavailable", 503, ERROR, \
      "The store cannot be read, or is too far behind to take another key.") \
    X(INTERNAL_MEMORY, "internal.memory", 503, CRIT, "There was no memory for this request.") \
    X(INTERNAL_IO, "internal.io", 500, CRIT, "A temporary file could not be written or read.") \
    X(INTERNAL_EMIT, "internal.emit", 500, ERROR, "A header to be sent holds CR, LF or NUL, or does not fit.") \
    X(INTERNAL_SHUTDOWN, "internal.shutdown", 0, NOTICE, "Cut by worker_shutdown_timeout.")

typedef enum {
    WEIR_CAUSE_NONE,
#define WEIR_CAUSE_ENUM(token, word, status, level, help) WEIR_CAUSE_##token,
    WEIR_CAUSES(WEIR_CAUSE_ENUM)
#undef WEIR_CAUSE_ENUM
    WEIR_CAUSE_MAX
} weir_cause_t;

typedef struct { weir_str_t word; uint16_t status; weir_log_level_t level; const char *help; } weir_cause_row_t;

const weir_cause_row_t *weir_cause_row(weir_cause_t cause);
void weir_cause_print_manual(int fd);

/* One record in the error log at the cause's own level: its help and the detail, which may be NULL. */
void weir_cause_log(weir_cause_t cause, const weir_log_context_t *context, const char *detail);

#endif
