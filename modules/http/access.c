/*
 * access.c - allow and deny: which clients may come, by address; the first rule that fits decides, and a client that
 * fits none may.
 *
 * Rules are those of the innermost block that has any, in the order in which they were written there.  Runs in workers;
 * nothing is allocated.
 */
#include "http/module.h"

#include "expr/cidr.h"
#include "http/guard/dry_run.h"
#include "http/record/story.h"

typedef struct {
    weir_cidr_t cidr;
    weir_str_t  text;
    bool        allows;
    size_t      order;       /* in its block */
} access_rule_t;

typedef struct { access_rule_t *at; size_t n; } access_rules_t;

typedef struct {
    access_rules_t allow, deny;
    access_rules_t rules;    /* both, in order */
} access_conf_t;

extern const size_t weir_http_access_index;

static weir_step_t
access_rehearse(weir_request_t *req)
{
    weir_request_log(req, weir_cause_row(WEIR_CAUSE_ACCESS_DENIED)->level, WEIR_CAUSE_ACCESS_DENIED,
                     "access forbidden by rule: dry run");
    return weir_dry_run_deny(req);
}

static weir_step_t
access_check_address(weir_request_t *req, const void *conf_)
{
    const access_conf_t *conf = conf_;
    weir_policy_t        policy = weir_dry_run_begin(req, WEIR_DRY_RUN_AS_PLACE);

    for (size_t i = 0; policy != WEIR_POLICY_NOT_ASKED && i < conf->rules.n; i++) {
        const access_rule_t *rule = &conf->rules.at[i];

        if (!weir_cidr_holds(&rule->cidr, &req->client->addr)) {
            continue;
        }
        weir_http_story_judged(req, rule->allows ? "allow" : "deny", rule->text,
                               weir_dry_run_verdict(!rule->allows, policy == WEIR_POLICY_REHEARSED));
        if (policy == WEIR_POLICY_REHEARSED) {
            return rule->allows ? weir_dry_run_grant(req) : access_rehearse(req);
        }
        return rule->allows ? weir_request_grant(req)
               : weir_request_deny(req, WEIR_CAUSE_ACCESS_DENIED, "access forbidden by rule");
    }
    return WEIR_NEXT;
}

static bool
access_enabled(const void *conf, weir_phase_t phase)
{
    (void) phase;
    return ((const access_conf_t *) conf)->rules.n != 0;
}

/* -- directives -- */

static bool
access_parse(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    access_conf_t *conf = (access_conf_t *) (void *) ((char *) field - row->offset);
    access_rule_t  rule = { .text = words->at[1].text, .order = conf->allow.n + conf->deny.n };

    rule.allows = field == (void *) &conf->allow;
    switch (weir_cidr_parse(&rule.cidr, rule.text)) {
    case WEIR_CIDR_BAD:
        return weir_conf_invalid(cf, 1, "an address, a network as ADDRESS/BITS, \"unix:\" or \"all\"");
    case WEIR_CIDR_LOW_BITS:
        weir_conf_warn(cf, 1, "low address bits of %.*s are meaningless", WEIR_STR_ARG(rule.text));
        break;
    case WEIR_CIDR_OK:
        break;
    }
    *(access_rule_t *) weir_conf_list_push(cf, field, sizeof(rule)) = rule;
    return true;
}

/* One list of the two, without what the other directive alone has from outside. */
static bool
access_join(weir_conf_t *cf, weir_conf_block_t *block, void *conf_)
{
    access_conf_t *conf = conf_;
    bool           allows = weir_conf_is_set(block, weir_http_access_index, "allow");
    bool           denies = weir_conf_is_set(block, weir_http_access_index, "deny");
    size_t         n;

    weir_assert(conf->rules.at == NULL || conf->rules.n <= conf->allow.n + conf->deny.n);
    if (allows != denies) {
        *(allows ? &conf->deny : &conf->allow) = (access_rules_t) { NULL, 0 };
    }
    n = conf->allow.n + conf->deny.n;
    conf->rules = (access_rules_t) { weir_alloc(cf->arena, n * sizeof(access_rule_t)), n };
    for (size_t i = 0; i < conf->allow.n; i++) {
        weir_assert(conf->allow.at[i].order < n);
        conf->rules.at[conf->allow.at[i].order] = conf->allow.at[i];
    }
    for (size_t i = 0; i < conf->deny.n; i++) {
        weir_assert(conf->deny.at[i].order < n);
        conf->rules.at[conf->deny.at[i].order] = conf->deny.at[i];
    }
    return true;
}

static const weir_conf_type_t access_type = {
    .name = "address | network/bits | unix: | all", .size = sizeof(access_rules_t), .min_args = 1, .max_args = 1,
    .repeats = true,
    .parse = access_parse, .item = sizeof(access_rule_t),
};

static const weir_directive_t access_directives[] = {
    WEIR_DIRECTIVE_OF(access_conf_t, allow, "allow", &access_type, .where = WEIR_IN_ANY,
                      .help = "Lets these addresses in; the first of allow and deny that matches decides."),
    WEIR_DIRECTIVE_OF(access_conf_t, deny, "deny", &access_type, .where = WEIR_IN_ANY,
                      .help = "Refuses these addresses with 403; the first of allow and deny that matches decides."),
    WEIR_DIRECTIVES_END
};

const weir_http_module_t weir_http_access = {
    .name = "http_access",
    .area = "Access",
    .conf_size = sizeof(access_conf_t),
    .directives = access_directives,
    .check = access_join,
    .on = { [WEIR_PHASE_ACCESS] = access_check_address },
    .pure = 1u << WEIR_PHASE_ACCESS,
    .looks_at = "remote_addr",
    .enabled = access_enabled,
};
