/*
 * state_file.h - servers in words: of a `server`, and of the files of `state` (nginx Plus), which say what a group's
 * servers are where they are changed at run time.
 */
#ifndef WEIR_UPSTREAM_STATE_FILE_H
#define WEIR_UPSTREAM_STATE_FILE_H

#include "base/error.h"
#include "upstream/group.h"

#define WEIR_STATE_FILE_WORDS 32             /* of a line, at most */

/* Calls each with the words of a line ("server" first), which are pieces of the text.  false with *error: a line is
 * none, or each has said so. */
bool weir_state_file_read(weir_str_t text, bool (*each)(void *data, const weir_str_t *words, size_t n,
                                                        weir_error_t *error),
                          void *data, weir_error_t *error) WEIR_MUST_USE;
/* Are its texts words as such a file has them?  Else it cannot be in one. */
bool weir_state_file_can_say(const weir_peer_conf_t *peer);
/* What the group's servers are now, with what was changed at run time, in the place of what its file said; on the disk
 * when this returns, which waits for it.  0, or an error number. */
int  weir_state_file_write(const weir_group_conf_t *group) WEIR_MUST_USE;
/* What such a number says to the client that made the change. */
void weir_state_file_fault(const weir_group_conf_t *group, int number, weir_error_t *error);

#endif
