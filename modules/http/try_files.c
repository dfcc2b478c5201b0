/*
 * try_files.c - the first of these files that is there takes the place of the path; when none is, the last word says
 * what answers.
 *
 * After the guards that let a request in, before the producer of its content: that one (a file, or proxy_pass) finds
 * the path changed.  Runs in workers.
 */
#include "http/module.h"

#include "http/answer/docroot.h"
#include "http/vars/uri_text.h"
#include "os/sys.h"

#include <sys/stat.h>

typedef struct { const weir_template_t *name; bool is_folder; } try_name_t;
typedef struct {
    try_name_t            *at;
    size_t                 n;
    const weir_template_t *otherwise;        /* a path, or @name */
    uint16_t               status;           /* instead; 0: none */
} try_list_t;
typedef struct { try_list_t list; } try_conf_t;

static bool
try_is_there(weir_str_t file, bool is_folder)
{
    struct stat st;

    return weir_sys_stat(file.at, &st) == 0 && (is_folder ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode));
}

static weir_step_t
try_otherwise(weir_request_t *req, const try_list_t *list)
{
    weir_str_t path, query;

    weir_assert((list->status != 0) != (list->otherwise != NULL));
    if (list->status != 0) {
        return list->status >= 300 ? weir_request_fail_status(req, WEIR_CAUSE_FILE_NONE, list->status, "try_files")
                                   : weir_request_reply(req, list->status, WEIR_STR(""), WEIR_STR(""));
    }
    (void) weir_uri_text_split(req, list->otherwise, &path, &query);
    if (weir_str_starts(path, WEIR_STR("@"))) {
        return weir_request_redirect_named(req, path);
    }
    if (!weir_str_starts(path, WEIR_STR("/"))) {
        /* http://…, say: nothing is found there */
        return weir_request_fail(req, WEIR_CAUSE_FILE_NONE, "the last name of try_files is no path");
    }
    return weir_request_redirect(req, path, query);
}

static weir_step_t
try_precontent(weir_request_t *req, const void *conf)
{
    const try_list_t *list = &((const try_conf_t *) conf)->list;
    weir_str_t alias = weir_docroot_alias(req);

    weir_assert(list->n != 0);
    for (size_t i = 0; i < list->n; i++) {
        weir_str_t name = weir_request_eval(req, list->at[i].name), path = name, file;

        /* with alias a name stands behind what the location's path stands for: "$uri" is all of it */
        if (alias.len != 0 && !weir_str_starts(name, alias)) {
            path = weir_str_printf(&req->arena, "%.*s%s%.*s", WEIR_STR_ARG(alias),
                                   req->location->route != NULL && !weir_str_starts(name, WEIR_STR("/")) ? "/" : "",
                                   WEIR_STR_ARG(name));
        }
        if (alias.len == 0 && !weir_str_starts(name, WEIR_STR("/"))) {
            path = weir_str_concat(&req->arena, WEIR_STR("/"), name);
        }
        if (!weir_docroot_file(req, path, &file) || !try_is_there(file, list->at[i].is_folder)) {
            continue;
        }
        if (!weir_docroot_is_whole(req) && !weir_str_eq(path, req->uri.path)
            && !weir_request_set_path(req, path, req->query))
        {
            continue;
        }
        return WEIR_NEXT;
    }
    return try_otherwise(req, list);
}

static bool
try_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const try_conf_t *) conf)->list.n != 0;
}

/* -- reading -- */

static bool
try_parse_status(weir_conf_t *cf, size_t word, weir_str_t text, try_list_t *list)
{
    uint32_t status;

    if (!weir_conf_read_u32(weir_str_skip(text, 1), &status) || status < 200 || status > 999) {
        return weir_conf_error(cf, word, "invalid code \"%.*s\"", WEIR_STR_ARG(text));
    }
    list->status = (uint16_t) status;
    return true;
}

static bool
try_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    try_list_t *list = field;
    size_t last = words->n - 1;
    weir_str_t text;

    (void) row;
    list->at = weir_new_n(cf->arena, try_name_t, last);
    for (size_t i = 1; i < last; i++) {
        try_name_t *name = &list->at[list->n++];

        text = words->at[i].text;
        name->is_folder = text.len > 1 && text.at[text.len - 1] == '/';
        text.len -= name->is_folder;
        name->name = weir_conf_template(cf, i, text);
        if (name->name == NULL) {
            return false;
        }
    }
    text = words->at[last].text;
    if (weir_str_starts(text, WEIR_STR("="))) {
        return try_parse_status(cf, last, text, list);
    }
    list->otherwise = weir_conf_template(cf, last, text);
    return list->otherwise != NULL;
}

static const weir_conf_type_t try_type = {
    .name = "file... uri | @name | =code", .size = sizeof(try_list_t), .min_args = 2, .max_args = 255,
    .parse = try_parse,
};

static const weir_directive_t try_directives[] = {
    WEIR_DIRECTIVE_OF(try_conf_t, list, "try_files", &try_type, .where = WEIR_IN_SERVER | WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL,
                      .help = "Serves the first of these files (of folders, with a slash) that exists; else the "
                              "last word answers: a path, a @location or a =status."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_try_files = {
    .name = "http_try_files",
    .area = "Files",
    .conf_size = sizeof(try_conf_t),
    .directives = try_directives,
    .on = { [WEIR_PHASE_PRECONTENT] = try_precontent },
    .enabled = try_enabled,
};
