/*
 * help.c - the rows as text for people: -h DIRECTIVE and the reference manual.
 *
 * Runs in the program that a person typed; everything said here is said once, in the rows.
 */
#include "conf/manual.h"
#include "conf/nginx_names.h"
#include "conf/read.h"

#include "base/buf.h"
#include "os/file.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    int        fd;
    weir_buf_t buf;
    char       room[4096];
} help_out_t;

static void
help_flush(help_out_t *out)
{
    weir_str_t text = weir_buf_str(&out->buf);

    if (weir_file_write_all(out->fd, text)) {
        weir_buf_init(&out->buf, out->room, sizeof(out->room));
    } else {
        weir_buf_init(&out->buf, out->room, 0);        /* the reader is gone: the rest is dropped */
    }
}

static void
help_open(help_out_t *out, int fd)
{
    out->fd = fd;
    weir_buf_init(&out->buf, out->room, sizeof(out->room));
}

static void
help_add(help_out_t *out, const char *text)
{
    weir_str_t rest = weir_str_from_z(text), piece;

    while (rest.len != 0) {
        if (out->buf.pos == out->buf.end) {
            help_flush(out);
        }
        piece = weir_str(rest.at, (size_t) weir_min(rest.len, (uint64_t) (out->buf.end - out->buf.pos)));
        if (piece.len == 0) {
            return;
        }
        weir_buf_add_str(&out->buf, piece);
        rest = weir_str_skip(rest, piece.len);
    }
}

/* --- one row --- */

static void
help_add_values(weir_buf_t *buf, const weir_directive_t *row)
{
    const weir_conf_enum_t *value;

    for (value = row->values; value->name != NULL; value++) {
        weir_buf_printf(buf, "%s%s", value != row->values ? " | " : "", value->name);
    }
    if (row->type == &weir_type_mask) {
        weir_buf_add_lit(buf, " ...");
    }
}

size_t
weir_conf_syntax(const weir_directive_t *row, char *out, size_t size)
{
    weir_buf_t buf;

    weir_buf_init(&buf, out, size - 1);
    weir_buf_printf(&buf, "%s", row->name);
    if (row->args != NULL) {
        weir_buf_printf(&buf, "%s%s", row->args[0] != '\0' ? " " : "", row->args);
    } else if (row->values != NULL) {
        weir_buf_add_char(&buf, ' ');
        help_add_values(&buf, row);
    } else if (row->opens == 0) {
        if (row->type->name[0] != '\0') {
            weir_buf_printf(&buf, "%s%s%s", row->type->min_args == 0 ? " [" : " ", row->type->name,
                            row->type->min_args == 0 ? "]" : "");
        }
    } else if (row->block_max_args != 0) {
        weir_buf_printf(&buf, "%s", row->block_min_args == 0 ? " [name]" : " name");
    }
    weir_buf_printf(&buf, "%s", row->opens != 0 ? " { ... }" : ";");
    *buf.pos = '\0';
    return buf.full ? size : weir_buf_len(&buf);
}

static void
help_field(help_out_t *out, const char *label, const char *text, bool code)
{
    help_add(out, label);
    help_add(out, code ? "`" : "");
    help_add(out, text);
    help_add(out, code ? "`\n" : "\n");
}

static void
help_print_limits(help_out_t *out, const weir_directive_t *row, const char *label)
{
    if (row->min == NULL && row->max == NULL) {
        return;
    }
    help_add(out, label);
    help_add(out, row->min != NULL ? "at least " : "");
    help_add(out, row->min != NULL ? row->min : "");
    help_add(out, row->min != NULL && row->max != NULL ? ", " : "");
    help_add(out, row->max != NULL ? "at most " : "");
    help_add(out, row->max != NULL ? row->max : "");
    help_add(out, "\n");
}

/* The first row of the module that has this name: -h and the manual tell of rows of one name once. */
static const weir_directive_t *
help_first_row(const weir_module_t *module, const weir_directive_t *row)
{
    const weir_directive_t *first = module->directives;

    while (strcmp(first->name, row->name) != 0) {
        first++;
    }
    return first;
}

/* Where any row of this name may stand, from the first one on. */
static unsigned
help_where(const weir_directive_t *row)
{
    const weir_directive_t *other;
    unsigned                where = 0;

    for (other = row; other->name != NULL; other++) {
        where |= strcmp(other->name, row->name) == 0 ? other->where : 0;
    }
    return where;
}

