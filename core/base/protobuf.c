/*
 * protobuf.c - see protobuf.h.
 */
#include "base/protobuf.h"

#include "base/utf8.h"

#define PROTOBUF_VARINT 10               /* bytes of the longest */
#define PROTOBUF_NUMBER_MAX ((1u << 29) - 1)

/* -- reading -- */

/* Seven bits a byte, the lowest first; the tenth has one bit. */
static bool
protobuf_take_varint(weir_protobuf_reader_t *reader, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < PROTOBUF_VARINT && reader->at < reader->end; i++) {
        unsigned char byte = (unsigned char) *reader->at++;

        if (i == PROTOBUF_VARINT - 1 && byte > 1) {
            return false;
        }
        *value |= (uint64_t) (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

static bool
protobuf_take_fixed(weir_protobuf_reader_t *reader, size_t n, uint64_t *value)
{
    if ((size_t) (reader->end - reader->at) < n) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        *value |= (uint64_t) (unsigned char) reader->at[i] << (8 * i);
    }
    reader->at += n;
    return true;
}

static bool
protobuf_take_bytes(weir_protobuf_reader_t *reader, weir_str_t *bytes)
{
    uint64_t length;

    if (!protobuf_take_varint(reader, &length) || length > (size_t) (reader->end - reader->at)) {
        return false;
    }
    *bytes = weir_str(reader->at, (size_t) length);
    reader->at += length;
    return true;
}

static bool
protobuf_take(weir_protobuf_reader_t *reader, weir_protobuf_field_t *field)
{
    uint64_t tag;

    if (!protobuf_take_varint(reader, &tag) || tag >> 3 == 0 || tag >> 3 > PROTOBUF_NUMBER_MAX) {
        return false;
    }
    *field = (weir_protobuf_field_t) { .number = (uint32_t) (tag >> 3), .type = (weir_protobuf_type_t) (tag & 7) };
    switch (field->type) {
    case WEIR_PROTOBUF_VARINT:
        return protobuf_take_varint(reader, &field->value);
    case WEIR_PROTOBUF_FIXED64:
        return protobuf_take_fixed(reader, 8, &field->value);
    case WEIR_PROTOBUF_BYTES:
        return protobuf_take_bytes(reader, &field->bytes);
    case WEIR_PROTOBUF_FIXED32:
        return protobuf_take_fixed(reader, 4, &field->value);
    }
    return false;                        /* a group, or none of the types that there are */
}

weir_io_t
weir_protobuf_next(weir_protobuf_reader_t *reader, weir_protobuf_field_t *field)
{
    if (reader->at == reader->end) {
        return WEIR_EOF;
    }
    if (*reader->budget == 0 || !protobuf_take(reader, field)) {
        return WEIR_ERROR;
    }
    --*reader->budget;
    weir_assert(reader->at <= reader->end);
    return WEIR_OK;
}

/* -- writing -- */

/* Room for n bytes before what there is.  NULL: there is none. */
static char *
protobuf_push(weir_protobuf_writer_t *writer, size_t n)
{
    if (writer->full || (size_t) (writer->pos - writer->at) < n) {
        writer->full = true;
        return NULL;
    }
    writer->pos -= n;
    return writer->pos;
}

static void
protobuf_push_varint(weir_protobuf_writer_t *writer, uint64_t value)
{
    char   bytes[PROTOBUF_VARINT], *to;
    size_t n = 0;

    do {
        bytes[n++] = (char) ((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value != 0);
    to = protobuf_push(writer, n);
    if (to != NULL) {
        memcpy(to, bytes, n);
    }
}

static void
protobuf_push_tag(weir_protobuf_writer_t *writer, uint32_t number, weir_protobuf_type_t type)
{
    weir_assert(number != 0 && number <= PROTOBUF_NUMBER_MAX);
    protobuf_push_varint(writer, (uint64_t) number << 3 | type);
}

void
weir_protobuf_put_varint(weir_protobuf_writer_t *writer, uint32_t number, uint64_t value)
{
    protobuf_push_varint(writer, value);
    protobuf_push_tag(writer, number, WEIR_PROTOBUF_VARINT);
}

void
weir_protobuf_put_bytes(weir_protobuf_writer_t *writer, uint32_t number, weir_str_t bytes)
{
    size_t since = weir_protobuf_written(writer);
    char  *to = protobuf_push(writer, bytes.len);

    if (to != NULL && bytes.len != 0) {
        memcpy(to, bytes.at, bytes.len);
    }
    weir_protobuf_put_message(writer, number, since);
}

void
weir_protobuf_put_text(weir_protobuf_writer_t *writer, uint32_t number, weir_str_t text)
{
    const char *end = text.len != 0 ? text.at + text.len : text.at;
    size_t      since = weir_protobuf_written(writer);
    char       *to = protobuf_push(writer, text.len);

    for (const char *at = text.at; to != NULL && at < end;) {
        size_t n = (unsigned char) *at < 0x80 ? 1 : weir_utf8_length(at, end);

        if (n == 0) {
            *to++ = '!';
            at++;
            continue;
        }
        memcpy(to, at, n);
        to += n;
        at += n;
    }
    weir_protobuf_put_message(writer, number, since);
}

void
weir_protobuf_put_message(weir_protobuf_writer_t *writer, uint32_t number, size_t since)
{
    size_t written = weir_protobuf_written(writer);

    weir_assert(since <= written);
    protobuf_push_varint(writer, written - since);
    protobuf_push_tag(writer, number, WEIR_PROTOBUF_BYTES);
}
