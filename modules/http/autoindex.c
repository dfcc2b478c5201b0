/*
 * autoindex.c - a folder without an index as a list of what is in it: HTML, XML, JSON or JSONP.
 *
 * Names that begin with a dot are left out.  The folder is read at once, in a worker, and written a piece a turn of the
 * loop; memory is the request's arena, for so many entries at most.  Threat: names of files are whatever another user
 * stored: each is escaped for where it stands.
 */
#include "http/module.h"

#include "base/date.h"
#include "http/answer/docroot.h"
#include "http/answer/file.h"
#include "http/answer/report.h"
#include "os/file.h"

#include <errno.h>
#include <time.h>

#define AUTOINDEX_MAX      100000
#define AUTOINDEX_CALLBACK 128
#define AUTOINDEX_NAME     50            /* columns of a name in HTML */
/* entries per step: none is longer than 1 KiB, but for names of 255 signs that are all escaped */
#define AUTOINDEX_PIECE    64
#define AUTOINDEX_LEFT     8192          /* room that one entry may need */

typedef enum { AUTOINDEX_HTML, AUTOINDEX_XML, AUTOINDEX_JSON, AUTOINDEX_JSONP } autoindex_format_t;

typedef struct { weir_flag_t on, exact_size, localtime; uint32_t format; } autoindex_conf_t;

typedef struct autoindex {
    weir_report_t           report;
    const autoindex_conf_t *conf;
    weir_file_entries_t     entries;
    size_t                  next;
    bool                    begun;
    weir_str_t              callback;    /* JSONP */
} autoindex_t;

/* -- texts -- */

static void
autoindex_add_html(weir_buf_t *out, weir_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.at[i]) {
        case '<': weir_buf_add_lit(out, "&lt;"); break;
        case '>': weir_buf_add_lit(out, "&gt;"); break;
        case '&': weir_buf_add_lit(out, "&amp;"); break;
        case '"': weir_buf_add_lit(out, "&quot;"); break;
        default: weir_buf_add_char(out, text.at[i]);
        }
    }
}

/* Signs of UTF-8 text; of other bytes each. */
static size_t
autoindex_columns(weir_str_t text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        n += ((unsigned char) text.at[i] & 0xc0) != 0x80;
    }
    return n;
}

static weir_str_t
autoindex_cut(weir_str_t text, size_t columns)
{
    size_t i = 0;

    for (; i < text.len; i++) {
        bool begins = ((unsigned char) text.at[i] & 0xc0) != 0x80;
        if (begins && columns-- == 0) {
            break;
        }
    }
    return weir_str(text.at, i);
}

static void
autoindex_add_size(weir_buf_t *out, uint64_t size, bool exact)
{
    static const char units[] = { 'K', 'M', 'G', 'T' };
    size_t unit = 0;

    if (exact || size < 10000) {
        weir_buf_printf(out, exact ? "%20llu" : "%8llu", (unsigned long long) size);
        return;
    }
    for (size = (size + 512) / 1024; size >= 10000 && unit + 1 < sizeof(units); unit++) {
        size = (size + 512) / 1024;
    }
    weir_buf_printf(out, "%7llu%c", (unsigned long long) size, units[unit]);
}

static void
autoindex_html(const autoindex_t *self, weir_buf_t *out, const weir_file_entry_t *entry)
{
    size_t columns = autoindex_columns(entry->name) + (entry->is_folder ? 1u : 0u);
    time_t at = (time_t) entry->modified;
    struct tm t = { .tm_mday = 1 };

    weir_buf_add_lit(out, "<a href=\"");
    weir_buf_add_percent(out, entry->name);
    weir_buf_add_str(out, entry->is_folder ? WEIR_STR("/\">") : WEIR_STR("\">"));
    if (columns > AUTOINDEX_NAME) {
        autoindex_add_html(out, autoindex_cut(entry->name, AUTOINDEX_NAME - 3));
        weir_buf_add_lit(out, "..&gt;</a>");
        columns = AUTOINDEX_NAME;
    } else {
        autoindex_add_html(out, entry->name);
        weir_buf_add_str(out, entry->is_folder ? WEIR_STR("/</a>") : WEIR_STR("</a>"));
    }
    (void) (self->conf->localtime.on ? localtime_r(&at, &t) : gmtime_r(&at, &t));
    weir_buf_printf(out, "%*s%02d-%s-%04d %02d:%02d", (int) (AUTOINDEX_NAME + 1 - columns), "", t.tm_mday,
                    weir_date_months[t.tm_mon], t.tm_year + 1900,
                    t.tm_hour, t.tm_min);
    if (entry->is_folder) {
        weir_buf_add_str(out, self->conf->exact_size.on ? WEIR_STR("                   -") : WEIR_STR("       -"));
    } else {
        autoindex_add_size(out, entry->size, self->conf->exact_size.on);
    }
    weir_buf_add_char(out, '\n');
}

