/*
 * multipart.c - see form.h.
 *
 * Strict, where readers are known to differ: nothing stands before the first boundary and behind the last; a line ends
 * with CR LF; a boundary behind a bare LF or a bare CR, or with other bytes behind it, is refused; each part has one
 * Content-Disposition of form-data with one name; names of files have no path in them, in no spelling.
 */
#include "form.h"

#include "base/utf8.h"

#define MULTIPART_NONE         SIZE_MAX
#define MULTIPART_FILENAME_MAX 255

/* -- the boundary -- */

/* RFC 2046 §5.1.1: bchars; a space does not end it. */
static bool
multipart_is_boundary(weir_str_t text)
{
    static const char others[] = "'()+_,-./:=? ";

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i], lower = weir_char_lower(c);

        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && (c == '\0' || strchr(others, c) == NULL)) {
            return false;
        }
    }
    return text.len != 0 && text.len <= FORM_BOUNDARY_MAX && text.at[text.len - 1] != ' ';
}

bool
form_multipart_boundary(weir_str_t parameters, weir_str_t *boundary)
{
    weir_str_t name, value;
    weir_io_t  io;

    *boundary = WEIR_STR_NONE;
    while ((io = weir_media_type_next(&parameters, &name, &value)) == WEIR_OK) {
        if (weir_str_eq_fold(name, WEIR_STR("boundary"))) {
            *boundary = value;
        }
    }
    return io == WEIR_EOF && boundary->at != NULL && multipart_is_boundary(*boundary);
}

void
form_multipart_begin(form_multipart_t *form, const form_limits_t *limits, weir_str_t boundary, char *head)
{
    weir_assert(boundary.len != 0 && boundary.len <= FORM_BOUNDARY_MAX);
    *form = (form_multipart_t) { .limits = limits, .head = head, .n_mark = boundary.len + 2 };
    memcpy(form->mark, "--", 2);
    memcpy(form->mark + 2, boundary.at, boundary.len);
}

static bool
multipart_wrong(form_multipart_t *form, const char *why)
{
    return form_wrong(&form->verdict, FORM_MALFORMED, why);
}

/* -- a part's head -- */

typedef struct {
    weir_str_t name, filename, type;             /* at NULL: it has none */
    bool       has_disposition;
} multipart_head_t;

static bool
multipart_read_parameter(form_multipart_t *form, multipart_head_t *head, weir_str_t name, weir_str_t value)
{
    weir_str_t *field = weir_str_eq_fold(name, WEIR_STR("name")) ? &head->name
                        : weir_str_eq_fold(name, WEIR_STR("filename")) ? &head->filename : NULL;

    if (field == NULL) {
        return memchr(name.at, '*', name.len) == NULL
            || multipart_wrong(form, "a part's Content-Disposition has a parameter in the form of RFC 8187");
    }
    if (field->at != NULL) {
        return multipart_wrong(form, "a part has two names");
    }
    *field = value;
    return true;
}

static bool
multipart_read_disposition(form_multipart_t *form, multipart_head_t *head, weir_str_t value)
{
    const char *end = weir_byte_span(value.at, value.at + value.len, WEIR_BYTE_TOKEN);
    weir_str_t  kind = weir_str(value.at, (size_t) (end - value.at)), rest = weir_str_skip(value, kind.len), name, text;
    weir_io_t   io;

    if (head->has_disposition) {
        return multipart_wrong(form, "a part has two Content-Dispositions");
    }
    head->has_disposition = true;
    if (!weir_str_eq_fold(kind, WEIR_STR("form-data"))) {
        return multipart_wrong(form, "a part's Content-Disposition is not form-data");
    }
    while ((io = weir_media_type_next(&rest, &name, &text)) == WEIR_OK) {
        if (!multipart_read_parameter(form, head, name, text)) {
            return false;
        }
    }
    return io == WEIR_EOF || multipart_wrong(form, "a part's Content-Disposition cannot be read");
}

static bool
multipart_read_type(form_multipart_t *form, multipart_head_t *head, weir_str_t value)
{
    weir_media_type_t media;

    if (head->type.at != NULL || !weir_media_type_read(value, &media)) {
        return multipart_wrong(form, "a part's Content-Type stands twice, or cannot be read");
    }
    head->type = media.type;
    return !weir_str_starts_fold(media.type, WEIR_STR("multipart/"))
        || multipart_wrong(form, "a part has parts of its own");
}

