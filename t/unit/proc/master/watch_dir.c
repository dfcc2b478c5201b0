/*
 * watch_dir.c - what changes below a folder is told once it is quiet; swaps of links and of the whole folder are seen.
 */
#define _GNU_SOURCE 1

#include "proc/master/watch_dir.h"

#include "os/clock.h"
#include "tap.h"
#include "tmp.h"

#include <sys/stat.h>

static weir_loop_t *loop;
static int          told;

static void
on_change(void *data WEIR_UNUSED)
{
    told++;
}

static void
write_file(const char *name, const char *text)
{
    FILE *out = fopen(tmp_path(name), "w");

    weir_assert(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0);
}

/* Turns until something is told, 3 s at most. */
static bool
wait_told(void)
{
    uint64_t until;

    weir_clock_update();
    until = weir_clock_now().ms + 3000;
    told = 0;
    while (told == 0 && weir_clock_now().ms < until) {
        weir_loop_turn(loop, (weir_msec_t) { 20 });
        weir_clock_update();
    }
    return told == 1;
}

/* ms without a word. */
static bool
is_quiet_for(uint64_t ms)
{
    uint64_t until;

    weir_clock_update();
    until = weir_clock_now().ms + ms;
    told = 0;
    while (told == 0 && weir_clock_now().ms < until) {
        weir_loop_turn(loop, (weir_msec_t) { 20 });
        weir_clock_update();
    }
    return told == 0;
}

static weir_watch_dir_t *
begin(const char *name)
{
    weir_watch_dir_t *dir = weir_watch_dir_create(loop, weir_str_from_z(tmp_path(name)), on_change, NULL);

    weir_watch_dir_renew(dir);
    weir_assert(!weir_watch_dir_is_looking(dir));
    return dir;
}

static void
test_files(void)
{
    weir_watch_dir_t *dir;

    weir_assert(mkdir(tmp_path("a"), 0755) == 0 && mkdir(tmp_path("a/b"), 0755) == 0);
    write_file("a/b/one.conf", "1");
    dir = begin("a");
    ok(is_quiet_for(200), "nothing is told while nothing changes");
    write_file("a/b/one.conf", "2");
    ok(wait_told(), "a file below is written: that is told");
    weir_watch_dir_renew(dir);
    write_file("a/b/.new", "3");
    weir_assert(rename(tmp_path("a/b/.new"), tmp_path("a/b/one.conf")) == 0);
    ok(wait_told(), "a file that is renamed over it is told once");
    weir_watch_dir_renew(dir);
    weir_assert(mkdir(tmp_path("a/c"), 0755) == 0);
    ok(wait_told(), "a new folder is told");
    weir_watch_dir_renew(dir);
    write_file("a/c/two.conf", "1");
    ok(wait_told(), "and so is what is written there");
    weir_watch_dir_renew(dir);
    weir_assert(remove(tmp_path("a/c/two.conf")) == 0);
    ok(wait_told(), "a file that is removed is told");
    weir_watch_dir_renew(dir);
    write_file("beside", "1");
    ok(is_quiet_for(200), "what is beside the folder is nobody's business");
    weir_watch_dir_destroy(dir);
}

/* As Kubernetes swaps a config map: ..data is renamed over. */
static void
test_links(void)
{
    weir_watch_dir_t *dir;

    weir_assert(mkdir(tmp_path("k"), 0755) == 0 && mkdir(tmp_path("k/..1"), 0755) == 0
                && mkdir(tmp_path("k/..2"), 0755) == 0);
    write_file("k/..1/x.conf", "1");
    write_file("k/..2/x.conf", "2");
    weir_assert(symlink("..1", tmp_path("k/..data")) == 0 && symlink("..data/x.conf", tmp_path("k/x.conf")) == 0);
    dir = begin("k");
    weir_assert(symlink("..2", tmp_path("k/..tmp")) == 0
                && rename(tmp_path("k/..tmp"), tmp_path("k/..data")) == 0);
    ok(wait_told(), "a ..data that is swapped is told");
    weir_watch_dir_renew(dir);
    write_file("k/..2/x.conf", "3");
    ok(wait_told(), "and so is a file that a link leads to");
    weir_watch_dir_destroy(dir);
}

static void
test_whole(void)
{
    weir_watch_dir_t *dir;

    weir_assert(mkdir(tmp_path("r1"), 0755) == 0 && mkdir(tmp_path("r2"), 0755) == 0);
    weir_assert(symlink("r1", tmp_path("now")) == 0);
    dir = begin("now");
    weir_assert(symlink("r2", tmp_path("next")) == 0 && rename(tmp_path("next"), tmp_path("now")) == 0);
    ok(wait_told(), "a link in the place of the folder that is swapped is told");
    weir_watch_dir_renew(dir);
    write_file("r2/x.conf", "1");
    ok(wait_told(), "and so is what is written where it leads to then");
    weir_watch_dir_renew(dir);
    write_file("r1/x.conf", "1");
    ok(is_quiet_for(200), "and no more where it led to before");
    weir_watch_dir_destroy(dir);

    weir_assert(mkdir(tmp_path("f"), 0755) == 0 && mkdir(tmp_path("g"), 0755) == 0);
    dir = begin("f");
    weir_assert(rename(tmp_path("f"), tmp_path("old")) == 0 && rename(tmp_path("g"), tmp_path("f")) == 0);
    ok(wait_told(), "another folder in its place is told");
    weir_watch_dir_destroy(dir);
}

/* It never is quiet: after a second at most it is told all the same. */
static void
test_restless(void)
{
    weir_watch_dir_t *dir;
    uint64_t          began;

    weir_assert(mkdir(tmp_path("n"), 0755) == 0);
    dir = begin("n");
    weir_clock_update();
    began = weir_clock_now().ms;
    told = 0;
    while (told == 0 && weir_clock_now().ms < began + 5000) {
        write_file("n/x.conf", "1");
        weir_loop_turn(loop, (weir_msec_t) { 20 });
        weir_clock_update();
    }
    ok(told == 1 && weir_clock_now().ms >= began + 900, "a folder that is never quiet is told of after a second");
    weir_watch_dir_destroy(dir);
}

int
main(void)
{
    loop = weir_loop_create(16);
    weir_assert(loop != NULL);
    test_files();
    test_links();
    test_whole();
    test_restless();
    weir_loop_destroy(loop);
    return done();
}