static void
autoindex_xml(weir_buf_t *out, const weir_file_entry_t *entry)
{
    weir_str_t kind = entry->is_folder ? WEIR_STR("directory") : WEIR_STR("file");
    time_t at = (time_t) entry->modified;
    struct tm t = { .tm_mday = 1 };

    (void) gmtime_r(&at, &t);
    weir_buf_printf(out, "<%.*s mtime=\"%04d-%02d-%02dT%02d:%02d:%02dZ\"", WEIR_STR_ARG(kind), t.tm_year + 1900,
                    t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
                    t.tm_sec);
    if (!entry->is_folder) {
        weir_buf_printf(out, " size=\"%llu\"", (unsigned long long) entry->size);
    }
    weir_buf_add_char(out, '>');
    autoindex_add_html(out, entry->name);
    weir_buf_printf(out, "</%.*s>\n", WEIR_STR_ARG(kind));
}

static void
autoindex_json(weir_buf_t *out, const weir_file_entry_t *entry, bool is_first)
{
    char date[WEIR_DATE_HTTP_BYTES];

    weir_date_http(date, entry->modified);
    weir_buf_add_str(out, is_first ? WEIR_STR("\n{ \"name\":") : WEIR_STR(",\n{ \"name\":"));
    weir_report_add_quoted(out, entry->name);
    weir_buf_printf(out, ", \"type\":\"%s\", \"mtime\":\"%.*s\"", entry->is_folder ? "directory" : "file",
                    WEIR_DATE_HTTP_BYTES, date);
    if (!entry->is_folder) {
        weir_buf_printf(out, ", \"size\":%llu", (unsigned long long) entry->size);
    }
    weir_buf_add_lit(out, " }");
}

/* -- a piece a turn -- */

static void
autoindex_begin(const autoindex_t *self, weir_buf_t *out)
{
    weir_str_t path = self->report.req->uri.path;

    switch ((autoindex_format_t) self->conf->format) {
    case AUTOINDEX_HTML:
        path.len = weir_min(path.len, (size_t) AUTOINDEX_LEFT);
        weir_buf_add_lit(out, "<!DOCTYPE html>\n<html>\n<head><title>Index of ");
        autoindex_add_html(out, path);
        weir_buf_add_lit(out, "</title></head>\n<body>\n<h1>Index of ");
        autoindex_add_html(out, path);
        weir_buf_add_lit(out, "</h1><hr><pre><a href=\"../\">../</a>\n");
        break;
    case AUTOINDEX_XML:
        weir_buf_add_lit(out, "<?xml version=\"1.0\"?>\n<list>\n");
        break;
    case AUTOINDEX_JSONP:
        weir_buf_add_lit(out, "/* callback */\n");      /* so that no other kind of file begins as the client likes */
        weir_buf_add_str(out, self->callback);
        weir_buf_add_lit(out, "([");
        break;
    case AUTOINDEX_JSON:
        weir_buf_add_char(out, '[');
        break;
    }
}

static void
autoindex_end(const autoindex_t *self, weir_buf_t *out)
{
    weir_assert(self->begun && self->next == self->entries.n);
    switch ((autoindex_format_t) self->conf->format) {
    case AUTOINDEX_HTML: weir_buf_add_lit(out, "</pre><hr></body>\n</html>\n"); break;
    case AUTOINDEX_XML: weir_buf_add_lit(out, "</list>\n"); break;
    case AUTOINDEX_JSONP: weir_buf_add_lit(out, "\n]);\n"); break;
    case AUTOINDEX_JSON: weir_buf_add_lit(out, "\n]\n"); break;
    }
}