static bool
multipart_read_line(form_multipart_t *form, multipart_head_t *head, weir_str_t line)
{
    weir_str_t name, value;

    if (!weir_str_cut(line, ':', &name, &value) || !weir_syntax_is_token(name) || !weir_syntax_is_field_value(value)) {
        return multipart_wrong(form, "a line of a part's head is no field");
    }
    value = weir_str_trim(value);
    if (weir_str_eq_fold(name, WEIR_STR("content-disposition"))) {
        return multipart_read_disposition(form, head, value);
    }
    if (weir_str_eq_fold(name, WEIR_STR("content-type"))) {
        return multipart_read_type(form, head, value);
    }
    if (weir_str_eq_fold(name, WEIR_STR("content-transfer-encoding")) && !weir_str_eq_fold(value, WEIR_STR("binary"))
        && !weir_str_eq_fold(value, WEIR_STR("8bit")) && !weir_str_eq_fold(value, WEIR_STR("7bit")))
    {
        return multipart_wrong(form, "a part is encoded (Content-Transfer-Encoding)");
    }
    return true;
}

/* -- names -- */

static bool
multipart_is_text(weir_str_t text)
{
    return weir_utf8_is_text(text) && weir_syntax_is_field_value(text);
}

/* An encoded slash, backslash or NUL: some readers decode them. */
static bool
multipart_has_encoded(weir_str_t name)
{
    for (size_t i = 0; i + 2 < name.len; i++) {
        if (name.at[i] == '%'
            && (weir_str_eq_fold(weir_str(name.at + i, 3), WEIR_STR("%2f"))
                || weir_str_eq_fold(weir_str(name.at + i, 3), WEIR_STR("%5c"))
                || weir_str_eq(weir_str(name.at + i, 3), WEIR_STR("%00"))))
        {
            return true;
        }
    }
    return false;
}

/* An empty one is of a file field in which no file was chosen. */
static bool
multipart_check_filename(form_multipart_t *form, weir_str_t name)
{
    const char *why = !multipart_is_text(name) ? "it is not UTF-8, or has controls"
                      : name.len > MULTIPART_FILENAME_MAX ? "it is longer than 255 bytes"
                      : weir_str_find(name, '/') != NULL || weir_str_find(name, '\\') != NULL
                        || multipart_has_encoded(name) ? "it has a path"
                      : weir_str_eq(name, WEIR_STR(".")) || weir_str_eq(name, WEIR_STR("..")) ? "it is \".\" or \"..\""
                                                                                             : NULL;

    return why == NULL || form_wrong(&form->verdict, FORM_FILENAME, why);
}

static bool
multipart_check_head(form_multipart_t *form, const multipart_head_t *head)
{
    const form_limits_t *limits = form->limits;

    if (head->name.len == 0 || !multipart_is_text(head->name)) {
        return multipart_wrong(form, "a part has no name, or one that is not UTF-8");
    }
    if (head->name.len > limits->max_name) {
        return form_wrong(&form->verdict, FORM_LIMIT, "form_max_name");
    }
    form->is_file = head->filename.at != NULL;
    if (!form->is_file) {
        return true;
    }
    if (++form->files > limits->max_files) {
        return form_wrong(&form->verdict, FORM_LIMIT, "form_max_files");
    }
    if (!multipart_check_filename(form, head->filename)) {
        return false;
    }
    return limits->types.n == 0
        || weir_media_ranges_have(&limits->types, head->type.at != NULL ? head->type : WEIR_STR("text/plain"))
        || form_wrong(&form->verdict, FORM_FILE_TYPE, "its type is none of form_file_types");
}

/* All of it is there, with the empty line that ends it. */
static bool
multipart_read_head(form_multipart_t *form)
{
    weir_str_t       rest = weir_str(form->head, form->n_head - 2), line;
    multipart_head_t head = { .has_disposition = false };

    while (rest.len != 0) {
        const char *end = memchr(rest.at, '\r', rest.len);

        if (end == NULL || end + 1 >= rest.at + rest.len || end[1] != '\n') {
            return multipart_wrong(form, "a line of a part's head does not end with CR LF");
        }
        line = weir_str(rest.at, (size_t) (end - rest.at));
        rest = weir_str_skip(rest, line.len + 2);
        if (!multipart_read_line(form, &head, line)) {
            return false;
        }
    }
    return multipart_check_head(form, &head);
}

static bool
multipart_head_byte(form_multipart_t *form, char c)
{
    size_t n = form->n_head;

    if (n == form->limits->max_head) {
        return form_wrong(&form->verdict, FORM_LIMIT, "form_max_part_header");
    }
    form->head[form->n_head++] = c;
    n = form->n_head;
    if (n >= 2 && form->head[n - 1] == '\n' && form->head[n - 2] == '\r'
        && (n == 2 || (n >= 4 && form->head[n - 3] == '\n' && form->head[n - 4] == '\r')))
    {
        form->place = FORM_AT_BODY;
        form->matched = 0;                       /* a boundary here would be one to some */
        form->line_has_cr = false;
        form->len = 0;
        form->last = '\0';
        return multipart_read_head(form);
    }
    return true;
}

