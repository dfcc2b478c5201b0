/*
 * static.c - files: what the path names below root or alias, with its type, its time and a tag.
 *
 * The last of those who may make a content: index, autoindex and try_files have had their say.  GET and HEAD; other
 * methods get 405.  Runs in workers.
 */
#include "http/module.h"

#include "base/date.h"
#include "http/answer/docroot.h"
#include "http/filter/encoding.h"
#include "http/answer/file.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { STATIC_GZIP_OFF, STATIC_GZIP_ON, STATIC_GZIP_ALWAYS };

typedef struct { weir_flag_t etag; uint32_t gzip; } static_conf_t;

static weir_step_t
static_fail(weir_request_t *req, int error, weir_str_t name)
{
    return weir_request_fail(req, weir_file_cause(error), name.at);
}

/* A folder that is asked for as if it were a file. */
static weir_step_t
static_to_folder(weir_request_t *req)
{
    weir_str_t path = req->uri.wire;

    return weir_request_redirect_client(req, 301,
                                        weir_str_printf(&req->arena, "%.*s/%s%.*s", WEIR_STR_ARG(path),
                                                        req->query.len != 0 ? "?" : "",
                                                                  WEIR_STR_ARG(req->query)));
}

static void
static_describe(weir_request_t *req, const static_conf_t *conf, const struct stat *st)
{
    weir_str_t type = weir_docroot_type(req, req->uri.path);

    weir_assert(!req->res.head_given);
    req->res.status = 200;
    if (type.len != 0 && weir_response_value(req, WEIR_HEADER_CONTENT_TYPE).at == NULL) {
        /* (of X-Accel-Redirect's) */
        weir_response_add(req, WEIR_HEADER_CONTENT_TYPE, type);
    }
    if (req->error_status == 0 || req->error_status == 200) {
        /* the time of a page is not that of what was not found */
        char *date = weir_alloc_bytes(&req->arena, WEIR_DATE_HTTP_BYTES);

        weir_date_http(date, st->st_mtim.tv_sec);
        weir_response_add(req, WEIR_HEADER_LAST_MODIFIED, weir_str(date, WEIR_DATE_HTTP_BYTES));
    }
    if (conf->etag.on) {
        weir_response_add(req, WEIR_HEADER_ETAG,
                          weir_str_printf(&req->arena, "\"%llx-%llx\"", (unsigned long long) st->st_mtim.tv_sec,
                                                                 (unsigned long long) st->st_size));
    }
}

static weir_step_t
static_serve(weir_request_t *req, const static_conf_t *conf, int fd, const struct stat *st)
{
    weir_assert(fd >= 0);
    if (S_ISREG(st->st_mode) && req->head.method != WEIR_METHOD_POST) {
        static_describe(req, conf, st);
        return weir_file_send(req, fd, (uint64_t) st->st_size);
    }
    weir_sys_close(fd);
    if (S_ISDIR(st->st_mode)) {
        return static_to_folder(req);
    }
    return weir_request_fail(req, S_ISREG(st->st_mode) ? WEIR_CAUSE_CLIENT_METHOD : WEIR_CAUSE_FILE_NONE, NULL);
}

/* -- gzip_static: the same file, compressed beforehand -- */

/* A file NAME.gz; -1: there is none. */
static int
static_open_gzip(weir_request_t *req, weir_str_t name, struct stat *st)
{
    weir_str_t gzip = weir_str_printf(&req->arena, "%.*s.gz", WEIR_STR_ARG(name));
    int fd = gzip.len < WEIR_FILE_NAME_MAX ? weir_sys_open(gzip.at, O_RDONLY | O_NONBLOCK, 0) : -1;

    weir_assert(name.len != 0 && name.at[0] == '/');
    if (fd >= 0 && (weir_sys_fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
        weir_sys_close(fd);
        fd = -1;
    }
    return fd;
}

/* NEXT: the file itself is to be sent. */
static weir_step_t
static_serve_gzip(weir_request_t *req, const static_conf_t *conf, weir_str_t name)
{
    bool wanted = conf->gzip == STATIC_GZIP_ALWAYS || weir_encoding_is_wanted(req);
    struct stat st;
    int fd;

    if (req->head.method == WEIR_METHOD_POST || (!wanted && !weir_encoding_says_vary(req))) {
        return WEIR_NEXT;
    }
    fd = static_open_gzip(req, name, &st);
    if (fd < 0) {
        return WEIR_NEXT;
    }
    if (conf->gzip == STATIC_GZIP_ON) {
        weir_encoding_say_vary(req);
    }
    if (!wanted) {
        weir_sys_close(fd);
        return WEIR_NEXT;
    }
    static_describe(req, conf, &st);
    weir_response_add(req, WEIR_HEADER_CONTENT_ENCODING, WEIR_STR("gzip"));
    return weir_file_send(req, fd, (uint64_t) st.st_size);
}

static weir_step_t
static_content(weir_request_t *req, const void *conf_)
{
    const static_conf_t *conf = conf_;
    weir_method_t method = req->head.method;
    weir_str_t name;
    struct stat st;
    int fd;

    if (method != WEIR_METHOD_GET && method != WEIR_METHOD_HEAD && method != WEIR_METHOD_POST) {
        return weir_request_fail(req, WEIR_CAUSE_CLIENT_METHOD, NULL);
    }
    if (weir_str_ends(req->uri.path, WEIR_STR("/"))) {
        return weir_request_fail(req, WEIR_CAUSE_FILE_FOLDER, NULL);
    }
    if (!weir_docroot_file(req, req->uri.path, &name)) {
        return weir_request_fail(req, WEIR_CAUSE_FILE_NAME, NULL);
    }
    if (conf->gzip != STATIC_GZIP_OFF && static_serve_gzip(req, conf, name) == WEIR_DONE) {
        return WEIR_DONE;
    }
    fd = weir_sys_open(name.at, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0) {
        return static_fail(req, errno, name);
    }
    if (weir_sys_fstat(fd, &st) != 0) {
        int error = errno;
        weir_sys_close(fd);
        return static_fail(req, error, name);
    }
    return static_serve(req, conf, fd, &st);
}

static const weir_conf_enum_t static_gzip_values[] = {
    { "off", STATIC_GZIP_OFF }, { "on", STATIC_GZIP_ON }, { "always", STATIC_GZIP_ALWAYS }, { NULL, 0 },
};

static const weir_directive_t static_directives[] = {
    WEIR_DIRECTIVE_OF(static_conf_t, gzip, "gzip_static", &weir_type_enum, .where = WEIR_IN_ANY, .dflt = "off",
                      .values = static_gzip_values,
                      .args = "on | off | always",
                      .help = "Sends FILE.gz in place of FILE where it exists: to clients that accept gzip, or to "
                              "all (always)."),
    WEIR_DIRECTIVE(static_conf_t, etag, "etag", .where = WEIR_IN_ANY, .dflt = "on",
                   .help = "Gives files an ETag, which is made of their time and size."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_static = {
    .name = "http_static",
    .area = "Files",
    .conf_size = sizeof(static_conf_t),
    .directives = static_directives,
    .on = { [WEIR_PHASE_CONTENT] = static_content },
    .is_fallback = true,
    .after = "http_index http_autoindex",
};
