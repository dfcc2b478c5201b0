/*
 * edit.h - what the client sees of a peer's Location, Refresh and Set-Cookie: rules that put other texts in their
 * place.
 */
#ifndef WEIR_HTTP_PROXY_EDIT_H
#define WEIR_HTTP_PROXY_EDIT_H

#include "conf/module.h"

struct weir_request;

typedef struct {
    enum { WEIR_EDIT_OFF, WEIR_EDIT_DEFAULT, WEIR_EDIT_TEXT, WEIR_EDIT_PATTERN } kind;
    const weir_template_t *text;             /* of TEXT */
    const weir_regex_t    *regex;            /* of PATTERN */
    const weir_template_t *replacement;
} weir_edit_t;
typedef struct { weir_edit_t *at; size_t n; } weir_edits_t;

/* proxy_cookie_flags: what is done to cookies whose name fits. */
typedef struct {
    weir_edit_t             name;            /* without a replacement */
    const weir_template_t **flags;
    size_t                  n;
} weir_cookie_flags_t;
typedef struct { weir_cookie_flags_t *at; size_t n; } weir_cookie_rules_t;

typedef struct {
    weir_edits_t        redirects, domains, paths;
    weir_cookie_rules_t flags;
    weir_str_t          url, place;          /* what `default` replaces and by what; derived: see weir_edits_derive */
} weir_edits_conf_t;

extern const weir_conf_type_t weir_type_redirect, weir_type_cookie_domain, weir_type_cookie_path,
    weir_type_cookie_flags;

/* url and uri as proxy_pass has them (uri empty: none), and the location's text. */
void weir_edits_derive(weir_arena_t *arena, weir_edits_conf_t *conf, weir_str_t url, bool has_uri, weir_str_t location);
/* The field's value as the client gets it: value itself when no rule is for it, else in the request's arena. */
weir_str_t weir_edit_location(const weir_edits_conf_t *conf, struct weir_request *req, weir_str_t value);
weir_str_t weir_edit_refresh(const weir_edits_conf_t *conf, struct weir_request *req, weir_str_t value);
weir_str_t weir_edit_cookie(const weir_edits_conf_t *conf, struct weir_request *req, weir_str_t value);

#endif
