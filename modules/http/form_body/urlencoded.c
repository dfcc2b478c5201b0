/*
 * urlencoded.c - see form.h.  One byte after another, decoded: a name, "=", a value, "&".
 */
#include "form.h"

void
form_urlencoded_begin(form_urlencoded_t *form, const form_limits_t *limits)
{
    *form = (form_urlencoded_t) { .limits = limits };
}

/* RFC 3629: the second byte of some characters has narrower bounds. */
static bool
urlencoded_utf8(form_utf8_t *utf8, uint8_t byte)
{
    if (utf8->left != 0) {
        bool is_good = byte >= utf8->low && byte <= utf8->high;

        *utf8 = (form_utf8_t) { (uint8_t) (utf8->left - 1), 0x80, 0xbf };
        return is_good;
    }
    if (byte < 0x80) {
        return true;
    }
    *utf8 = (form_utf8_t) { byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1,
                            byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80,
                            byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf };
    return byte >= 0xc2 && byte <= 0xf4;
}

/* One byte more of a name or a value. */
static bool
urlencoded_take(form_urlencoded_t *form, uint8_t byte)
{
    if (byte == 0) {
        return form_wrong(&form->verdict, FORM_MALFORMED, "a NUL");
    }
    if (!urlencoded_utf8(&form->utf8, byte)) {
        return form_wrong(&form->verdict, FORM_MALFORMED, "a name or a value is not UTF-8");
    }
    if (++form->len > (form->is_value ? form->limits->max_value : form->limits->max_name)) {
        return form_wrong(&form->verdict, FORM_LIMIT, form->is_value ? "form_max_value" : "form_max_name");
    }
    return true;
}

/* A name or a value has ended. */
static bool
urlencoded_part_ends(form_urlencoded_t *form, bool is_value)
{
    form->len = 0;
    form->is_value = is_value;
    return form->utf8.left == 0 || form_wrong(&form->verdict, FORM_MALFORMED, "a name or a value is not UTF-8");
}

static bool
urlencoded_begin_field(form_urlencoded_t *form)
{
    if (form->is_begun) {
        return true;
    }
    form->is_begun = true;
    return ++form->fields <= form->limits->max_fields || form_wrong(&form->verdict, FORM_LIMIT, "form_max_fields");
}

static bool
urlencoded_digit(form_urlencoded_t *form, char c)
{
    if (!weir_byte_is(c, WEIR_BYTE_HEX)) {
        return form_wrong(&form->verdict, FORM_MALFORMED, "a \"%\" without two hexadecimal digits");
    }
    form->byte = (uint8_t) ((unsigned) form->byte << 4 | weir_byte_hex(c));
    return --form->digits != 0 || urlencoded_take(form, form->byte);
}

static bool
urlencoded_byte(form_urlencoded_t *form, char c)
{
    if (form->digits != 0) {
        return urlencoded_digit(form, c);
    }
    if (c == '&') {
        form->is_begun = false;
        return urlencoded_part_ends(form, false);
    }
    if (!urlencoded_begin_field(form)) {
        return false;
    }
    if (c == '=' && !form->is_value) {
        return urlencoded_part_ends(form, true);
    }
    if (c == ';') {
        return form_wrong(&form->verdict, FORM_MALFORMED, "a \";\" that is not encoded: to some it ends a field");
    }
    if ((unsigned char) c < ' ' || c == 0x7f) {
        return form_wrong(&form->verdict, FORM_MALFORMED, "a control that is not encoded");
    }
    if (c == '%') {
        form->digits = 2;
        form->byte = 0;
        return true;
    }
    return urlencoded_take(form, (uint8_t) (c == '+' ? ' ' : c));
}

bool
form_urlencoded_feed(form_urlencoded_t *form, weir_str_t bytes)
{
    weir_assert(form->verdict.fault == FORM_GOOD);
    for (size_t i = 0; i < bytes.len; i++) {
        if (!urlencoded_byte(form, bytes.at[i])) {
            return false;
        }
    }
    return true;
}

bool
form_urlencoded_end(form_urlencoded_t *form)
{
    if (form->digits != 0) {
        return form_wrong(&form->verdict, FORM_MALFORMED, "a \"%\" without two hexadecimal digits");
    }
    return urlencoded_part_ends(form, false);
}
