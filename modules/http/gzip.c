/*
 * gzip.c - answers compressed on their way to clients that can read that (RFC 1952; RFC 9110 §8.4, §12.5.3).
 *
 * A filter of bodies: what comes in goes through zlib, what comes out goes on when a buffer is full, at the end, and
 * (for answers that are to arrive as they are made) at each flush.  States of zlib are kept for the next answer, a few
 * a worker.  Runs in workers.
 *
 * Threat: a secret and a text that an attacker chooses, compressed together, tell of each other by their length
 * (BREACH): so it is off unless said, as in nginx.  Memory is bounded: a state and a buffer for each answer under way.
 */
#include "http/module.h"

#include "base/mem.h"
#include "http/filter/encoding.h"
#include "http/filter/mime.h"

#include <zlib.h>

#define GZIP_KEEP     8                  /* idle states per worker */
#define GZIP_WINDOW   15                 /* bits: 32 KiB */
#define GZIP_MEMORY   8
#define GZIP_HEADER   16                 /* deflateInit2: write a gzip header */

typedef struct {
    weir_flag_t       on;
    weir_bytes_t      min_length;
    weir_bufs_t       buffers;
    uint32_t          level;
    weir_mime_types_t types;
} gzip_conf_t;

extern const size_t weir_http_gzip_index;

typedef struct gzip_state {
    struct gzip_state *next;
    z_stream           z;
    int                level, window;
} gzip_state_t;

typedef struct {
    weir_filter_t      filter;
    gzip_state_t      *state;
    char              *room;
    size_t             size;
    bool               is_dirty;         /* something came since the last flush */
    uint64_t           in, out;
} gzip_t;

/* -- states of zlib -- */

static gzip_state_t *gzip_idle;          /* of this worker */
static size_t        gzip_n_idle, gzip_n_least;       /* the fewest since the last tick */

static void *
gzip_alloc(void *opaque, unsigned items, unsigned size)
{
    (void) opaque;
    return weir_mem_try((size_t) items * size);
}

static void
gzip_free(void *opaque, void *memory)
{
    (void) opaque;
    weir_mem_free(memory);
}

/* A window no larger than what is to be compressed. */
static int
gzip_window(uint64_t length)
{
    int window = GZIP_WINDOW;

    while (length != WEIR_LENGTH_NONE && window > 9 && (UINT64_C(1) << (window - 1)) > length) {
        window--;
    }
    return window;
}