/* The labels of -h line up; those of the manual are list items in Markdown. */
static void
help_print_row(help_out_t *out, const weir_directive_t *row, bool manual)
{
    char contexts[100], syntax[400];

    (void) weir_conf_syntax(row, syntax, sizeof(syntax));
    (void) weir_conf_contexts_text(help_where(row), contexts, sizeof(contexts));
    help_field(out, manual ? "- Syntax: " : "Syntax:   ", syntax, manual);
    if (row->opens == 0) {
        help_add(out, manual ? "- Default: " : "Default:  ");
        if (row->dflt != NULL) {
            help_add(out, manual ? "`" : "");
            help_add(out, row->name);
            help_add(out, " ");
            help_add(out, row->dflt);
            help_add(out, manual ? ";`\n" : ";\n");
        } else {
            help_add(out, "-\n");
        }
    }
    help_field(out, manual ? "- Context: " : "Context:  ", contexts, false);
    help_print_limits(out, row, manual ? "- Limits: " : "Limits:   ");
    if (row->inherit == WEIR_APPEND) {
        help_add(out, manual ? "- Inherited: added to the outer block's\n" : "Inherit:  added to the outer block's\n");
    }
}

static void
help_paragraph(help_out_t *out, const char *before, const char *words, const char *after)
{
    if (words != NULL) {
        help_add(out, before);
        help_add(out, words);
        help_add(out, after);
    }
}

/* --- -h DIRECTIVE --- */

