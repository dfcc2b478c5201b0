/*
 * resources.h - what the control socket has, by method and path: rows that say which command of the master a request
 * is, and what of it becomes which word.
 *
 *     {name}     one segment of the path, %XX decoded          {name*}     the rest of the path, segments decoded
 *
 * Pure; runs in the control process and in `weir`, which prints the rows for the manual.
 */
#ifndef WEIR_PROC_CONTROL_RESOURCES_H
#define WEIR_PROC_CONTROL_RESOURCES_H

#include "http/message/method.h"

#include <jansson.h>

#define WEIR_RESOURCE_NAMES 4                /* of a path, at most */

typedef struct {
    weir_method_t method;
    const char   *path;
    const char   *command;                   /* of the master (proc/master/commands.h); NULL: the rows themselves */
    bool          takes_body;                /* JSON */
    const char   *member;                    /* the body is this word; NULL: an object, whose members are words */
    const char   *located;                   /* the word that is the new resource's name: 201, not 200; NULL */
    /* names of the query that are words: "forget after#", # a number, else true where no value is given */
    const char   *query;
    bool          is_long;                   /* its answer may be: a client has one of these at a time */
    const char   *help;                      /* a sentence */
    const char   *body;                      /* a body for the manual; NULL: none */
} weir_resource_t;

typedef struct {
    const weir_resource_t *row;              /* NULL: none has that method */
    weir_str_t             names[WEIR_RESOURCE_NAMES], values[WEIR_RESOURCE_NAMES];
    size_t                 n;
    uint32_t               methods;          /* bits: of all rows with that path; 0: there is no such path */
} weir_resource_match_t;

/* path: raw.  HEAD is looked for as GET.  false: it cannot be read (a bad %XX, a NUL). */
bool    weir_resource_find(weir_resource_match_t *match, weir_method_t method, weir_str_t path,
                           weir_arena_t *arena) WEIR_MUST_USE;
/* The words of the command; new.  body: NULL or JSON; query: raw.  NULL: *why, constant or of the arena. */
json_t *weir_resource_words(const weir_resource_match_t *match, json_t *body, weir_str_t query, weir_arena_t *arena,
                            const char **why);
/* Every row: {"resources":[{"method","path","help",…}]}; new. */
json_t *weir_resources_tell(void);
/* The manual's page, with a table of the rows: resources_manual.c. */
void    weir_resources_manual_print(int fd);
/* The names of methods for a field Allow, into the arena. */
weir_str_t weir_resource_allow(uint32_t methods, weir_arena_t *arena);

#endif
