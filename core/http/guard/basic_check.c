/*
 * basic_check.c - see basic_check.h.
 *
 * Threat: a client that may send a password may cause the work of a costly hash.  The loop does none of it; so many
 * checks wait and no more; those of one client's address take turns with the others', and never all of the places: one
 * may have as many as are free, so that alone it fills half of them; and a client that has shown the right password
 * lately does not wait behind those that guess.  What is remembered is a digest of the pair with a key that this
 * process made and never shows, for a minute; a password is wiped as soon as its hash is made.  Runs in workers.
 */
#include "http/guard/basic_check.h"

#include "base/mem.h"
#include "event/work.h"
#include "http/guard/basic.h"
#include "http/request.h"
#include "os/clock.h"
#include "os/sys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define CHECK_SLOTS    1024
#define CHECK_LIFE     60000              /* ms */
#define CHECK_DIGEST   32
#define CHECK_WAITING  64                 /* checks that wait for their turn, in this process */
#define CHECK_POSTED   4                  /* handed to the threads: being computed, and ready for when one is */

/* What a client counts as: its address; of IPv6, the network of that. */
typedef struct {
    weir_list_t   link;                   /* in check_clients, while one of its checks waits */
    weir_list_t   waiting;
    size_t        n;
    unsigned char address[8];
    bool          is_v6;
} check_client_t;

struct weir_basic_check {
    weir_work_t            work;
    weir_list_t            link;          /* of its client, while it waits */
    check_client_t        *client;        /* NULL: it waits no more */
    struct weir_request   *req;           /* NULL: cancelled */
    void                 (*done)(struct weir_request *req, bool is_right);
    unsigned char          digest[CHECK_DIGEST];
    bool                   is_right;
    size_t                 password_len, hash_len;
    weir_basic_room_t     *room;
    char                   text[];        /* the password, the hash */
};

typedef struct { unsigned char digest[CHECK_DIGEST]; uint64_t until_ms; } check_slot_t;

static check_slot_t check_slots[CHECK_SLOTS];
static struct { unsigned char bytes[CHECK_DIGEST]; bool is_made; } check_key;

static weir_list_t check_clients = { &check_clients, &check_clients };       /* whose turn it is, first */
static size_t      check_n_waiting, check_n_posted;

/* -- what is known -- */

/* false: nothing is remembered then. */
static bool
check_digest(weir_str_t password, weir_str_t hash, unsigned char out[CHECK_DIGEST])
{
    char text[WEIR_BASIC_HASH_MAX + 1 + WEIR_BASIC_PASSWORD_MAX];
    unsigned len = 0;
    bool made;

    weir_assert(hash.len <= WEIR_BASIC_HASH_MAX && password.len <= WEIR_BASIC_PASSWORD_MAX);
    if (!check_key.is_made) {
        check_key.is_made = weir_sys_random(check_key.bytes, sizeof(check_key.bytes)) == 0;
    }
    if (!check_key.is_made) {
        return false;
    }
    memcpy(text, hash.at, hash.len);
    text[hash.len] = '\0';
    memcpy(text + hash.len + 1, password.len != 0 ? password.at : "", password.len);
    made = HMAC(EVP_sha256(), check_key.bytes, sizeof(check_key.bytes), (unsigned char *) text,
                hash.len + 1 + password.len, out, &len)
            != NULL
        && len == CHECK_DIGEST;
    OPENSSL_cleanse(text, sizeof(text));
    return made;
}

static check_slot_t *
check_slot(const unsigned char digest[CHECK_DIGEST])
{
    return &check_slots[((size_t) digest[0] << 8 | digest[1]) % CHECK_SLOTS];
}

static bool
check_is_known(const unsigned char digest[CHECK_DIGEST])
{
    const check_slot_t *slot = check_slot(digest);

    return slot->until_ms > weir_clock_now().ms && CRYPTO_memcmp(slot->digest, digest, CHECK_DIGEST) == 0;
}

static void
check_know(const unsigned char digest[CHECK_DIGEST])
{
    check_slot_t *slot = check_slot(digest);

    memcpy(slot->digest, digest, CHECK_DIGEST);
    slot->until_ms = weir_clock_now().ms + CHECK_LIFE;
}

/* -- what is computed -- */

/* In a thread. */
static void
check_run(weir_work_t *work)
{
    weir_basic_check_t *check = weir_container_of(work, weir_basic_check_t, work);

    check->is_right = weir_basic_crypt_is(weir_str(check->text, check->password_len),
                                          weir_str(check->text + check->password_len, check->hash_len), check->room);
    OPENSSL_cleanse(check->text, check->password_len);
}

static void
check_free(weir_basic_check_t *check)
{
    OPENSSL_cleanse(check->text, check->password_len);
    weir_mem_free(check->room);
    weir_mem_free(check);
}

static void check_post_next(void);

static void
check_finish(weir_basic_check_t *check)
{
    struct weir_request *req = check->req;
    void (*done)(struct weir_request *, bool) = check->done;
    bool is_right = check->is_right;

    weir_assert(check->client == NULL);     /* it waits no more */
    if (is_right) {
        check_know(check->digest);
    }
    check_free(check);
    if (req != NULL) {
        done(req, is_right);
    }
}

static void
check_done(weir_work_t *work)
{
    weir_assert(check_n_posted > 0 && check_n_posted <= CHECK_POSTED);
    check_n_posted--;
    check_post_next();
    check_finish(weir_container_of(work, weir_basic_check_t, work));
}

/* -- checks that wait -- */

