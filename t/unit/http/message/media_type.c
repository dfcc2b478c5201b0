/*
 * media_type.c - Content-Type: one type, parameters once each.
 */
#include "http/message/media_type.h"

#include "base/buf.h"
#include "tap.h"

static bool
reads(const char *text, const char *type)
{
    weir_media_type_t media;

    return weir_media_type_read(weir_str_from_z(text), &media) && weir_str_eq(media.type, weir_str_from_z(type));
}

static bool
refused(const char *text)
{
    weir_media_type_t media;

    return !weir_media_type_read(weir_str_from_z(text), &media);
}

/* "a=1|b=2" of what stands behind the type. */
static bool
has(const char *text, const char *want)
{
    char       room[256];
    weir_buf_t said;
    weir_str_t rest = weir_str_from_z(text), name, value;
    weir_io_t  io;

    weir_buf_init(&said, room, sizeof(room));
    while ((io = weir_media_type_next(&rest, &name, &value)) == WEIR_OK) {
        weir_buf_printf(&said, "%.*s=%.*s|", WEIR_STR_ARG(name), WEIR_STR_ARG(value));
    }
    weir_buf_add_str(&said, io == WEIR_EOF ? WEIR_STR("") : WEIR_STR("!"));
    return weir_str_eq(weir_buf_str(&said), weir_str_from_z(want));
}

int
main(void)
{
    const char *wrong[] = { "", "text", "text/", "/plain", "text/plain, a/b", "text/plain x", "text/plain; a", "text/plain; a=",
                            "text/plain; =b", "text/plain; a=\"b", "text/plain; a=b; A=c", "text/plain; a=\"\\b\"", "te xt/plain",
                            "text/plain; a = b", "text/plain; a=\"b\"c" };

    ok(reads("text/plain", "text/plain") && reads(" Text/Plain ; a=b ", "Text/Plain"), "a type");
    ok(reads("text/plain;", "text/plain") && reads("text/plain; ;a=b;", "text/plain"), "parameters that are empty");
    ok(has("; a=b;c=\"d; e\" ;\tf=\"\"", "a=b|c=d; e|f=|"), "parameters");
    ok(has("; a=b c=d", "a=b|!") && has("a=b", "!"), "what is between them");
    for (size_t i = 0; i < weir_countof(wrong); i++) {
        ok(refused(wrong[i]), wrong[i]);
    }
    return done();
}
