/*
 * core_control.c - what main says about the control socket: where it is, which users may ask, which user its process
 * runs as.
 *
 * Load time.
 */
#include "conf/core.h"

#include <grp.h>
#include <sys/un.h>

/* Decimal digits as octal: "0660", "660". */
static bool
core_read_mode(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_core_control_t *control = data;
    uint32_t             mode = 0;

    for (size_t i = 0; i < value.len && i < 5; i++) {
        if (value.at[i] < '0' || value.at[i] > '7') {
            mode = UINT32_MAX;
            break;
        }
        mode = mode * 8 + (uint32_t) (value.at[i] - '0');
    }
    if (value.len < 3 || value.len > 4 || mode > 0777 || (mode & 0600) != 0600) {
        return weir_conf_invalid(cf, word, "mode= with three or four octal digits such as 0660, by which the owner may "
                                           "read and write");
    }
    control->mode = mode;
    return true;
}

/* The master, which makes the socket, looks its number up. */
static bool
core_read_group(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_core_control_t *control = data;

    if (value.len == 0) {
        return weir_conf_invalid(cf, word, "group= with the name of a group");
    }
    control->group = weir_str_dup(cf->arena, weir_str(weir_str_to_z(cf->arena, value), value.len + 1));
    control->group.len = value.len;
    if (!weir_bundle_is_replay(cf->bundle) && getgrnam(control->group.at) == NULL) {
        return weir_conf_error(cf, word, "the group \"%.*s\" is not known to this system", WEIR_STR_ARG(value));
    }
    return true;
}

static bool
core_parse_control(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    static const weir_conf_option_t options[] = {
        { .name = "mode", .read = core_read_mode }, { .name = "group", .read = core_read_group },
    };
    weir_core_control_t *control = field;
    struct sockaddr_un   addr;

    *control = (weir_core_control_t) { .mode = WEIR_CORE_CONTROL_MODE };
    if (!weir_type_path.parse(cf, row, words, &control->path)) {
        return false;
    }
    if (control->path.text.len + sizeof(WEIR_CORE_CONTROL_NEW) > sizeof(addr.sun_path)) {
        return weir_conf_invalid(cf, 1, "a path short enough for a unix socket");
    }
    return weir_conf_read_options(cf, words, 2, options, weir_countof(options), "mode= or group=", control);
}

const weir_conf_type_t weir_core_type_control = { .name = "path [mode=octal] [group=name]",
                                                  .size = sizeof(weir_core_control_t), .min_args = 1, .max_args = 3,
                                                  .parse = core_parse_control };

void
weir_core_find_user(weir_conf_t *cf, const weir_str_t (*names)[2], size_t n, const weir_bundle_user_t *unlike,
                    weir_bundle_user_t *found)
{
    for (size_t i = 0; i < n; i++) {
        weir_error_t error = { .text = "" };

        if (weir_bundle_user(cf->bundle, names[i][0], names[i][1], found, &error)
            && (found->ignored || (found->uid != unlike->uid && found->uid != 0)))
        {
            return;
        }
    }
    *found = (weir_bundle_user_t) { .ignored = true };
}

/* Of its groups the process keeps none but its own. */
bool
weir_core_check_control(weir_conf_t *cf, weir_conf_block_t *block, weir_core_conf_t *core)
{
    static const weir_str_t names[][2] = {
        { WEIR_STR_INIT("weir-control"), WEIR_STR_INIT("weir-control") },
        { WEIR_STR_INIT("daemon"), WEIR_STR_INIT("daemon") },
        { WEIR_STR_INIT("nobody"), WEIR_STR_INIT("nogroup") }, { WEIR_STR_INIT("nobody"), WEIR_STR_INIT("nobody") },
    };
    weir_error_t why = { .text = "" };

    if (core->control_user.user.at == NULL) {
        weir_core_find_user(cf, names, weir_countof(names), &core->workers_user, &core->control_runs_as);
        if (core->control_runs_as.ignored) {
            core->control_runs_as = core->workers_user;
        }
        return true;
    }
    if (!weir_bundle_user(cf->bundle, core->control_user.user, core->control_user.group, &core->control_runs_as,
                          &why))
    {
        return weir_conf_error_at(cf, &block->words, "%s", why.text);
    }
    if (!core->control_runs_as.ignored && core->control_runs_as.uid == 0) {
        return weir_conf_error_at(cf, &block->words, "\"control_user\" must be another than root");
    }
    return true;
}