static gzip_state_t *
gzip_take(int level, uint64_t length)
{
    int window = gzip_window(length);
    gzip_state_t *state;

    for (gzip_state_t **at = &gzip_idle; (state = *at) != NULL; at = &state->next) {
        if (state->level == level && state->window == window) {
            weir_assert(gzip_n_idle > 0);
            *at = state->next;
            gzip_n_idle--;
            gzip_n_least = weir_min(gzip_n_least, gzip_n_idle);
            return state;
        }
    }
    state = weir_mem_try(sizeof(*state));
    if (state == NULL) {
        return NULL;
    }
    *state = (gzip_state_t) { .z = { .zalloc = gzip_alloc, .zfree = gzip_free }, .level = level, .window = window };
    if (deflateInit2(&state->z, level, Z_DEFLATED, window + GZIP_HEADER,
                     window - 6 < GZIP_MEMORY ? window - 6 : GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
    {
        weir_mem_free(state);
        return NULL;
    }
    return state;
}

static void
gzip_forget(gzip_state_t *state)
{
    (void) deflateEnd(&state->z);
    weir_mem_free(state);
}

static void
gzip_give_back(void *data)
{
    gzip_t *gzip = data;
    gzip_state_t *state = gzip->state;

    gzip->state = NULL;
    if (state == NULL) {
        return;
    }
    if (gzip_n_idle == GZIP_KEEP || deflateReset(&state->z) != Z_OK) {
        gzip_forget(state);
        return;
    }
    weir_assert(gzip_n_idle < GZIP_KEEP);
    state->next = gzip_idle;
    gzip_idle = state;
    gzip_n_idle++;
}

/* -- the states that are not in use: a worker that has had a burst gives them back -- */

static void
gzip_forget_idle(size_t n)
{
    for (; n != 0 && gzip_idle != NULL; n--) {
        gzip_state_t *next = gzip_idle->next;
        gzip_forget(gzip_idle);
        gzip_idle = next;
        gzip_n_idle--;
    }
}

/* Half of those that were not used since the last tick. */
static bool
gzip_tick(weir_life_t *life)
{
    (void) life;
    gzip_forget_idle((gzip_n_least + 1) / 2);
    gzip_n_least = gzip_n_idle;
    return gzip_n_idle != 0;
}

static void
gzip_leave(weir_life_t *life)
{
    weir_assert(gzip_n_idle <= GZIP_KEEP);
    (void) life;
    gzip_forget_idle(gzip_n_idle);
}

static const struct weir_module_life gzip_life = { .tick = gzip_tick, .end = gzip_leave };

/* -- bodies -- */

static weir_io_t
gzip_pass(gzip_t *gzip)
{
    z_stream *z = &gzip->state->z;
    size_t n = gzip->size - z->avail_out;

    weir_assert(gzip->state != NULL && z->avail_out <= gzip->size);
    z->next_out = (Bytef *) gzip->room;
    z->avail_out = (uInt) gzip->size;
    gzip->out += n;
    return weir_filter_pass_body(&gzip->filter, weir_str(gzip->room, n));
}

static weir_io_t
gzip_run(gzip_t *gzip, weir_str_t bytes, int flush)
{
    z_stream *z = &gzip->state->z;
    weir_io_t io = WEIR_OK, passed;
    int rc;

    weir_assert(gzip->state != NULL);     /* it has not ended */
    do {
        size_t piece = weir_min(bytes.len, (size_t) 1 << 30);

        z->next_in = (Bytef *) (uintptr_t) bytes.at;
        z->avail_in = (uInt) piece;
        bytes = weir_str_skip(bytes, piece);
        do {
            rc = deflate(z, bytes.len != 0 ? Z_NO_FLUSH : flush);
            if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
                return weir_filter_error(gzip->filter.req, WEIR_CAUSE_INTERNAL_MEMORY, "gzip");
            }
            if (z->avail_out != 0 && flush == Z_NO_FLUSH) {
                break;
            }
            bool more = z->avail_out == 0;
            passed = gzip_pass(gzip);
            if (passed != WEIR_OK) {
                io = passed;
            }
            if (passed == WEIR_ERROR || !more) {
                break;
            }
        } while (rc != Z_STREAM_END);
    } while (bytes.len != 0 && io != WEIR_ERROR);
    return io;
}

static weir_io_t
gzip_body(weir_filter_t *self, weir_str_t bytes)
{
    gzip_t *gzip = weir_container_of(self, gzip_t, filter);
    weir_io_t io;

    gzip->in += bytes.len;
    gzip->is_dirty = true;
    io = gzip_run(gzip, bytes, Z_NO_FLUSH);
    return io == WEIR_OK && weir_filter_is_pending(self) ? WEIR_AGAIN : io;
}

/* Of answers that are to arrive as they are made. */
static weir_io_t
gzip_flush(weir_filter_t *self)
{
    gzip_t *gzip = weir_container_of(self, gzip_t, filter);

    if (gzip->is_dirty && self->req->res.is_live) {
        gzip->is_dirty = false;
        if (gzip_run(gzip, WEIR_STR(""), Z_SYNC_FLUSH) == WEIR_ERROR) {
            return WEIR_ERROR;
        }
    }
    return weir_filter_pass_flush(self);
}

static weir_io_t
gzip_end(weir_filter_t *self)
{
    gzip_t *gzip = weir_container_of(self, gzip_t, filter);
    weir_io_t io = gzip_run(gzip, WEIR_STR(""), Z_FINISH);

    gzip->is_dirty = false;
    gzip_give_back(gzip);
    return io == WEIR_ERROR ? io : weir_filter_pass_end(self);
}

static const weir_filter_ops_t gzip_filter = { .place = WEIR_FILTER_ENCODE, .body = gzip_body, .end = gzip_end,
                                               .flush = gzip_flush };

/* -- which answers -- */

static bool
gzip_is_for(const gzip_conf_t *conf, const weir_request_t *req)
{
    const weir_response_t *res = &req->res;

    return (res->status == 200 || res->status == 403 || res->status == 404)
           && weir_response_value(req, WEIR_HEADER_CONTENT_ENCODING).len == 0
           && (res->length == WEIR_LENGTH_NONE || res->length >= conf->min_length.n)
           && weir_mime_is_listed(&conf->types, weir_response_value(req, WEIR_HEADER_CONTENT_TYPE))
           && !weir_syntax_list_has(weir_response_value(req, WEIR_HEADER_CACHE_CONTROL), WEIR_STR("no-transform"));
}

/* RFC 9110 §8.8.1: the same bytes no more. */
static void
gzip_weaken_etag(weir_request_t *req)
{
    weir_field_t *etag = weir_fields_first(&req->res.fields, WEIR_HEADER_ETAG);

    for (; etag != NULL; etag = weir_fields_next(&req->res.fields, etag)) {
        if (!weir_str_starts(etag->value, WEIR_STR("W/"))) {
            etag->value = weir_str_concat(&req->arena, WEIR_STR("W/"), etag->value);
        }
    }
}

static weir_step_t
gzip_head(weir_request_t *req, const void *conf_)
{
    const gzip_conf_t *conf = conf_;
    gzip_t *gzip;

    weir_assert(!req->res.head_sent);
    if (!gzip_is_for(conf, req)) {
        return WEIR_NEXT;
    }
    weir_encoding_say_vary(req);
    if (!weir_encoding_is_wanted(req)) {
        return WEIR_NEXT;
    }
    gzip = weir_new(&req->arena, gzip_t);
    gzip->size = conf->buffers.size.n;
    gzip->room = weir_try_alloc(&req->arena, gzip->size);
    gzip->state = gzip->room != NULL ? gzip_take((int) conf->level, req->res.length) : NULL;
    if (gzip->state == NULL) {
        return WEIR_NEXT;                        /* without memory for it: as it is */
    }
    weir_arena_on_cleanup(&req->arena, gzip_give_back, gzip);
    gzip->state->z.next_out = (Bytef *) gzip->room;
    gzip->state->z.avail_out = (uInt) gzip->size;
    req->ctx[weir_http_gzip_index] = gzip;
    weir_filter_add(req, &gzip->filter, &gzip_filter);
    weir_response_set(req, WEIR_HEADER_CONTENT_ENCODING, WEIR_STR("gzip"));
    weir_response_drop(req, WEIR_HEADER_ACCEPT_RANGES);
    gzip_weaken_etag(req);
    req->res.length = WEIR_LENGTH_NONE;
    return WEIR_NEXT;
}

static bool
gzip_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const gzip_conf_t *) conf)->on.on;
}

