/*
 * forward.c - see forward.h: the directives, and what holds between them.  Load time only.
 */
#include "http/proxy/forward.h"

#include "http/module.h"
#include "http/proxy/split.h"

/* -- rewrite_path, rewrite_prefix, rewrite_host -- */

static bool
forward_parse_path(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_path_edit_t *edit = field;

    if (edit->to != NULL) {
        return weir_conf_error(cf, 0, "\"%s\" cannot stand beside \"rewrite_prefix\"", row->name);
    }
    return weir_path_edit_read_path(cf, 1, words->at[1].text, edit);
}

static bool
forward_parse_prefix(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_path_edit_t *edit = field;

    if (edit->path != NULL) {
        return weir_conf_error(cf, 0, "\"%s\" cannot stand beside \"rewrite_path\"", row->name);
    }
    return weir_path_edit_read_to(cf, words->n - 1, words->at[words->n - 1].text, edit)
        && (words->n == 2 || weir_path_edit_read_from(cf, 1, words->at[1].text, edit));
}

static bool
forward_parse_host(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    const weir_template_t **host = field;
    weir_str_t name;
    uint16_t   port;

    (void) row;
    *host = weir_conf_template(cf, 1, words->at[1].text);
    if (*host == NULL) {
        return false;
    }
    return !(*host)->is_constant || weir_uri_authority(words->at[1].text, &name, &port)
        || weir_conf_invalid(cf, 1, "a host, with a port or without one");
}

/* -- retry -- */

/* "grpc-unavailable": its bit.  0: it is none. */
static uint32_t
forward_grpc_bit(weir_str_t word)
{
    static const weir_str_t names[] = {             /* by number; 0 is no failure */
        WEIR_STR_INIT("ok"), WEIR_STR_INIT("cancelled"), WEIR_STR_INIT("unknown"), WEIR_STR_INIT("invalid-argument"),
        WEIR_STR_INIT("deadline-exceeded"), WEIR_STR_INIT("not-found"), WEIR_STR_INIT("already-exists"),
        WEIR_STR_INIT("permission-denied"), WEIR_STR_INIT("resource-exhausted"), WEIR_STR_INIT("failed-precondition"),
        WEIR_STR_INIT("aborted"), WEIR_STR_INIT("out-of-range"), WEIR_STR_INIT("unimplemented"),
        WEIR_STR_INIT("internal"), WEIR_STR_INIT("unavailable"), WEIR_STR_INIT("data-loss"),
        WEIR_STR_INIT("unauthenticated"),
    };

    for (size_t i = 1; i < weir_countof(names) && weir_str_starts(word, WEIR_STR("grpc-")); i++) {
        if (weir_str_eq(weir_str_skip(word, 5), names[i])) {
            return 1u << i;
        }
    }
    return 0;
}

static bool
forward_read_on(weir_conf_t *cf, size_t i, weir_str_t list, weir_forward_retry_t *retry)
{
    static const weir_conf_enum_t words[] = {
        { "connect", WEIR_RETRY_CONNECT }, { "reset", WEIR_RETRY_RESET },     { "timeout", WEIR_RETRY_TIMEOUT },
        { "invalid", WEIR_RETRY_INVALID }, { "non_idempotent", WEIR_RETRY_NON_IDEMPOTENT },
    };
    weir_str_t word;
    uint32_t status;

    retry->on = 0;
    for (bool more = true; more;) {
        size_t k = 0;

        more = weir_str_cut(list, ',', &word, &list);
        while (k < weir_countof(words) && !weir_str_eq(word, weir_str_from_z(words[k].name))) {
            k++;
        }
        if (k < weir_countof(words)) {
            retry->on |= words[k].value;
        } else if (forward_grpc_bit(word) != 0) {
            retry->grpc |= forward_grpc_bit(word);
        } else if (word.len == 3 && weir_conf_read_u32(word, &status) && status >= 400 && status <= 599) {
            retry->statuses[(status - 400) / 8] |= (uint8_t) (1u << (status % 8));
        } else {
            return weir_conf_invalid(cf, i, "on= with connect, reset, timeout, invalid, non_idempotent, statuses "
                                     "from 400 to 599 and of gRPC (grpc-unavailable), commas between");
        }
    }
    return true;
}

