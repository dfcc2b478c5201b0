/*
 * auth_basic.c - auth_basic and auth_basic_user_file: a name and a password, asked for by the browser.
 *
 * The file is read for each request that brings credentials, so that it may change at any time; its lines are
 * name:hash[:comment].  Runs in workers; a hash that is made to take long (bcrypt) is computed beside the loop while
 * its request waits (basic_check.h).
 */
#include "http/module.h"

#include "event/work.h"
#include "http/guard/basic.h"
#include "http/guard/basic_check.h"
#include "http/guard/consumer.h"
#include "http/guard/dry_run.h"
#include "http/message/credentials.h"
#include "http/record/story.h"
#include "os/file.h"

#include <errno.h>

#define AUTH_FILE_MAX (4u << 20)     /* bytes */

typedef struct {
    const weir_template_t *realm;
    const weir_template_t *file;
} auth_conf_t;

extern const size_t weir_http_auth_basic_index;

/* How a hash draws a name that is not there: a client that does not know the hash cannot foresee it, and each process
 * comes to the same. */
static uint64_t
auth_draw(weir_str_t hash, weir_str_t name)
{
    const weir_str_t parts[] = { hash, name };
    uint64_t         drawn = UINT64_C(0xcbf29ce484222325);

    for (size_t k = 0; k < weir_countof(parts); k++) {
        for (size_t i = 0; i < parts[k].len; i++) {
            drawn = (drawn ^ (unsigned char) parts[k].at[i]) * UINT64_C(0x100000001b3);
        }
        drawn = (drawn ^ drawn >> 29 ^ k) * UINT64_C(0xbf58476d1ce4e5b9);
    }
    return drawn ^ drawn >> 32;
}

/* The line of a name: its hash; else the hash that draws the name.  So a name that is not there takes as long as one of
 * those that are, always the same one, and of each kind of hash as many names as the file has in proportion; lines that
 * come or go change that for few.  All of the file is looked at either way.  Lines that begin with '#' are comments. */
static bool
auth_find(weir_str_t text, weir_str_t user, weir_str_t *hash)
{
    weir_str_t line, name, rest, comment, own, drawn = WEIR_STR_NONE, known = WEIR_STR_NONE;
    uint64_t   highest = 0, draw;
    bool       is_known = false;

    while (text.len != 0) {
        (void) weir_str_cut(text, '\n', &line, &text);
        if (line.len != 0 && line.at[line.len - 1] == '\r') {
            line.len--;
        }
        if (line.len == 0 || line.at[0] == '#' || !weir_str_cut(line, ':', &name, &rest)) {
            continue;
        }
        (void) weir_str_cut(rest, ':', &own, &comment);
        draw = auth_draw(own, user);
        if (drawn.at == NULL || draw > highest) {
            highest = draw;
            drawn = own;
        }
        if (!is_known && weir_str_eq(name, user)) {
            is_known = true;
            known = own;
        }
    }
    *hash = is_known ? known : drawn;
    return is_known;
}

/* While a hash is computed. */
typedef struct {
    weir_holder_t         hold;
    weir_basic_check_t *check;
    weir_str_t          user, realm, path;
    bool                is_known, is_rehearsal;
} auth_wait_t;

static weir_cause_t
auth_cause(bool is_known, bool is_right)
{
    return !is_known ? WEIR_CAUSE_AUTH_BASIC_UNKNOWN : is_right ? WEIR_CAUSE_NONE : WEIR_CAUSE_AUTH_BASIC_PASSWORD;
}

/* nginx's words, which people's tools look for. */
static void
auth_log(weir_request_t *req, const auth_wait_t *wait, weir_cause_t cause)
{
    const char *dry_run = wait->is_rehearsal ? ": dry run" : "";

    if (cause == WEIR_CAUSE_AUTH_BASIC_PASSWORD) {
        weir_request_log(req, WEIR_LOG_ERROR, cause, "user \"%.*s\": password mismatch%s", WEIR_STR_ARG(wait->user),
                         dry_run);
    } else if (cause == WEIR_CAUSE_AUTH_BASIC_UNKNOWN) {
        weir_request_log(req, WEIR_LOG_ERROR, cause, "user \"%.*s\" was not found in \"%.*s\"%s",
                         WEIR_STR_ARG(wait->user), WEIR_STR_ARG(wait->path), dry_run);
    } else if (cause != WEIR_CAUSE_NONE && wait->is_rehearsal) {
        weir_dry_run_log(req, cause);
    }
}

