/*
 * consumer_module.c - `identify`, `anonymous` and their like, and the variables that tell of a request's consumer
 * (consumer.h).  Runs in workers, and where configurations are read.
 */
#include "http/guard/consumer_conf.h"

#include "base/buf.h"
#include "http/guard/dry_run.h"
#include "http/vars/vars.h"
#include "store/conf.h"

/* -- variables -- */

WEIR_GETTER(consumer_get_name)
{
    *value = weir_consumer_of(subject)->name;
    return value->len != 0;
}

WEIR_GETTER(consumer_get_method)
{
    *value = weir_consumer_of(subject)->method;
    return value->len != 0;
}

WEIR_GETTER(consumer_get_plan)
{
    const weir_consumer_t *who = weir_consumer_of(subject);

    *value = who->has_plan ? who->plan : WEIR_STR_NONE;
    return value->len != 0;
}

/* data: where the number is in the plan. */
WEIR_GETTER(consumer_get_quota)
{
    const weir_consumer_t *who = weir_consumer_of(subject);
    uint64_t               quota;

    weir_assert(ref->row->data + sizeof(quota) <= sizeof(who->quotas));
    memcpy(&quota, (const char *) &who->quotas + ref->row->data, sizeof(quota));
    return who->has_plan && quota != UINT64_MAX && weir_vars_number(arena, quota, value);
}

/* With commas between; no name has one. */
WEIR_GETTER(consumer_get_groups)
{
    const weir_store_profile_t *profile = weir_consumer_profile(subject);
    weir_str_t                  rest, group;
    weir_buf_t                  list;

    if (profile == NULL || profile->n_groups == 0) {
        return false;
    }
    rest = weir_str(profile->text, profile->len);
    weir_buf_init(&list, weir_alloc_bytes(arena, profile->len), profile->len);
    for (size_t i = 0; i < profile->n_groups && weir_store_profile_next(&rest, &group); i++) {
        if (i != 0) {
            weir_buf_add_char(&list, ',');
        }
        weir_buf_add_str(&list, group);
    }
    *value = weir_buf_str(&list);
    return true;
}

WEIR_GETTER(consumer_get_meta)
{
    return weir_consumer_meta(subject, ref->suffix, value);
}

static const weir_variable_t consumer_variables[] = {
    { "consumer", .subject = WEIR_OF_REQUEST, .get = consumer_get_name,
      .help = "Name of the consumer that the request is from, by its API key or as identify says; empty: of none." },
    { "consumer_method", .subject = WEIR_OF_REQUEST, .get = consumer_get_method,
      .help = "By what the consumer was identified: api_key or a kind of identify; anonymous where that gives a "
              "plan." },
    { "consumer_plan", .subject = WEIR_OF_REQUEST, .get = consumer_get_plan,
      .help = "Name of the consumer's plan, or of the one that anonymous gives." },
    { "consumer_groups", .subject = WEIR_OF_REQUEST, .get = consumer_get_groups,
      .help = "Groups of the consumer with commas between, for has in require." },
    { "consumer_meta_", true, .subject = WEIR_OF_REQUEST, .get = consumer_get_meta,
      .help = "Value of an entry of the consumer's metadata." },
    { "consumer_quota_hour", .subject = WEIR_OF_REQUEST, .get = consumer_get_quota,
      .data = offsetof(weir_store_plan_t, hour),
      .help = "Requests per hour that the consumer's plan allows; empty: no limit." },
    { "consumer_quota_day", .subject = WEIR_OF_REQUEST, .get = consumer_get_quota,
      .data = offsetof(weir_store_plan_t, day),
      .help = "Requests per day that the consumer's plan allows; empty: no limit." },
    { "consumer_quota_month", .subject = WEIR_OF_REQUEST, .get = consumer_get_quota,
      .data = offsetof(weir_store_plan_t, month),
      .help = "Requests per month that the consumer's plan allows; empty: no limit." },
    WEIR_VARIABLES_END
};

/* -- identify -- */

static bool
module_read_certificate(weir_conf_t *cf, const weir_conf_words_t *words, consumer_line_t *line)
{
    static const struct { weir_str_t word; consumer_source_t source; } parts[] = {
        { WEIR_STR_INIT("fingerprint"), CONSUMER_FINGERPRINT }, { WEIR_STR_INIT("subject"), CONSUMER_SUBJECT },
        { WEIR_STR_INIT("san"), CONSUMER_SAN },
    };

    for (size_t i = 0; words->n == 3 && i < weir_countof(parts); i++) {
        if (weir_str_eq(words->at[2].text, parts[i].word)) {
            line->source = parts[i].source;
            return true;
        }
    }
    return weir_conf_error(cf, words->n - 1, "\"identify certificate\" must say which part of it: fingerprint, subject "
                           "or san");
}

