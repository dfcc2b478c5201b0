/*
 * empty_gif.c - the smallest picture there is: one transparent pixel, for pages that only want to be asked.
 */
#include "http/module.h"

typedef struct { weir_flag_t on; } gif_conf_t;

/* GIF89a, 1 by 1, two colours of which the first is transparent; one block of one code. */
static const char gif_bytes[] =
    "GIF89a" "\x01\x00\x01\x00" "\x80\x01\x00"
    "\x00\x00\x00" "\xff\xff\xff"
    "\x21\xf9\x04\x01\x00\x00\x00\x00"
    "\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00" "\x02\x02\x44\x01\x00"
    "\x3b";

static weir_step_t
gif_content(weir_request_t *req, const void *conf)
{
    (void) conf;
    if (req->head.method != WEIR_METHOD_GET && req->head.method != WEIR_METHOD_HEAD) {
        return weir_request_fail(req, WEIR_CAUSE_CLIENT_METHOD, NULL);
    }
    weir_response_add(req, WEIR_HEADER_LAST_MODIFIED, WEIR_STR("Mon, 28 Sep 1970 06:00:00 GMT"));
    return weir_request_reply(req, 200, WEIR_STR("image/gif"), weir_str(gif_bytes, sizeof(gif_bytes) - 1));
}

static bool
gif_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const gif_conf_t *) conf)->on.on;
}

static const weir_directive_t gif_directives[] = {
    WEIR_DIRECTIVE_OF(gif_conf_t, on, "empty_gif", &weir_type_said, .where = WEIR_IN_LOCATION, .inherit = WEIR_LOCAL,
                      .help = "Answers with a transparent picture of one pixel."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_empty_gif = {
    .name = "http_empty_gif",
    .area = "Files",
    .conf_size = sizeof(gif_conf_t),
    .directives = gif_directives,
    .on = { [WEIR_PHASE_CONTENT] = gif_content },
    .enabled = gif_enabled,
};
