/*
 * says.h - generations whose listeners a test says: "events { }" and a module that adds them.  The test defines
 * _GNU_SOURCE first, for tmp.h.
 */
#ifndef WEIR_T_SERVE_SAYS_H
#define WEIR_T_SERVE_SAYS_H

#include "conf/core.h"
#include "os/file.h"
#include "serve/listen.h"
#include "tmp.h"

static struct { weir_addr_t addr; weir_listen_options_t options; const weir_area_t *area; } says_listens[8];
static size_t says_n;

static inline void
says_listen(const weir_addr_t *addr, const weir_area_t *area)
{
    weir_assert(says_n < weir_countof(says_listens));
    says_listens[says_n].addr = *addr;
    says_listens[says_n].options = (weir_listen_options_t) { .backlog = 8 };
    says_listens[says_n++].area = area;
}

static inline bool
says_build(weir_conf_t *cf, weir_generation_t *generation)
{
    bool is_first;

    for (size_t i = 0; i < says_n; i++) {
        weir_listen_entry_t entry = {
            .addr = says_listens[i].addr, .options = says_listens[i].options, .words = &cf->root->words,
        };

        if (weir_listens_add(cf, generation, says_listens[i].area, &entry, sizeof(weir_listen_t), &is_first) == NULL) {
            return false;
        }
    }
    return true;
}

/* Of what was said since the last one.  NULL with *error.  No module has a life afterwards. */
static inline weir_generation_t *
says_generation(weir_error_t *error)
{
    static const weir_module_t        says = { .name = "says", .build = says_build };
    static const weir_module_t *const none[] = { &weir_core, NULL };
    static uint64_t                   serial;
    const weir_module_t             **table = calloc(weir_modules_count + 2, sizeof(*table));
    const char                       *path = tmp_path("weir.conf");
    weir_conf_source_t source = { .prefix = weir_str_from_z(tmp_path("")), .file = weir_str_from_z(path) };
    weir_bundle_t     *bundle = weir_bundle_create();
    weir_generation_t *generation;

    weir_assert(weir_file_write(path, WEIR_STR("events { }\n")));
    memcpy(table, weir_modules, weir_modules_count * sizeof(*table));
    table[weir_modules_count] = &says;
    weir_modules_in_use = table;
    generation = weir_generation_build(bundle, &source, ++serial, error);
    weir_modules_in_use = none;
    weir_bundle_destroy(bundle);
    free(table);
    says_n = 0;
    return generation;
}

#endif
