/*
 * explain_facts.h - what is known of a request, as one JSON object: `weir explain --json` prints it, and the text is
 * made of it, so that both say the same.
 */
#ifndef WEIR_TOOL_EXPLAIN_FACTS_H
#define WEIR_TOOL_EXPLAIN_FACTS_H

#include "http/probe.h"

#include <jansson.h>
#include <stdio.h>

typedef struct {
    weir_generation_t         *generation;
    weir_str_t                 shown;          /* the request as it was asked for */
    const weir_http_listen_t  *listen;         /* NULL: there is none, and `problem` says why */
    size_t                     n_listens;      /* of this port */
    bool                       has_ip;         /* the client's address was given */
    const weir_probe_t         *probe;
    const weir_probe_request_t *request;
    const weir_probe_answer_t *answer;
    const char                *problem;        /* no listener, or no request; NULL: there is an answer */
} weir_explain_case_t;

/* explain_facts.c: a new reference; *code: the exit code. */
json_t *weir_explain_facts(const weir_explain_case_t *c, int *code);
/* explain_others.c: places whose path fits and that did not win: an array, or NULL. */
json_t *weir_explain_others(const weir_explain_case_t *c);
/* explain_policies.c: what the place runs, in its order. */
json_t *weir_explain_policies(const weir_http_location_t *place);
/* The lines of one module that hold in a block: objects with line, at, and inherited.  name: of one directive only;
 * NULL: all. */
json_t *weir_explain_lines(const weir_conf_block_t *block, size_t module, const char *name);
/* explain_depends.c: what is not known before a client comes: an array. */
json_t *weir_explain_depends(const weir_explain_case_t *c);

/* -- explain_words.c -- */
/* A directive as it is written, but for secrets. */
json_t *weir_explain_words(const weir_conf_words_t *words);
json_t *weir_explain_at(const weir_conf_words_t *words);            /* "file:line" */
json_t *weir_explain_text(weir_str_t text);                         /* what is not UTF-8 as '?' */
json_t *weir_explain_target(weir_str_t target);                     /* a path and query, but for secrets in it */
/* {"line", "at"}. */
json_t *weir_explain_line(const weir_conf_words_t *words);

/* -- explain.c -- */
/* What a line of standard input asks; a new reference.  NULL: it is no request, which was said. */
json_t *weir_explain_ask_line(weir_generation_t *generation, weir_probe_t *probe, weir_str_t line);
/* The next line without its end, into room as getline has it.  false: there is none. */
bool    weir_explain_next_line(FILE *from, char **room, size_t *size, weir_str_t *text);

/* explain_text.c: to standard output. */
void weir_explain_print(const json_t *facts);

#endif
