/*
 * protobuf.h - the wire format of Protocol Buffers, as far as messages of ours need it: fields are read one after
 * another, and a message is written from its end to its beginning.
 *
 * Reading is strict, for what comes is a stranger's: each length is checked before a byte is looked at; groups, numbers
 * of fields beyond 29 bits, and numbers of more than 64 bits are refused; and all messages of one text together have at
 * most so many fields.  A reader descends by itself, into messages that it knows: its code bounds the depth.
 *
 * Writing from the end is what makes lengths known when they are written: put the last field first, and a message's
 * fields before the message (weir_protobuf_put_message).
 *
 * Pure; every process; allocates nothing.
 */
#ifndef WEIR_BASE_PROTOBUF_H
#define WEIR_BASE_PROTOBUF_H

#include "base/str.h"

typedef enum {
    WEIR_PROTOBUF_VARINT = 0, WEIR_PROTOBUF_FIXED64 = 1, WEIR_PROTOBUF_BYTES = 2, WEIR_PROTOBUF_FIXED32 = 5,
} weir_protobuf_type_t;

/* -- reading -- */

typedef struct {
    const char *at, *end;
    uint32_t   *budget;                  /* of fields that may still come, of this message and of those inside it */
} weir_protobuf_reader_t;

typedef struct {
    uint32_t             number;         /* 1 to 2^29 - 1 */
    weir_protobuf_type_t type;
    uint64_t             value;          /* of VARINT, FIXED64 and FIXED32 */
    weir_str_t           bytes;          /* of BYTES: a slice of the text */
} weir_protobuf_field_t;

static inline weir_protobuf_reader_t
weir_protobuf_reader(weir_str_t text, uint32_t *budget)
{
    return (weir_protobuf_reader_t) { text.at, text.at + text.len, budget };
}

/* The next field.  OK · EOF: the message ends here · ERROR: it is none, or there are more fields than may be. */
weir_io_t weir_protobuf_next(weir_protobuf_reader_t *reader, weir_protobuf_field_t *field) WEIR_MUST_USE;

/* -- writing -- */

typedef struct {
    char *at;                            /* where the room begins */
    char *pos, *end;                     /* what was written is from pos to end */
    bool  full;                          /* something did not fit: nothing of it is of use */
} weir_protobuf_writer_t;

static inline void
weir_protobuf_write_to(weir_protobuf_writer_t *writer, char *room, size_t size)
{
    *writer = (weir_protobuf_writer_t) { .at = room, .pos = room + size, .end = room + size };
}

static inline size_t weir_protobuf_written(const weir_protobuf_writer_t *w) { return (size_t) (w->end - w->pos); }
static inline weir_str_t
weir_protobuf_text(const weir_protobuf_writer_t *w)
{
    return weir_str(w->pos, weir_protobuf_written(w));
}

/* Bytes that a field of so many has at most, with its number and its length. */
#define WEIR_PROTOBUF_ROOM(len) ((len) + 15)

void weir_protobuf_put_varint(weir_protobuf_writer_t *writer, uint32_t number, uint64_t value);
void weir_protobuf_put_bytes(weir_protobuf_writer_t *writer, uint32_t number, weir_str_t bytes);
/* The same of a text, which must be UTF-8: each byte that is of none becomes '!'. */
void weir_protobuf_put_text(weir_protobuf_writer_t *writer, uint32_t number, weir_str_t text);
/* What was written since weir_protobuf_written said `since` is the message of this field. */
void weir_protobuf_put_message(weir_protobuf_writer_t *writer, uint32_t number, size_t since);

#endif
