/*
 * traffic.h - requests that came once, asked of two configurations: what changes for which of them, and for what share.
 *
 * Of a log (combined, any log_format of the old configuration, or lines as `weir explain -` reads them) or of the
 * recorder of the running instance.  Each request is judged by itself, or is known to be the same as one before; what
 * changes is gathered by shape: method, host, and path with what looks like an id taken out.  Memory is bounded
 * whatever the log holds.
 */
#ifndef WEIR_TOOL_TRAFFIC_H
#define WEIR_TOOL_TRAFFIC_H

#include "tool/fate.h"

#include <stdio.h>
#include <sys/types.h>

#define WEIR_TRAFFIC_LINE_MAX     ((size_t) 256 * 1024)      /* bytes; longer ones are passed over */
#define WEIR_TRAFFIC_SHAPES_MAX   4096                       /* of what changes; the rest is counted together */
#define WEIR_TRAFFIC_SAMPLES      3                          /* of lines that are no requests */
#define WEIR_TRAFFIC_NOTES_MAX    32

/* What is assumed of a request where nothing tells. */
typedef struct {
    const char *log;                 /* --traffic: a file, or "-"; NULL: none */
    bool        recorder;            /* --recorder */
    const char *format;              /* --format: the name of a log_format; NULL: whichever suits a line */
    const char *host;                /* --host: where the log has none; NULL: the default server's */
    const char *tool;                /* for what is said on standard error */
} weir_traffic_source_t;

/* true: the words argv[0] and argv[1] are an option of these, and *used words of it were taken; *good: … rightly. */
bool weir_traffic_option(weir_traffic_source_t *source, char *const *argv, size_t *used, bool *good);

typedef struct {
    char    shape[320], example[512];        /* as clients wrote them: to be escaped */
    json_t *was, *is;
    json_t *lost;                            /* the line of the guard that is lost; NULL */
    const char *why;                         /* NULL: nothing is lost */
    uint64_t count;
    bool     loses_guard, loses_route;
} weir_traffic_change_t;

typedef struct weir_traffic weir_traffic_t;

typedef struct {
    uint64_t lines;                          /* that were read, or requests of the recorder */
    uint64_t judged, changed, lost_guard, lost_route, lost;      /* lost: one or the other */
    uint64_t skipped, too_long;              /* no request could be read from them */
    uint64_t no_host;                        /* asked of the default server */
    uint64_t cut;                            /* of the recorder: longer than what it keeps */
    uint64_t elsewhere;                      /* … and of which its record says that they went elsewhere */
    uint64_t rest_shapes;                    /* requests whose shapes are beyond the bound */
    char     samples[WEIR_TRAFFIC_SAMPLES][128];
    size_t   n_samples;
    size_t   n_changes;
    const weir_traffic_change_t *const *changes;         /* the most frequent first */
    const json_t *unseen;                    /* texts */
    const json_t *unknown;                   /* objects: what, line, at */
} weir_traffic_sums_t;

/* The sides stay the caller's.  pid: the process whose recorder is read.  NULL: the error was written to standard
 * error. */
weir_traffic_t *weir_traffic_judge(weir_fate_side_t *old, weir_fate_side_t *new, const weir_traffic_source_t *source,
                                   pid_t pid) WEIR_MUST_USE;
void            weir_traffic_destroy(weir_traffic_t *traffic);
const weir_traffic_sums_t *weir_traffic_sums(const weir_traffic_t *traffic);

/* -- traffic_tell.c -- */
/* only_lost: of what changes no more than what is lost. */
void    weir_traffic_print(const weir_traffic_sums_t *sums, bool only_lost);
json_t *weir_traffic_json(const weir_traffic_sums_t *sums);
/* Without bytes that would command a terminal: nothing but printable ASCII. */
void    weir_traffic_show(FILE *to, weir_str_t text);

/* -- inside -- */
/* One request, as a source has it. */
typedef struct {
    weir_str_t  method, target;              /* of the request line, checked */
    weir_str_t  host;                        /* with a port or not; empty: not told */
    int         tls;                         /* -1: not told */
    uint16_t    port;                        /* 0: not told */
    bool        is_http2, has_client, is_cut;
    weir_addr_t client;
    weir_str_t *fields;                      /* "name: value" */
    size_t      n_fields;
    weir_strs_t given;                       /* stays where it is for all requests of a kind */
    weir_str_t  shown;                       /* where it is an example; empty: method and target */
    const weir_explain_url_t *url;           /* it was asked of an address, with a port; NULL */
    bool        has_place;                   /* by the recorder */
    weir_str_t  place;
} weir_traffic_request_t;

weir_arena_t *weir_traffic_arena(weir_traffic_t *traffic);
void weir_traffic_take(weir_traffic_t *traffic, const weir_traffic_request_t *request);
void weir_traffic_skip(weir_traffic_t *traffic, weir_str_t line);
void weir_traffic_skip_long(weir_traffic_t *traffic);
/* traffic_read.c: false: said. */
bool weir_traffic_read_log(weir_traffic_t *traffic, const weir_traffic_source_t *source,
                           const weir_generation_t *formats);
bool weir_traffic_read_recorder(weir_traffic_t *traffic, pid_t pid, const char *tool);

#endif
