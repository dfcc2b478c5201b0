/*
 * command_parts.c - see command_parts.h.  Runs in the store's process and in tools.
 */
#include "store/command_parts.h"

bool
weir_store_command_failed(weir_store_command_t *command, int result)
{
    if (result == 0) {
        return false;
    }
    if (result != MDB_NOTFOUND) {
        command->result = result;
        (void) weir_error_set(&command->error, "%s", weir_store_strerror(command->db, result));
    }
    return true;
}

bool
weir_store_command_read(weir_store_command_t *command, weir_store_table_t table, weir_str_t name, void *record,
                        size_t room, size_t *size)
{
    MDB_val key = weir_store_val(name), value;

    if (!weir_store_has(command->db, table)
        || weir_store_command_failed(command, mdb_get(command->txn, command->db->tables[table], &key, &value)))
    {
        return false;
    }
    *size = value.mv_size;
    memcpy(record, value.mv_data, weir_min(value.mv_size, room));
    return true;
}

bool
weir_store_command_get(weir_store_command_t *command, weir_store_table_t table, weir_str_t name, void *record,
                       size_t size)
{
    size_t has = size;
    bool   found = weir_store_command_read(command, table, name, record, size, &has);

    return has == size ? found : !weir_store_command_failed(command, MDB_CORRUPTED);
}

bool
weir_store_command_put(weir_store_command_t *command, weir_store_table_t table, weir_str_t name, const void *record,
                       size_t size)
{
    MDB_val key = weir_store_val(name), value = { .mv_size = size, .mv_data = (void *) (uintptr_t) record };

    return !weir_store_command_failed(command, mdb_put(command->txn, command->db->tables[table], &key, &value, 0));
}

bool
weir_store_command_delete(weir_store_command_t *command, weir_store_table_t table, weir_str_t name)
{
    MDB_val key = weir_store_val(name);

    return !weir_store_command_failed(command, mdb_del(command->txn, command->db->tables[table], &key, NULL));
}

bool
weir_store_command_expect(weir_store_command_t *command, bool found, bool wanted, const char *what,
                          const char *name)
{
    if (command->result != 0) {
        return false;
    }
    if (found != wanted) {
        return weir_error_set(&command->error, found ? "there is a %s \"%s\" already" : "there is no %s \"%s\"", what,
                              name);
    }
    return true;
}

bool
weir_store_command_each(weir_store_command_t *command, weir_store_table_t table,
                        bool (*each)(void *data, MDB_cursor *cursor, MDB_val key, MDB_val value), void *data)
{
    MDB_cursor *cursor;
    MDB_val     key, value;
    int         result;
    bool        good = true;

    if (!weir_store_has(command->db, table)) {
        return true;
    }
    if (weir_store_command_failed(command, mdb_cursor_open(command->txn, command->db->tables[table], &cursor))) {
        return false;
    }
    for (result = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); good && result == 0;
         result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
    {
        good = each(data, cursor, key, value);
    }
    mdb_cursor_close(cursor);
    return good && (result == MDB_NOTFOUND || !weir_store_command_failed(command, result));
}
