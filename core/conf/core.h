/*
 * core.h - what main and events say about the process as a whole.
 */
#ifndef WEIR_CONF_CORE_H
#define WEIR_CONF_CORE_H

#include "conf/generation.h"

#define WEIR_CORE_NO_LIMIT  UINT64_MAX
#define WEIR_CORE_CPU_WORDS (WEIR_BUNDLE_CPUS / 64)

typedef struct { uint64_t words[WEIR_CORE_CPU_WORDS]; } weir_core_cpus_t;

typedef struct {
    weir_core_cpus_t *at;               /* as written; the first one the limit of automatic */
    size_t            n;
    bool              automatic;
} weir_core_affinity_t;

typedef struct { weir_str_t user, group; } weir_core_user_t;    /* as written; NUL-terminated */
typedef struct { weir_log_sink_t *at; size_t n; } weir_core_logs_t;

#define WEIR_CORE_CONTROL_MODE 0600
#define WEIR_CORE_CONTROL_NEW  ".new"       /* behind the path while the socket is made */

/* path empty: beside the pid file.  group empty: that of the user who starts the instance; NUL-terminated */
typedef struct { weir_path_t path; weir_str_t group; uint32_t mode; } weir_core_control_t;

typedef struct {
    /* -- as written -- */
    weir_flag_t          daemon, master_process, pcre_jit, multi_accept;
    uint32_t             worker_processes;      /* auto is counted already */
    uint32_t             worker_connections, use;
    int32_t              worker_priority;
    uint64_t             worker_rlimit_nofile;  /* WEIR_CORE_NO_LIMIT: as inherited; so the next one */
    weir_bytes_t         worker_rlimit_core;
    weir_msec_t          upgrade_timeout, upgrade_trial;
    weir_msec_t          worker_shutdown_timeout;    /* 0: no limit */
    weir_msec_t          worker_watchdog;       /* 0: none */
    weir_path_t          working_directory;     /* empty: as inherited */
    weir_path_t          pid, state_path;
    weir_core_user_t     user, control_user;
    weir_core_control_t  control;
    weir_core_affinity_t affinity;
    weir_core_logs_t     error_log;
    weir_strs_t          env;                   /* "NAME" or "NAME=value"; NUL-terminated */
    /* -- worked out by .check -- */
    weir_bundle_user_t   workers_user;          /* ignored: workers keep the user of the master */
    weir_bundle_user_t   control_runs_as;       /* ignored: as the one who starts the instance */
    uint64_t            *cpus;                  /* WEIR_CORE_CPU_WORDS for each of worker_processes; NULL: any */
} weir_core_conf_t;

extern const weir_module_t weir_core;
extern const weir_conf_type_t weir_type_user;      /* weir_core_user_t: name [group] */
extern const size_t        weir_core_index;

static inline const weir_core_conf_t *
weir_core_conf(const weir_generation_t *generation)
{
    return weir_conf_of(generation->root, weir_core_index);
}

/* Its error_log of main, as each process opens it for itself. */
static inline weir_log_sink_t *
weir_core_sinks(const weir_generation_t *generation)
{
    return generation->kept[weir_core_index];
}

static inline bool
weir_core_multi_accept(const weir_generation_t *generation)
{
    return weir_core_conf(generation)->multi_accept.on;
}

/* Makes a folder for temporary files (mode 0700, the workers' user's) where there is none; does nothing in a replay. */
bool weir_conf_make_folder(weir_conf_t *cf, const weir_conf_words_t *words, weir_str_t path);

/*
 * The bundle's text "error_log", when there is one, is the path (or "stderr") of the log that is used where the
 * configuration has no error_log: -e.  Relative to the prefix.
 */

extern const weir_conf_type_t weir_core_type_log;         /* core_log.c */
extern const weir_conf_type_t weir_core_type_control;     /* core_control.c */
bool weir_core_check_control(weir_conf_t *cf, weir_conf_block_t *block, weir_core_conf_t *core);
/* The first of these users and groups that this system has and that is neither root nor `unlike`; else ignored. */
void weir_core_find_user(weir_conf_t *cf, const weir_str_t (*names)[2], size_t n, const weir_bundle_user_t *unlike,
                         weir_bundle_user_t *found);
/* What follows "syslog:" in word 1 of the directive being read.  severity NULL: records have their own, and naming one
 * gets a warning. */
bool weir_core_read_syslog(weir_conf_t *cf, weir_log_sink_t *sink, weir_str_t options, weir_log_level_t *severity);
bool weir_core_build_logs(weir_conf_t *cf, weir_generation_t *generation);

extern const weir_conf_type_t weir_core_type_processes, weir_core_type_affinity;     /* core_cpu.c */
bool weir_core_check_affinity(weir_conf_t *cf, weir_core_conf_t *core);

#endif
