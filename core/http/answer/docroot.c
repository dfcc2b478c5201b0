/*
 * docroot.c - root, alias, types: see docroot.h.
 *
 * Read at load; used in workers, memory is the request's arena.
 *
 * Threat: a path from the network, or from a variable in the configuration, that names a file outside.  The request's
 * path has no dot segments (uri.h); one made of variables is looked through here.  Links inside the folder are
 * followed, as in nginx without disable_symlinks.
 */
#include "http/answer/docroot.h"

#include "base/table.h"
#include "http/vars/vars.h"
#include "os/file.h"

#include <string.h>

#define DOCROOT_SUFFIX_MAX 32         /* of a file's name, that types may know */

typedef struct {
    const weir_template_t *at;
    bool                   is_alias;
    weir_str_t             alias;     /* the text of the location that the alias stands for */
    bool                   is_whole;
    bool                   is_of_route;   /* … the two are as the match line says that took the request */
    bool                   has_dots;  /* the operator's own "..": a variable may bring none */
    weir_str_t             prefix;
} docroot_folder_t;

typedef struct { weir_table_t *at; } docroot_types_t;      /* weir_str_t *, by suffix; NULL: the built-in three */

typedef struct {
    docroot_folder_t folder;
    docroot_types_t  types;
} docroot_conf_t;

extern const weir_module_t weir_http_docroot;
extern const size_t weir_http_docroot_index;

static const docroot_conf_t *
docroot_conf(const weir_request_t *req)
{
    return req->conf[weir_http_docroot_index];
}

/* -- names -- */

static bool
docroot_has_nul(weir_str_t text)
{
    return text.len != 0 && memchr(text.at, '\0', text.len) != NULL;
}

/* A ".." that stands alone between slashes. */
static bool
docroot_leads_out(weir_str_t path)
{
    weir_str_t segment;

    for (bool more = true; more; ) {
        more = weir_str_cut(path, '/', &segment, &path);
        if (weir_str_eq(segment, WEIR_STR(".."))) {
            return true;
        }
    }
    return false;
}

bool
weir_docroot_folder(weir_request_t *req, weir_str_t *folder)
{
    const docroot_folder_t *conf = &docroot_conf(req)->folder;
    weir_str_t text = weir_request_eval(req, conf->at);

    if (text.len == 0 || docroot_has_nul(text) || text.len >= WEIR_FILE_NAME_MAX
        || (!conf->has_dots && docroot_leads_out(text)))
    {
        return false;
    }
    if (text.at[0] != '/') {
        text = weir_str_concat(&req->arena, conf->prefix, text);
    }
    while (!conf->is_alias && text.len > 1 && text.at[text.len - 1] == '/') {
        text.len--;
    }
    *folder = weir_str(weir_str_to_z(&req->arena, text), text.len);
    return true;
}

bool
weir_docroot_is_whole(const weir_request_t *req)
{
    const docroot_folder_t *conf = &docroot_conf(req)->folder;

    if (conf->is_of_route) {
        return req->route->kind == WEIR_PATH_REGEX || req->route->kind == WEIR_PATH_TEMPLATE;
    }
    return conf->is_whole;
}

weir_str_t
weir_docroot_alias(const weir_request_t *req)
{
    const docroot_folder_t *conf = &docroot_conf(req)->folder;

    if (!conf->is_alias || weir_docroot_is_whole(req)) {
        return WEIR_STR_NONE;
    }
    return conf->is_of_route ? req->route->text : conf->alias;
}

bool
weir_docroot_file(weir_request_t *req, weir_str_t path, weir_str_t *file)
{
    const docroot_folder_t *conf = &docroot_conf(req)->folder;
    weir_str_t folder;

    if (!weir_docroot_folder(req, &folder) || docroot_has_nul(path) || docroot_leads_out(path)) {
        return false;
    }
    if (weir_docroot_is_whole(req)) {
        *file = folder;
        return true;
    }
    if (conf->is_alias) {
        size_t alias = weir_docroot_alias(req).len;

        if (path.len < alias) {
            return false;
        }
        path = weir_str_skip(path, alias);
        if (docroot_leads_out(path)) {
            return false;                          /* "/x.." in `location /x { alias …/; }` */
        }
        if (conf->is_of_route && weir_str_ends(folder, WEIR_STR("/")) && weir_str_starts(path, WEIR_STR("/"))) {
            path = weir_str_skip(path, 1);
        }
    }
    if (folder.len + path.len >= WEIR_FILE_NAME_MAX) {
        return false;
    }
    weir_assert(folder.len != 0 && folder.at[0] == '/');
    folder.len -= folder.len == 1 && !conf->is_alias;      /* "/" */
    char *at = weir_alloc_bytes(&req->arena, folder.len + path.len + 1);
    memcpy(at, folder.at, folder.len);
    if (path.len != 0) {
        memcpy(at + folder.len, path.at, path.len);
    }
    at[folder.len + path.len] = '\0';
    *file = weir_str(at, folder.len + path.len);
    return true;
}

