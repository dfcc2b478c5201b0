/*
 * secure.h - which user owns the store's folder and files.
 *
 * Where Weir is started as root they belong to another user than the workers': to store_user, else to root.  The
 * workers' group may read the data and the lock that says that a process has it open; it can write, replace and add
 * nothing.  Where another user starts Weir all of its processes are that user's, and so are the files: the system
 * cannot keep them apart then.
 */
#ifndef WEIR_STORE_SECURE_H
#define WEIR_STORE_SECURE_H

#include "base/error.h"

#include <sys/types.h>

/* By root: gives the folder, which is there, and what lies in it away.  false with *error, such as for a file that is a
 * link: the workers' user may have been the owner until now. */
bool weir_store_secure(const char *folder, uid_t owner, gid_t readers, weir_error_t *error) WEIR_MUST_USE;
/* By root, a file that was just made: the folder's owner's; is_for_readers: its group may read it if it may read the
 * folder.  By others: nothing. */
void weir_store_secure_file(const char *folder, const char *path, bool is_for_readers);

#endif