static bool
autoindex_step(weir_report_t *report, weir_buf_t *out)
{
    autoindex_t *self = weir_container_of(report, autoindex_t, report);

    weir_assert(self->next <= self->entries.n);
    if (!self->begun) {
        self->begun = true;
        autoindex_begin(self, out);
        return true;
    }
    for (size_t n = 0; n < AUTOINDEX_PIECE && self->next < self->entries.n; n++, self->next++) {
        const weir_file_entry_t *entry = &self->entries.at[self->next];

        if ((size_t) (out->end - out->pos) < AUTOINDEX_LEFT) {
            return true;
        }
        switch ((autoindex_format_t) self->conf->format) {
        case AUTOINDEX_HTML: autoindex_html(self, out, entry); break;
        case AUTOINDEX_XML: autoindex_xml(out, entry); break;
        case AUTOINDEX_JSON: case AUTOINDEX_JSONP: autoindex_json(out, entry, self->next == 0); break;
        }
    }
    if (self->next < self->entries.n) {
        return true;
    }
    autoindex_end(self, out);
    return false;
}

/* -- a request -- */

/* A name of a function, and no more; false: something else. */
static bool
autoindex_callback(const weir_request_t *req, weir_str_t *name)
{
    *name = WEIR_STR_NONE;
    if (!weir_uri_arg(req->query, WEIR_STR("callback"), name)) {
        return true;
    }
    for (size_t i = 0; i < name->len; i++) {
        char c = name->at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '.'
              || c == '$'))
        {
            return false;
        }
    }
    return name->len <= AUTOINDEX_CALLBACK;
}

static weir_step_t
autoindex_content(weir_request_t *req, const void *conf_)
{
    static const weir_str_t types[] = {
        WEIR_STR_INIT("text/html"), WEIR_STR_INIT("text/xml; charset=utf-8"), WEIR_STR_INIT("application/json"),
        WEIR_STR_INIT("application/javascript"),
    };
    autoindex_conf_t *conf = weir_new(&req->arena, autoindex_conf_t);
    autoindex_t *self;
    weir_str_t folder;

    *conf = *(const autoindex_conf_t *) conf_;
    if (!weir_str_ends(req->uri.path, WEIR_STR("/"))) {
        return WEIR_NEXT;
    }
    if (!weir_docroot_file(req, req->uri.path, &folder)) {
        return weir_request_fail(req, WEIR_CAUSE_FILE_NAME, NULL);
    }
    self = weir_new(&req->arena, autoindex_t);
    if (!weir_file_list(&req->arena, folder.at, AUTOINDEX_MAX, &self->entries)) {
        return errno == ENOMEM ? weir_request_fail(req, WEIR_CAUSE_INTERNAL_MEMORY, NULL)
               : weir_request_fail(req, weir_file_cause(errno), folder.at);
    }
    if (!autoindex_callback(req, &self->callback) && conf->format == AUTOINDEX_JSONP) {
        return weir_request_fail_status(req, WEIR_CAUSE_CLIENT_TARGET, 400, "the name of the function to call");
    }
    if (conf->format == AUTOINDEX_JSONP && self->callback.len == 0) {
        conf->format = AUTOINDEX_JSON;
    }
    weir_assert(conf->format < weir_countof(types));
    self->conf = conf;
    return weir_report_start(req, &self->report, types[conf->format], autoindex_step);
}

static bool
autoindex_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const autoindex_conf_t *) conf)->on.on;
}

static const weir_conf_enum_t autoindex_formats[] = {
    { "html", AUTOINDEX_HTML }, { "xml", AUTOINDEX_XML }, { "json", AUTOINDEX_JSON }, { "jsonp", AUTOINDEX_JSONP },
    { NULL, 0 },
};

static const weir_directive_t autoindex_directives[] = {
    WEIR_DIRECTIVE(autoindex_conf_t, on, "autoindex", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Lists what is in a folder that has no index."),
    WEIR_DIRECTIVE(autoindex_conf_t, exact_size, "autoindex_exact_size", .where = WEIR_IN_ANY, .dflt = "on",
                   .help = "Shows sizes in an HTML list in bytes; off rounds them to K, M, G or T."),
    WEIR_DIRECTIVE(autoindex_conf_t, localtime, "autoindex_localtime", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Shows times in an HTML list in the machine's time zone; off shows UTC."),
    WEIR_DIRECTIVE_OF(autoindex_conf_t, format, "autoindex_format", &weir_type_enum, .where = WEIR_IN_ANY,
                      .dflt = "html", .values = autoindex_formats,
                      .args = "html | xml | json | jsonp", .help = "Sets the format of the list."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_autoindex = {
    .name = "http_autoindex",
    .area = "Files",
    .conf_size = sizeof(autoindex_conf_t),
    .directives = autoindex_directives,
    .on = { [WEIR_PHASE_CONTENT] = autoindex_content },
    .enabled = autoindex_enabled,
    .is_fallback = true,
    .after = "http_index",
};