static void
help_print_none(help_out_t *out, weir_str_t directive)
{
    char        text[300];
    weir_buf_t  buf;
    const char *near = weir_conf_nearest_row(directive, ~0U);
    const nginx_group_t *group = weir_conf_nginx_find(directive, ~0U);

    weir_buf_init(&buf, text, sizeof(text) - 1);
    if (group != NULL && group->fate == NGINX_TAKEN) {
        weir_buf_printf(&buf, "directive \"%.*s\" of nginx is accepted and has no effect (%s)\n",
                        WEIR_STR_ARG(directive), group->note);
    } else if (group != NULL) {
        weir_buf_printf(&buf, "directive \"%.*s\" is not supported by this version of weir\n", WEIR_STR_ARG(directive));
    } else {
        weir_buf_printf(&buf, "there is no directive \"%.*s\"%s%s%s\n", (int) weir_min(directive.len, 100),
                        directive.at,
                        near != NULL ? ", did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
    }
    *buf.pos = '\0';
    help_add(out, text);
}

bool
weir_conf_print_help(weir_str_t directive, int fd)
{
    const weir_directive_t *row;
    help_out_t              out;
    size_t                  m, n = 0;

    help_open(&out, fd);
    for (m = 0; weir_modules_in_use[m] != NULL; m++) {
        for (row = weir_modules_in_use[m]->directives; row != NULL && row->name != NULL; row++) {
            if (!weir_str_eq(directive, weir_str_from_z(row->name))
                || help_first_row(weir_modules_in_use[m], row) != row)
            {
                continue;
            }
            help_add(&out, n++ != 0 ? "\n" : "");
            help_print_row(&out, row, false);
            help_field(&out, "Module:   ", weir_modules_in_use[m]->name, false);
            help_paragraph(&out, "\n", row->help, "\n");
            help_paragraph(&out, "\n", weir_manual_find(weir_modules_in_use[m]->name, row->name), "\n");
        }
    }
    if (n == 0) {
        help_print_none(&out, directive);
    }
    help_flush(&out);
    return n != 0;
}

/* --- the manual: "# Area", "## Module", "### directive" --- */

static void
help_print_variables(help_out_t *out, const weir_variable_t *row)
{
    if (row == NULL || row->name == NULL) {
        return;
    }
    help_add(out, "### Variables\n\n");
    for (; row->name != NULL; row++) {
        help_add(out, "- `$");
        help_add(out, row->name);
        help_add(out, row->is_prefix ? "NAME`" : "`");
        help_add(out, row->help != NULL ? ": " : "");
        help_add(out, row->help != NULL ? row->help : "");
        help_add(out, "\n");
    }
    help_add(out, "\n");
}

static void
help_print_module(help_out_t *out, const weir_module_t *module)
{
    const weir_directive_t *row;

    help_field(out, "## Module ", module->name, false);
    help_add(out, "\n");
    help_paragraph(out, "", weir_manual_find(module->name, ""), "\n\n");
    for (row = module->directives; row != NULL && row->name != NULL; row++) {
        if (help_first_row(module, row) != row) {
            continue;
        }
        help_field(out, "### ", row->name, false);
        help_paragraph(out, "\n", row->help, "\n\n");
        help_print_row(out, row, true);
        help_add(out, "\n");
        help_paragraph(out, "", weir_manual_find(module->name, row->name), "\n\n");
    }
    help_print_variables(out, module->variables);
}

static bool
help_is_in(const weir_module_t *module, const char *area)
{
    const char *its = module->area != NULL ? module->area : "Other";

    return strcmp(its, area) == 0 && (module->directives != NULL || module->variables != NULL);
}

static void
help_print_area(help_out_t *out, const char *area)
{
    char page[40];

    (void) snprintf(page, sizeof(page), "page:%s", area);
    help_field(out, "# ", area, false);
    help_add(out, "\n");
    help_paragraph(out, "", weir_manual_find(page, ""), "\n\n");
    for (size_t m = 0; weir_modules_in_use[m] != NULL; m++) {
        if (help_is_in(weir_modules_in_use[m], area)) {
            help_print_module(out, weir_modules_in_use[m]);
        }
    }
}

/* --- what there is of nginx --- */

static bool
help_has_name(weir_str_t name)
{
    bool                    is_variable = weir_str_starts(name, WEIR_STR("$"));
    const weir_directive_t *row;
    const weir_variable_t  *variable;

    for (size_t m = 0; weir_modules_in_use[m] != NULL; m++) {
        for (row = weir_modules_in_use[m]->directives; !is_variable && row != NULL && row->name != NULL; row++) {
            if (weir_str_eq(name, weir_str_from_z(row->name))) {
                return true;
            }
        }
        for (variable = weir_modules_in_use[m]->variables; is_variable && variable != NULL && variable->name != NULL;
             variable++)
        {
            if (weir_str_eq(weir_str_skip(name, 1), weir_str_from_z(variable->name))) {
                return true;
            }
        }
    }
    return false;
}

/* A line of the group's names that are in the rows, or of those that are not; nothing when there are none. */
static void
help_print_nginx_names(help_out_t *out, const nginx_group_t *group, bool have, const char *state)
{
    weir_str_t  rest = weir_str_from_z(group->names), name;
    const char *before = "";
    char        text[120];

    while (weir_conf_nginx_next_name(&rest, &name)) {
        if (weir_conf_nginx_is_rows_own(group) && help_has_name(name) != have) {
            continue;
        }
        if (before[0] == '\0') {
            help_add(out, "| ");
            help_add(out, state);
            help_add(out, " | ");
        }
        (void) snprintf(text, sizeof(text), "%s`%.*s%s`", before, (int) weir_min(name.len, 80), name.at,
                        name.at[0] == '$' && weir_str_ends(name, WEIR_STR("_")) ? "NAME" : "");
        help_add(out, text);
        before = ", ";
    }
    if (before[0] != '\0') {
        help_add(out, " | ");
        help_add(out, have ? "" : group->note);
        if (!have && group->only != NULL) {
            (void) snprintf(text, sizeof(text), "%sThe argument %s is accepted.", group->note[0] != '\0' ? " " : "",
                            group->only);
            help_add(out, text);
        }
        help_add(out, " |\n");
    }
}

static void
help_print_nginx(help_out_t *out)
{
    static const char *const states[] = { "not in this build", "planned", "not", "accepted, no effect" };
    const nginx_group_t     *group = weir_conf_nginx_groups();
    const char              *module = "";

    help_add(out,
             "# nginx\n\nThe directives and variables of nginx's documented modules: what is here, what is planned, "
             "what is not here, and what is "
                  "accepted without an effect and with one warning. What is here and differs is told on the page [Weir "
                  "for users of "
                  "nginx](../nginx.md).\n\n");
    help_paragraph(out, "", weir_manual_find("page:nginx", ""), "\n\n");
    for (; group->module != NULL; group++) {
        if (strcmp(module, group->module) != 0) {
            help_add(out, module[0] != '\0' ? "\n" : "");
            module = group->module;
            help_add(out, "## Module ngx_");
            help_add(out, module);
            help_add(out, "\n\n| State | Names | Remark |\n|---|---|---|\n");
        }
        if (weir_conf_nginx_is_rows_own(group)) {
            help_print_nginx_names(out, group, true, "here");
        }
        help_print_nginx_names(out, group, false, states[group->fate]);
    }
    help_add(out, "\n");
}

void
weir_conf_print_manual(int fd)
{
    help_out_t out;

    help_open(&out, fd);
    for (size_t m = 0; weir_modules_in_use[m] != NULL; m++) {
        const char *area = weir_modules_in_use[m]->area != NULL ? weir_modules_in_use[m]->area : "Other";
        bool        is_first = true;

        for (size_t i = 0; i < m; i++) {
            is_first = is_first && !help_is_in(weir_modules_in_use[i], area);
        }
        if (is_first && help_is_in(weir_modules_in_use[m], area)) {
            help_print_area(&out, area);
        }
    }
    help_print_nginx(&out);
    help_flush(&out);
}
