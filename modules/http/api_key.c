/*
 * api_key.c - which consumer asks: a key that the client sends is looked up in the store, and with it its consumer
 * (http/guard/consumer.h knows the rest).
 *
 * The store knows keys by their SHA-256, so that nothing has to be compared with a secret, and a look sees what was
 * acknowledged last, in every worker.  A key in the query ($arg_...) is shown by no log.  The look is made when it is
 * needed - for a limit by $consumer, or in the access phase - and once a request.  Runs in workers; two looks into the
 * store's map, no lock, no allocation but the request's.
 */
#include "http/module.h"

#include "http/guard/consumer.h"
#include "http/guard/dry_run.h"
#include "http/record/story.h"
#include "os/clock.h"
#include "store/conf.h"
#include "store/read.h"

typedef struct {
    const weir_template_t **at;
    size_t                  n;
    weir_conf_words_t       words;           /* n 0 and words set: off */
} key_sources_t;

typedef struct {
    key_sources_t sources;
    weir_flag_t   optional, strip;
    uint32_t      dry_run;
    weir_str_t    realm;
} key_conf_t;

/* What is known of a request. */
typedef struct {
    const key_conf_t     *conf;              /* by which it was asked */
    const weir_template_t *source;           /* where the key was; NULL: there was none */
    weir_str_t            sent;
    weir_cause_t          cause;             /* NONE: the consumer is known, or none is and that is allowed */
    bool                  is_known;
    weir_store_key_t      key;
    weir_store_consumer_t consumer;
    weir_consumer_said_t  said;
    char                  id[WEIR_STORE_ID + 1];
} key_state_t;

extern const size_t weir_http_api_key_index;

/* -- looking -- */

/* The first of the places that has something; what was taken from one of them before is there still.  before: NULL, or
 * what is known already. */
static void
key_read(key_state_t *state, const key_state_t *before, weir_request_t *req)
{
    const key_sources_t *sources = &state->conf->sources;

    weir_assert(state->sent.len == 0 && state->source == NULL);
    for (size_t i = 0; state->sent.len == 0 && i < sources->n; i++) {
        state->source = sources->at[i];
        if (before != NULL && before->source != NULL
            && weir_str_eq_fold(before->source->source, state->source->source))
        {
            state->sent = before->sent;
        } else {
            state->sent = weir_str_dup(&req->arena, weir_request_eval(req, state->source));
        }
    }
    if (state->sent.len == 0) {
        state->source = NULL;
    }
}

static weir_cause_t
key_find(key_state_t *state, weir_str_t sent)
{
    weir_store_found_t found;

    weir_assert(!state->is_known);
    if (sent.len == 0) {
        return state->conf->optional.on ? WEIR_CAUSE_NONE : WEIR_CAUSE_AUTH_KEY_MISSING;
    }
    found = weir_store_find_key(sent, &state->key, state->id);
    if (found != WEIR_STORE_FOUND) {
        return found == WEIR_STORE_MISSING ? WEIR_CAUSE_AUTH_KEY_UNKNOWN : WEIR_CAUSE_STORE_UNAVAILABLE;
    }
    if (state->key.expires_s != 0 && state->key.expires_s <= weir_clock_wall_ms() / 1000) {
        return WEIR_CAUSE_AUTH_KEY_EXPIRED;
    }
    found = weir_store_find_consumer(weir_store_text(state->key.consumer, sizeof(state->key.consumer)),
                                     &state->consumer);
    if (found != WEIR_STORE_FOUND) {
        return found == WEIR_STORE_MISSING ? WEIR_CAUSE_AUTH_KEY_UNKNOWN : WEIR_CAUSE_STORE_UNAVAILABLE;
    }
    state->is_known = true;
    return state->consumer.is_disabled ? WEIR_CAUSE_AUTH_CONSUMER_DISABLED : WEIR_CAUSE_NONE;
}

static weir_str_t
key_consumer(const key_state_t *state)
{
    return state->is_known ? weir_store_text(state->key.consumer, sizeof(state->key.consumer)) : WEIR_STR_NONE;
}

/* NULL: the place does not ask. */
static const key_state_t *
key_state(weir_request_t *req)
{
    const key_conf_t *conf = weir_request_conf(req, http_api_key, key_conf_t);
    key_state_t      *state = weir_request_kept(req, weir_http_api_key_index), *before;

    if (state != NULL && (state->conf == conf || conf->sources.n == 0)) {
        return state;                        /* an internal redirect keeps what was found */
    }
    if (conf->sources.n == 0) {
        return NULL;
    }
    before = state;
    state = weir_new(&req->arena, key_state_t);
    state->conf = conf;
    key_read(state, before, req);
    state->cause = key_find(state, state->sent);
    state->said = (weir_consumer_said_t) { .method = "api_key", .name = key_consumer(state), .cause = state->cause,
                                           .record = &state->consumer };
    weir_request_keep(req, weir_http_api_key_index, state);
    return state;
}

