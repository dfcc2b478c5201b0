/*
 * read_ahead.h - a request's body, all of it, before anything is done with it: into req->body, in memory and a
 * temporary file.
 */
#ifndef WEIR_HTTP_READ_AHEAD_H
#define WEIR_HTTP_READ_AHEAD_H

#include "http/request.h"

struct weir_store;

/* A store for the body, as client_body_buffer_size & co. say; closed when the request goes. */
struct weir_store *weir_read_ahead_store(weir_request_t *req);
/* Some of the body into it.  OK: it is complete, and req->body · AGAIN: more when the hold is told · EOF: a turn's
 * work, call it again in the next ·
 * ERROR: req->cause says why (INTERNAL_IO: the file). */
weir_io_t weir_read_ahead_some(weir_request_t *req, struct weir_store *store);

/* Is the body to be in a file even if it goes to no peer, or if it is empty (client_body_in_file_only)? */
bool weir_read_ahead_needs_file(const weir_request_t *req);
/* The name of that file, of a body that is complete; empty: it has none. */
weir_str_t weir_read_ahead_file(const weir_request_t *req);

/* All of a body that was read ahead, as one text: where it lies, or in the arena.  Empty: there is none.  OK · EOF: it
 * has more than max bytes · ERROR: no memory, or its file could not be read. */
weir_io_t weir_read_ahead_text(weir_request_t *req, uint64_t max, weir_arena_t *arena,
                               weir_str_t *text) WEIR_MUST_USE;

/* The same of its first n bytes; it has more. */
weir_io_t weir_read_ahead_begin(weir_request_t *req, size_t n, weir_arena_t *arena, weir_str_t *text) WEIR_MUST_USE;
/* Bytes of a body that was read ahead; 0: there is none. */
uint64_t weir_read_ahead_size(const weir_request_t *req);
/* The same piece by piece.  OK · ERROR: its file could not be read. */
weir_io_t weir_read_ahead_each(weir_request_t *req, void (*each)(void *data, weir_str_t bytes),
                               void *data) WEIR_MUST_USE;

/* For handlers.  NEXT: the body is there, or there is none · PARK: done is called when it is, and the handler's request
 * is parked meanwhile: done goes on with weir_request_resume · DONE: it was refused and answered. */
weir_step_t weir_read_ahead(weir_request_t *req, void (*done)(weir_request_t *req));

#endif
