/*
 * queue.c - `queue` in an upstream block: requests wait until a server has room, instead of being refused.
 *
 * What it does is in upstream/queue.h.
 */
#include "upstream/module.h"
#include "upstream/queue.h"

typedef struct { weir_queue_settings_t said; } queue_conf_t;         /* max 0: it was not said */

static const weir_uppolicy_t *
queue_judge(const void *conf, weir_str_t *settings)
{
    const weir_queue_settings_t *said = &((const queue_conf_t *) conf)->said;

    *settings = weir_str((const char *) said, sizeof(*said));
    return said->max != 0 ? &weir_queue_policy : NULL;
}

static bool
queue_read_timeout(weir_conf_t *cf, size_t word, weir_str_t value, void *data)
{
    weir_queue_settings_t *said = data;

    return (weir_conf_read_msec(value, &said->timeout) && said->timeout.ms != 0 && said->timeout.ms <= 86400000)
           || weir_conf_invalid(cf, word, "a time from 1ms to 1d");
}

static bool
queue_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *field)
{
    static const weir_conf_option_t options[] = { { .name = "timeout", .read = queue_read_timeout } };
    weir_queue_settings_t          *said = field;

    said->timeout = (weir_msec_t) { 60000 };
    if (!weir_conf_read_u32(words->at[1].text, &said->max) || said->max == 0 || said->max > WEIR_QUEUE_MAX) {
        return weir_conf_invalid(cf, 1, "a number from 1 to 65535");
    }
    return weir_conf_read_options(cf, words, 2, options, weir_countof(options), "timeout=TIME", said);
}

static const weir_conf_type_t queue_type = {
    .name = "number [timeout=time]", .size = sizeof(weir_queue_settings_t), .min_args = 1, .max_args = 2,
    .parse = queue_parse,
};

static const weir_directive_t queue_directives[] = {
    WEIR_DIRECTIVE_OF(queue_conf_t, said, "queue", &queue_type, .where = WEIR_IN_UPSTREAM,
                      .help = "Lets so many requests wait until a server has room for them (max_conns)."),
    WEIR_DIRECTIVES_END
};

const weir_upstream_module_t weir_upstream_queue = {
    .name = "upstream_queue",
    .area = "Upstreams",
    .conf_size = sizeof(queue_conf_t),
    .directives = queue_directives,
    .judge = queue_judge,
};
