/*
 * state_file.h - servers in words: of a `server`, and of the files of `state` (nginx Plus), which say what a group's
 * servers are where they are changed at run time.
 */
#ifndef WEIR_UPSTREAM_STATE_FILE_H
#define WEIR_UPSTREAM_STATE_FILE_H

#include "upstream/group.h"

#endif
