/*
 * status.c - what status codes are called (RFC 9110 §15 and the registry), and the built-in page of an answer
 * without a body of its own.
 *
 * Pure; workers.  Pages are in the request's arena.
 */
#include "http/message/status.h"

#include "base/buf.h"

#define STATUS_MIN 100
#define STATUS_MAX 599
#define STATUS_PAGE_BYTES 512

#define REASON(code, text) [(code) - STATUS_MIN] = WEIR_STR_INIT(text)

static const weir_str_t status_reasons[STATUS_MAX - STATUS_MIN + 1] = {
    REASON(100, "Continue"), REASON(101, "Switching Protocols"), REASON(102, "Processing"), REASON(103, "Early Hints"),
    REASON(200, "OK"), REASON(201, "Created"), REASON(202, "Accepted"), REASON(203, "Non-Authoritative Information"),
    REASON(204, "No Content"), REASON(205, "Reset Content"), REASON(206, "Partial Content"),
    REASON(207, "Multi-Status"), REASON(208, "Already Reported"), REASON(226, "IM Used"),
    REASON(300, "Multiple Choices"), REASON(301, "Moved Permanently"), REASON(302, "Found"), REASON(303, "See Other"),
    REASON(304, "Not Modified"), REASON(305, "Use Proxy"), REASON(307, "Temporary Redirect"),
    REASON(308, "Permanent Redirect"),
    REASON(400, "Bad Request"), REASON(401, "Unauthorized"), REASON(402, "Payment Required"), REASON(403, "Forbidden"),
    REASON(404, "Not Found"), REASON(405, "Method Not Allowed"), REASON(406, "Not Acceptable"),
    REASON(407, "Proxy Authentication Required"), REASON(408, "Request Timeout"), REASON(409, "Conflict"),
    REASON(410, "Gone"), REASON(411, "Length Required"), REASON(412, "Precondition Failed"),
    REASON(413, "Content Too Large"), REASON(414, "URI Too Long"), REASON(415, "Unsupported Media Type"),
    REASON(416, "Range Not Satisfiable"), REASON(417, "Expectation Failed"), REASON(421, "Misdirected Request"),
    REASON(422, "Unprocessable Content"), REASON(423, "Locked"), REASON(424, "Failed Dependency"),
    REASON(425, "Too Early"), REASON(426, "Upgrade Required"), REASON(428, "Precondition Required"),
    REASON(429, "Too Many Requests"), REASON(431, "Request Header Fields Too Large"),
    REASON(451, "Unavailable For Legal Reasons"),
    REASON(500, "Internal Server Error"), REASON(501, "Not Implemented"), REASON(502, "Bad Gateway"),
    REASON(503, "Service Unavailable"), REASON(504, "Gateway Timeout"), REASON(505, "HTTP Version Not Supported"),
    REASON(506, "Variant Also Negotiates"), REASON(507, "Insufficient Storage"), REASON(508, "Loop Detected"),
    REASON(511, "Network Authentication Required"),
};

weir_str_t
weir_status_reason(uint16_t status)
{
    return status < STATUS_MIN || status > STATUS_MAX ? WEIR_STR("") : status_reasons[status - STATUS_MIN];
}

weir_str_t
weir_status_reason_nginx(uint16_t status, bool as_title)
{
    static const struct { uint16_t status; weir_str_t text;
    } others[] = {
        { 405, WEIR_STR_INIT("Not Allowed") },
        { 408, WEIR_STR_INIT("Request Time-out") },
        { 413, WEIR_STR_INIT("Request Entity Too Large") },
        { 414, WEIR_STR_INIT("Request-URI Too Large") },
        { 416, WEIR_STR_INIT("Requested Range Not Satisfiable") },
        { 503, WEIR_STR_INIT("Service Temporarily Unavailable") },
        { 504, WEIR_STR_INIT("Gateway Time-out") },
    };

    if (status == 302 && !as_title) {
        return WEIR_STR("Moved Temporarily");
    }
    for (size_t i = 0; i < weir_countof(others); i++) {
        if (others[i].status == status) {
            return others[i].text;
        }
    }
    return weir_status_reason(status);
}

/* nginx's own codes, and what a page says of them. */
static weir_str_t
status_of_tls(uint16_t status)
{
    switch (status) {
    case 495: return WEIR_STR("The SSL certificate error");
    case 496: return WEIR_STR("No required SSL certificate was sent");
    case 497: return WEIR_STR("The plain HTTP request was sent to HTTPS port");
    default:  return WEIR_STR_NONE;
    }
}

uint16_t
weir_status_shown(uint16_t status)
{
    return status_of_tls(status).len != 0 ? 400 : status;
}

static void
status_add_title(weir_buf_t *page, uint16_t status, bool as_nginx)
{
    weir_str_t reason = as_nginx ? weir_status_reason_nginx(status, true) : weir_status_reason(status);

    weir_buf_add_u64(page, status);
    if (reason.len != 0) {
        weir_buf_add_char(page, ' ');
        weir_buf_add_str(page, reason);
    }
}

weir_str_t
weir_status_page(uint16_t status, bool as_nginx, weir_str_t server_token, weir_str_t request_id, weir_arena_t *arena)
{
    weir_str_t more = status_of_tls(status);
    weir_buf_t page;

    status = weir_status_shown(status);
    weir_buf_init(&page, weir_alloc_bytes(arena, STATUS_PAGE_BYTES), STATUS_PAGE_BYTES);
    weir_buf_add_lit(&page, "<!DOCTYPE html>\n<html><head><title>");
    status_add_title(&page, status, as_nginx);
    weir_buf_add_lit(&page, "</title></head>\n<body><center><h1>");
    status_add_title(&page, status, as_nginx);
    weir_buf_add_lit(&page, "</h1></center>");
    if (more.len != 0) {
        weir_buf_add_lit(&page, "\n<center>");
        weir_buf_add_str(&page, more);
        weir_buf_add_lit(&page, "</center>");
    }
    weir_buf_add_lit(&page, "<hr><center>");
    weir_buf_add_str(&page, server_token);
    if (request_id.len != 0) {
        weir_buf_add_lit(&page, "</center><center>request ");
        weir_buf_add_str(&page, request_id);
    }
    weir_buf_add_lit(&page, "</center></body></html>\n");
    return weir_buf_str(&page);
}
