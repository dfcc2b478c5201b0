/*
 * file.h - a file as an answer: its bytes at the pace of the client, whole or the parts a Range asks for.
 */
#ifndef WEIR_HTTP_FILE_H
#define WEIR_HTTP_FILE_H

#include "http/request.h"

/* Sends the first `length` bytes of fd, which is taken over.  res.status and res.fields (with ETag and Last-Modified,
 * when there are any) are set; preconditions and ranges are seen to here.  Returns DONE. */
weir_step_t weir_file_send(weir_request_t *req, int fd, uint64_t length);

/* Why a file cannot be opened or looked at, by errno: FILE_NONE, FILE_FORBIDDEN or FILE_ERROR. */
weir_cause_t weir_file_cause(int error);

#endif
