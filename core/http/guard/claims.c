/*
 * claims.c - see claims.h.  Runs in workers.
 */
#include "http/guard/claims.h"

#include "base/buf.h"

bool
weir_claims_text(weir_arena_t *arena, const weir_json_t *value, weir_str_t *text)
{
    weir_buf_t list;
    size_t     room = 0;

    if (value == NULL || value->kind == WEIR_JSON_NULL) {
        return false;
    }
    *text = value->text;
    if (value->kind != WEIR_JSON_ARRAY) {
        return true;
    }
    for (const weir_json_t *one = value->first; one != NULL; one = one->next) {
        room += one->text.len + 1;
    }
    weir_buf_init(&list, weir_alloc_bytes(arena, room + 1), room);
    for (const weir_json_t *one = value->first; one != NULL; one = one->next) {
        weir_buf_add_str(&list, one->text);
        if (one->next != NULL) {
            weir_buf_add_char(&list, ',');
        }
    }
    *text = weir_buf_str(&list);
    return true;
}

const weir_json_t *
weir_claims_find(const weir_json_t *object, weir_str_t name)
{
    const weir_json_t *member = weir_json_get(object, name);

    if (member != NULL || object == NULL) {
        return member;
    }
    for (const weir_json_t *one = object->first; one != NULL; one = one->next) {
        if (weir_str_eq_fold(one->name, name)) {
            return one;
        }
    }
    return NULL;
}

const weir_json_t *
weir_claims_follow(const weir_json_t *object, weir_strs_t path)
{
    for (size_t i = 0; i < path.n && object != NULL; i++) {
        object = weir_json_get(object, path.at[i]);
    }
    return object;
}