/* -- boundaries -- */

static void
multipart_at_mark(form_multipart_t *form)
{
    form->place = FORM_AT_MARK;
    form->n_tail = 0;
}

static bool
multipart_start_byte(form_multipart_t *form, char c)
{
    if (c != form->mark[form->matched]) {
        return multipart_wrong(form, "it does not begin with its boundary");
    }
    if (++form->matched == form->n_mark) {
        multipart_at_mark(form);
    }
    return true;
}

static bool
multipart_mark_byte(form_multipart_t *form, char c)
{
    form->tail[form->n_tail++] = c;
    if (form->n_tail < 2) {
        return c == '\r' || c == '-' || multipart_wrong(form, "there is more behind a boundary");
    }
    if (form->tail[0] == '-') {
        form->place = FORM_AT_END;
        form->n_tail = 0;
        return c == '-' || multipart_wrong(form, "there is more behind a boundary");
    }
    form->place = FORM_AT_HEAD;
    form->n_head = 0;
    if (++form->fields > form->limits->max_fields) {
        return form_wrong(&form->verdict, FORM_LIMIT, "form_max_fields");
    }
    return c == '\n' || multipart_wrong(form, "there is more behind a boundary");
}

static bool
multipart_end_byte(form_multipart_t *form, char c)
{
    return (form->n_tail < 2 && c == "\r\n"[form->n_tail++]) || multipart_wrong(form, "there is more behind its end");
}

/* -- bodies -- */

static bool
multipart_check_length(form_multipart_t *form, uint64_t len)
{
    return len <= (form->is_file ? form->limits->max_file : form->limits->max_value)
        || form_wrong(&form->verdict, FORM_LIMIT, form->is_file ? "form_max_file_size" : "form_max_value");
}

/* A boundary at the beginning of a line. */
static bool
multipart_body_ends(form_multipart_t *form)
{
    if (!form->line_has_cr) {
        return multipart_wrong(form, "a boundary does not stand behind CR LF");
    }
    multipart_at_mark(form);
    return multipart_check_length(form, form->len - form->n_mark - 2);
}

/* As many bytes as are of no boundary, or one that may be.  How many; 0: something is wrong. */
static size_t
multipart_body_bytes(form_multipart_t *form, weir_str_t bytes)
{
    const char *stop = bytes.at + bytes.len, *end = bytes.at;
    size_t      n;

    if (form->matched != MULTIPART_NONE) {
        if (bytes.at[0] == form->mark[form->matched]) {
            form->len++;
            form->last = bytes.at[0];
            return ++form->matched < form->n_mark || multipart_body_ends(form) ? 1 : 0;
        }
        form->matched = MULTIPART_NONE;
    }
    while (end < stop && *end != '\n' && *end != '\r') {     /* to some a CR ends a line, too */
        end++;
    }
    n = end < stop ? (size_t) (end - bytes.at) + 1 : bytes.len;
    if (end < stop) {
        form->matched = 0;
        form->line_has_cr = *end == '\n' && (n > 1 ? bytes.at[n - 2] : form->last) == '\r';
    }
    form->last = bytes.at[n - 1];
    form->len += n;
    /* (the last bytes may be of a boundary) */
    return form->len <= form->n_mark + 2 || multipart_check_length(form, form->len - form->n_mark - 2) ? n : 0;
}

bool
form_multipart_feed(form_multipart_t *form, weir_str_t bytes)
{
    weir_assert(form->verdict.fault == FORM_GOOD);
    while (bytes.len != 0) {
        size_t n = 1;

        switch (form->place) {
        case FORM_AT_START: n = multipart_start_byte(form, bytes.at[0]); break;
        case FORM_AT_MARK: n = multipart_mark_byte(form, bytes.at[0]); break;
        case FORM_AT_HEAD: n = multipart_head_byte(form, bytes.at[0]); break;
        case FORM_AT_BODY: n = multipart_body_bytes(form, bytes); break;
        case FORM_AT_END: n = multipart_end_byte(form, bytes.at[0]); break;
        }
        if (n == 0) {
            weir_assert(form->verdict.fault != FORM_GOOD);
            return false;
        }
        bytes = weir_str_skip(bytes, n);
    }
    return true;
}

bool
form_multipart_end(form_multipart_t *form)
{
    return (form->place == FORM_AT_END && form->n_tail != 1) || multipart_wrong(form, "it ends too early");
}