static bool
gzip_get_ratio(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const gzip_t *gzip = ((weir_request_t *) subject)->ctx[weir_http_gzip_index];

    (void) ref;
    if (gzip == NULL || gzip->out == 0) {
        return false;
    }
    uint64_t hundredths = (gzip->in * 100 + gzip->out / 2) / gzip->out;
    *value = weir_str_printf(arena, "%llu.%02llu", (unsigned long long) hundredths / 100,
                             (unsigned long long) hundredths % 100);
    return true;
}

/* -- directives -- */

static const weir_directive_t gzip_directives[] = {
    WEIR_DIRECTIVE(gzip_conf_t, on, "gzip", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Compresses answers for clients that accept gzip."),
    WEIR_DIRECTIVE(gzip_conf_t, level, "gzip_comp_level", .where = WEIR_IN_ANY, .dflt = "1", .min = "1", .max = "9",
                   .help = "Sets how hard gzip tries, from 1 to 9."),
    WEIR_DIRECTIVE(gzip_conf_t, min_length, "gzip_min_length", .where = WEIR_IN_ANY, .dflt = "20",
                   .help = "Leaves answers that are shorter than this uncompressed."),
    WEIR_DIRECTIVE(gzip_conf_t, buffers, "gzip_buffers", .where = WEIR_IN_ANY, .dflt = "4 16k",
                   .help = "Sets how much is compressed before it is sent on: one buffer of this size (the number "
                           "has no meaning)."),
    WEIR_DIRECTIVE_OF(gzip_conf_t, types, "gzip_types", &weir_type_mime_types, .where = WEIR_IN_ANY,
                      .help = "Lists the types that are compressed beside text/html; * stands for all."),
    WEIR_DIRECTIVES_END
};

static const weir_variable_t gzip_variables[] = {
    { "gzip_ratio", .subject = WEIR_OF_REQUEST, .get = gzip_get_ratio,
      .help = "How many times smaller the answer became." },
    WEIR_VARIABLES_END
};

static bool
gzip_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf)
{
    uint64_t size = ((const gzip_conf_t *) conf)->buffers.size.n;

    return (size >= 256 && size <= 1024 * 1024)
           || weir_conf_error_at(cf, &block->words, "\"gzip_buffers\" must be of 256 bytes to 1m each");
}

const weir_http_module_t weir_http_gzip = {
    .name = "http_gzip",
    .life = &gzip_life,
    .area = "Responses",
    .conf_size = sizeof(gzip_conf_t),
    .directives = gzip_directives,
    .variables = gzip_variables,
    .check = gzip_check,
    .enabled = gzip_enabled,
    .filter_head = gzip_head,
    .filter_place = WEIR_FILTER_ENCODE,
};
