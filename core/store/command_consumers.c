/*
 * command_consumers.c - commands of consumers and their identities; see command.h.  Runs in the store's process and in
 * tools.
 */
#include "store/command_parts.h"

#include "store/read.h"

#define CONSUMERS_IDENTITIES 64              /* of one command */

static bool
consumers_plan_is_there(weir_store_command_t *command, const char *name)
{
    weir_store_plan_t plan;

    return name[0] == '\0'
           || weir_store_command_expect(command,
                                        weir_store_command_get(command, WEIR_STORE_PLANS, weir_str_from_z(name), &plan,
                                                               sizeof(plan)), true, "plan", name);
}

static bool
consumers_is_there(weir_store_command_t *command, const char *name)
{
    weir_store_consumer_t consumer;

    return weir_store_command_expect(command,
                                     weir_store_command_get(command, WEIR_STORE_CONSUMERS, weir_str_from_z(name),
                                                            &consumer, sizeof(consumer)), true, "consumer", name);
}

/* -- profiles -- */

bool
weir_store_command_profile(weir_store_command_t *command, weir_str_t consumer, weir_store_profile_t *profile)
{
    size_t size = 0;

    profile->n_groups = profile->n_meta = 0;
    profile->len = 0;
    if (!weir_store_command_read(command, WEIR_STORE_PROFILES, consumer, profile, sizeof(*profile), &size)) {
        return command->result == 0;
    }
    return weir_store_profile_is_good(profile, size) || !weir_store_command_failed(command, MDB_CORRUPTED);
}

bool
weir_store_command_put_profile(weir_store_command_t *command, weir_str_t consumer, const weir_store_profile_t *profile)
{
    weir_assert(profile->len <= sizeof(profile->text));
    if (profile->len != 0) {
        return weir_store_command_put(command, WEIR_STORE_PROFILES, consumer, profile,
                                      weir_store_profile_size(profile));
    }
    return weir_store_command_delete(command, WEIR_STORE_PROFILES, consumer) || command->result == 0;
}

/* is_new: what a consumer of that name had before is not its own. */
static bool
consumers_change_profile(weir_store_command_t *command, const char *name, bool is_new)
{
    weir_store_profile_t profile = { .len = 0 };

    if (!is_new && json_object_get(command->request, "groups") == NULL
        && json_object_get(command->request, "meta") == NULL)
    {
        return true;
    }
    return (is_new || weir_store_command_profile(command, weir_str_from_z(name), &profile))
           && weir_store_json_profile(command->request, &profile, &command->error)
           && weir_store_command_put_profile(command, weir_str_from_z(name), &profile);
}

/* -- identities -- */

static void
consumers_identity_key(const weir_store_identity_t *identity, unsigned char hash[WEIR_STORE_HASH])
{
    weir_store_identity_hash(weir_store_text(identity->kind, sizeof(identity->kind)),
                             weir_str(identity->value, (size_t) identity->len), hash);
}

/* One that is this consumer's already stays as it is. */
static bool
consumers_add_identity(weir_store_command_t *command, const char *name, const json_t *text)
{
    weir_store_identity_t identity = { .created_s = command->now_s }, other;
    unsigned char         hash[WEIR_STORE_HASH];
    weir_str_t            key = weir_str((const char *) hash, sizeof(hash));
    size_t                size = 0;

    if (!weir_store_json_identity(text, &identity, &command->error)) {
        return false;
    }
    weir_store_put_text(identity.consumer, sizeof(identity.consumer), weir_str_from_z(name));
    consumers_identity_key(&identity, hash);
    if (weir_store_command_read(command, WEIR_STORE_IDENTITIES, key, &other, sizeof(other), &size)) {
        return !weir_store_identity_is_good(&other, size) ? !weir_store_command_failed(command, MDB_CORRUPTED)
               : strncmp(other.consumer, name, sizeof(other.consumer)) == 0
               || weir_error_set(&command->error, "\"%.200s\" is an identity of the consumer \"%s\" already",
                                 json_string_value(text), other.consumer);
    }
    return command->result == 0
           && weir_store_command_put(command, WEIR_STORE_IDENTITIES, key, &identity,
                                     weir_store_identity_size(&identity));
}

static bool
consumers_add_identities(weir_store_command_t *command, const char *name)
{
    const json_t *identities = json_object_get(command->request, "identities");

    if (identities == NULL) {
        return true;
    }
    if (!json_is_array(identities) || json_array_size(identities) > CONSUMERS_IDENTITIES) {
        return weir_error_set(&command->error, "\"identities\" must be at most %d texts", CONSUMERS_IDENTITIES);
    }
    for (size_t i = 0; i < json_array_size(identities); i++) {
        if (!consumers_add_identity(command, name, json_array_get(identities, i))) {
            return false;
        }
    }
    return true;
}

