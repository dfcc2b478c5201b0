/*
 * read.c - see read.h.  Runs in workers.
 */
#include "store/read.h"

#include "log/log.h"
#include "os/clock.h"
#include "shm/saved.h"
#include "store/recent.h"

#include <limits.h>
#include <openssl/evp.h>

#define READ_RETRY_MS 1000

static struct {
    char              path[PATH_MAX];            /* empty: none */
    weir_store_view_t view;
    uint64_t          turn;                      /* in which the file was seen to be whole */
    uint64_t          next_ms;                   /* when to try to open it again */
    bool              complained;
} read_store;

/* -- open -- */

static bool
read_open(void)
{
    weir_error_t error = { .text = "" };

    weir_assert(read_store.view.map == NULL);
    if (read_store.path[0] == '\0' || weir_clock_now().ms < read_store.next_ms) {
        return false;
    }
    if (weir_store_view_open(&read_store.view, read_store.path, &error)) {
        weir_store_recent_forget();
        read_store.complained = false;
        return true;
    }
    if (!read_store.complained) {
        weir_log(WEIR_LOG_ALERT, NULL, 0, "%s", error.text);
        read_store.complained = true;
    }
    read_store.next_ms = weir_clock_now().ms + READ_RETRY_MS;
    return false;
}

static void
read_close(void)
{
    if (read_store.view.map != NULL) {
        weir_store_view_close(&read_store.view);
    }
}

/* Its file was removed: another one in its place is what is written from now on.  While there is none, what is known is
 * all there is. */
static void
read_follow(void)
{
    weir_error_t      error = { .text = "" };
    weir_store_view_t other = { .fd = -1 };

    weir_assert(read_store.view.map != NULL);
    if (weir_clock_now().ms < read_store.next_ms) {
        return;
    }
    if (weir_store_view_open(&other, read_store.path, &error)) {
        read_close();
        read_store.view = other;
        weir_store_recent_forget();
        weir_log(WEIR_LOG_NOTICE, NULL, 0, "the store in \"%s\" was replaced: the new file is read", read_store.path);
    } else {
        read_store.next_ms = weir_clock_now().ms + READ_RETRY_MS;
    }
}

/* May the map be looked at?  Of the file that is in its place now, where there is one: as a turn of the loop saw it. */
static bool
read_is_good(void)
{
    bool is_removed;

    if (read_store.view.map == NULL) {
        return read_open();
    }
    if (read_store.turn == weir_clock_turns()) {
        return true;
    }
    if (weir_store_view_is_whole(&read_store.view, &is_removed)) {
        read_store.turn = weir_clock_turns();
        if (weir_unlikely(is_removed)) {
            read_follow();
        }
        return true;
    }
    read_close();                                /* it was cut short: the map's end would be a SIGBUS */
    return false;
}

/* Of a record the first bytes, `room` at the most, are copied; *size: how many it has. */
static weir_store_found_t
read_part(weir_store_table_t table, weir_str_t name, void *record, size_t room, size_t *size)
{
    weir_store_recent_t which = { .table = table, .name = name };
    weir_store_found_t  found;

    weir_assert(table < WEIR_STORE_TABLES && room != 0);
    if (name.len == 0) {
        return WEIR_STORE_MISSING;
    }
    if (!read_is_good()) {
        return WEIR_STORE_BROKEN;
    }
    which.transaction = weir_store_view_transaction(&read_store.view);
    if (weir_store_recent_find(&which, record, room, size, &found)) {
        return found;
    }
    found = weir_store_view_read(&read_store.view, table, name, record, room, size);
    if (found == WEIR_STORE_BROKEN) {
        read_close();                            /* opened anew with the next look */
    } else if (weir_store_view_transaction(&read_store.view) == which.transaction) {
        weir_store_recent_keep(&which, record, room, *size, found);
    }
    return found;
}

/* A record of `size` bytes is copied. */
static weir_store_found_t
read_record(weir_store_table_t table, weir_str_t name, void *record, size_t size)
{
    size_t             has = 0;
    weir_store_found_t found = read_part(table, name, record, size, &has);

    if (found == WEIR_STORE_FOUND && has != size) {
        read_close();
        return WEIR_STORE_BROKEN;
    }
    return found;
}

/* -- what zones look for -- */

static weir_saved_result_t
read_saved(weir_str_t kind, weir_str_t zone, uint64_t name, uint64_t *value)
{
    char              key[WEIR_STORE_CELL_KEY];
    weir_store_cell_t cell;

    if (read_store.path[0] == '\0') {
        return WEIR_SAVED_NONE;
    }
    switch (read_record(WEIR_STORE_CELLS, weir_str(key, weir_store_cell_key(key, kind, zone, name)), &cell,
                        sizeof(cell))) {
    case WEIR_STORE_FOUND:
        *value = cell.value;
        return WEIR_SAVED_FOUND;
    case WEIR_STORE_MISSING:
        return WEIR_SAVED_NONE;
    default:
        return WEIR_SAVED_UNKNOWN;
    }
}

