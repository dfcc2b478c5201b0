/*
 * fault.c - `fault [delay=TIME] [abort=STATUS] [percent=NUMBER] [if=TEXT]`: what clients do when a service is late or
 * fails is tried out.
 *
 * Requests that were let in wait, or are answered with an error, before any peer is asked for the answer.  Which ones
 * is exact over all workers (proxy/share.h): of each `percent` of a hundred.  Runs in workers.
 */
#include "http/module.h"

#include "http/guard/dry_run.h"
#include "http/proxy/share.h"
#include "http/record/story.h"

#define FAULT_DELAY_MAX ((uint64_t) 3600 * 1000)      /* ms */
#define FAULT_WHOLE     10000                         /* hundredths of a percent */

typedef struct {
    weir_msec_t            delay;
    uint16_t               abort;            /* 0: it is not answered here */
    uint32_t               hundredths;       /* of a percent */
    const weir_template_t *condition;        /* NULL: any request */
    bool                   is_dry_run, is_built;
    uint64_t               below;            /* positions of the share that meet it */
    weir_share_t           share;
} fault_t;

typedef struct { fault_t *at; size_t n; } faults_t;
typedef struct { faults_t faults; } fault_conf_t;

/* Of a request: what it has met, in any place; and while it waits. */
typedef struct {
    weir_wait_t wait;
    uint64_t    delay;                       /* ms */
    uint16_t    abort;                       /* then */
    bool        is_done, is_rehearsed;     /* it has met one that is meant; one that is a rehearsal */
} fault_state_t;

extern const size_t weir_http_fault_index;

/* -- a request -- */

static void
fault_on_time(weir_wait_t *wait, weir_request_t *req)
{
    const fault_state_t *state = weir_container_of(wait, fault_state_t, wait);

    if (state->abort != 0) {
        (void) weir_request_fail_status(req, WEIR_CAUSE_FAULT_ABORT, state->abort, NULL);
    } else {
        weir_request_resume(req);
    }
}

static bool
fault_meets(const fault_t *fault, weir_request_t *req)
{
    weir_str_t text;

    if (fault->condition != NULL) {
        text = weir_request_eval(req, fault->condition);
        if (text.len == 0 || weir_str_eq(text, WEIR_STR("0"))) {
            return false;
        }
    }
    return fault->hundredths == FAULT_WHOLE
        || (fault->hundredths != 0 && weir_share_next(&fault->share) < fault->below);
}

/* Those that a request meets, in earnest or as a rehearsal. */
static void
fault_collect(const faults_t *faults, weir_request_t *req, fault_state_t *state)
{
    bool is_done = state->is_done, is_rehearsed = state->is_rehearsed;
    bool is_over = false;                    /* a rehearsed abort has answered */

    for (size_t i = 0; i < faults->n && state->abort == 0; i++) {
        const fault_t *fault = &faults->at[i];
        weir_policy_t  policy = weir_dry_run_begin(req, weir_dry_run_of(fault->is_dry_run));
        bool           is_rehearsal = policy == WEIR_POLICY_REHEARSED;

        if (policy != WEIR_POLICY_NOT_ASKED && !(is_rehearsal ? is_rehearsed || is_over : is_done)
            && fault_meets(fault, req))
        {
            weir_http_story_judged(req, "fault", WEIR_STR_NONE,
                                   is_rehearsal ? WEIR_STR("MET_DRY_RUN") : WEIR_STR("MET"));
            *(is_rehearsal ? &state->is_rehearsed : &state->is_done) = true;
            state->delay += is_rehearsal ? 0 : fault->delay.ms;
            state->abort = is_rehearsal ? 0 : fault->abort;
            is_over = is_over || (is_rehearsal && fault->abort != 0);
        }
        weir_dry_run_leave(req);
    }
    if (is_over) {
        (void) !weir_dry_run_ends(req);
    }
}

static weir_step_t
fault_precontent(weir_request_t *req, const void *conf)
{
    fault_state_t *state = weir_request_kept(req, weir_http_fault_index);

    if (req->is_sub) {
        return WEIR_NEXT;
    }
    if (state == NULL) {                     /* once, wherever it is redirected inside */
        state = weir_new(&req->arena, fault_state_t);
        weir_request_keep(req, weir_http_fault_index, state);
    }
    state->delay = 0;
    state->abort = 0;
    fault_collect(&((const fault_conf_t *) conf)->faults, req, state);
    if (state->delay == 0) {
        return state->abort == 0 ? WEIR_NEXT
               : weir_request_fail_status(req, WEIR_CAUSE_FAULT_ABORT, state->abort, NULL);
    }
    return weir_request_wait(req, &state->wait, (weir_msec_t) { weir_min(state->delay, FAULT_DELAY_MAX) },
                             fault_on_time);
}