static weir_step_t
auth_judge(weir_request_t *req, const auth_wait_t *wait, weir_cause_t cause)
{
    weir_assert(cause < WEIR_CAUSE_MAX);
    auth_log(req, wait, cause);
    weir_http_story_judged(req, "auth_basic", wait->user,
                           weir_dry_run_verdict(cause != WEIR_CAUSE_NONE, wait->is_rehearsal));
    if (wait->is_rehearsal) {
        return cause == WEIR_CAUSE_NONE ? weir_dry_run_grant(req)
               : cause == WEIR_CAUSE_AUTH_BASIC_BUSY ? weir_dry_run_ends(req) : weir_dry_run_deny(req);
    }
    if (cause == WEIR_CAUSE_NONE) {
        weir_consumer_vouch(req, "basic", wait->user);
        return weir_request_grant(req);
    }
    if (cause == WEIR_CAUSE_AUTH_BASIC_BUSY) {
        return weir_request_fail(req, cause, NULL);
    }
    if (weir_cause_row(cause)->status == 401) {
        req->challenge = weir_str_printf(&req->arena, "Basic realm=\"%.*s\"", WEIR_STR_ARG(wait->realm));
    }
    return weir_request_deny(req, cause, NULL);
}

static void
auth_on_checked(weir_request_t *req, bool is_right)
{
    auth_wait_t *wait = req->ctx[weir_http_auth_basic_index];

    weir_assert(wait != NULL && wait->check != NULL && wait->hold.req == req);
    wait->check = NULL;
    weir_request_let_go(&wait->hold);
    if (auth_judge(req, wait, auth_cause(wait->is_known, is_right)) == WEIR_NEXT) {
        weir_request_resume(req);
    }
}

static void
auth_on_cancel(weir_holder_t *hold)
{
    auth_wait_t *wait = weir_container_of(hold, auth_wait_t, hold);

    weir_basic_check_cancel(wait->check);
    wait->check = NULL;
}

static const weir_holder_ops_t auth_hold = { .on_cancel = auth_on_cancel };

/* true: *cause · false: the hash is being computed, the rest is auth_on_checked's. */
static bool
auth_check(weir_request_t *req, const auth_conf_t *conf, auth_wait_t *wait, weir_str_t password, weir_cause_t *cause)
{
    weir_str_t path = conf->file != NULL ? weir_request_eval(req, conf->file) : WEIR_STR_NONE, text, hash;
    weir_basic_answer_t answer;

    if (path.len == 0 || !weir_file_read(&req->arena, weir_str_to_z(&req->arena, path), AUTH_FILE_MAX, &text)) {
        weir_log(WEIR_LOG_ERROR, &req->log, path.len == 0 ? 0 : errno, "the file of users \"%.*s\" could not be read",
                 WEIR_STR_ARG(path));
        *cause = WEIR_CAUSE_AUTH_BASIC_FILE;
        return true;
    }
    wait->path = path;
    wait->is_known = auth_find(text, wait->user, &hash);
    answer = weir_basic_check(req, password, hash, auth_on_checked, &wait->check);
    *cause = answer == WEIR_BASIC_BUSY ? WEIR_CAUSE_AUTH_BASIC_BUSY
             : auth_cause(wait->is_known, answer == WEIR_BASIC_RIGHT);
    return answer != WEIR_BASIC_LATER;
}

static weir_step_t
auth_access(weir_request_t *req, const void *conf_)
{
    const auth_conf_t *conf = conf_;
    weir_policy_t      policy = weir_dry_run_begin(req, WEIR_DRY_RUN_AS_PLACE);
    weir_str_t         realm = weir_request_eval(req, conf->realm), password;
    weir_cause_t       cause = WEIR_CAUSE_AUTH_BASIC_MISSING;
    auth_wait_t       *wait;
    bool               is_done = true;

    if (policy == WEIR_POLICY_NOT_ASKED || weir_str_eq(realm, WEIR_STR("off"))) {
        return WEIR_NEXT;
    }
    wait = weir_new(&req->arena, auth_wait_t);
    wait->realm = realm;
    wait->is_rehearsal = policy == WEIR_POLICY_REHEARSED;
    if (weir_credentials_basic(&req->head.fields, &req->arena, &wait->user, &password)) {
        is_done = auth_check(req, conf, wait, password, &cause);
        weir_credentials_forget(password);
    }
    if (is_done) {
        return auth_judge(req, wait, cause);
    }
    weir_assert(wait->check != NULL);
    req->ctx[weir_http_auth_basic_index] = wait;
    weir_request_hold(req, &wait->hold, &auth_hold);
    return WEIR_PARK;
}

