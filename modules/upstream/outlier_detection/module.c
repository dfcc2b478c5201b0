/*
 * module.c - `outlier_detection …` in an upstream block: a peer that does worse than it may, or worse than the others,
 * is not asked for a while.  Envoy's terms and arithmetic.
 */
#include "outlier.h"

#define OUTLIER_LONGEST_MS (UINT64_C(366) * 86400 * 1000)
#define OUTLIER_FACTOR_MAX 1000

/* -- single options -- */

typedef enum { OUTLIER_COUNT, OUTLIER_FACTOR, OUTLIER_PERCENT, OUTLIER_TIME, OUTLIER_FLAG,
               OUTLIER_BARE } outlier_kind_t;

typedef struct {
    const char    *name;
    outlier_kind_t kind;
    size_t         at;                       /* in outlier_conf_t */
    uint64_t       min, max;
    const char    *expected;
    size_t         needs;                    /* the number that has to be other than 0 beside it; 0: none */
} outlier_option_t;

#define OUTLIER_AT(field)    offsetof(outlier_conf_t, field)
#define OUTLIER_NEEDS(field) offsetof(outlier_conf_t, field)
#define OUTLIER_NUMBER       "a number up to 1000000"
#define OUTLIER_DURATION     "a time such as 30s, at least 1ms"

static const outlier_option_t outlier_options[] = {
    { "consecutive_5xx", OUTLIER_COUNT, OUTLIER_AT(rows[WEIR_OUTLIER_5XX]), 0, WEIR_OUTLIER_ROW_MAX, OUTLIER_NUMBER,
      0 },
    { "consecutive_gateway", OUTLIER_COUNT, OUTLIER_AT(rows[WEIR_OUTLIER_GATEWAY]), 0, WEIR_OUTLIER_ROW_MAX,
      OUTLIER_NUMBER, 0 },
    { "consecutive_local_origin", OUTLIER_COUNT, OUTLIER_AT(rows[WEIR_OUTLIER_LOCAL]), 0, WEIR_OUTLIER_ROW_MAX,
      OUTLIER_NUMBER, OUTLIER_NEEDS(is_split) },
    { "split", OUTLIER_BARE, OUTLIER_AT(is_split), 0, 0, NULL, 0 },
    { "success_rate", OUTLIER_FACTOR, OUTLIER_AT(rate), 1, 0, "a factor such as 1.9, or off", 0 },
    { "success_rate_hosts", OUTLIER_COUNT, OUTLIER_AT(rate_hosts), 1, UINT32_MAX, "a number", OUTLIER_NEEDS(rate) },
    { "success_rate_requests", OUTLIER_COUNT, OUTLIER_AT(rate_requests), 1, UINT32_MAX, "a number",
      OUTLIER_NEEDS(rate) },
    { "failure_percentage", OUTLIER_PERCENT, OUTLIER_AT(percentage), 1, 10000, "a percentage such as 85%", 0 },
    { "failure_percentage_hosts", OUTLIER_COUNT, OUTLIER_AT(percentage_hosts), 1, UINT32_MAX, "a number",
      OUTLIER_NEEDS(percentage) },
    { "failure_percentage_requests", OUTLIER_COUNT, OUTLIER_AT(percentage_requests), 1, UINT32_MAX, "a number",
      OUTLIER_NEEDS(percentage) },
    { "latency", OUTLIER_FACTOR, OUTLIER_AT(latency), 1001, 0, "a factor above 1 such as 3, or off", 0 },
    { "latency_hosts", OUTLIER_COUNT, OUTLIER_AT(latency_hosts), 2, UINT32_MAX, "a number, at least 2",
      OUTLIER_NEEDS(latency) },
    { "latency_requests", OUTLIER_COUNT, OUTLIER_AT(latency_requests), 1, UINT32_MAX, "a number",
      OUTLIER_NEEDS(latency) },
    { "latency_min", OUTLIER_TIME, OUTLIER_AT(least_slower), 0, OUTLIER_LONGEST_MS, "a time such as 20ms",
      OUTLIER_NEEDS(latency) },
    { "interval", OUTLIER_TIME, OUTLIER_AT(interval), 1, OUTLIER_LONGEST_MS, OUTLIER_DURATION, 0 },
    { "base_ejection_time", OUTLIER_TIME, OUTLIER_AT(base), 1, OUTLIER_LONGEST_MS, OUTLIER_DURATION, 0 },
    { "max_ejection_time", OUTLIER_TIME, OUTLIER_AT(max), 1, OUTLIER_LONGEST_MS, OUTLIER_DURATION, 0 },
    { "max_ejection_time_jitter", OUTLIER_TIME, OUTLIER_AT(jitter), 0, OUTLIER_LONGEST_MS, "a time such as 1s", 0 },
    { "max_ejection", OUTLIER_PERCENT, OUTLIER_AT(most), 0, 10000, "a percentage such as 10%", 0 },
    { "always_eject_one", OUTLIER_FLAG, OUTLIER_AT(always_one), 0, 1, "on or off", 0 },
};