/* What a client says of itself, or what may not have been verified, is no fact. */
static bool
module_check_text(weir_conf_t *cf, size_t word, const weir_template_t *text)
{
    for (size_t i = 0; i < text->n; i++) {
        const char *name = text->parts[i].ref.row != NULL ? text->parts[i].ref.row->name : "";

        if (strcmp(name, "remote_user") == 0) {
            return weir_conf_error(cf, word, "$remote_user is what the client says: \"identify basic\" takes the name "
                                   "that auth_basic has verified");
        }
        if (strncmp(name, "ssl_client_", 11) == 0) {
            return weir_conf_error(cf, word, "$%s may be of a certificate that was not verified: \"identify "
                                   "certificate\" takes one that was", name);
        }
    }
    return true;
}

static bool
module_read_text(weir_conf_t *cf, const weir_conf_words_t *words, consumer_line_t *line)
{
    weir_str_t text = words->at[2].text;

    line->source = weir_str_eq(line->kind, WEIR_STR("consumer")) ? CONSUMER_NAME : CONSUMER_TEXT;
    if (!weir_conf_has_variables(cf, 2, text)) {
        return weir_conf_invalid(cf, 2, "a text with variables, such as $jwt_claim_sub");
    }
    line->text = weir_conf_template(cf, 2, text);
    return line->text != NULL && module_check_text(cf, 2, line->text);
}

static bool
module_read_line(weir_conf_t *cf, const weir_conf_words_t *words, consumer_line_t *line)
{
    line->kind = words->at[1].text;
    if (!weir_store_kind_is_good(line->kind) || weir_str_eq(line->kind, WEIR_STR("api_key"))
        || weir_str_eq(line->kind, WEIR_STR("anonymous")))
    {
        return weir_conf_invalid(cf, 1, "a kind of identities, such as jwt, certificate or basic: lower case letters, "
                                 "digits, _ and -; or off");
    }
    if (weir_str_eq(line->kind, WEIR_STR("certificate"))) {
        return module_read_certificate(cf, words, line);
    }
    if (words->n == 3) {
        return weir_str_eq(line->kind, WEIR_STR("basic"))
               ? weir_conf_error(cf, 2, "\"identify basic\" takes the name that auth_basic has verified, and no text")
               : module_read_text(cf, words, line);
    }
    line->source = CONSUMER_VOUCHED;
    return !weir_str_eq(line->kind, WEIR_STR("consumer"))
           || weir_conf_error(cf, 1, "\"identify consumer\" must have a text that is the consumer's name");
}

static bool
module_parse_lines(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    consumer_lines_t *lines = field;
    consumer_line_t   line = { .kind = WEIR_STR_NONE };

    (void) row;
    lines->words = *words;
    if (weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        lines->off = true;
        return words->n == 2 || weir_conf_invalid(cf, 2, "nothing after off");
    }
    if (lines->n == CONSUMER_LINES_MAX) {
        return weir_conf_error(cf, 0, "more than %d \"identify\" in one place", CONSUMER_LINES_MAX);
    }
    if (!module_read_line(cf, words, &line)) {
        return false;
    }
    *(consumer_line_t *) weir_conf_list_push(cf, field, sizeof(line)) = line;
    return true;
}

static bool
module_parse_anonymous(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    consumer_anonymous_t *anonymous = field;

    (void) row;
    *anonymous = (consumer_anonymous_t) { .words = *words };
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return true;
    }
    for (size_t i = 1; i < words->n; i++) {
        weir_str_t name, value;
        bool       is_good = weir_str_cut(words->at[i].text, '=', &name, &value);

        if (is_good && weir_str_eq(name, WEIR_STR("plan")) && anonymous->plan.len == 0) {
            is_good = weir_store_name_is_good(value);
            anonymous->plan = value;
        } else if (is_good && weir_str_eq(name, WEIR_STR("key")) && anonymous->key == NULL) {
            anonymous->key = weir_conf_template(cf, i, value);
            if (anonymous->key == NULL) {
                return false;
            }
        } else {
            is_good = false;
        }
        if (!is_good) {
            return weir_conf_invalid(cf, i, "plan=NAME, key=TEXT or off");
        }
    }
    return anonymous->plan.len != 0 || weir_conf_error(cf, 0, "\"anonymous\" must have plan=NAME");
}