static bool
fault_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const fault_conf_t *) conf)->faults.n != 0;
}

/* -- directives -- */

static bool
fault_read_delay(weir_conf_t *cf, size_t i, weir_str_t value, void *fault_)
{
    fault_t *fault = fault_;

    return (weir_conf_read_msec(value, &fault->delay) && fault->delay.ms != 0 && fault->delay.ms <= FAULT_DELAY_MAX)
        || weir_conf_invalid(cf, i, "delay= with a time up to an hour");
}

static bool
fault_read_abort(weir_conf_t *cf, size_t i, weir_str_t value, void *fault)
{
    uint32_t status;

    if (!weir_conf_read_u32(value, &status) || status < 400 || status > 599) {
        return weir_conf_invalid(cf, i, "abort= with a status from 400 to 599");
    }
    ((fault_t *) fault)->abort = (uint16_t) status;
    return true;
}

static bool
fault_read_percent(weir_conf_t *cf, size_t i, weir_str_t value, void *fault)
{
    return weir_conf_read_percent(value, &((fault_t *) fault)->hundredths)
        || weir_conf_invalid(cf, i, "percent= with a number from 0 to 100, with at most two decimals");
}

static bool
fault_read_if(weir_conf_t *cf, size_t i, weir_str_t value, void *fault)
{
    if (value.len == 0) {
        return weir_conf_invalid(cf, i, "if= with a text");
    }
    ((fault_t *) fault)->condition = weir_conf_template(cf, i, value);
    return ((fault_t *) fault)->condition != NULL;
}

static bool
fault_read_dry_run(weir_conf_t *cf WEIR_UNUSED, size_t i WEIR_UNUSED, weir_str_t value WEIR_UNUSED, void *fault)
{
    return ((fault_t *) fault)->is_dry_run = true;
}

static bool
fault_parse(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words, void *list)
{
    static const weir_conf_option_t options[] = {
        { .name = "delay", .read = fault_read_delay },     { .name = "abort", .read = fault_read_abort },
        { .name = "percent", .read = fault_read_percent }, { .name = "if", .read = fault_read_if },
        { .name = "dry_run", .read = fault_read_dry_run, .is_bare = true },
    };
    fault_t fault = { .hundredths = FAULT_WHOLE };

    if (!weir_conf_read_options(cf, words, 1, options, weir_countof(options),
                                "delay=, abort=, percent=, if= or dry_run", &fault))
    {
        return false;
    }
    if (fault.delay.ms == 0 && fault.abort == 0) {
        return weir_conf_error(cf, 0, "\"fault\" needs delay= or abort=");
    }
    *(fault_t *) weir_conf_list_push(cf, list, sizeof(fault)) = fault;
    return true;
}

static bool
fault_build_block(weir_conf_t *cf, weir_generation_t *generation, const weir_conf_block_t *block)
{
    const fault_conf_t *conf = block->confs[weir_http_fault_index];

    for (size_t i = 0; conf != NULL && i < conf->faults.n; i++) {
        fault_t *fault = &conf->faults.at[i];
        uint32_t divisor = weir_share_divisor(fault->hundredths, FAULT_WHOLE);

        if (fault->is_built) {
            continue;                        /* of an outer block, whose counter this place shares */
        }
        fault->is_built = true;
        fault->below = fault->hundredths / divisor;
        if (!weir_share_build(cf, generation, &fault->share, weir_share_name(cf->arena, block, "fault", i),
                              FAULT_WHOLE / divisor))
        {
            return false;
        }
    }
    for (const weir_conf_block_t *inner = block->first; inner != NULL; inner = inner->next) {
        if (!fault_build_block(cf, generation, inner)) {
            return false;
        }
    }
    return true;
}

static bool
fault_build(weir_conf_t *cf, weir_generation_t *generation)
{
    return fault_build_block(cf, generation, cf->root);
}

static const weir_conf_type_t fault_type = {
    .name = "[delay=time] [abort=status] [percent=number] [if=text] [dry_run]", .size = sizeof(faults_t),
    .min_args = 1, .max_args = 5, .repeats = true, .parse = fault_parse, .item = sizeof(fault_t),
};

static const weir_directive_t fault_directives[] = {
    WEIR_DIRECTIVE_OF(fault_conf_t, faults, "fault", &fault_type, .where = WEIR_IN_ANY,
                      .help = "Lets requests wait or fail before they are answered, to try out what clients do then."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_fault = {
    .name = "http_fault",
    .area = "Traffic",
    .conf_size = sizeof(fault_conf_t),
    .directives = fault_directives,
    .build = fault_build,
    .on = { [WEIR_PHASE_PRECONTENT] = fault_precontent },
    .enabled = fault_enabled,
    .after = "http_auth_signature http_json_body http_form_body",
};
