/*
 * line.h - a match line of a route, word by word, to a rule.  Of the room `match`; pure; fuzzed by t/fuzz/match_line.c.
 *
 *     path=/a  path_prefix=/a  path_regex=…  path_template=/users/{id}  grpc=service/method     one of them
 *     host=a.b | *.a.b | .a.b      method=GET|POST                                              each once
 *     header:NAME  header:NAME=value  header:NAME~regex  header:NAME~*regex                     and query:, cookie:
 *     !method=…  !header:…  !query:…  !cookie:…    holds when it does not
 */
#ifndef WEIR_HTTP_MATCH_LINE_H
#define WEIR_HTTP_MATCH_LINE_H

#include "http/match/match.h"

/* words: "match" and its conditions, which live as long as the arena.  Fills in what is asked: kind, text, host (".a.b"
 * as it is written, which is two hosts), preds, names (without slots).  Without a path it is every path.  false with
 * *error about *word. */
bool weir_match_line_read(weir_arena_t *arena, const weir_conf_words_t *words, weir_rule_t *rule, size_t *word,
                          weir_error_t *error) WEIR_MUST_USE;

#endif