static void
check_key_of(const weir_client_t *who, check_client_t *client)
{
    weir_addr_t addr = weir_addr_from_endpoint(&who->addr);

    memset(client->address, 0, sizeof(client->address));
    client->is_v6 = addr.any.sa_family == AF_INET6;
    if (client->is_v6) {
        memcpy(client->address, &addr.v6.sin6_addr, sizeof(client->address));
    } else if (addr.any.sa_family == AF_INET) {
        memcpy(client->address, &addr.v4.sin_addr, sizeof(addr.v4.sin_addr));
    }
}

/* NULL: there is no memory. */
static check_client_t *
check_find_client(const weir_client_t *who)
{
    check_client_t key, *client;

    check_key_of(who, &key);
    for (weir_list_t *at = check_clients.next; at != &check_clients; at = at->next) {
        client = weir_list_entry(at, check_client_t, link);
        if (client->is_v6 == key.is_v6 && memcmp(client->address, key.address, sizeof(key.address)) == 0) {
            return client;
        }
    }
    client = weir_mem_try(sizeof(*client));
    if (client != NULL) {
        *client = key;
        client->n = 0;
        weir_list_init(&client->waiting);
        weir_list_append(&check_clients, &client->link);
    }
    return client;
}

static void
check_forget_client(check_client_t *client)
{
    if (client->n == 0) {
        weir_assert(weir_list_empty(&client->waiting));
        weir_list_remove(&client->link);
        weir_mem_free(client);
    }
}

static void
check_leave(weir_basic_check_t *check)
{
    check_client_t *client = check->client;

    weir_assert(client != NULL && client->n > 0 && check_n_waiting >= client->n);
    weir_list_remove(&check->link);
    check->client = NULL;
    check_n_waiting--;
    client->n--;
    check_forget_client(client);
}

/* A place for it, behind the others of its client.  false: that one has as many as are free, or there is no memory. */
static bool
check_wait(weir_basic_check_t *check)
{
    check_client_t *client = check_find_client(check->req->client);

    weir_assert(client == NULL || client->n <= check_n_waiting);
    if (client == NULL) {
        return false;
    }
    if (client->n >= CHECK_WAITING - check_n_waiting) {
        check_forget_client(client);
        return false;
    }
    check->client = client;
    weir_list_append(&client->waiting, &check->link);
    client->n++;
    check_n_waiting++;
    weir_assert(check_n_waiting <= CHECK_WAITING);
    return true;
}

/* One of each client in turn. */
static weir_basic_check_t *
check_take(void)
{
    check_client_t     *client = weir_list_entry(check_clients.next, check_client_t, link);
    weir_basic_check_t *check = weir_list_entry(client->waiting.next, weir_basic_check_t, link);

    weir_assert(check->client == client);
    weir_list_remove(&client->link);
    weir_list_append(&check_clients, &client->link);
    check_leave(check);
    return check;
}

/* What the threads do not take, since the process leaves, is done with. */
static void
check_post_next(void)
{
    while (check_n_waiting != 0 && check_n_posted < CHECK_POSTED) {
        weir_basic_check_t *check = check_take();

        if (weir_work_post(&check->work)) {
            check_n_posted++;
        } else {
            check_finish(check);
        }
    }
}

static weir_basic_check_t *
check_create(weir_str_t password, weir_str_t hash)
{
    weir_basic_check_t *check = weir_mem_try(sizeof(*check) + password.len + hash.len);

    if (check == NULL) {
        return NULL;
    }
    memset(check, 0, sizeof(*check));
    check->room = weir_mem_try(weir_basic_room_size());
    if (check->room == NULL) {
        weir_mem_free(check);
        return NULL;
    }
    check->work = (weir_work_t) { .run = check_run, .done = check_done };
    check->password_len = password.len;
    check->hash_len = hash.len;
    memcpy(check->text, password.len != 0 ? password.at : "", password.len);
    memcpy(check->text + password.len, hash.at, hash.len);
    return check;
}

weir_basic_answer_t
weir_basic_check(struct weir_request *req, weir_str_t password, weir_str_t hash,
                 void (*done)(struct weir_request *req, bool is_right), weir_basic_check_t **check)
{
    unsigned char digest[CHECK_DIGEST] = { 0 };
    weir_basic_check_t *made;

    if (!weir_basic_is_costly(hash) || hash.len > WEIR_BASIC_HASH_MAX || password.len > WEIR_BASIC_PASSWORD_MAX) {
        return weir_basic_password_is(password, hash, &req->arena) ? WEIR_BASIC_RIGHT : WEIR_BASIC_WRONG;
    }
    if (check_digest(password, hash, digest) && check_is_known(digest)) {
        return WEIR_BASIC_RIGHT;
    }
    made = check_create(password, hash);
    if (made == NULL) {
        return WEIR_BASIC_BUSY;
    }
    memcpy(made->digest, digest, CHECK_DIGEST);
    made->req = req;
    made->done = done;
    if (check_n_posted < CHECK_POSTED && check_n_waiting == 0) {
        if (!weir_work_post(&made->work)) {
            check_free(made);
            return WEIR_BASIC_BUSY;
        }
        check_n_posted++;
    } else if (!check_wait(made)) {
        check_free(made);
        return WEIR_BASIC_BUSY;
    }
    *check = made;
    return WEIR_BASIC_LATER;
}

void
weir_basic_check_cancel(weir_basic_check_t *check)
{
    weir_assert(check == NULL || check->req != NULL);     /* once */
    if (check != NULL && check->client != NULL) {     /* its place is free */
        check_leave(check);
        check_free(check);
    } else if (check != NULL) {
        check->req = NULL;
    }
}