bool
weir_store_command_identity_add(weir_store_command_t *command)
{
    char name[WEIR_STORE_NAME] = "";

    return weir_store_json_name(command->request, "consumer", true, name, &command->error)
           && consumers_is_there(command, name)
           && consumers_add_identity(command, name, json_object_get(command->request, "identity"));
}

bool
weir_store_command_identity_remove(weir_store_command_t *command)
{
    const json_t         *text = json_object_get(command->request, "identity");
    weir_store_identity_t identity = { .len = 0 };
    unsigned char         hash[WEIR_STORE_HASH];

    if (!weir_store_json_identity(text, &identity, &command->error)) {
        return false;
    }
    consumers_identity_key(&identity, hash);
    return weir_store_command_delete(command, WEIR_STORE_IDENTITIES, weir_str((const char *) hash, sizeof(hash)))
           || command->result != 0
           || weir_error_set(&command->error, "there is no identity \"%.200s\"", json_string_value(text));
}

/* -- consumers -- */

static bool
consumers_put(weir_store_command_t *command, bool is_new)
{
    weir_store_consumer_t consumer = { .created_s = command->now_s };
    char                  name[WEIR_STORE_NAME] = "";
    const json_t         *disabled = json_object_get(command->request, "disabled");
    bool                  found;

    if (!weir_store_json_name(command->request, "name", true, name, &command->error)) {
        return false;
    }
    found = weir_store_command_get(command, WEIR_STORE_CONSUMERS, weir_str_from_z(name), &consumer, sizeof(consumer));
    if (!weir_store_command_expect(command, found, !is_new, "consumer", name)
        || !weir_store_json_name(command->request, "plan", false, consumer.plan, &command->error)
        || !consumers_plan_is_there(command, consumer.plan))
    {
        return false;
    }
    if (disabled != NULL) {
        consumer.is_disabled = json_is_true(disabled);
    }
    return weir_store_command_put(command, WEIR_STORE_CONSUMERS, weir_str_from_z(name), &consumer, sizeof(consumer))
           && consumers_change_profile(command, name, is_new) && consumers_add_identities(command, name);
}

bool
weir_store_command_consumer_add(weir_store_command_t *command)
{
    return consumers_put(command, true);
}

bool
weir_store_command_consumer_set(weir_store_command_t *command)
{
    return consumers_put(command, false);
}

/* Records that begin as far as the consumer's name: it lies at `at` in them. */
static bool
consumers_drop_of(weir_store_command_of_t *of, MDB_cursor *cursor, MDB_val value, size_t at)
{
    if (value.mv_size < at + WEIR_STORE_NAME
        || strncmp((const char *) value.mv_data + at, of->name, WEIR_STORE_NAME) != 0)
    {
        return true;
    }
    of->n++;
    return !weir_store_command_failed(of->command, mdb_cursor_del(cursor, 0));
}

static bool
consumers_drop_key_of(void *data, MDB_cursor *cursor, MDB_val key, MDB_val value)
{
    (void) key;
    return consumers_drop_of(data, cursor, value, offsetof(weir_store_key_t, consumer));
}

static bool
consumers_drop_identity_of(void *data, MDB_cursor *cursor, MDB_val key, MDB_val value)
{
    (void) key;
    return consumers_drop_of(data, cursor, value, offsetof(weir_store_identity_t, consumer));
}

bool
weir_store_command_consumer_remove(weir_store_command_t *command)
{
    char                    name[WEIR_STORE_NAME] = "";
    weir_store_command_of_t keys = { command, name, 0 }, identities = { command, name, 0 };

    if (!weir_store_json_name(command->request, "name", true, name, &command->error)
        || !consumers_is_there(command, name)
        || !weir_store_command_each(command, WEIR_STORE_KEYS, consumers_drop_key_of, &keys)
        || !weir_store_command_each(command, WEIR_STORE_IDENTITIES, consumers_drop_identity_of, &identities)
        || !weir_store_command_put_profile(command, weir_str_from_z(name), &(weir_store_profile_t) { .len = 0 })
        || !weir_store_command_delete(command, WEIR_STORE_CONSUMERS, weir_str_from_z(name)))
    {
        return false;
    }
    (void) json_object_set_new(command->answer, "keys", json_integer((json_int_t) keys.n));
    (void) json_object_set_new(command->answer, "identities", json_integer((json_int_t) identities.n));
    return true;
}
