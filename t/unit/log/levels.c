/* levels.c - names of levels and facilities; the log is as verbose as its most verbose sink. */
#include "log/log.h"

#include "tap.h"

int
main(void)
{
    static const char *const names[] = { "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug" };
    weir_log_sink_t  b = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_INFO, .fd = -1 };
    weir_log_sink_t  a = { .kind = WEIR_LOG_TO_FILE, .level = WEIR_LOG_CRIT, .fd = -1, .next = &b };
    weir_log_level_t level = WEIR_LOG_EMERG;
    int              facility = -1;
    size_t           i;

    for (i = 0; i < weir_countof(names); i++) {
        ok(weir_log_level_parse(weir_str_from_z(names[i]), &level) && level == (weir_log_level_t) i, names[i]);
        is_str(weir_str_from_z(weir_log_level_name(level)), names[i], "and back");
    }
    ok(!weir_log_level_parse(WEIR_STR("Error"), &level) && !weir_log_level_parse(WEIR_STR(""), &level)
       && !weir_log_level_parse(WEIR_STR("errors"), &level), "nothing else is a level");
    ok(weir_log_facility_parse(WEIR_STR("kern"), &facility) && facility == 0, "kern");
    ok(weir_log_facility_parse(WEIR_STR("local7"), &facility) && facility == WEIR_LOG_LOCAL7, "local7");
    ok(!weir_log_facility_parse(WEIR_STR("local8"), &facility), "no local8");

    ok(weir_log_on(WEIR_LOG_NOTICE) && !weir_log_on(WEIR_LOG_INFO), "notice, before a configuration");
    weir_log_use(&a);
    ok(weir_log_on(WEIR_LOG_INFO) && !weir_log_on(WEIR_LOG_DEBUG), "the most verbose sink decides");
    weir_log_use(NULL);
    ok(weir_log_on(WEIR_LOG_NOTICE) && !weir_log_on(WEIR_LOG_INFO), "and notice again");
    return done();
}
