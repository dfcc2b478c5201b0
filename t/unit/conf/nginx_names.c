/*
 * The table of nginx's names and the rows say the same: what is said to be here is in a row, and what has a row is not
 * taken without an effect.
 */
#include "conf/nginx_names.h"

#include "conf/core.h"
#include "tap.h"

static bool
has_directive(weir_str_t name)
{
    const weir_directive_t *row;

    for (size_t m = 0; weir_modules[m] != NULL; m++) {
        for (row = weir_modules[m]->directives; row != NULL && row->name != NULL; row++) {
            if (weir_str_eq(name, weir_str_from_z(row->name))) {
                return true;
            }
        }
    }
    return false;
}

static bool
has_variable(weir_str_t name)
{
    const weir_variable_t *row;

    for (size_t m = 0; weir_modules[m] != NULL; m++) {
        for (row = weir_modules[m]->variables; row != NULL && row->name != NULL; row++) {
            if (weir_str_eq(name, weir_str_from_z(row->name))) {
                return true;
            }
        }
    }
    return false;
}

static bool
agrees(const nginx_group_t *group, weir_str_t name)
{
    bool has = name.at[0] == '$' ? has_variable(weir_str_skip(name, 1)) : has_directive(name);

    return group->fate == NGINX_HERE ? has : group->fate != NGINX_TAKEN || !has || !weir_conf_nginx_is_rows_own(group);
}

static void
test_rows(void)
{
    const nginx_group_t *group;
    weir_str_t           rest, name;
    unsigned             n = 0, wrong = 0;

    for (group = weir_conf_nginx_groups(); group->module != NULL; group++) {
        rest = weir_str_from_z(group->names);
        while (weir_conf_nginx_next_name(&rest, &name)) {
            n++;
            if (!agrees(group, name)) {
                wrong++;
                printf("# %s says otherwise of %.*s than the rows\n", group->module, WEIR_STR_ARG(name));
            }
        }
        if ((group->fate == NGINX_TAKEN || group->only != NULL) && group->where == 0) {
            wrong++;
            printf("# %s does not say where \"%s\" may stand\n", group->module, group->names);
        }
    }
    ok(n > 900, "the names of all modules");
    ok(wrong == 0, "each agrees with the rows");
}

static const char *
fate_of(const char *name, unsigned context)
{
    static const char *const fates[] = { "here", "planned", "not", "taken" };
    const nginx_group_t     *group = weir_conf_nginx_find(weir_str_from_z(name), context);

    return group != NULL ? fates[group->fate] : "none";
}

int
main(void)
{
    test_rows();
    ok(strcmp(fate_of("aio", WEIR_IN_SERVER), "taken") == 0, "a hint");
    ok(strcmp(fate_of("hash", WEIR_IN_UPSTREAM), "planned") == 0, "what comes later");
    ok(strcmp(fate_of("perl", WEIR_IN_LOCATION), "not") == 0, "what does not");
    ok(strcmp(fate_of("aio_", WEIR_IN_SERVER), "none") == 0, "no part of a name is one");
    return done();
}