static const weir_consumer_said_t *
key_identify(weir_request_t *req)
{
    const key_state_t *state = key_state(req);

    return state != NULL ? &state->said : NULL;
}

/* -- before anything logs: a key in the query is shown by no log -- */

/* Is the place $arg_NAME, $http_NAME …? */
static bool
key_is_in(const weir_template_t *source, const char *prefix)
{
    return source->n == 1 && source->parts[0].ref.row != NULL && strcmp(source->parts[0].ref.row->name, prefix) == 0;
}

static bool
key_is_in_query(const weir_template_t *source)
{
    return key_is_in(source, "arg_");
}

/* As $http_NAME finds them: '-' is '_' there. */
static bool
key_is_field(weir_str_t name, weir_str_t suffix)
{
    bool same = name.len == suffix.len;

    for (size_t i = 0; same && i < name.len; i++) {
        char c = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char) (name.at[i] | 0x20) : name.at[i] == '-' ? '_'
                 : name.at[i];

        same = c == suffix.at[i];
    }
    return same;
}

/* The peer need not know the key: it may be of no other place than this. */
static void
key_strip(const key_conf_t *conf, weir_request_t *req)
{
    for (size_t i = 0; i < conf->sources.n; i++) {
        const weir_template_t *source = conf->sources.at[i];
        uint32_t               n = key_is_in(source, "http_") ? req->head.fields.n : 0;

        if (key_is_in_query(source)) {
            weir_request_strip_arg(req, source->parts[0].ref.suffix);
        }
        for (uint32_t k = 0; k < n; k++) {
            weir_field_t *field = &req->head.fields.at[k];

            if (key_is_field(field->name, source->parts[0].ref.suffix)) {
                field->flags |= WEIR_FIELD_DROP;
            }
        }
    }
}

static weir_step_t
key_rewrite(weir_request_t *req, const void *conf_)
{
    const key_conf_t *conf = conf_;

    for (size_t i = 0; i < conf->sources.n; i++) {
        if (key_is_in_query(conf->sources.at[i])) {
            weir_request_hide_arg(req, conf->sources.at[i]->parts[0].ref.suffix);
        }
    }
    return WEIR_NEXT;
}

/* -- the access phase -- */

static weir_step_t
key_rehearse(weir_request_t *req, const key_state_t *state)
{
    if (state->cause == WEIR_CAUSE_NONE) {
        return state->is_known ? weir_dry_run_grant(req) : WEIR_NEXT;
    }
    weir_dry_run_log(req, state->cause);
    return weir_dry_run_deny(req);
}

static weir_step_t
key_access(weir_request_t *req, const void *conf_)
{
    const key_conf_t  *conf = conf_;
    weir_policy_t      policy = weir_dry_run_begin(req, conf->dry_run);
    const key_state_t *state;
    bool               refuses;

    if (policy == WEIR_POLICY_NOT_ASKED) {
        return WEIR_NEXT;
    }
    state = key_state(req);
    weir_assert(state != NULL);     /* this place asks */
    refuses = state->cause != WEIR_CAUSE_NONE;
    weir_http_story_judged(req, "api_key", key_consumer(state),
                           weir_dry_run_verdict(refuses, policy == WEIR_POLICY_REHEARSED));
    if (policy == WEIR_POLICY_REHEARSED) {
        return key_rehearse(req, state);
    }
    if (conf->strip.on) {
        key_strip(conf, req);
    }
    if (!refuses) {
        return state->is_known ? weir_request_grant(req) : WEIR_NEXT;
    }
    if (weir_cause_row(state->cause)->status == 401) {
        req->challenge = weir_str_printf(&req->arena, "Key realm=\"%.*s\"", WEIR_STR_ARG(conf->realm));
    }
    return weir_request_deny(req, state->cause, state->id[0] != '\0' ? state->id : NULL);
}

/* Without a key nothing is looked up. */
static bool
key_judges_head(weir_request_t *req, const void *conf_)
{
    const key_conf_t *conf = conf_;

    for (size_t i = 0; i < conf->sources.n; i++) {
        if (weir_request_eval(req, conf->sources.at[i]).len != 0) {
            return false;
        }
    }
    return true;
}

static bool
key_guards(const void *conf)
{
    return !((const key_conf_t *) conf)->optional.on;
}

