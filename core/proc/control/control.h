/*
 * control.h - the control process, from exec to exit: it owns the control socket and nothing else of the instance.
 *
 * The master starts its own program anew (weir --control-process …): what the new process has is two descriptors, the
 * listening socket and the link to the master, and standard error.  Nothing of the master's or a worker's memory is in
 * it: no key, no configuration, no text of a client.  Before it takes a client it gives up root, groups, capabilities
 * and new privileges.  It ends when the link does.
 */
#ifndef WEIR_PROC_CONTROL_CONTROL_H
#define WEIR_PROC_CONTROL_CONTROL_H

#include "base/base.h"

#include <sys/types.h>

#define WEIR_CONTROL_OPTION "--control-process"
#define WEIR_CONTROL_TITLE  "weir: control process"

/* What it is told on its command line. */
typedef struct {
    int    listener, link;
    uid_t  owner;                            /* may ask, as root may */
    gid_t  group;
    mode_t mode;
    bool   changes_user;
    uid_t  uid;
    gid_t  gid;
} weir_control_start_t;

#define WEIR_CONTROL_WORD 160                /* bytes of the word behind the option */

void weir_control_start_write(const weir_control_start_t *start, char word[WEIR_CONTROL_WORD]);
bool weir_control_start_read(weir_control_start_t *start, const char *word) WEIR_MUST_USE;

/* Is this the command line of one?  Then its exit code is *code. */
bool weir_control_process(char *const *argv, int *code) WEIR_MUST_USE;

#endif
