/*
 * explain_facts.h - what is known of a request, as one JSON object: `weir explain --json` prints it, and the text is
 * made of it, so that both say the same.
 */
#ifndef WEIR_TOOL_EXPLAIN_FACTS_H
#define WEIR_TOOL_EXPLAIN_FACTS_H

#include "base/table.h"
#include "http/probe.h"

#include <jansson.h>
#include <stdio.h>

/* What is known of requests beside their target and their method. */
typedef struct {
    bool        has_ip;          /* the client's address */
    bool        has_fields;      /* every field: what is not given is not there */
    weir_strs_t given;           /* else variables of fields that are known: "http_x_kind", "cookie_a" */
    /* of weir_explain_find_made: */
    weir_strs_t made;            /* variables that policies fill in */
    weir_table_t *refs;          /* by name: what was looked up before */
} weir_explain_knows_t;

typedef struct {
    weir_generation_t         *generation;
    weir_str_t                 shown;          /* the request as it was asked for */
    const weir_http_listen_t  *listen;         /* NULL: there is none, and `problem` says why */
    size_t                     n_listens;      /* of this port */
    const weir_explain_knows_t *knows;
    const weir_probe_t         *probe;
    const weir_probe_request_t *request;
    const weir_probe_answer_t *answer;
    const char                *problem;        /* no listener, or no request; NULL: there is an answer */
} weir_explain_case_t;

/* explain_facts.c: a new reference; *code: the exit code. */
json_t *weir_explain_facts(const weir_explain_case_t *c, int *code);
/* What would be done with a request that its policies refuse: "target" of the facts, when there is one. */
void weir_explain_behind(const weir_explain_case_t *c, json_t *facts);
/* explain_others.c: places whose path fits and that did not win: an array, or NULL. */
json_t *weir_explain_others(const weir_explain_case_t *c);
/* explain_policies.c: what the place runs, in its order; answer: … and what was said there; NULL: it was not asked. */
json_t *weir_explain_policies(const weir_http_location_t *place, const weir_probe_answer_t *answer);
/* The line by which a policy has judged; NULL: it cannot be told. */
const weir_conf_words_t *weir_explain_judging_line(const weir_probe_judgement_t *judgement);
/* Each line of a module that holds in a block, those of outer blocks behind its own.  name: as below. */
void weir_explain_each_line(const weir_conf_block_t *block, size_t module, const char *name,
                            void (*each)(void *data, const weir_conf_block_t *from, const weir_conf_line_t *line),
                            void *data);
/* The lines of one module that hold in a block: objects with line, at, and inherited.  name: of one directive only;
 * NULL: all. */
json_t *weir_explain_lines(const weir_conf_block_t *block, size_t module, const char *name);
/* explain_depends.c: what is not known before a client comes: an array. */
json_t *weir_explain_depends(const weir_explain_case_t *c);
/* Variables of this generation that policies fill in, in its arena. */
void    weir_explain_find_made(weir_generation_t *generation, weir_explain_knows_t *knows);
/* Is all known that the module looks at in a place?  (For weir_probe_request_t.) */
bool    weir_explain_decides(weir_generation_t *generation, const weir_explain_knows_t *knows,
                             const weir_probe_answer_t *answer, const weir_http_location_t *place, size_t module);

/* -- explain_words.c -- */
/* A directive as it is written, but for secrets. */
json_t *weir_explain_words(const weir_conf_words_t *words);
json_t *weir_explain_at(const weir_conf_words_t *words);            /* "file:line" */
json_t *weir_explain_text(weir_str_t text);                         /* what is not UTF-8 as '?' */
json_t *weir_explain_target(weir_str_t target);                     /* a path and query, but for secrets in it */
/* {"line", "at"}. */
json_t *weir_explain_line(const weir_conf_words_t *words);

/* -- explain.c -- */
/* A head as HTTP/1.1 has it; host: for a request without Host among its fields. */
weir_str_t weir_explain_head(weir_arena_t *arena, weir_str_t method, weir_str_t target, weir_str_t host,
                             const weir_str_t *fields, size_t n);
typedef struct {
    weir_str_t      method, authority, target;   /* target: behind the host, as written */
    bool            is_tls;
    weir_hostport_t hp;
    uint16_t        port;
} weir_explain_url_t;

/* false: *what is wrong with which *word. */
bool weir_explain_read_request(weir_str_t text, weir_explain_url_t *to, const char **what, weir_str_t *word);
/* NULL: no server listens at that port; *n: how many may take it. */
const weir_http_listen_t *weir_explain_find_listener(const weir_generation_t *generation,
                                                     const weir_explain_url_t *url, size_t *n);

/* explain_text.c: to standard output; a byte that would command a terminal is escaped. */
void weir_explain_show(const char *text);
/* A line of JSON, of printable ASCII. */
void weir_explain_dump(const json_t *told);
void weir_explain_print(const json_t *facts);

#endif
