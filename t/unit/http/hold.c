/*
 * hold.c - a request is held by one at a time; the holder is told, lets go, or is cancelled once.
 */
#include "http/request.h"

#include "../tap.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    weir_holder_t hold;
    int           bodies, writables, cancels;
    bool          held_when_cancelled;
} waiter_t;

static weir_request_t req;

static waiter_t *
waiter_of(weir_holder_t *holder)
{
    return weir_container_of(holder, waiter_t, hold);
}

static void
on_body(weir_holder_t *holder)
{
    waiter_of(holder)->bodies++;
}

static void
on_writable(weir_holder_t *holder)
{
    waiter_of(holder)->writables++;
}

static void
on_cancel(weir_holder_t *holder)
{
    waiter_of(holder)->cancels++;
    waiter_of(holder)->held_when_cancelled = req.holder != NULL || holder->req != NULL;
}

/* Somebody outside ends the waiting while the holder is being told of the body. */
static void
on_body_cancel(weir_holder_t *holder)
{
    waiter_of(holder)->bodies++;
    weir_request_cancel(&req);
}

static void
on_cancel_again(weir_holder_t *holder)
{
    waiter_of(holder)->cancels++;
    weir_request_cancel(&req);
}

static void
on_cancel_hold(weir_holder_t *holder)
{
    static waiter_t other;

    (void) holder;
    weir_request_hold(&req, &other.hold, &(weir_holder_ops_t) { .on_cancel = on_cancel });
}

static const weir_holder_ops_t all_ops = { .on_body = on_body, .on_writable = on_writable, .on_cancel = on_cancel };
static const weir_holder_ops_t only_cancel = { .on_cancel = on_cancel };

static waiter_t first, second;

static void
begin(void)
{
    memset(&req, 0, sizeof(req));
    memset(&first, 0, sizeof(first));
    memset(&second, 0, sizeof(second));
}

/* Does an assert end the process that does this? */
static bool
dies(void (*deed)(void))
{
    int   status = 0;
    pid_t child = fork();

    if (child == 0) {
        (void) dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        deed();
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void hold_twice(void)
{
    weir_request_hold(&req, &first.hold, &all_ops);
    weir_request_hold(&req, &second.hold, &all_ops);
}

static void let_go_twice(void)
{
    weir_request_hold(&req, &first.hold, &all_ops);
    weir_request_let_go(&first.hold);
    weir_request_let_go(&first.hold);
}

static void let_go_of_anothers(void)
{
    weir_request_hold(&req, &first.hold, &all_ops);
    weir_request_let_go(&second.hold);
}

static void hold_in_cancel(void)
{
    weir_request_hold(&req, &first.hold, &(weir_holder_ops_t) { .on_cancel = on_cancel_hold });
    weir_request_cancel(&req);
}

static void hold_after_the_end(void)
{
    req.is_ended = true;
    weir_request_hold(&req, &first.hold, &all_ops);
}

static void resume_while_held(void)
{
    weir_request_hold(&req, &first.hold, &all_ops);
    weir_request_resume(&req);
}

static void finish_while_held(void)
{
    weir_request_hold(&req, &first.hold, &all_ops);
    weir_request_finish(&req);
}

static void
test_states(void)
{
    begin();
    ok(weir_request_state(&req) == WEIR_REQUEST_RUNS, "a request that nobody holds runs");
    weir_request_hold(&req, &first.hold, &all_ops);
    ok(weir_request_state(&req) == WEIR_REQUEST_HELD, "one that somebody holds is held");
    weir_request_let_go(&first.hold);
    ok(weir_request_state(&req) == WEIR_REQUEST_RUNS, "once the holder has let go it runs");
    weir_request_hold(&req, &second.hold, &all_ops);
    ok(weir_request_state(&req) == WEIR_REQUEST_HELD && req.holder == &second.hold, "then another may hold it");
    weir_request_let_go(&second.hold);
    req.finalised = true;
    weir_request_hold(&req, &req.rest, &only_cancel);
    ok(weir_request_state(&req) == WEIR_REQUEST_SENDS, "a request whose answer was made sends its rest");
    weir_request_let_go(&req.rest);
    req.is_ended = true;
    ok(weir_request_state(&req) == WEIR_REQUEST_ENDED, "one that its codec has back has ended");
}

static void
test_tells(void)
{
    begin();
    weir_request_body_ready(&req);
    weir_request_tell_writable(&req);
    ok(!weir_request_wants_body(&req), "nobody wants the body of a request that nobody holds");

    weir_request_hold(&req, &first.hold, &all_ops);
    ok(weir_request_wants_body(&req), "a holder with on_body wants the body");
    weir_request_body_ready(&req);
    weir_request_tell_writable(&req);
    ok(first.bodies == 1 && first.writables == 1, "the holder is told of both");
    first.hold.wants_body = false;
    weir_request_body_ready(&req);
    ok(first.bodies == 1 && !weir_request_wants_body(&req), "… and not of a body that it wants no more");
    first.hold.wants_body = true;
    weir_request_body_ready(&req);
    is_int(first.bodies, 2, "… until it wants it again");
    weir_request_let_go(&first.hold);
    weir_request_body_ready(&req);
    weir_request_tell_writable(&req);
    ok(first.bodies == 2 && first.writables == 1, "who has let go is told nothing");

    weir_request_hold(&req, &second.hold, &only_cancel);
    weir_request_body_ready(&req);
    weir_request_tell_writable(&req);
    ok(!weir_request_wants_body(&req), "a holder without on_body does not want the body");
    weir_request_let_go(&second.hold);
}

static void
test_cancel(void)
{
    begin();
    weir_request_cancel(&req);
    weir_request_hold(&req, &first.hold, &all_ops);
    weir_request_cancel(&req);
    ok(first.cancels == 1 && !first.held_when_cancelled,
       "a holder that is cancelled is told once, and does not hold any more");
    weir_request_cancel(&req);
    is_int(first.cancels, 1, "a second cancel finds nobody");
    weir_request_hold(&req, &first.hold, &all_ops);
    weir_request_let_go(&first.hold);
    weir_request_cancel(&req);
    is_int(first.cancels, 1, "who has let go is not cancelled");

    begin();
    weir_request_hold(&req, &first.hold, &(weir_holder_ops_t) { .on_body = on_body_cancel, .on_cancel = on_cancel });
    weir_request_body_ready(&req);
    ok(first.bodies == 1 && first.cancels == 1 && req.holder == NULL,
       "a holder may be cancelled while it is told of something");

    begin();
    weir_request_hold(&req, &first.hold, &(weir_holder_ops_t) { .on_cancel = on_cancel_again });
    weir_request_cancel(&req);
    ok(first.cancels == 1, "a cancel within the cancel finds nobody");
}

static void
test_asserts(void)
{
    begin();
    ok(dies(hold_twice), "two holders at once are an assert");
    ok(dies(let_go_twice), "letting go twice is an assert");
    ok(dies(let_go_of_anothers), "letting go of what another holds is an assert");
    ok(dies(hold_in_cancel), "a hold within on_cancel is an assert");
    ok(dies(hold_after_the_end), "a hold of a request that has ended is an assert");
    ok(dies(resume_while_held), "a request that is held is not resumed");
    ok(dies(finish_while_held), "a request that is held is not finished");
}

int
main(void)
{
    test_states();
    test_tells();
    test_cancel();
    test_asserts();
    return done();
}
