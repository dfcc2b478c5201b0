/*
 * read.h - looking things up in the store, in workers: without a lock, without waiting for the writer (view.h).
 *
 * What was acknowledged is seen by the next look, in every process.  The file is opened at the first look; one that
 * cannot be opened is tried again each second.  On the loop's thread only.
 */
#ifndef WEIR_STORE_READ_H
#define WEIR_STORE_READ_H

#include "store/record.h"
#include "store/view.h"

/* The folder this process reads from now on; "": none, and everything is BROKEN but what zones look for. */
void weir_store_read_from(weir_str_t path);
void weir_store_read_end(void);

/* The key that hashes as the bytes do; id: NUL-terminated. */
weir_store_found_t weir_store_find_key(weir_str_t secret, weir_store_key_t *key, char id[WEIR_STORE_ID + 1]);
weir_store_found_t weir_store_find_consumer(weir_str_t name, weir_store_consumer_t *consumer);
weir_store_found_t weir_store_find_plan(weir_str_t name, weir_store_plan_t *plan);
/* Of a plan that is there; MISSING: it limits none of that. */
weir_store_found_t weir_store_find_rates(weir_str_t plan, weir_store_rates_t *rates);
/* Of a consumer that is there, and good; MISSING: it has neither groups nor metadata. */
weir_store_found_t weir_store_find_profile(weir_str_t consumer, weir_store_profile_t *profile);
/* The consumer whose identity that is: NUL-padded. */
weir_store_found_t weir_store_find_identity(weir_str_t kind, weir_str_t value, char consumer[WEIR_STORE_NAME]);

/* SHA-256.  The bytes are not kept. */
void weir_store_hash(weir_str_t secret, unsigned char hash[WEIR_STORE_HASH]);
/* Of KIND NUL VALUE; a kind has no NUL. */
void weir_store_identity_hash(weir_str_t kind, weir_str_t value, unsigned char hash[WEIR_STORE_HASH]);
void weir_store_id_of(const unsigned char *hash, char id[WEIR_STORE_ID + 1]);

#endif
