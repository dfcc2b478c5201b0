/*
 * api_document.c - an OpenAPI document in JSON (3.0, 3.1): that it is one, what it says of itself, and that what it
 * says fits together: paths begin with "/", no operationId stands twice, references inside the document lead somewhere.
 *
 * Load time; the text is kept for the requests that it answers, the values go.
 */
#include "http/route/api.h"

#include "base/json.h"
#include "base/table.h"

#include <string.h>

#define DOCUMENT_CHUNK 65536

typedef struct {
    weir_conf_t         *cf;
    size_t               word;
    weir_arena_t         arena;              /* of the values */
    const weir_json_t   *root;
    weir_table_t         ids;                /* operationIds */
    weir_api_document_t *document;
} document_t;

static bool
document_wrong(const document_t *d, const char *what, weir_str_t name)
{
    return weir_conf_error(d->cf, d->word, "\"%.*s\": %s \"%.*s\"", WEIR_STR_ARG(d->document->file), what,
                           (int) weir_min(name.len, (size_t) 100), name.at);
}

/* -- references -- */

/* A step of a JSON Pointer, without its escapes (RFC 6901 §4; percent-encoded in a fragment, §6). */
static weir_str_t
document_step(document_t *d, weir_str_t step)
{
    char  *out = weir_alloc_bytes(&d->arena, step.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < step.len; i++) {
        uint64_t byte;

        if (step.at[i] == '%' && i + 2 < step.len && weir_str_hex_to_u64(weir_str(step.at + i + 1, 2), &byte)) {
            out[n++] = (char) byte;
            i += 2;
        } else if (step.at[i] == '~' && i + 1 < step.len && (step.at[i + 1] == '0' || step.at[i + 1] == '1')) {
            out[n++] = step.at[++i] == '0' ? '~' : '/';
        } else {
            out[n++] = step.at[i];
        }
    }
    return weir_str(out, n);
}

static const weir_json_t *
document_element(const weir_json_t *array, weir_str_t index)
{
    const weir_json_t *at = array->first;
    uint64_t           n;

    if (!weir_str_to_u64(index, &n)) {
        return NULL;
    }
    while (at != NULL && n-- > 0) {
        at = at->next;
    }
    return at;
}

/* "#/components/…" */
static bool
document_leads_somewhere(document_t *d, weir_str_t reference)
{
    weir_str_t         rest = weir_str_skip(reference, 2), step;
    const weir_json_t *at = d->root;
    bool               more = rest.len != 0;

    while (more && at != NULL) {
        more = weir_str_cut(rest, '/', &step, &rest);
        step = document_step(d, step);
        at = at->kind == WEIR_JSON_ARRAY ? document_element(at, step) : weir_json_get(at, step);
    }
    return at != NULL;
}

/* What is data of the API, not a part of the document. */
static bool
document_is_data(weir_str_t name)
{
    return weir_str_eq(name, WEIR_STR("example")) || weir_str_eq(name, WEIR_STR("examples"))
        || weir_str_eq(name, WEIR_STR("default")) || weir_str_eq(name, WEIR_STR("enum"))
        || weir_str_eq(name, WEIR_STR("const")) || weir_str_starts(name, WEIR_STR("x-"));
}

/* As deep as the document, which WEIR_JSON_DEPTH_MAX bounds. */
static bool
document_check_references(document_t *d, const weir_json_t *value)
{
    weir_str_t reference;

    if (value->kind == WEIR_JSON_OBJECT && weir_json_get_string(value, WEIR_STR("$ref"), &reference)
        && weir_str_starts(reference, WEIR_STR("#/")) && !document_leads_somewhere(d, reference))
    {
        return document_wrong(d, "nothing is at", reference);
    }
    for (const weir_json_t *inner = value->first; inner != NULL; inner = inner->next) {
        if ((value->kind == WEIR_JSON_OBJECT && document_is_data(inner->name))
            || (inner->kind != WEIR_JSON_OBJECT && inner->kind != WEIR_JSON_ARRAY))
        {
            continue;
        }
        if (!document_check_references(d, inner)) {
            return false;
        }
    }
    return true;
}

/* -- operations -- */