/* A client that sends no name is refused by the head alone: no file is read. */
static bool
auth_judges_head(weir_request_t *req, const void *conf)
{
    weir_str_t user, password;

    (void) conf;
    if (!weir_credentials_basic(&req->head.fields, &req->arena, &user, &password)) {
        return true;
    }
    weir_credentials_forget(password);
    return false;
}

static bool
auth_enabled(const void *conf, weir_phase_t phase)
{
    const weir_template_t *realm = ((const auth_conf_t *) conf)->realm;

    (void) phase;
    return realm != NULL && !(realm->is_constant && weir_str_eq(realm->source, WEIR_STR("off")));
}

/* -- directives -- */

/* What stands in quotes in a header field's value. */
static bool
auth_parse_realm(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_str_t text = words->at[1].text;

    if (!weir_syntax_is_field_value(text) || weir_str_find(text, '"') != NULL || weir_str_find(text, '\\') != NULL) {
        return weir_conf_invalid(cf, 1, "\"off\" or a text without quotes, backslashes and controls");
    }
    return weir_type_template.parse(cf, row, words, field);
}

/* Relative to the configuration, as in nginx. */
static bool
auth_parse_file(weir_conf_t *cf, const weir_directive_t *row, const weir_conf_words_t *words, void *field)
{
    weir_str_t path = words->at[1].text;

    (void) row;
    if (path.len == 0) {
        return weir_conf_invalid(cf, 1, "the name of a file");
    }
    *(const weir_template_t **) field = weir_conf_template(cf, 1, weir_conf_near_path(cf, path));
    return *(const weir_template_t **) field != NULL;
}

/* A guard without a list would refuse each client: that is a slip. */
static bool
auth_check_conf(weir_conf_t *cf, weir_conf_block_t *block, void *conf)
{
    if (weir_conf_is_set(block, weir_http_auth_basic_index, "auth_basic") && auth_enabled(conf, WEIR_PHASE_ACCESS)
        && ((const auth_conf_t *) conf)->file == NULL && block->first == NULL && block->context != WEIR_IN_HTTP)
    {
        return weir_conf_error_at(cf, &block->words, "\"auth_basic\" has no \"auth_basic_user_file\" here");
    }
    return true;
}

static const weir_conf_type_t auth_type_realm = {
    .name = "text | off", .size = sizeof(const weir_template_t *), .min_args = 1, .max_args = 1,
    .parse = auth_parse_realm,
};
static const weir_conf_type_t auth_type_file = {
    .name = "file", .size = sizeof(const weir_template_t *), .min_args = 1, .max_args = 1, .parse = auth_parse_file,
};

static const weir_directive_t auth_directives[] = {
    WEIR_DIRECTIVE_OF(auth_conf_t, realm, "auth_basic", &auth_type_realm, .where = WEIR_IN_ANY, .dflt = "off",
                      .help = "Asks for a name and a password (RFC 7617); the text tells the client what they are "
                              "for."),
    WEIR_DIRECTIVE_OF(auth_conf_t, file, "auth_basic_user_file", &auth_type_file, .where = WEIR_IN_ANY,
                      .help = "Names the file of names and hashed passwords, which is read for each request."),
    WEIR_DIRECTIVES_END
};

/* Passwords are hashed in threads (core/http/guard/basic_check.c). */
static bool
auth_begin(weir_life_t *life)
{
    if (!weir_work_open(life->loop)) {
        weir_log(WEIR_LOG_ALERT, NULL, errno, "the threads that check costly password hashes could not be started");
    }
    return true;
}

static void
auth_end(weir_life_t *life)
{
    (void) life;
    weir_work_stop();
}

static const struct weir_module_life auth_life = { .begin = auth_begin, .end = auth_end };

const weir_http_module_t weir_http_auth_basic = {
    .name = "http_auth_basic",
    .life = &auth_life,
    .area = "Access",
    .conf_size = sizeof(auth_conf_t),
    .directives = auth_directives,
    .check = auth_check_conf,
    .on = { [WEIR_PHASE_ACCESS] = auth_access },
    .judges_head = auth_judges_head,
    .enabled = auth_enabled,
};
