/*
 * index.c - a path that ends with a slash is that of the first of these files which is there: by an internal redirect,
 * so that it may lie in another location.  Runs in workers.
 */
#include "http/module.h"

#include "http/answer/docroot.h"
#include "http/answer/file.h"
#include "os/sys.h"

#include <errno.h>
#include <sys/stat.h>

typedef struct { const weir_template_t **at; size_t n; } index_names_t;
typedef struct { index_names_t names; } index_conf_t;

static weir_step_t
index_no_folder(weir_request_t *req)
{
    weir_str_t folder;
    struct stat st;

    if (!weir_docroot_file(req, req->uri.path, &folder)) {
        return weir_request_fail(req, WEIR_CAUSE_FILE_NAME, NULL);
    }
    if (weir_sys_stat(folder.at, &st) != 0) {
        return weir_request_fail(req, weir_file_cause(errno), "of the folder");
    }
    return S_ISDIR(st.st_mode) ? WEIR_NEXT : weir_request_fail(req, WEIR_CAUSE_FILE_NONE, "it is no folder");
}

static weir_step_t
index_content(weir_request_t *req, const void *conf_)
{
    const index_conf_t *conf = conf_;
    weir_method_t method = req->head.method;
    struct stat st;

    if (!weir_str_ends(req->uri.path, WEIR_STR("/"))
        || (method != WEIR_METHOD_GET && method != WEIR_METHOD_HEAD && method != WEIR_METHOD_POST))
    {
        return WEIR_NEXT;
    }
    for (size_t i = 0; i < conf->names.n; i++) {
        weir_str_t name = weir_request_eval(req, conf->names.at[i]), path, file;

        if (name.len == 0) {
            continue;
        }
        if (name.at[0] == '/') {
            return weir_request_redirect(req, name, req->query);
        }
        path = weir_str_concat(&req->arena, req->uri.path, name);
        if (!weir_docroot_file(req, path, &file)) {
            continue;
        }
        if (weir_sys_stat(file.at, &st) == 0 && S_ISREG(st.st_mode)) {
            return weir_request_redirect(req, path, req->query);
        }
    }
    return index_no_folder(req);
}

static bool
index_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *list)
{
    (void) row;
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t name = words->at[i].text;
        const weir_template_t *text;

        if (name.len == 0) {
            return weir_conf_error(cf, i, "index \"\" in \"index\" directive is invalid");
        }
        if (name.at[0] == '/' && i != words->n - 1) {
            weir_conf_warn(cf, i, "only the last index in \"index\" directive should be absolute");
        }
        text = weir_conf_template(cf, i, name);
        if (text == NULL) {
            return false;
        }
        *(const weir_template_t **) weir_conf_list_push(cf, list, sizeof(text)) = text;
    }
    return true;
}

static const weir_conf_type_t index_type = {
    .name = "file...", .size = sizeof(index_names_t), .min_args = 1, .max_args = 255, .repeats = true,
    .parse = index_parse,
    .item = sizeof(const weir_template_t *),
};

static const weir_directive_t index_directives[] = {
    WEIR_DIRECTIVE_OF(index_conf_t, names, "index", &index_type, .where = WEIR_IN_ANY, .dflt = "index.html",
                      .help = "Lists files that stand for a folder, of which the first that exists is used; the "
                              "last may be a path of the server."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_index = {
    .name = "http_index",
    .area = "Files",
    .conf_size = sizeof(index_conf_t),
    .directives = index_directives,
    .on = { [WEIR_PHASE_CONTENT] = index_content },
    .is_fallback = true,
};
