/*
 * seal.h - texts that Weir gives a client to keep, and takes back as its own: encrypted and authenticated, with keys
 * that rotate.
 *
 *     sealed:   base64url of   1 (version) · 4 bytes (which key) · 16 bytes (salt) · 12 bytes (nonce) · text · 16 (tag)
 *
 * Of each secret and purpose a key is derived (HKDF-SHA-256), and of that key and the salt the one that this text alone
 * is encrypted with (HMAC-SHA-256, then AES-256-GCM): no number of texts makes a nonce come twice.  What the text is
 * bound to (its owner, its purpose) is authenticated with it, and not in it.  The first secret seals, all open: a new
 * one is put in front of the others, and the last is taken out when nothing that it sealed is alive any more.
 *
 * Pure but for randomness and OpenSSL's memory; one thread at a time.  Hostile: what is opened comes from a client.
 */
#ifndef WEIR_JOSE_SEAL_H
#define WEIR_JOSE_SEAL_H

#include "base/error.h"
#include "base/str.h"

#define WEIR_SEAL_KEYS_MAX   16
#define WEIR_SEAL_SECRET_MIN 32                  /* bytes of a secret */
#define WEIR_SEAL_SECRET_MAX 512
#define WEIR_SEAL_EXTRA      49                  /* bytes that sealing adds, before base64url */

typedef struct weir_seal weir_seal_t;

/* The secrets of a file: one a line, of WEIR_SEAL_SECRET_MIN characters or more; lines that are empty or begin with '#'
 * say nothing.  They are slices of the text.  false: *error says which line. */
bool weir_seal_read_secrets(weir_arena_t *arena, weir_str_t text, weir_strs_t *secrets,
                            weir_error_t *error) WEIR_MUST_USE;

/* Nothing of the secrets is needed afterwards.  NULL: no memory. */
weir_seal_t *weir_seal_create(weir_strs_t secrets, weir_str_t purpose) WEIR_MUST_USE;
void         weir_seal_destroy(weir_seal_t *seal);       /* keys are wiped; NULL is fine */

/* Characters of a sealed text of so many bytes. */
size_t weir_seal_room(size_t len);
/* room: weir_seal_room(plain.len) bytes.  false: no randomness, or no memory. */
bool   weir_seal_close(const weir_seal_t *seal, weir_str_t plain, weir_str_t bound, char *room) WEIR_MUST_USE;

typedef enum {
    WEIR_SEAL_OPENED,
    WEIR_SEAL_OPENED_OLD,                        /* with another key than the first */
    WEIR_SEAL_FOREIGN,                           /* it is no sealed text, or of a key that is not there */
    WEIR_SEAL_BROKEN,                            /* it was changed, or is bound to something else */
    WEIR_SEAL_MEMORY,
} weir_seal_result_t;

/* room: sealed.len bytes; *plain is in it, when it was opened. */
weir_seal_result_t weir_seal_open(const weir_seal_t *seal, weir_str_t sealed, weir_str_t bound, char *room,
                                  weir_str_t *plain) WEIR_MUST_USE;

#endif