/* -- types -- */

static const struct { weir_str_t suffix, type; } docroot_known[] = {
    { WEIR_STR_INIT("html"), WEIR_STR_INIT("text/html") }, { WEIR_STR_INIT("gif"), WEIR_STR_INIT("image/gif") },
    { WEIR_STR_INIT("jpg"), WEIR_STR_INIT("image/jpeg") },
};

static weir_str_t
docroot_suffix(weir_str_t path)
{
    for (size_t i = path.len; i > 0 && path.at[i - 1] != '/'; i--) {
        if (path.at[i - 1] == '.') {
            return i > 1 && path.at[i - 2] != '/' ? weir_str_skip(path, i) : WEIR_STR_NONE;
        }
    }
    return WEIR_STR_NONE;
}

weir_str_t
weir_docroot_type(const weir_request_t *req, weir_str_t path)
{
    const docroot_types_t *types = &docroot_conf(req)->types;
    weir_str_t suffix = docroot_suffix(path);
    const weir_str_t *type = NULL;
    char lower[DOCROOT_SUFFIX_MAX];

    if (suffix.len == 0 || suffix.len > sizeof(lower)) {
        return weir_request_core(req)->default_type;
    }
    for (size_t i = 0; i < suffix.len; i++) {
        lower[i] = weir_char_lower(suffix.at[i]);
    }
    suffix.at = lower;
    if (types->at != NULL) {
        type = weir_table_find(types->at, suffix);
    }
    for (size_t i = 0; types->at == NULL && i < weir_countof(docroot_known); i++) {
        if (weir_str_eq(docroot_known[i].suffix, suffix)) {
            type = &docroot_known[i].type;
        }
    }
    return type != NULL ? *type : weir_request_core(req)->default_type;
}

/* -- variables -- */

WEIR_GETTER(docroot_get_root)
{
    return weir_docroot_folder(subject, value);
}

WEIR_GETTER(docroot_get_real)
{
    weir_str_t folder;

    return weir_docroot_folder(subject, &folder) && weir_file_real_path(arena, folder.at, value);
}

WEIR_GETTER(docroot_get_file)
{
    return weir_docroot_file(subject, ((weir_request_t *) subject)->uri.path, value);
}

/* -- reading -- */

static bool
docroot_parse_folder(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    docroot_folder_t *folder = field;
    weir_str_t text = words->at[1].text;
    bool is_alias = weir_str_eq(weir_str_from_z(row->name), WEIR_STR("alias"));

    if (folder->at != NULL && folder->is_alias == is_alias) {
        return weir_conf_error(cf, 0, "\"%s\" directive is duplicate", row->name);
    }
    if (folder->at != NULL) {
        return weir_conf_error(cf, 0, "\"%s\" directive is duplicate, \"%s\" directive was specified earlier",
                               row->name, folder->is_alias ? "alias" : "root");
    }
    if (text.len == 0 || docroot_has_nul(text)) {
        return weir_conf_invalid(cf, 1, "a path");
    }
    folder->at = weir_conf_template(cf, 1, text);
    if (folder->at == NULL) {
        return false;
    }
    for (size_t i = 0; i < folder->at->n; i++) {
        const weir_variable_t *variable = folder->at->parts[i].ref.row;

        if (variable != NULL
            && (variable->get == docroot_get_root || variable->get == docroot_get_real
                || variable->get == docroot_get_file))
        {
            return weir_conf_error(cf, 1,
                                   "the $%s variable cannot be used in the \"%.*s\" directive, from which it is made",
                                   variable->name, WEIR_STR_ARG(words->at[0].text));
        }
    }
    folder->is_alias = is_alias;
    folder->prefix = cf->prefix;
    folder->has_dots = docroot_leads_out(text);
    folder->is_whole = false;
    folder->alias = WEIR_STR_NONE;
    folder->is_of_route = is_alias && cf->block->context == WEIR_IN_ROUTE;
    if (is_alias && cf->block->context == WEIR_IN_LOCATION) {
        const weir_http_location_t *location = cf->block->owner;

        if (location->is_named) {
            return weir_conf_error(cf, 0, "the \"alias\" directive cannot be used inside the named location");
        }
        folder->is_whole = location->rule.kind == WEIR_PATH_REGEX;
        folder->alias = folder->is_whole ? WEIR_STR_NONE : location->rule.text;
    }
    return true;
}

