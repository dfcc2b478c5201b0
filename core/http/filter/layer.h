/*
 * layer.h - what stands between a request and its codec until the request ends: limit_rate's pace, gRPC-Web's
 * translation.
 *
 *   producer ──> body filters ──> ranges ──> layers, outermost first ──> codec
 *
 * A request has any number of layers in any order.  A layer's struct begins with this one (or holds it), and each call
 * gets it as `self`: nothing of the request is replaced, so that a layer finds its state whatever was put around it.
 * It passes on with the functions
 * below and self->inner; a call that its row leaves out goes past it.  Runs in workers; memory: the request's arena.
 */
#ifndef WEIR_HTTP_LAYER_H
#define WEIR_HTTP_LAYER_H

#include "http/request.h"

/* The calls are those of codec.h, and promise the same. */
typedef struct {
    weir_io_t (*send_head)(weir_request_t *req, weir_layer_t *self);
    weir_io_t (*send_body)(weir_request_t *req, weir_layer_t *self, weir_str_t bytes);
    weir_io_t (*send_file)(weir_request_t *req, weir_layer_t *self, int fd, uint64_t *offset, uint64_t end);
    weir_io_t (*send_pipe)(weir_request_t *req, weir_layer_t *self, int pipe, size_t n, size_t *moved);
    weir_io_t (*send_end)(weir_request_t *req, weir_layer_t *self);
    weir_io_t (*flush)(weir_request_t *req, weir_layer_t *self);
    bool      (*send_pending)(const weir_request_t *req, const weir_layer_t *self);
    weir_io_t (*read_body)(weir_request_t *req, weir_layer_t *self, weir_str_t *bytes);
    /* The wire has taken all it had: the call comes from the codec's side, innermost first.  true: there is more in
     * this layer, nobody outside of it is to be called (and the request may have ended). */
    bool      (*on_writable)(weir_request_t *req, weir_layer_t *self);
    void      (*end)(weir_request_t *req, weir_layer_t *self);         /* the request ends: timers and buffers go */
} weir_layer_ops_t;

struct weir_layer {
    weir_layer_t           *inner;                                     /* NULL: the codec */
    const weir_layer_ops_t *ops;
};

/* Outermost from now on. */
void weir_layer_add(weir_request_t *req, weir_layer_t *layer, const weir_layer_ops_t *ops);
/* What is inside of `self` has taken all it had: those outside of it go on, then the producer.  NULL: the codec has.
 * May end the request. */
void weir_layer_writable(weir_request_t *req, const weir_layer_t *self);
/* Before the codec takes the request back. */
void weir_layers_end(weir_request_t *req);

/* The first from `layer` inwards that has something to say to a call. */
#define WEIR_LAYER_THAT(layer, call) \
    while ((layer) != NULL && (layer)->ops->call == NULL) { \
        (layer) = (layer)->inner; \
    }

static inline weir_io_t
weir_layer_send_head(weir_request_t *req, weir_layer_t *layer)
{
    WEIR_LAYER_THAT(layer, send_head);
    return layer != NULL ? layer->ops->send_head(req, layer) : req->codec->send_head(req);
}

static inline weir_io_t
weir_layer_send_body(weir_request_t *req, weir_layer_t *layer, weir_str_t bytes)
{
    WEIR_LAYER_THAT(layer, send_body);
    return layer != NULL ? layer->ops->send_body(req, layer, bytes) : req->codec->send_body(req, bytes);
}

static inline weir_io_t
weir_layer_send_file(weir_request_t *req, weir_layer_t *layer, int fd, uint64_t *offset, uint64_t end)
{
    WEIR_LAYER_THAT(layer, send_file);
    if (layer != NULL) {
        return layer->ops->send_file(req, layer, fd, offset, end);
    }
    return req->codec->send_file != NULL ? req->codec->send_file(req, fd, offset, end) : WEIR_EOF;
}

static inline weir_io_t
weir_layer_send_pipe(weir_request_t *req, weir_layer_t *layer, int pipe, size_t n, size_t *moved)
{
    WEIR_LAYER_THAT(layer, send_pipe);
    if (layer != NULL) {
        return layer->ops->send_pipe(req, layer, pipe, n, moved);
    }
    return req->codec->send_pipe != NULL ? req->codec->send_pipe(req, pipe, n, moved) : WEIR_EOF;
}

static inline weir_io_t
weir_layer_send_end(weir_request_t *req, weir_layer_t *layer)
{
    WEIR_LAYER_THAT(layer, send_end);
    return layer != NULL ? layer->ops->send_end(req, layer) : req->codec->send_end(req);
}

static inline weir_io_t
weir_layer_flush(weir_request_t *req, weir_layer_t *layer)
{
    WEIR_LAYER_THAT(layer, flush);
    return layer != NULL ? layer->ops->flush(req, layer) : req->codec->flush(req);
}

static inline bool
weir_layer_send_pending(const weir_request_t *req, const weir_layer_t *layer)
{
    WEIR_LAYER_THAT(layer, send_pending);
    return layer != NULL ? layer->ops->send_pending(req, layer) : req->codec->send_pending(req);
}

static inline weir_io_t
weir_layer_read_body(weir_request_t *req, weir_layer_t *layer, weir_str_t *bytes)
{
    WEIR_LAYER_THAT(layer, read_body);
    return layer != NULL ? layer->ops->read_body(req, layer, bytes) : req->codec->read_body(req, bytes);
}

#endif