static bool
forward_parse_retry(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_forward_retry_t *retry = field;

    *retry = (weir_forward_retry_t) { .on = WEIR_RETRY_CONNECT | WEIR_RETRY_RESET | WEIR_RETRY_TIMEOUT };
    if (weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return words->n == 2 || weir_conf_error(cf, 2, "\"%s off\" takes nothing else", row->name);
    }
    if (!weir_conf_read_u32(words->at[1].text, &retry->n) || retry->n < 1 || retry->n > WEIR_RETRY_MAX) {
        return weir_conf_invalid(cf, 1, "a number from 1 to 10, or \"off\"");
    }
    for (size_t i = 2; i < words->n; i++) {
        weir_str_t word = words->at[i].text;

        if (weir_str_eq(word, WEIR_STR("jitter"))) {
            retry->jitter = true;
        } else if (weir_str_starts(word, WEIR_STR("on="))) {
            if (!forward_read_on(cf, i, weir_str_skip(word, 3), retry)) {
                return false;
            }
        } else if (!weir_str_starts(word, WEIR_STR("backoff="))
                   || !weir_conf_read_msec(weir_str_skip(word, 8), &retry->backoff)
                   || retry->backoff.ms > WEIR_RETRY_PAUSE_MAX)
        {
            return weir_conf_invalid(cf, i, "on=, backoff= with a time up to 30s, or \"jitter\"");
        }
    }
    return true;
}

/* -- hedge -- */

#define FORWARD_HEDGE_PART 500               /* budget=5% */

/* "p95": 95.  false: it is no such word. */
static bool
forward_read_quantile(weir_str_t word, uint32_t *percent)
{
    return weir_str_starts(word, WEIR_STR("p")) && word.len <= 3 && weir_conf_read_u32(weir_str_skip(word, 1), percent)
        && *percent >= 1 && *percent <= 99;
}

static bool
forward_read_after(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    weir_forward_hedge_t *hedge = data;

    return forward_read_quantile(value, &hedge->percent)
        || (weir_conf_read_msec(value, &hedge->after) && hedge->after.ms != 0)
        || weir_conf_invalid(cf, i, "after= with a time of 1ms or more, or a quantile from p1 to p99");
}

static bool
forward_read_budget(weir_conf_t *cf, size_t i, weir_str_t value, void *data)
{
    weir_forward_hedge_t *hedge = data;

    return (weir_str_ends(value, WEIR_STR("%"))
            && weir_conf_read_percent(weir_str(value.at, value.len - 1), &hedge->hundredths))
        || weir_conf_invalid(cf, i, "budget= with a part of the requests from 0% to 100%, with at most two decimals");
}

static bool
forward_parse_hedge(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    static const weir_conf_option_t options[] = {
        { .name = "after", .read = forward_read_after }, { .name = "budget", .read = forward_read_budget },
    };
    weir_forward_hedge_t *hedge = field;

    *hedge = (weir_forward_hedge_t) { .hundredths = FORWARD_HEDGE_PART };
    if (weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return words->n == 2 || weir_conf_error(cf, 2, "\"%s off\" takes nothing else", row->name);
    }
    if (!weir_conf_read_options(cf, words, 1, options, weir_countof(options), "after= and budget=, or \"off\"",
                                hedge))
    {
        return false;
    }
    hedge->is_on = hedge->after.ms != 0 || hedge->percent != 0;
    return hedge->is_on || weir_conf_error(cf, 0, "\"%s\" needs after=, a time or p95", row->name);
}

static const weir_conf_type_t forward_type_hedge = {
    .name = "after=time|pN [budget=percent] | off", .size = sizeof(weir_forward_hedge_t),
    .min_args = 1, .max_args = 2, .parse = forward_parse_hedge,
};
static const weir_conf_type_t forward_type_retry = {
    .name = "number [on=failure,...] [backoff=time] [jitter] | off", .size = sizeof(weir_forward_retry_t),
    .min_args = 1, .max_args = 4, .parse = forward_parse_retry,
};
static const weir_conf_type_t forward_type_path = {
    .name = "path", .size = sizeof(weir_path_edit_t), .min_args = 1, .max_args = 1, .parse = forward_parse_path,
};
static const weir_conf_type_t forward_type_prefix = {
    .name = "[prefix] replacement", .size = sizeof(weir_path_edit_t), .min_args = 1, .max_args = 2,
    .parse = forward_parse_prefix,
};
static const weir_conf_type_t forward_type_host = {
    .name = "host[:port]", .size = sizeof(const weir_template_t *), .min_args = 1, .max_args = 1,
    .parse = forward_parse_host,
};

