/*
 * uri_text.h - templates whose text is, or is a part of, a URI: where a request is passed to, redirected to, rewritten
 * to.
 *
 * A variable that holds a decoded path ($uri, a group of a pattern that the path was matched with, and what `set` or
 * `map` made of them) is put there in its encoded form, so that a client's %3F makes no query, %23 no fragment and
 * %2525 no %25.  All other variables are put there as they are, and the user of the text encodes what may not stand in
 * a URI.
 */
#ifndef WEIR_HTTP_URI_TEXT_H
#define WEIR_HTTP_URI_TEXT_H

#include "http/request.h"

typedef enum {
    WEIR_URI_REFERENCE,      /* for a client: Location */
    WEIR_URI_REDIRECT,       /* the same by `rewrite`: what is encoded in variables is decoded where it may be */
    WEIR_URI_TARGET,         /* for a peer: $request_uri is put there in its normal form */
    WEIR_URI_QUERY,          /* of a query; in the others the first '?' begins one */
} weir_uri_place_t;

weir_str_t weir_uri_text(weir_request_t *req, const weir_template_t *template, weir_uri_place_t place);
/* A path inside, or the name of a location, and the query behind the first '?'.  What a decoded path brings stays in
 * the path, or one value of the query: a client's %3F and %26 make neither.  false: there is no query. */
bool weir_uri_text_split(weir_request_t *req, const weir_template_t *template, weir_str_t *path, weir_str_t *query);
/* Is there a decoded path, or a piece of one, in what the template makes? */
bool weir_uri_text_is_decoded(const weir_request_t *req, const weir_template_t *template);
/* A decoded path, or a piece of one, in which encoded slashes were kept: what it is for a reader that takes them for
 * slashes. false: the same. */
bool weir_uri_text_other_reading(weir_request_t *req, weir_str_t value, weir_str_t *other);
/* What the template makes for a reader who takes the encoded slashes of the path for slashes.  Code that decides by a
 * text takes both readings and refuses the request when they say different things; code that only counts or parts by it
 * takes this one, which all spellings of a path have in common. */
weir_str_t weir_uri_text_plain(weir_request_t *req, const weir_template_t *template);
/* The template has made the value of a variable that the configuration defines: its form in URIs is kept, when it is
 * another, and what it is for a reader that takes encoded slashes for slashes. */
void weir_uri_text_keep(weir_request_t *req, uint32_t slot, const weir_template_t *template, weir_str_t value);
/* The same for a group of a pattern: a decoded one, or not; plain: what it is in the other reading. */
void weir_uri_text_keep_group(weir_request_t *req, uint32_t slot, weir_str_t value, weir_str_t plain, bool is_decoded);
/* Its value is another one, that is no decoded path. */
void weir_uri_text_forget(weir_request_t *req, uint32_t slot);
/* For a subrequest: what its parent's variables are in URIs. */
void weir_uri_text_copy(weir_request_t *req, const weir_request_t *parent);

#endif