static bool
key_enabled(const void *conf, weir_phase_t phase)
{
    const key_sources_t *sources = &((const key_conf_t *) conf)->sources;

    if (phase != WEIR_PHASE_REWRITE) {
        return sources->n != 0;
    }
    for (size_t i = 0; i < sources->n; i++) {
        if (key_is_in_query(sources->at[i])) {
            return true;
        }
    }
    return false;
}

/* -- variables -- */

/* That the store cannot be read is something else than that the place does not ask.  NULL: as key_state, or this. */
static const key_state_t *
key_known(weir_request_t *req)
{
    const key_state_t *state = key_state(req);

    if (state != NULL && state->cause == WEIR_CAUSE_STORE_UNAVAILABLE) {
        weir_request_value_failed(req, state->cause);
        return NULL;
    }
    return state;
}

static bool
key_get_id(void *subject, weir_arena_t *arena, const weir_var_ref_t *ref, weir_str_t *value)
{
    const key_state_t *state = key_known(subject);

    (void) arena;
    (void) ref;
    *value = weir_str_from_z(state != NULL && state->is_known ? state->id : "");
    return value->len != 0;
}

static const weir_variable_t key_variables[] = {
    { "api_key_id", .subject = WEIR_OF_REQUEST, .get = key_get_id,
      .help = "Id of the API key that was sent, as weir key list shows it; not the key itself." },
    WEIR_VARIABLES_END
};

/* -- directives -- */

static bool
key_parse_sources(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    key_sources_t *sources = field;

    (void) row;
    *sources = (key_sources_t) { .words = *words };
    if (words->n == 2 && weir_str_eq(words->at[1].text, WEIR_STR("off"))) {
        return true;
    }
    sources->at = weir_alloc(cf->arena, (words->n - 1) * sizeof(sources->at[0]));
    for (size_t i = 1; i < words->n; i++) {
        sources->at[sources->n] = weir_conf_template(cf, i, words->at[i].text);
        if (sources->at[sources->n++] == NULL) {
            return false;
        }
    }
    return true;
}

static bool
key_check(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    const key_conf_t *conf = conf_;

    (void) block;
    for (size_t i = 0; i < conf->realm.len; i++) {
        if (conf->realm.at[i] < ' ' || conf->realm.at[i] > '~' || conf->realm.at[i] == '"'
            || conf->realm.at[i] == '\\')
        {
            return weir_conf_error_at(cf, &block->words,
                                      "\"api_key_realm\" must be ASCII without quotes and backslashes");
        }
    }
    return conf->sources.n == 0 || weir_store_is_set(cf)
           || weir_conf_error_at(cf, &conf->sources.words,
                                 "\"api_key\" looks keys up in the store: it needs \"store_path\"");
}

static const weir_conf_type_t key_type_sources = {
    .name = "text … | off", .size = sizeof(key_sources_t), .min_args = 1, .max_args = 8, .parse = key_parse_sources,
};

static const weir_directive_t key_directives[] = {
    WEIR_DIRECTIVE_OF(key_conf_t, sources, "api_key", &key_type_sources, .where = WEIR_IN_ANY,
                      .help = "Asks for an API key of the store, in the first of these texts that is not empty, "
                              "such as $http_x_api_key."),
    WEIR_DIRECTIVE(key_conf_t, optional, "api_key_optional", .where = WEIR_IN_ANY, .dflt = "off",
                   .help = "Lets requests without a key pass; a wrong key is refused all the same."),
    WEIR_DIRECTIVE_OF(key_conf_t, dry_run, "api_key_dry_run", &weir_type_enum, .values = weir_dry_run_values,
                      .where = WEIR_IN_ANY, .args = "on | off",
                      .help = "Looks for the key and logs, but refuses, lets in and removes nothing."),
    WEIR_DIRECTIVE(key_conf_t, strip, "api_key_strip", .where = WEIR_IN_ANY, .dflt = "on",
                   .help = "Removes the key from the request that is sent on, where it came as $arg_NAME or "
                           "$http_NAME."),
    WEIR_DIRECTIVE(key_conf_t, realm, "api_key_realm", .where = WEIR_IN_ANY, .dflt = "api",
                   .help = "Sets the realm in WWW-Authenticate of a 401."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_api_key = {
    .name = "http_api_key",
    .area = "Consumers",
    .conf_size = sizeof(key_conf_t),
    .directives = key_directives,
    .variables = key_variables,
    .check = key_check,
    .on = { [WEIR_PHASE_REWRITE] = key_rewrite, [WEIR_PHASE_ACCESS] = key_access },
    .pure = 1u << WEIR_PHASE_REWRITE,
    .judges_head = key_judges_head,
    .guards = key_guards,
    .enabled = key_enabled,
    .identify = key_identify,
};