/* "1.9": thousandths; "off": 0. */
static bool
outlier_read_factor(weir_str_t text, uint64_t least, uint64_t *value)
{
    weir_str_t whole = text, part = WEIR_STR_NONE;
    uint64_t   number, decimals = 0;
    bool       has_part = weir_str_cut(text, '.', &whole, &part);

    *value = 0;
    if (weir_str_eq(text, WEIR_STR("off"))) {
        return true;
    }
    if (!weir_str_to_u64(whole, &number) || number > OUTLIER_FACTOR_MAX
        || (has_part && (part.len == 0 || part.len > 3 || !weir_str_to_u64(part, &decimals))))
    {
        return false;
    }
    for (size_t i = part.len; has_part && i < 3; i++) {
        decimals *= 10;
    }
    *value = number * 1000 + decimals;
    return *value >= least;
}

static bool
outlier_read_percent(weir_str_t text, uint64_t *value)
{
    uint32_t hundredths;

    if (!weir_str_ends(text, WEIR_STR("%")) || !weir_conf_read_percent(weir_str(text.at, text.len - 1), &hundredths)) {
        return false;
    }
    *value = hundredths;
    return true;
}

static bool
outlier_read(const outlier_option_t *option, weir_str_t text, uint64_t *value)
{
    weir_msec_t time;
    uint32_t    count;

    switch (option->kind) {
    case OUTLIER_FACTOR:
        return outlier_read_factor(text, option->min, value);
    case OUTLIER_PERCENT:
        return outlier_read_percent(text, value) && *value >= option->min;
    case OUTLIER_FLAG:
        *value = weir_str_eq(text, WEIR_STR("on"));
        return *value != 0 || weir_str_eq(text, WEIR_STR("off"));
    case OUTLIER_TIME:
        if (!weir_conf_read_msec(text, &time)) {
            return false;
        }
        *value = time.ms;
        return time.ms >= option->min && time.ms <= option->max;
    default:
        if (!weir_conf_read_u32(text, &count)) {
            return false;
        }
        *value = count;
        return count >= option->min && count <= option->max;
    }
}

/* -- the directive -- */

/* The option that the word is; NULL: none.  *value: what stands behind its "=". */
static const outlier_option_t *
outlier_find(weir_str_t word, weir_str_t *value)
{
    weir_str_t name = word;
    bool       has_value = weir_str_cut(word, '=', &name, value);

    for (size_t i = 0; i < weir_countof(outlier_options); i++) {
        if (weir_str_eq(name, weir_str_from_z(outlier_options[i].name))
            && has_value == (outlier_options[i].kind != OUTLIER_BARE))
        {
            return &outlier_options[i];
        }
    }
    return NULL;
}

static bool
outlier_unknown(weir_conf_t *cf, size_t i)
{
    const char *names[weir_countof(outlier_options)], *near;
    weir_str_t  word = cf->words->at[i].text, name = word, value;

    for (size_t k = 0; k < weir_countof(outlier_options); k++) {
        names[k] = outlier_options[k].name;
    }
    (void) weir_str_cut(word, '=', &name, &value);
    near = weir_conf_nearest(name, names, weir_countof(names));
    return weir_conf_error(cf, i, "invalid parameter \"%.*s\"%s%s%s", WEIR_STR_ARG(word),
                           near != NULL ? ", did you mean \"" : "", near != NULL ? near : "",
                           near != NULL ? "\"?" : "");
}

static void
outlier_store(const outlier_option_t *option, outlier_conf_t *conf, uint64_t value)
{
    char *at = (char *) conf + option->at;

    if (option->kind == OUTLIER_TIME) {
        memcpy(at, &value, sizeof(value));
    } else {
        uint32_t number = (uint32_t) value;

        memcpy(at, &number, sizeof(number));
    }
}

static const outlier_conf_t outlier_defaults = {
    .interval = 10000, .base = 30000, .max = 300000, .least_slower = 10, .rows = { [WEIR_OUTLIER_5XX] = 5 },
    .rate = 1900, .rate_hosts = 5, .rate_requests = 100, .percentage_hosts = 5, .percentage_requests = 50,
    .latency_hosts = 3, .latency_requests = 50, .most = 1000, .always_one = 1, .is_said = 1,
};

