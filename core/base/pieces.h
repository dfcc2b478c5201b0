/*
 * pieces.h - memory in pieces, for what is made together and goes together, beside much that stays: the parts of a
 * configuration.
 *
 * Pieces of one size lie in regions, which are mapped and go back to the kernel with their last piece, whatever else
 * there is in the heap.  A piece that is free is given again before another region is mapped.
 *
 * Any thread.
 */
#ifndef WEIR_BASE_PIECES_H
#define WEIR_BASE_PIECES_H

#include "base/base.h"

#define WEIR_PIECE_MAX ((size_t) 32 * 1024 - 16)     /* bytes of the largest */

/* At least so many bytes, aligned to 16; *size: how many there are.  NULL: there is no memory. */
void *weir_piece_take(size_t *size) WEIR_MUST_USE;
void  weir_piece_give(void *piece);
/* Bytes of all regions, for tests. */
size_t weir_pieces_mapped(void);

#endif
