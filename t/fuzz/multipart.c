/*
 * multipart.c - forms: the first byte says how the rest is cut into pieces, the second which of the two kinds it is.
 * Whatever the cuts, the verdict is the same; and a form that is good is so for a reader who has all of it at once.
 */
#include "../../modules/http/form_body/form.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static weir_media_range_t form_images[] = { { { "image/", 6 }, WEIR_MEDIA_OF_TYPE } };

static form_verdict_t
form_judge(weir_str_t text, bool is_multipart, size_t piece, uint32_t *fields, uint32_t *files)
{
    char                head[256];
    const form_limits_t limits = { .max_fields = 8, .max_files = 4, .max_name = 16, .max_value = 64, .max_file = 64,
                                   .max_head = sizeof(head), .types = { form_images, 1 } };
    form_multipart_t    multipart;
    form_urlencoded_t   url;
    bool                is_good = true;

    form_multipart_begin(&multipart, &limits, WEIR_STR("b"), head);
    form_urlencoded_begin(&url, &limits);
    while (text.len != 0 && is_good) {
        size_t n = weir_min(piece, text.len);

        is_good = is_multipart ? form_multipart_feed(&multipart, weir_str(text.at, n))
                               : form_urlencoded_feed(&url, weir_str(text.at, n));
        text = weir_str_skip(text, n);
    }
    if (is_good) {
        is_good = is_multipart ? form_multipart_end(&multipart) : form_urlencoded_end(&url);
    }
    form_verdict_t verdict = is_multipart ? multipart.verdict : url.verdict;

    if (is_good != (verdict.fault == FORM_GOOD) || is_good != (verdict.why == NULL)) {
        abort();
    }
    *fields = is_multipart ? multipart.fields : url.fields;
    *files = multipart.files;
    return verdict;
}

/* Parts between boundaries, by looking for them in all of the text. */
static uint32_t
form_count(weir_str_t text)
{
    static const char mark[] = "--b\r\n";
    uint32_t          n = 0;

    for (size_t i = 0; i + sizeof(mark) - 1 <= text.len; i++) {
        n += memcmp(text.at + i, mark, sizeof(mark) - 1) == 0 && (i == 0 || text.at[i - 1] == '\n');
    }
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t   fields, files, others, other_files;
    weir_str_t text, boundary;
    bool       is_multipart;

    if (size < 2) {
        return 0;
    }
    is_multipart = (data[1] & 1) != 0;
    text = weir_str((const char *) data + 2, size - 2);
    form_verdict_t whole = form_judge(text, is_multipart, text.len + 1, &fields, &files);
    form_verdict_t cut = form_judge(text, is_multipart, (size_t) data[0] % 64 + 1, &others, &other_files);

    if (whole.fault != cut.fault || whole.why != cut.why || fields != others || files != other_files) {
        abort();
    }
    if (whole.fault == FORM_GOOD && (fields > 8 || files > 4 || (is_multipart && fields != form_count(text)))) {
        abort();
    }
    if (form_multipart_boundary(text, &boundary) && (boundary.len == 0 || boundary.len > FORM_BOUNDARY_MAX)) {
        abort();
    }
    return 0;
}
