/*
 * settings.h - what a generation's main and events blocks say to the processes, in the form in which they use it.
 */
#ifndef WEIR_PROC_COMMON_SETTINGS_H
#define WEIR_PROC_COMMON_SETTINGS_H

#include "conf/generation.h"
#include "os/rights.h"

/* Borrows from the generation. */
typedef struct {
    bool               daemon, master;      /* of the first generation; later ones change nothing */
    struct { weir_str_t path, group; uint32_t mode; } control;      /* path empty: beside the pid file */
    bool               control_changes_user;
    uid_t              control_uid;
    gid_t              control_gid;
    weir_str_t         pid_file, state_path, store_path;     /* store_path empty: there is no store */
    weir_bytes_t       store_size;
    uint32_t           workers, connections;
    weir_msec_t        upgrade_timeout, upgrade_trial;
    weir_msec_t        shutdown_timeout;    /* 0: none */
    weir_msec_t        watchdog;            /* 0: none */
    /* what a worker becomes when it starts */
    bool               changes_user;
    weir_rights_user_t user;
    int                priority;
    /* may_dump: cores are wanted; else no process of the same user may look into it */
    bool               limits_files, limits_core, may_dump;
    uint64_t           files, core;
    const char        *working_directory;   /* NULL: as inherited */
    const uint64_t    *cpus;                /* `cpu_words` for each worker in turn; NULL: any */
    size_t             cpu_words;
    weir_strs_t        environment;
} weir_settings_t;

void weir_settings_read(weir_settings_t *settings, const weir_generation_t *generation);
/* Whether processes must be replaced to go from one to the other. */
bool weir_settings_differ(const weir_settings_t *a, const weir_settings_t *b);

#endif
