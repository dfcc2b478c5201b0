/*
 * basic_check.h - is this the password that was hashed?  Costly hashes are computed beside the loop, and right ones are
 * known for a while.
 */
#ifndef WEIR_HTTP_BASIC_CHECK_H
#define WEIR_HTTP_BASIC_CHECK_H

#include "base/str.h"

struct weir_request;
typedef struct weir_basic_check weir_basic_check_t;

typedef enum {
    WEIR_BASIC_RIGHT,
    WEIR_BASIC_WRONG,
    WEIR_BASIC_LATER,         /* done is called in a later turn, unless the check is cancelled */
    WEIR_BASIC_BUSY,          /* too many are being checked, or there is no memory */
} weir_basic_answer_t;

/* password and hash are borrowed for the call.  LATER: *check. */
weir_basic_answer_t weir_basic_check(struct weir_request *req, weir_str_t password, weir_str_t hash,
                                     void (*done)(struct weir_request *req, bool is_right),
                                     weir_basic_check_t **check) WEIR_MUST_USE;
void weir_basic_check_cancel(weir_basic_check_t *check);

#endif
