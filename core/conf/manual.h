/*
 * manual.h - the words of the manual: what stands beside the rows of each module (FILE.md beside FILE.c) and at the
 * beginning of each page (docs/pages).  auto/manual.awk makes one text of them; it has no pointer in it, so that no
 * process has a copy of its own.
 *
 * Used by -h and -M, and never while serving.
 */
#ifndef WEIR_CONF_MANUAL_H
#define WEIR_CONF_MANUAL_H

#include <stdbool.h>

/* Records of three strings: module or "page:NAME", directive or "", the words in Markdown.  An empty first string ends
 * them. */
extern const char weir_manual_texts[];

/* The words about a directive of a module, or of the module itself ("") or of a page ("page:NAME", ""); NULL: there are
 * none. */
const char *weir_manual_find(const char *module, const char *directive);

/* Whether all words are about something: a directive of that module, or a page that some module (or -M itself) is on.
 * Says on the descriptor what is not.  The words of modules that this build does not have are not looked at. */
bool weir_manual_check(int fd);

#endif
