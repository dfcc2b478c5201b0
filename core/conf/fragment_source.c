/*
 * fragment_source.c - see fragment_source.h.  Runs in the master and in tools; what it keeps is in the bundle's arena.
 */
#include "conf/fragment_source.h"

#include "conf/wire.h"

void
weir_fragment_source_set(weir_bundle_t *bundle, const weir_fragment_source_t *source)
{
    weir_assert(!bundle->replay);
    bundle->source = source;
}

bool
weir_fragment_source_folder(weir_bundle_t *bundle, weir_str_t path, weir_error_t *error)
{
    return bundle->source == NULL || bundle->source->folder(bundle->source->data, bundle, path, error);
}

bool
weir_fragment_source_state(weir_bundle_t *bundle, weir_str_t path, weir_error_t *error)
{
    return bundle->source == NULL || bundle->source->state(bundle->source->data, bundle, path, error);
}

void
weir_fragment_source_go_by(weir_bundle_t *bundle, weir_bundle_t *before,
                           bool (*reads_anew)(void *data, weir_str_t path), void *data)
{
    weir_assert(!bundle->replay && before->replay);
    bundle->before = before;
    bundle->reads_anew = reads_anew;
    bundle->reads_anew_data = data;
}

void
weir_fragment_source_read_anew(weir_bundle_t *bundle, weir_str_t path)
{
    weir_bundle_gone_t *anew;

    if (bundle->before != NULL) {
        anew = weir_new(&bundle->arena, weir_bundle_gone_t);
        *anew = (weir_bundle_gone_t) { .next = bundle->anew, .name = weir_str_dup(&bundle->arena, path) };
        bundle->anew = anew;
    }
}

weir_bundle_entry_t *
weir_fragment_source_known(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t key)
{
    weir_bundle_entry_t *entry = weir_bundle_find(bundle, kind, key);

    if (entry != NULL || bundle->before == NULL
        || (kind == WEIR_BUNDLE_FILE && bundle->reads_anew(bundle->reads_anew_data, key)))
    {
        return entry;
    }
    for (const weir_bundle_gone_t *anew = bundle->anew; anew != NULL; anew = anew->next) {
        if (kind == WEIR_BUNDLE_FILE && weir_str_eq(anew->name, key)) {
            return NULL;
        }
    }
    entry = weir_bundle_find(bundle->before, kind, key);
    return entry == NULL ? NULL : weir_bundle_add(bundle, kind, key, weir_str_dup(&bundle->arena, entry->value));
}

void
weir_fragment_source_forget_group(weir_bundle_t *bundle, weir_str_t name, weir_str_t fragment)
{
    weir_bundle_gone_t *gone = weir_new(&bundle->arena, weir_bundle_gone_t);

    *gone = (weir_bundle_gone_t) { .next = bundle->gone, .name = weir_str_dup(&bundle->arena, name),
                                   .fragment = weir_str_dup(&bundle->arena, fragment) };
    bundle->gone = gone;
}

bool
weir_fragment_source_lacks_group(const weir_bundle_t *bundle, weir_str_t name, weir_str_t *fragment)
{
    for (const weir_bundle_gone_t *gone = bundle->gone; gone != NULL; gone = gone->next) {
        if (weir_str_eq(gone->name, name)) {
            *fragment = gone->fragment;
            return true;
        }
    }
    return false;
}
