/*
 * edit.c - proxy_redirect and proxy_cookie_*: a peer's Location, Refresh and Set-Cookie as the client gets them.
 *
 * The first rule that fits does its work.  Read at load; run in workers, texts in the request's arena.  A pattern that
 * runs into its match limit fits nothing, and the log tells: the value stays the peer's.
 */
#include "http/proxy/edit.h"

#include "http/route/captures.h"
#include "http/request.h"

#include <string.h>

/* -- load -- */

/* The word, "~pattern" or "~*pattern"; patterns of domains never have a case. */
static bool
edit_read_what(weir_conf_t *cf, size_t word, weir_str_t text, bool folds, weir_edit_t *edit)
{
    edit->kind = weir_str_starts(text, WEIR_STR("~")) ? WEIR_EDIT_PATTERN : WEIR_EDIT_TEXT;
    if (edit->kind == WEIR_EDIT_TEXT) {
        edit->text = weir_conf_template(cf, word, text);
        return edit->text != NULL;
    }
    text = weir_str_skip(text, 1);
    if (weir_str_starts(text, WEIR_STR("*"))) {
        folds = true;
        text = weir_str_skip(text, 1);
    }
    edit->regex = weir_http_captures_announce(cf, word, text, folds, WEIR_OF_REQUEST);
    return edit->regex != NULL;
}

/* `off` and `default` stand alone, the first for all of them. */
static bool
edit_read_one_word(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, bool has_default,
                   const weir_edits_t *list, weir_edit_t *edit)
{
    weir_str_t word = words->at[1].text;

    if (has_default && weir_str_eq(word, WEIR_STR("default"))) {
        edit->kind = WEIR_EDIT_DEFAULT;
        return true;
    }
    if (!weir_str_eq(word, WEIR_STR("off"))) {
        return weir_conf_invalid(cf, 1, has_default ? "\"off\", \"default\" or two texts" : "\"off\" or two texts");
    }
    if (list->n != 0) {
        return weir_conf_error(cf, 1, "\"%s off\" cannot stand beside others", row->name);
    }
    edit->kind = WEIR_EDIT_OFF;
    return true;
}

static bool
edit_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, weir_edits_t *list,
           bool has_default, bool is_domain)
{
    weir_edit_t edit = { .kind = WEIR_EDIT_OFF };
    weir_str_t  what = words->at[1].text, to = words->n == 3 ? words->at[2].text : WEIR_STR_NONE;

    if (list->n != 0 && list->at[0].kind == WEIR_EDIT_OFF) {
        return weir_conf_error(cf, 1, "\"%s off\" cannot stand beside others", row->name);
    }
    if (words->n == 2) {
        if (!edit_read_one_word(cf, row, words, has_default, list, &edit)) {
            return false;
        }
    } else {
        if (is_domain) {                     /* a dot at the beginning means nothing (RFC 6265 §5.2.3) */
            what = weir_str_skip(what, weir_str_starts(what, WEIR_STR(".")));
            to = weir_str_skip(to, weir_str_starts(to, WEIR_STR(".")));
        }
        if (what.len == 0) {
            return weir_conf_invalid(cf, 1, "a text to replace");
        }
        edit.replacement = edit_read_what(cf, 1, what, is_domain, &edit) ? weir_conf_template(cf, 2, to) : NULL;
        if (edit.replacement == NULL) {
            return false;
        }
    }
    *(weir_edit_t *) weir_conf_list_push(cf, list, sizeof(edit)) = edit;
    return true;
}

static bool
edit_parse_redirect(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    return edit_parse(cf, row, words, field, true, false);
}

static bool
edit_parse_domain(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    return edit_parse(cf, row, words, field, false, true);
}

static bool
edit_parse_path(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    return edit_parse(cf, row, words, field, false, false);
}

enum { EDIT_SECURE, EDIT_HTTPONLY, EDIT_SAMESITE, EDIT_ATTRIBUTES };

static const weir_str_t edit_attributes[EDIT_ATTRIBUTES] = { WEIR_STR_INIT("secure"), WEIR_STR_INIT("httponly"),
                                                             WEIR_STR_INIT("samesite") };

/* What a flag does with its attribute: what is there goes, and this comes in its place. */
typedef struct { weir_str_t word; unsigned attribute; const char *text; } edit_flag_t;

static const edit_flag_t edit_flags[] = {
    { WEIR_STR_INIT("secure"), EDIT_SECURE, " Secure" },
    { WEIR_STR_INIT("nosecure"), EDIT_SECURE, NULL },
    { WEIR_STR_INIT("httponly"), EDIT_HTTPONLY, " HttpOnly" },
    { WEIR_STR_INIT("nohttponly"), EDIT_HTTPONLY, NULL },
    { WEIR_STR_INIT("samesite=strict"), EDIT_SAMESITE, " SameSite=Strict" },
    { WEIR_STR_INIT("samesite=lax"), EDIT_SAMESITE, " SameSite=Lax" },
    { WEIR_STR_INIT("samesite=none"), EDIT_SAMESITE, " SameSite=None" },
    { WEIR_STR_INIT("nosamesite"), EDIT_SAMESITE, NULL },
};