void
weir_store_read_from(weir_str_t path)
{
    if (path.len < sizeof(read_store.path) && !weir_str_eq(path, weir_str_from_z(read_store.path))) {
        read_close();
        memcpy(read_store.path, path.at, path.len);
        read_store.path[path.len] = '\0';
        read_store.next_ms = 0;
        (void) read_open();                  /* now: it may be gone by the first look */
    }
    weir_saved_use(read_saved);
}

void
weir_store_read_end(void)
{
    read_close();
    weir_saved_use(NULL);
}

/* -- records -- */

/* Of one text after the other. */
static void
read_hash(const weir_str_t *texts, size_t n, unsigned char hash[WEIR_STORE_HASH])
{
    static EVP_MD     *sha256;               /* fetched once: OpenSSL's look for it costs more than the hash */
    static EVP_MD_CTX *context;
    static bool        is_ready;
    unsigned           len = 0;

    if (sha256 == NULL) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        context = EVP_MD_CTX_new();
    }
    weir_assert(sha256 != NULL && context != NULL);
    /* the context is used again as it is: only the first time it is told what it is for */
    weir_assert(EVP_DigestInit_ex2(context, is_ready ? NULL : sha256, NULL) == 1);
    is_ready = true;
    for (size_t i = 0; i < n; i++) {
        weir_assert(EVP_DigestUpdate(context, texts[i].at, texts[i].len) == 1);
    }
    weir_assert(EVP_DigestFinal_ex(context, hash, &len) == 1 && len == WEIR_STORE_HASH);
}

void
weir_store_hash(weir_str_t secret, unsigned char hash[WEIR_STORE_HASH])
{
    read_hash(&secret, 1, hash);
}

void
weir_store_identity_hash(weir_str_t kind, weir_str_t value, unsigned char hash[WEIR_STORE_HASH])
{
    const weir_str_t texts[] = { kind, weir_str("", 1), value };

    weir_assert(weir_store_kind_is_good(kind));
    read_hash(texts, weir_countof(texts), hash);
}

void
weir_store_id_of(const unsigned char *hash, char id[WEIR_STORE_ID + 1])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < WEIR_STORE_ID / 2; i++) {
        id[2 * i] = digits[hash[i] >> 4];
        id[2 * i + 1] = digits[hash[i] & 15];
    }
    id[WEIR_STORE_ID] = '\0';
}

weir_store_found_t
weir_store_find_key(weir_str_t secret, weir_store_key_t *key, char id[WEIR_STORE_ID + 1])
{
    unsigned char hash[WEIR_STORE_HASH];

    weir_store_hash(secret, hash);
    weir_store_id_of(hash, id);
    return read_record(WEIR_STORE_KEYS, weir_str((const char *) hash, sizeof(hash)), key, sizeof(*key));
}

weir_store_found_t
weir_store_find_consumer(weir_str_t name, weir_store_consumer_t *consumer)
{
    return read_record(WEIR_STORE_CONSUMERS, name, consumer, sizeof(*consumer));
}

weir_store_found_t
weir_store_find_plan(weir_str_t name, weir_store_plan_t *plan)
{
    return read_record(WEIR_STORE_PLANS, name, plan, sizeof(*plan));
}

weir_store_found_t
weir_store_find_rates(weir_str_t plan, weir_store_rates_t *rates)
{
    return read_record(WEIR_STORE_RATES, plan, rates, sizeof(*rates));
}

weir_store_found_t
weir_store_find_profile(weir_str_t consumer, weir_store_profile_t *profile)
{
    size_t             has = 0;
    weir_store_found_t found = read_part(WEIR_STORE_PROFILES, consumer, profile, sizeof(*profile), &has);

    if (found == WEIR_STORE_FOUND && !weir_store_profile_is_good(profile, has)) {
        read_close();
        return WEIR_STORE_BROKEN;
    }
    return found;
}

weir_store_found_t
weir_store_find_identity(weir_str_t kind, weir_str_t value, char consumer[WEIR_STORE_NAME])
{
    unsigned char         hash[WEIR_STORE_HASH];
    weir_store_identity_t identity;              /* only its head is read */
    size_t                has = 0;
    weir_store_found_t    found;

    weir_store_identity_hash(kind, value, hash);
    found = read_part(WEIR_STORE_IDENTITIES, weir_str((const char *) hash, sizeof(hash)), &identity,
                      offsetof(weir_store_identity_t, value), &has);
    if (found == WEIR_STORE_FOUND && has < offsetof(weir_store_identity_t, value)) {
        read_close();
        return WEIR_STORE_BROKEN;
    }
    if (found == WEIR_STORE_FOUND) {
        weir_store_put_text(consumer, WEIR_STORE_NAME, weir_store_text(identity.consumer, sizeof(identity.consumer)));
    }
    return found;
}
