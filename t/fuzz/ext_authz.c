/*
 * ext_authz.c - what an authorization service answers: a message of Protocol Buffers from a stranger.  One that can be
 * used names nothing that it may not name, and lies in what came.
 */
#include "../../modules/http/ext_authz/answer.h"
#include "base/protobuf.h"
#include "base/utf8.h"
#include "http/filter/header_edit.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ext_must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void
ext_lies_in(weir_str_t part, weir_str_t all)
{
    ext_must(part.len == 0 || (part.at >= all.at && part.at + part.len <= all.at + all.len));
}

static void
ext_check_fields(const ext_fields_t *fields, bool is_request, weir_str_t all)
{
    for (size_t i = 0; i < fields->n; i++) {
        const ext_field_t *field = &fields->at[i];

        ext_must(weir_syntax_is_token(field->name) && weir_syntax_is_field_value(field->value));
        ext_must(field->id == weir_header_id(field->name) && weir_header_may_change(field->id, is_request));
        ext_lies_in(field->name, all);
        ext_lies_in(field->value, all);
    }
}

/* Whatever the fields mean: written again and read again they are the same. */
static void
ext_round(weir_str_t all)
{
    uint32_t               budget = 100;
    weir_protobuf_reader_t in = weir_protobuf_reader(all, &budget);
    weir_protobuf_field_t  field;

    while (weir_protobuf_next(&in, &field) == WEIR_OK) {
        uint32_t               one = 1;
        char                   room[256];
        weir_protobuf_writer_t out;
        weir_protobuf_field_t  again;

        weir_protobuf_write_to(&out, room, sizeof(room));
        if (field.type == WEIR_PROTOBUF_BYTES && field.bytes.len < 200) {
            weir_protobuf_put_bytes(&out, field.number, field.bytes);
        } else if (field.type == WEIR_PROTOBUF_VARINT) {
            weir_protobuf_put_varint(&out, field.number, field.value);
        } else {
            continue;
        }
        weir_protobuf_reader_t back = weir_protobuf_reader(weir_protobuf_text(&out), &one);

        ext_must(!out.full && weir_protobuf_next(&back, &again) == WEIR_OK && again.number == field.number
                 && again.type == field.type && again.value == field.value && weir_str_eq(again.bytes, field.bytes));
        weir_protobuf_write_to(&out, room, sizeof(room));
        if (field.bytes.len < 200) {
            weir_protobuf_put_text(&out, 1, field.bytes);
            ext_must(!out.full && weir_utf8_is_text(weir_str(out.end - field.bytes.len, field.bytes.len)));
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_str_t   all = weir_str((const char *) data, size);
    weir_arena_t arena;
    ext_answer_t answer;
    const char  *why;

    if (size == 0) {
        return 0;
    }
    weir_arena_init(&arena, 4096);
    if (ext_answer_read(&arena, all, &answer, &why)) {
        ext_must(why == NULL && answer.is_allowed == (answer.status == 0));
        ext_must(answer.is_allowed || (answer.status >= 200 && answer.status <= 599));
        ext_must(answer.is_allowed || (answer.shown.n == 0 && answer.removed.n == 0 && answer.args.n == 0));
        ext_must(!answer.is_allowed || answer.body.len == 0);
        ext_check_fields(&answer.fields, answer.is_allowed, all);
        ext_check_fields(&answer.shown, false, all);
        ext_must(weir_utf8_is_text(answer.body));
        for (size_t i = 0; i < answer.removed.n; i++) {
            ext_must(weir_syntax_is_token(answer.removed.at[i]));
        }
    } else {
        ext_must(why != NULL);
    }
    ext_round(all);
    weir_arena_fini(&arena);
    return 0;
}
