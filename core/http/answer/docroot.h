/*
 * docroot.h - where the files of a location are: root and alias, and a path of the request as a name in the file
 * system.
 */
#ifndef WEIR_HTTP_DOCROOT_H
#define WEIR_HTTP_DOCROOT_H

#include "http/request.h"

#define WEIR_FILE_NAME_MAX 4096       /* PATH_MAX */

/* The folder that root or alias names: absolute, NUL-terminated, without a slash at its end but for "/" itself.  false:
 * no name can be made of it (empty, a NUL, too long). */
bool weir_docroot_folder(weir_request_t *req, weir_str_t *folder) WEIR_MUST_USE;
/* The name of the file for a decoded path of this location (req->uri.path, or one that stands for it): below the
 * folder, NUL-terminated.  false: there is none: a NUL, a ".." that leads out, too long, or not what alias stands
 * for. */
bool weir_docroot_file(weir_request_t *req, weir_str_t path, weir_str_t *file) WEIR_MUST_USE;
/* The beginning of paths that the alias stands for, which is the text of its location; empty: it is root that holds. */
weir_str_t weir_docroot_alias(const weir_request_t *req);
/* Does alias name the whole file (in a location with a pattern)? */
bool weir_docroot_is_whole(const weir_request_t *req);
/* Content-Type for a path by `types`; else default_type. */
weir_str_t weir_docroot_type(const weir_request_t *req, weir_str_t path);

#endif
