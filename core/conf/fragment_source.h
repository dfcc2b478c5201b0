/*
 * fragment_source.h - while a bundle is recorded: who puts the fragments into it that a directive names, and what need
 * not be read again.
 */
#ifndef WEIR_CONF_FRAGMENT_SOURCE_H
#define WEIR_CONF_FRAGMENT_SOURCE_H

#include "conf/bundle.h"
#include "conf/fragment.h"

/* false with *error. */
typedef struct weir_fragment_source {
    void *data;
    bool (*folder)(void *data, weir_bundle_t *bundle, weir_str_t path, weir_error_t *error);   /* `fragments` */
    bool (*state)(void *data, weir_bundle_t *bundle, weir_str_t path, weir_error_t *error);    /* `fragments_state` */
} weir_fragment_source_t;

/* Kept as a pointer.  Without one, and in a replay, these directives put nothing. */
void weir_fragment_source_set(weir_bundle_t *bundle, const weir_fragment_source_t *source);
bool weir_fragment_source_folder(weir_bundle_t *bundle, weir_str_t path, weir_error_t *error) WEIR_MUST_USE;
bool weir_fragment_source_state(weir_bundle_t *bundle, weir_str_t path, weir_error_t *error) WEIR_MUST_USE;

/* Files, lists of files, addresses of names and users are what `before` has of them, where it has them; it is a replay,
 * and outlives the recording.  reads_anew: of files that are no text of the configuration, whether that one is read
 * from the disk all the same. */
void weir_fragment_source_go_by(weir_bundle_t *bundle, weir_bundle_t *before,
                                bool (*reads_anew)(void *data, weir_str_t path), void *data);
/* That file changes while it is in use: it is read from the disk. */
void weir_fragment_source_read_anew(weir_bundle_t *bundle, weir_str_t path);
/* An upstream group that is gone with a change of that fragment: who names it means the group, and no host. */
void weir_fragment_source_forget_group(weir_bundle_t *bundle, weir_str_t name, weir_str_t fragment);
bool weir_fragment_source_lacks_group(const weir_bundle_t *bundle, weir_str_t name, weir_str_t *fragment) WEIR_MUST_USE;

#endif