static const edit_flag_t *
edit_flag(weir_str_t text)
{
    for (size_t i = 0; i < weir_countof(edit_flags); i++) {
        if (weir_str_eq_fold(text, edit_flags[i].word)) {
            return &edit_flags[i];
        }
    }
    return NULL;
}

static bool
edit_parse_flags(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_cookie_rules_t *list = field;
    weir_cookie_flags_t  rule = { .n = words->n - 2 };
    bool                 is_off = words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"));

    if (list->n != 0 && (is_off || list->at[0].name.kind == WEIR_EDIT_OFF)) {
        return weir_conf_error(cf, 1, "\"%s off\" cannot stand beside others", row->name);
    }
    if (!is_off && (words->at[1].text.len == 0 || !edit_read_what(cf, 1, words->at[1].text, true, &rule.name))) {
        return weir_conf_invalid(cf, 1, "\"off\" or the name of a cookie");
    }
    if (rule.n != 0) {
        rule.flags = weir_new_n(cf->arena, const weir_template_t *, rule.n);
    }
    for (size_t i = 0; i < rule.n; i++) {
        rule.flags[i] = weir_conf_template(cf, i + 2, words->at[i + 2].text);
        if (rule.flags[i] == NULL) {
            return false;
        }
        if (rule.flags[i]->is_constant && edit_flag(words->at[i + 2].text) == NULL) {
            return weir_conf_invalid(
                cf, i + 2,
                "secure, httponly, samesite=strict, samesite=lax, samesite=none, nosecure, nohttponly or nosamesite");
        }
    }
    *(weir_cookie_flags_t *) weir_conf_list_push(cf, list, sizeof(rule)) = rule;
    return true;
}

#define EDIT_TYPE(syntax, how)                                                                                         \
    {                                                                                                                  \
        .name = (syntax), .size = sizeof(weir_edits_t), .min_args = 1, .max_args = 2, .repeats = true, .parse = (how), \
        .item = sizeof(weir_edit_t)                                                                                    \
    }

const weir_conf_type_t weir_type_redirect = EDIT_TYPE("default | off | redirect replacement", edit_parse_redirect);
const weir_conf_type_t weir_type_cookie_domain = EDIT_TYPE("off | domain replacement", edit_parse_domain);
const weir_conf_type_t weir_type_cookie_path = EDIT_TYPE("off | path replacement", edit_parse_path);
const weir_conf_type_t weir_type_cookie_flags = {
    .name = "off | cookie [flag ...]",
    .size = sizeof(weir_cookie_rules_t),
    .min_args = 1,
    .max_args = 10,
    .repeats = true,
    .parse = edit_parse_flags,
    .item = sizeof(weir_cookie_flags_t),
};

void
weir_edits_derive(weir_arena_t *arena, weir_edits_conf_t *conf, weir_str_t url, bool has_uri, weir_str_t location)
{
    conf->url = has_uri ? url : weir_str_concat(arena, url, WEIR_STR("/"));
    conf->place = has_uri ? location : WEIR_STR("/");
}

/* -- an answer -- */

static bool
edit_matches(const weir_edit_t *edit, weir_request_t *req, weir_str_t value)
{
    weir_regex_result_t result = weir_http_captures_match(req, edit->regex, value, false);

    if (result == WEIR_REGEX_LIMIT) {
        weir_log(WEIR_LOG_ERROR, &req->log, 0, "a pattern for the peer's answer ran into its match limit: \"%.*s\"",
                 WEIR_STR_ARG(weir_regex_pattern(edit->regex)));
    }
    return result == WEIR_REGEX_MATCH;
}

/* Of a text the beginning is replaced, or all of it must be it (whole, in any case); of what a pattern fits all. false:
 * no rule is for it. */
static bool
edit_apply(const weir_edits_t *edits, const weir_edits_conf_t *conf, weir_request_t *req, bool whole, weir_str_t value,
           weir_str_t *out)
{
    for (size_t i = 0; i < edits->n; i++) {
        const weir_edit_t *edit = &edits->at[i];
        weir_str_t         text, rest;

        switch (edit->kind) {
        case WEIR_EDIT_OFF:
            return false;
        case WEIR_EDIT_PATTERN:
            if (edit_matches(edit, req, value)) {
                *out = weir_request_eval(req, edit->replacement);
                return true;
            }
            continue;
        case WEIR_EDIT_DEFAULT:
        case WEIR_EDIT_TEXT:
            break;
        }
        text = edit->kind == WEIR_EDIT_DEFAULT ? conf->url : weir_request_eval(req, edit->text);
        if (text.len == 0 || !(whole ? weir_str_eq_fold(value, text) : weir_str_starts(value, text))) {
            continue;
        }
        rest = weir_str_skip(value, text.len);
        text = edit->kind == WEIR_EDIT_DEFAULT ? conf->place : weir_request_eval(req, edit->replacement);
        *out = weir_str_concat(&req->arena, text, rest);
        return true;
    }
    return false;
}

