/*
 * conf.h - where the store is: store_path and its like.
 */
#ifndef WEIR_STORE_CONF_H
#define WEIR_STORE_CONF_H

#include "conf/core.h"
#include "conf/generation.h"

typedef struct {
    weir_path_t  path;           /* empty: there is no store */
    weir_bytes_t size;           /* the file may grow to */
    weir_core_user_t   user;         /* .user.at NULL: root only */
    weir_bundle_user_t owner;        /* .ignored: as above, or not started as root */
    /* the process: the owner, or one that is not the workers'; .ignored: there is none, or not started as root */
    weir_bundle_user_t runs_as;
    weir_msec_t  flush;          /* how often what is counted is written: what may be lost */
} weir_store_conf_t;

/* For directives that need one, at load time. */
bool weir_store_is_set(const weir_conf_t *cf);
const weir_store_conf_t *weir_store_conf(const weir_generation_t *generation);

#endif