static const weir_directive_t forward_directives[] = {
    WEIR_DIRECTIVE_OF(weir_forward_conf_t, path, "rewrite_path", &forward_type_path, .where = WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL, .help = "Sets the path that peers are asked for; the query stays."),
    WEIR_DIRECTIVE_OF(weir_forward_conf_t, path, "rewrite_prefix", &forward_type_prefix, .where = WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL,
                      .help = "Replaces the first segments of the path that peers are asked for: the prefix named, or "
                              "the location's."),
    WEIR_DIRECTIVE_OF(weir_forward_conf_t, host, "rewrite_host", &forward_type_host, .where = WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL, .help = "Sets the Host that peers are asked for."),
    WEIR_DIRECTIVE(weir_forward_conf_t, split_key, "split_key", .where = WEIR_IN_ANY,
                   .help = "Sends requests with the same text to the same one of the targets that share a place's "
                           "requests."),
    WEIR_DIRECTIVE_OF(weir_forward_conf_t, mirrors, "mirror_to", &weir_mirror_type, .where = WEIR_IN_LOCATION,
                      .inherit = WEIR_LOCAL,
                      .help = "Sends copies of requests, or of an exact share of them, to another group, whose answers "
                              "are dropped."),
    WEIR_DIRECTIVE(weir_forward_conf_t, timeout, "timeout", .where = WEIR_IN_ANY, .dflt = "0",
                   .help = "Limits the time until the whole answer of a peer is there, with all tries; 0 sets no "
                           "limit."),
    WEIR_DIRECTIVE(weir_forward_conf_t, try_timeout, "try_timeout", .where = WEIR_IN_ANY, .dflt = "0",
                   .help = "Limits the time of one try, until a peer's answer begins; 0 sets no limit."),
    WEIR_DIRECTIVE_OF(weir_forward_conf_t, retry, "retry", &forward_type_retry, .where = WEIR_IN_ANY, .dflt = "off",
                      .help = "Sends a request again after a failure, to the same peer where there is no other; in "
                              "the place of proxy_next_upstream."),
    WEIR_DIRECTIVE_OF(weir_forward_conf_t, hedge, "hedge", &forward_type_hedge, .where = WEIR_IN_ANY, .dflt = "off",
                      .help = "Sends a request to a second peer when the first one has not begun to answer after a "
                              "time; the first good answer is the client's."),
    WEIR_DIRECTIVES_END
};

/* -- $split_target -- */

static bool
forward_get_target(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const weir_request_t *req = subject;

    (void) arena;
    (void) ref;
    if (req->target == NULL) {
        return false;
    }
    *value = req->target->text;
    return true;
}

static const weir_variable_t forward_variables[] = {
    { "split_target", .subject = WEIR_OF_REQUEST, .get = forward_get_target,
      .help = "Which target was chosen where several share a place's requests, as proxy_pass or return names it." },
    WEIR_VARIABLES_END
};

static const weir_zone_kind_t *const forward_kinds[] = { &weir_share_kind, NULL };

/* -- what follows from them -- */

static bool
forward_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    weir_forward_conf_t *conf = conf_;

    conf->is_plain = !weir_path_edit_is_set(&conf->path) && conf->host == NULL && conf->mirrors.n == 0
                  && conf->timeout.ms == 0 && conf->try_timeout.ms == 0 && conf->retry.n == 0
                  && !conf->hedge.is_on;
    return weir_path_edit_check(cf, block, "rewrite_prefix", &conf->path);
}

bool
weir_forward_build(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block, uint16_t port)
{
    weir_forward_conf_t *conf = weir_conf_of(block, weir_http_forward_index);

    return weir_mirror_build(cf, generation, block, &conf->mirrors, port);
}

/* Where nothing is passed on there is nothing to copy. */
static bool
forward_check_mirrors(weir_conf_t *cf, const weir_conf_block_t *block)
{
    const weir_http_location_t *place = block->owner;

    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        if (!forward_check_mirrors(cf, inner)) {
            return false;
        }
    }
    return block->set == NULL || !weir_conf_is_set(block, weir_http_forward_index, "mirror_to") || place->is_proxied
        || weir_conf_error_at(cf, &block->words, "\"mirror_to\" stands where nothing is passed on: it needs a "
                              "\"proxy_pass\" or \"grpc_pass\" beside it");
}

/* After every module's check. */
static bool
forward_build(weir_conf_t *cf, weir_generation_t *generation)
{
    (void) generation;
    return forward_check_mirrors(cf, cf->root);
}

static weir_step_t
forward_precontent(weir_request_t *req, const void *conf)
{
    return weir_mirror_precontent(req, &((const weir_forward_conf_t *) conf)->mirrors);
}

static bool
forward_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const weir_forward_conf_t *) conf)->mirrors.n != 0;
}

bool
weir_forward_check_pass(weir_conf_t *cf, const weir_conf_block_t *block, const weir_proxy_pass_t *pass)
{
    const weir_forward_conf_t *conf = weir_conf_of(block, weir_http_forward_index);

    if (pass->has_uri && weir_path_edit_is_set(&conf->path)) {
        return weir_conf_error_at(cf, &block->words, "the URI in \"proxy_pass %.*s\" cannot stand beside \"%s\"",
                                  WEIR_STR_ARG(pass->url), conf->path.path != NULL ? "rewrite_path" : "rewrite_prefix");
    }
    return true;
}

const weir_http_module_t weir_http_forward = {
    .name = "http_forward",
    .area = "Traffic",
    .conf_size = sizeof(weir_forward_conf_t),
    .directives = forward_directives,
    .variables = forward_variables,
    .zone_kinds = forward_kinds,
    .check = forward_check,
    .build = forward_build,
    .on = { [WEIR_PHASE_PRECONTENT] = forward_precontent },
    .enabled = forward_enabled,
    .after = "http_try_files",               /* which may lead elsewhere: nothing is passed on then */
};
