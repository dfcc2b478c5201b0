/*
 * nginx_names.h - what Weir says of nginx's names that it does not have; private to core/conf.
 */
#ifndef WEIR_CONF_NGINX_NAMES_H
#define WEIR_CONF_NGINX_NAMES_H

#include "conf/module.h"

typedef enum {
    NGINX_HERE,                  /* a row of a module, or a variable's row; this build may have left the module out */
    NGINX_PLANNED, NGINX_NOT,    /* refused; here once there is a row */
    NGINX_TAKEN,                 /* accepted without an effect, with a warning */
} nginx_fate_t;

typedef struct {
    const char  *module;         /* without "ngx_" and "_module"; NULL ends the table */
    nginx_fate_t fate;
    unsigned     where;          /* contexts where the directive is accepted: for TAKEN, and for `only` */
    /* the one argument with which a directive that is not here is accepted, as it asks for nothing */
    const char  *only;
    const char  *note;           /* a sentence for people, or empty */
    const char  *names;          /* separated by spaces */
} nginx_group_t;

const nginx_group_t *weir_conf_nginx_groups(void);
/* Whether a row with a name of the group is what nginx means by it: not the rows of http for stream and mail. */
bool weir_conf_nginx_is_rows_own(const nginx_group_t *group);
/* Takes the next name off *rest; false: there is none. */
bool weir_conf_nginx_next_name(weir_str_t *rest, weir_str_t *name);
/* The group of a directive, one that is accepted in this context before all others; NULL: nginx has no such
 * directive. */
const nginx_group_t *weir_conf_nginx_find(weir_str_t name, unsigned context);

#endif