weir_str_t
weir_edit_location(const weir_edits_conf_t *conf, weir_request_t *req, weir_str_t value)
{
    weir_str_t out;

    return edit_apply(&conf->redirects, conf, req, false, value, &out) ? weir_request_absolute(req, out) : value;
}

/* `5; url=address`. */
weir_str_t
weir_edit_refresh(const weir_edits_conf_t *conf, weir_request_t *req, weir_str_t value)
{
    weir_str_t out;

    for (size_t i = 0; i + 4 <= value.len; i++) {
        if (weir_str_starts_fold(weir_str_skip(value, i), WEIR_STR("url="))) {
            return edit_apply(&conf->redirects, conf, req, false, weir_str_skip(value, i + 4), &out)
                       ? weir_str_concat(&req->arena, weir_str(value.at, i + 4), out) : value;
        }
    }
    return value;
}

/* -- cookies (RFC 6265 §4.1.1, §5.2): name=value and attributes, ';' between -- */

typedef struct { const edit_flag_t *flag[EDIT_ATTRIBUTES]; } edit_wanted_t;      /* NULL: as it is */

/* What the first rule for the cookie's name says. */
static void
edit_find_flags(const weir_cookie_rules_t *rules, weir_request_t *req, weir_str_t name, edit_wanted_t *want)
{
    for (size_t i = 0; i < rules->n; i++) {
        const weir_cookie_flags_t *rule = &rules->at[i];

        if (rule->name.kind == WEIR_EDIT_OFF
            || !(rule->name.kind == WEIR_EDIT_PATTERN
                     ? edit_matches(&rule->name, req, name)
                     : weir_str_eq_fold(name, weir_request_eval(req, rule->name.text))))
        {
            continue;
        }
        for (size_t k = 0; k < rule->n; k++) {
            const edit_flag_t *flag = edit_flag(weir_request_eval(req, rule->flags[k]));

            if (flag != NULL) {
                want->flag[flag->attribute] = flag;
            }
        }
        return;
    }
}

static bool
edit_drops(const edit_wanted_t *want, weir_str_t attribute)
{
    for (unsigned i = 0; i < EDIT_ATTRIBUTES; i++) {
        if (want->flag[i] != NULL && weir_str_eq_fold(attribute, edit_attributes[i])) {
            return true;
        }
    }
    return false;
}

/* The pieces with ";" between; one copy, however many there are. */
static weir_str_t
edit_join(weir_request_t *req, const weir_str_t *pieces, size_t n)
{
    size_t len = n;
    char  *out, *at;

    for (size_t i = 0; i < n; i++) {
        len += pieces[i].len;
    }
    out = at = weir_alloc_bytes(&req->arena, len);
    for (size_t i = 0; i < n; i++) {
        if (i != 0) {
            *at++ = ';';
        }
        if (pieces[i].len != 0) {
            memcpy(at, pieces[i].at, pieces[i].len);
            at += pieces[i].len;
        }
    }
    return weir_str(out, (size_t) (at - out));
}

static size_t
edit_count(weir_str_t value)
{
    size_t n = 1;

    for (size_t i = 0; i < value.len; i++) {
        n += value.at[i] == ';';
    }
    return n;
}

weir_str_t
weir_edit_cookie(const weir_edits_conf_t *conf, weir_request_t *req, weir_str_t value)
{
    edit_wanted_t want = { { NULL } };
    weir_str_t   *pieces, part, rest, name, text;
    size_t        n = 0;

    if ((conf->domains.n | conf->paths.n | conf->flags.n) == 0) {
        return value;
    }
    (void) weir_str_cut(value, ';', &part, &rest);
    (void) weir_str_cut(part, '=', &name, &text);
    edit_find_flags(&conf->flags, req, weir_str_trim(name), &want);
    pieces = weir_alloc(&req->arena, (edit_count(value) + EDIT_ATTRIBUTES) * sizeof(*pieces));
    pieces[n++] = part;
    for (bool more = part.len < value.len; more; ) {
        weir_str_t key, whole;

        more = weir_str_cut(rest, ';', &part, &rest);
        (void) weir_str_cut(part, '=', &key, &text);
        key = weir_str_trim(key);
        if (edit_drops(&want, key)) {
            continue;
        }
        whole = part;
        text = weir_str_trim(text);
        if ((weir_str_eq_fold(key, WEIR_STR("domain"))
             && edit_apply(&conf->domains, conf, req, true, weir_str_skip(text, weir_str_starts(text, WEIR_STR("."))),
                           &text))
            || (weir_str_eq_fold(key, WEIR_STR("path")) && edit_apply(&conf->paths, conf, req, false, text, &text)))
        {
            whole = weir_str_printf(&req->arena, " %.*s=%.*s", WEIR_STR_ARG(key), WEIR_STR_ARG(text));
        }
        pieces[n++] = whole;
    }
    for (unsigned i = 0; i < EDIT_ATTRIBUTES; i++) {
        if (want.flag[i] != NULL && want.flag[i]->text != NULL) {
            pieces[n++] = weir_str_from_z(want.flag[i]->text);
        }
    }
    return edit_join(req, pieces, n);
}
