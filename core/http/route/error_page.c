/*
 * error_page.c - the directive: error_page code … [=[response]] uri;
 *
 * Load time only; what it means for an answer is in request_reply.c.
 */
#include "http/conf.h"

#define ERROR_PAGE_MIN 300
#define ERROR_PAGE_MAX 599

/* "=": the status of whatever answers; "=200": that one. */
static bool
error_page_response(weir_conf_t *cf, size_t word, weir_str_t text, int32_t *overwrite)
{
    uint32_t status = 0;

    text = weir_str_skip(text, 1);
    if (text.len != 0 && (!weir_conf_read_u32(text, &status) || status < 200 || status > 999)) {
        return weir_conf_invalid(cf, word, "\"=\" or \"=\" and a status");
    }
    *overwrite = (int32_t) status;
    return true;
}

static bool
error_page_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    size_t last = words->n - 1, n_codes = last;
    weir_error_page_t page = { .overwrite = -1 };
    weir_str_t uri = words->at[last].text;
    uint32_t code;

    (void) row;
    if (weir_str_starts(words->at[last - 1].text, WEIR_STR("="))) {
        n_codes = last - 1;
        if (!error_page_response(cf, n_codes, words->at[n_codes].text, &page.overwrite)) {
            return false;
        }
    }
    if (n_codes < 2) {
        return weir_conf_invalid(cf, 1, "a status before it");
    }
    if (uri.len == 0) {
        return weir_conf_invalid(cf, last, "a URI, a @name or an address");
    }
    page.target = weir_conf_template(cf, last, uri);
    if (page.target == NULL) {
        return false;
    }
    for (size_t i = 1; i < n_codes; i++) {
        weir_str_t text = words->at[i].text;
        if (!weir_conf_read_u32(text, &code) || code < ERROR_PAGE_MIN || code > ERROR_PAGE_MAX || code == 499) {
            return weir_conf_invalid(cf, i, "a status from 300 to 599 other than 499");
        }
        page.code = (uint16_t) code;
        *(weir_error_page_t *) weir_conf_list_push(cf, field, sizeof(page)) = page;
    }
    return true;
}

const weir_conf_type_t weir_type_error_pages = {
    .name = "code ... [=[response]] uri", .size = sizeof(weir_error_pages_t), .min_args = 2, .max_args = 255,
    .repeats = true, .parse = error_page_parse, .item = sizeof(weir_error_page_t),
};