static bool
module_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    const consumer_conf_t *conf = conf_;
    const bool             is_used = conf->lines.n != 0 || conf->anonymous.plan.len != 0;

    (void) block;
    if (conf->lines.off && conf->lines.n != 0) {
        return weir_conf_error_at(cf, &conf->lines.words, "\"identify off\" cannot stand beside others");
    }
    return !is_used || weir_store_is_set(cf)
           || weir_conf_error_at(cf, conf->lines.n != 0 ? &conf->lines.words : &conf->anonymous.words,
                                 "consumers and plans are kept in the store: \"%s\" needs \"store_path\"",
                                 conf->lines.n != 0 ? "identify" : "anonymous");
}

static bool
module_enabled(const void *conf_, weir_phase_t phase)
{
    const consumer_conf_t *conf = conf_;

    (void) phase;
    return conf->lines.n != 0 || conf->anonymous.plan.len != 0;
}

/* A plan for all clients refuses none of them. */
static bool
module_guards(const void *conf_)
{
    const consumer_conf_t *conf = conf_;

    return conf->lines.n != 0 && conf->unknown == CONSUMER_UNKNOWN_REFUSE;
}

static const weir_conf_type_t module_type_lines = {
    .name = "kind [text] | off", .size = sizeof(consumer_lines_t), .min_args = 1, .max_args = 2, .repeats = true,
    .parse = module_parse_lines, .item = sizeof(consumer_line_t),
};

static const weir_conf_type_t module_type_anonymous = {
    .name = "plan=name [key=text] | off", .size = sizeof(consumer_anonymous_t), .min_args = 1, .max_args = 2,
    .parse = module_parse_anonymous,
};

static const weir_conf_enum_t module_unknown[] = {
    { "refuse", CONSUMER_UNKNOWN_REFUSE }, { "pass", CONSUMER_UNKNOWN_PASS }, { NULL, 0 },
};

static const weir_conf_enum_t module_conflict[] = {
    { "refuse", CONSUMER_CONFLICT_REFUSE }, { "first", CONSUMER_CONFLICT_FIRST }, { NULL, 0 },
};

static const weir_directive_t consumer_directives[] = {
    WEIR_DIRECTIVE_OF(consumer_conf_t, lines, "identify", &module_type_lines, .where = WEIR_IN_ANY,
                      .help = "Finds the consumer whose identity of that kind was verified; it may stand several "
                              "times."),
    WEIR_DIRECTIVE_OF(consumer_conf_t, unknown, "identify_unknown", &weir_type_enum, .values = module_unknown,
                      .where = WEIR_IN_ANY, .dflt = "refuse",
                      .help = "Says what becomes of clients that are verified and no consumer's."),
    WEIR_DIRECTIVE_OF(consumer_conf_t, conflict, "identify_conflict", &weir_type_enum, .values = module_conflict,
                      .where = WEIR_IN_ANY, .dflt = "refuse",
                      .help = "Says what becomes of requests that name different consumers in different ways."),
    WEIR_DIRECTIVE_OF(consumer_conf_t, dry_run, "identify_dry_run", &weir_type_enum, .values = weir_dry_run_values,
                      .where = WEIR_IN_ANY, .args = "on | off",
                      .help = "Identifies and logs, but refuses no request and grants none access."),
    WEIR_DIRECTIVE_OF(consumer_conf_t, anonymous, "anonymous", &module_type_anonymous, .where = WEIR_IN_ANY,
                      .help = "Gives clients that are no consumer's a plan, each for itself."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_consumer = {
    .name = "http_consumer",
    .area = "Consumers",
    .conf_size = sizeof(consumer_conf_t),
    .directives = consumer_directives,
    .variables = consumer_variables,
    .check = module_check,
    .on = { [WEIR_PHASE_ACCESS] = weir_consumer_access },
    .guards = module_guards,
    .enabled = module_enabled,
    /* behind all that verify an identity, or refuse without asking */
    .after = "http_access http_api_key http_auth_basic http_auth_jwt http_auth_oauth2 http_auth_request "
             "http_auth_signature http_http_signature http_oidc http_signature",
};