static const weir_conf_type_t docroot_type_folder = {
    .name = "path", .size = sizeof(docroot_folder_t), .min_args = 1, .max_args = 1, .parse = docroot_parse_folder,
};

static const weir_conf_type_t docroot_type_types = { .name = "", .size = sizeof(docroot_types_t), .repeats = true };

static bool
docroot_types_opened(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    docroot_conf_t *conf = weir_conf_own(cf, cf->block, weir_http_docroot_index);

    (void) words;
    if (conf->types.at == NULL) {
        conf->types.at = weir_new(cf->arena, weir_table_t);
        weir_table_init(conf->types.at, cf->arena);
    }
    block->owner = conf->types.at;
    return true;
}

/* type suffix… */
static bool
docroot_types_line(weir_conf_t *cf, weir_conf_block_t *block, const weir_conf_words_t *words)
{
    weir_table_t *types = block->owner;
    weir_str_t *type = weir_new(cf->arena, weir_str_t);

    weir_assert(types != NULL && words->n != 0);
    *type = words->at[0].text;
    if (!weir_syntax_is_field_value(*type) || type->len == 0) {
        return weir_conf_error(cf, 0, "\"%.*s\" is not a media type", WEIR_STR_ARG(*type));
    }
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t suffix = weir_str_lower(cf->arena, words->at[i].text);
        weir_str_t *stands = weir_table_add(types, suffix, type);

        if (stands != type) {
            weir_conf_warn(cf, i,
                           "duplicate extension \"%.*s\", content type: \"%.*s\", previous content type: \"%.*s\"",
                           WEIR_STR_ARG(suffix), WEIR_STR_ARG(*type), WEIR_STR_ARG(*stands));
            *stands = *type;
        }
    }
    return true;
}

static const weir_directive_t docroot_directives[] = {
    WEIR_DIRECTIVE_OF(docroot_conf_t, folder, "root", &docroot_type_folder, .where = WEIR_IN_ANY, .dflt = "html",
                      .help = "Sets the folder below which a request's path is the name of a file."),
    WEIR_DIRECTIVE_OF(docroot_conf_t, folder, "alias", &docroot_type_folder, .where = WEIR_IN_LOCATION, .whole = true,
                      .help = "Sets what takes the place of the part of the path that the location names; in a "
                              "location by pattern it is the whole file name."),
    WEIR_DIRECTIVE_OF(docroot_conf_t, types, "types", &docroot_type_types, .where = WEIR_IN_ANY, .opens = WEIR_IN_DATA,
                      .args = "", .opened = docroot_types_opened, .line = docroot_types_line,
                      .help = "Lists Content-Types and the suffixes of files that have them; without any: text/html "
                              "html, image/gif gif, image/jpeg jpg."),
    WEIR_DIRECTIVES_END
};

static const weir_variable_t docroot_variables[] = {
    { "document_root", .subject = WEIR_OF_REQUEST, .get = docroot_get_root,
      .help = "The folder that root or alias names." },
    { "realpath_root", .subject = WEIR_OF_REQUEST, .get = docroot_get_real,
      .help = "The same with all links resolved." },
    { "request_filename", .subject = WEIR_OF_REQUEST, .get = docroot_get_file, .kind = WEIR_VALUE_FILE,
      .help = "The name of the file that root or alias make of the path." },
    WEIR_VARIABLES_END
};

const weir_module_t weir_http_docroot = {
    .name = "http_docroot",
    .area = "Files",
    .conf_size = sizeof(docroot_conf_t),
    .directives = docroot_directives,
    .variables = docroot_variables,
};