static bool
document_is_method(weir_str_t name)
{
    static const weir_str_t methods[] = {
        WEIR_STR_INIT("get"), WEIR_STR_INIT("put"), WEIR_STR_INIT("post"), WEIR_STR_INIT("delete"),
        WEIR_STR_INIT("options"), WEIR_STR_INIT("head"), WEIR_STR_INIT("patch"), WEIR_STR_INIT("trace"),
    };

    for (size_t i = 0; i < weir_countof(methods); i++) {
        if (weir_str_eq(name, methods[i])) {
            return true;
        }
    }
    return false;
}

static bool
document_check_path(document_t *d, const weir_json_t *path)
{
    weir_str_t id;

    if (!weir_str_starts(path->name, WEIR_STR("/"))) {
        return weir_str_starts(path->name, WEIR_STR("x-"))
            || document_wrong(d, "a path must begin with \"/\":", path->name);
    }
    for (const weir_json_t *method = path->first; method != NULL; method = method->next) {
        if (!document_is_method(method->name)) {
            continue;
        }
        d->document->operations++;
        if (weir_json_get_string(method, WEIR_STR("operationId"), &id)
            && weir_table_add(&d->ids, id, (void *) (uintptr_t) method) != method)
        {
            return document_wrong(d, "two operations have the operationId", id);
        }
    }
    return true;
}

static bool
document_check(document_t *d)
{
    const weir_json_t *info = weir_json_get(d->root, WEIR_STR("info"));
    const weir_json_t *paths = weir_json_get(d->root, WEIR_STR("paths"));
    weir_str_t         openapi, title, version;

    if (!weir_json_get_string(d->root, WEIR_STR("openapi"), &openapi)
        || (!weir_str_starts(openapi, WEIR_STR("3.0.")) && !weir_str_starts(openapi, WEIR_STR("3.1."))))
    {
        return weir_conf_error(d->cf, d->word, "\"%.*s\" is not an OpenAPI document of 3.0 or 3.1",
                               WEIR_STR_ARG(d->document->file));
    }
    if (!weir_json_get_string(info, WEIR_STR("title"), &title)
        || !weir_json_get_string(info, WEIR_STR("version"), &version))
    {
        return weir_conf_error(d->cf, d->word, "\"%.*s\" has no \"info\" with \"title\" and \"version\"",
                               WEIR_STR_ARG(d->document->file));
    }
    if (paths != NULL ? paths->kind != WEIR_JSON_OBJECT : weir_str_starts(openapi, WEIR_STR("3.0."))) {
        return weir_conf_error(d->cf, d->word, "\"%.*s\" has no \"paths\"", WEIR_STR_ARG(d->document->file));
    }
    d->document->openapi = weir_str_dup(d->cf->arena, openapi);
    d->document->title = weir_str_dup(d->cf->arena, title);
    d->document->version = weir_str_dup(d->cf->arena, version);
    for (const weir_json_t *path = paths != NULL ? paths->first : NULL; path != NULL; path = path->next) {
        if (!document_check_path(d, path)) {
            return false;
        }
    }
    return document_check_references(d, d->root);
}

bool
weir_api_document_read(weir_conf_t *cf, size_t word, weir_str_t file, weir_api_document_t *document)
{
    const weir_json_limits_t limits = { .depth = WEIR_JSON_DEPTH_MAX, .values = UINT32_MAX };
    document_t               d = { .cf = cf, .word = word, .document = document };
    weir_str_t               bytes;
    bool                     is_good;

    *document = (weir_api_document_t) { .file = file };
    if (!weir_conf_file(cf, word, weir_conf_near_path(cf, file), &bytes)) {
        return false;
    }
    document->bytes = weir_str_dup(cf->arena, bytes);
    document->etag = weir_str_printf(cf->arena, "\"%llx-%zx\"", (unsigned long long) weir_str_hash(bytes, 0),
                                     bytes.len);
    weir_arena_init(&d.arena, DOCUMENT_CHUNK);
    weir_table_init(&d.ids, &d.arena);
    if (weir_json_parse(&d.arena, document->bytes, limits, &d.root) != WEIR_JSON_GOOD) {
        is_good = weir_conf_error(cf, word, "\"%.*s\" is not JSON, has a member twice in one object, or is deeper than "
                                  "%d (a document in YAML must be turned into JSON)", WEIR_STR_ARG(file),
                                  WEIR_JSON_DEPTH_MAX);
    } else {
        is_good = document_check(&d);
    }
    weir_arena_fini(&d.arena);
    return is_good;
}