/* What is said of something that is not judged would have no effect. */
static bool
outlier_check(weir_conf_t *cf, const weir_conf_words_t *words, const outlier_conf_t *conf)
{
    weir_str_t value;

    for (size_t i = 1; i < words->n; i++) {
        const outlier_option_t *option = outlier_find(words->at[i].text, &value);
        uint32_t                needed = 1;

        if (option->needs != 0) {
            memcpy(&needed, (const char *) conf + option->needs, sizeof(needed));
        }
        for (size_t k = 0; needed == 0 && k < weir_countof(outlier_options); k++) {
            if (outlier_options[k].at == option->needs) {
                return weir_conf_error(cf, i, "\"%s\" has no effect without \"%s\"", option->name,
                                       outlier_options[k].name);
            }
        }
    }
    if (conf->rows[0] == 0 && conf->rows[1] == 0 && conf->rows[2] == 0 && conf->rate == 0 && conf->percentage == 0
        && conf->latency == 0)
    {
        return weir_conf_error(cf, 0, "\"outlier_detection\" judges nothing: all that could eject a server is off");
    }
    return true;
}

static bool
outlier_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    outlier_conf_t *conf = field;
    uint64_t        seen = 0;
    bool            has_local = false;

    _Static_assert(weir_countof(outlier_options) <= 64, "a bit each");
    *conf = outlier_defaults;
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t              text = WEIR_STR_NONE;
        const outlier_option_t *option = outlier_find(words->at[i].text, &text);
        uint64_t                value = 1, bit;

        if (option == NULL) {
            return outlier_unknown(cf, i);
        }
        bit = UINT64_C(1) << (option - outlier_options);
        if ((seen & bit) != 0) {
            return weir_conf_error(cf, i, "\"%s\" stands twice in \"outlier_detection\"", option->name);
        }
        seen |= bit;
        if (option->kind != OUTLIER_BARE && !outlier_read(option, text, &value)) {
            return weir_conf_invalid(cf, i, option->expected);
        }
        has_local = has_local || option->at == OUTLIER_AT(rows[WEIR_OUTLIER_LOCAL]);
        outlier_store(option, conf, value);
    }
    if (conf->is_split != 0 && !has_local) {
        conf->rows[WEIR_OUTLIER_LOCAL] = 5;
    }
    return outlier_check(cf, words, conf);
}

static const weir_conf_type_t outlier_type = {
    .name = "[consecutive_5xx=number] [consecutive_gateway=number] [split] [consecutive_local_origin=number] "
            "[success_rate=factor|off] [success_rate_hosts=number] [success_rate_requests=number] "
            "[failure_percentage=percent] [failure_percentage_hosts=number] [failure_percentage_requests=number] "
            "[latency=factor] [latency_hosts=number] [latency_requests=number] [latency_min=time] [interval=time] "
            "[base_ejection_time=time] [max_ejection_time=time] [max_ejection_time_jitter=time] "
            "[max_ejection=percent] [always_eject_one=on|off]",
    .size = sizeof(outlier_conf_t), .max_args = weir_countof(outlier_options), .parse = outlier_parse,
};

typedef struct { outlier_conf_t said; } outlier_module_conf_t;

static const weir_directive_t outlier_directives[] = {
    WEIR_DIRECTIVE_OF(outlier_module_conf_t, said, "outlier_detection", &outlier_type, .where = WEIR_IN_UPSTREAM,
                      .args = "[consecutive_5xx=number] [consecutive_gateway=number] [split] "
                              "[consecutive_local_origin=number] [success_rate=factor] [success_rate_hosts=number] "
                              "[success_rate_requests=number] [failure_percentage=percent] "
                              "[failure_percentage_hosts=number] [failure_percentage_requests=number] "
                              "[latency=factor] [latency_hosts=number] [latency_requests=number] [latency_min=time] "
                              "[interval=time] [base_ejection_time=time] [max_ejection_time=time] "
                              "[max_ejection_time_jitter=time] [max_ejection=percent] [always_eject_one=on|off]",
                      .help = "Stops asking a server for a while that fails, or does worse than the others of its "
                              "group."),
    WEIR_DIRECTIVES_END
};

static const weir_uppolicy_t *
outlier_of_block(const void *conf, weir_str_t *settings)
{
    *settings = weir_str(conf, sizeof(outlier_conf_t));
    return ((const outlier_conf_t *) conf)->is_said != 0 ? &outlier_policy : NULL;
}

const weir_upstream_module_t weir_upstream_outlier_detection = {
    .name = "upstream_outlier_detection",
    .area = "Upstreams",
    .conf_size = sizeof(outlier_module_conf_t),
    .directives = outlier_directives,
    .judge = outlier_of_block,
};
