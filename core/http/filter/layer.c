/*
 * layer.c - see layer.h.
 */
#include "http/filter/layer.h"

void
weir_layer_add(weir_request_t *req, weir_layer_t *layer, const weir_layer_ops_t *ops)
{
    layer->ops = ops;
    layer->inner = req->layers;
    req->layers = layer;
}

/* Innermost first, from the one outside of `self`.  true: one of them has more to send. */
static bool
layer_holds(weir_request_t *req, weir_layer_t *layer, const weir_layer_t *self)
{
    if (layer == self) {
        return false;
    }
    return layer_holds(req, layer->inner, self) || (layer->ops->on_writable != NULL && layer->ops->on_writable(req, layer));
}

void
weir_layer_writable(weir_request_t *req, const weir_layer_t *self)
{
    if (req->layers != self && layer_holds(req, req->layers, self)) {
        return;
    }
    weir_request_tell_writable(req);
}

void
weir_layers_end(weir_request_t *req)
{
    while (req->layers != NULL) {
        weir_layer_t *layer = req->layers;

        req->layers = layer->inner;
        if (layer->ops->end != NULL) {
            layer->ops->end(req, layer);
        }
    }
}
