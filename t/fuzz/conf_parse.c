/*
 * conf_parse.c - a whole configuration from any bytes, with every module of this build: it is built or refused with
 * words.
 *
 * The bundle is a replay that holds the main file and the machine's facts, so nothing of the world is read.
 */
#include "base/array.h"
#include "conf/core.h"
#include "conf/wire.h"
#include "config.h"

#define FUZZ_FILE WEIR_STR("/etc/weir/weir.conf")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put(weir_bundle_t *bundle, weir_bundle_kind_t kind, weir_str_t key, const void *value, size_t len)
{
    weir_bundle_entry_t *entry = weir_bundle_add(bundle, kind, key, weir_str_dup(&bundle->arena, weir_str(value, len)));

    weir_assert(entry != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t cpus[WEIR_CORE_CPU_WORDS] = { 3 };
    static const uint32_t user[] = { 1, 0, 0 };
    weir_conf_source_t    source = { .prefix = WEIR_STR("/usr/weir/"), .file = FUZZ_FILE };
    weir_bundle_t        *bundle = weir_bundle_create_replay();
    weir_generation_t    *generation;
    static weir_error_t   at[20];
    weir_conf_errors_t    errors = { at, 0, weir_countof(at) };
    weir_wire_t           paths;

    put(bundle, WEIR_BUNDLE_CONF, FUZZ_FILE, data, size);
    put(bundle, WEIR_BUNDLE_CONF, WEIR_STR("/etc/weir/part"), "# nothing\n", 10);
    weir_wire_init(&paths, &bundle->arena);
    weir_wire_add_str(&paths, WEIR_STR("/etc/weir/part"));
    put(bundle, WEIR_BUNDLE_GLOB, WEIR_STR("/etc/weir/*"), weir_wire_text(&paths).at, weir_wire_text(&paths).len);
    put(bundle, WEIR_BUNDLE_USER, WEIR_STR(WEIR_USER ":" WEIR_GROUP), user, sizeof(user));
    put(bundle, WEIR_BUNDLE_PROCESSORS, WEIR_STR("cpus"), cpus, sizeof(cpus));
    /* as `weir -t`: behind an error the rest is read, too */
    generation = weir_generation_build_all(bundle, &source, 1, &errors);
    weir_bundle_destroy(bundle);
    weir_assert((generation == NULL) == (errors.n != 0));
    for (size_t i = 0; i < errors.n; i++) {
        weir_assert(weir_error_is_set(&at[i]));
    }
    if (generation != NULL) {
        weir_generation_unref(generation);
    }
    return 0;
}
