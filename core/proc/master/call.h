/*
 * call.h - a call of one of the commands of a running instance (commands.h), from the asker to the answer.
 *
 *     asked --> row found --> row->run --> weir_call_answer       at once, or whenever there is an answer
 *                   |                  --> weir_call_answer_when  when all processes go by the change of that number
 *                   +-> refused        --> weir_call_refuse       nothing is changed
 *
 * A row answers each call exactly once, by one of the three, at once or later: it keeps the pointer until then.  The
 * asker may go meanwhile (weir_call_drop): the row need not know.  What a row is given is not checked yet, whichever
 * asker it comes from.
 *
 * Runs in the master, or in the single process.
 */
#ifndef WEIR_PROC_MASTER_CALL_H
#define WEIR_PROC_MASTER_CALL_H

#include "event/loop.h"
#include "upstream/changes.h"

struct weir_master;

/* Whose commands they are. */
typedef struct {
    void               *data;
    struct weir_master *master;              /* NULL: the single process */
    weir_loop_t        *loop;
    weir_generation_t *(*generation)(void *data);
    /* Why nothing may be changed now; NULL: it may. */
    const char  *(*is_closed)(void *data);
    /* From now on the change of that number holds, here and soon everywhere.  line: the command.  false with *error. */
    bool         (*publish)(void *data, uint64_t number, const weir_change_t *change, weir_str_t line,
                            weir_error_t *error);
    /* What went wrong with the change of that number although it holds; NULL: nothing. */
    const char  *(*fault)(void *data, uint64_t number);
    /* The last change that all go by.  late, unless NULL: gets the processes that do not go by `number` yet. */
    uint64_t     (*settled)(void *data, uint64_t number, json_t *late);
} weir_command_ops_t;

typedef struct weir_call weir_call_t;

typedef struct {
    const char *name;                        /* "upstream.add" */
    /* words: an object, with "do" */
    void      (*run)(weir_call_t *call, const json_t *words);
    bool        is_long;                     /* its answer may be: one is made after the other */
} weir_command_t;

struct weir_call {
    const weir_command_ops_t *ops;
    const weir_command_t     *row;           /* NULL: there is none of that name */
    json_t                   *answer;        /* NULL: it is not answered yet */
    unsigned                  status;        /* of HTTP; 0 before there is an answer */
    uint64_t                  number;        /* the answer is good when all go by it; 0: it is */
    weir_instant_t            since;
    /* There is an answer, behind weir_call_begin only; may be NULL */
    void                    (*on_answer)(weir_call_t *call);
    void                     *data;          /* the asker's */
    bool                      is_dropped, is_running;
};

/* -- for rows -- */

/* answer is taken over: {"ok":true, …}. */
void weir_call_answer(weir_call_t *call, json_t *answer);
void weir_call_answer_when(weir_call_t *call, uint64_t number, json_t *answer);
/* status: 400 it cannot be understood · 403 · 404 of what there is not · 409 not as things are · 422 it says what is
 * wrong · 500 it failed here · 503 not now. */
void weir_call_refuse(weir_call_t *call, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* So, with more members than "error": taken over. */
void weir_call_refuse_with(weir_call_t *call, unsigned status, json_t *answer);

/* -- for askers -- */

/* row, NULL: there is none.  words is not kept.  An answer may be there at once: look at it (weir_call_is_answered). */
weir_call_t *weir_call_begin(const weir_command_ops_t *ops, const weir_command_t *row, const json_t *words,
                             void (*on_answer)(weir_call_t *call), void *data);
/* settled: what ops->settled says.  From true on `answer` and `status` are what is to be said. */
bool weir_call_is_answered(weir_call_t *call, uint64_t settled);
/* Nobody waits for it any more; it is freed, now or when its row answers. */
void weir_call_drop(weir_call_t *call);

#endif
