# worker_watchdog: a worker in one turn of its loop for too long is killed and replaced, and the log says where it hung.
use v5.36;
use lib 't/lib';
use Weir::Test;

needs('cc');
my $w = Weir::Test->new('a worker that hangs is killed with its backtrace')->needs_weir;

# A worker that opens a file of that name never comes back.
$w->write_file('hang.c', <<'END');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
static int hang(int folder, const char *path, int flags, mode_t mode)
{
    while (strstr(path, "hang-here") != NULL) {}
    return (int) syscall(SYS_openat, folder, path, flags, mode);
}
#define MODE va_list list; mode_t mode; va_start(list, flags); mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0; va_end(list)
int open(const char *path, int flags, ...) { MODE; return hang(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE; return hang(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE; return hang(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE; return hang(folder, path, flags, mode); }
END
my ($code, $said) = $w->command(30, 'cc', '-O1', '-shared', '-fPIC', '-o', $w->dir . '/hang.so', $w->dir . '/hang.c');
is $code, 0, 'the trap is built' or diag $said;
mkdir $w->dir . '/files';
chmod 0755, $w->dir . '/files';
$w->write_file('files/hang-here', 'x');
$w->write_file('files/good', 'x');
my $environment = \&Weir::Server::environment;
no warnings 'redefine';
*Weir::Server::environment = sub ($self) {
    my $all = $environment->($self);
    return { %$all, LD_PRELOAD => $w->dir . '/hang.so', ASAN_OPTIONS => "$all->{ASAN_OPTIONS}:verify_asan_link_order=0" };
};
my $conf = "server { location / { root files; } location = /pid { return 200 '\$pid'; } }";
$w->conf($conf, workers => 1, main => 'worker_watchdog 400ms;');
$w->start;
$w->workers_may_change->allow_log(qr/is in one turn of its loop for more than|exited on signal 6/);

my $pid = $w->get('/pid')->body;
my $stuck = $w->client->send("GET /hang-here HTTP/1.1\r\nHost: a\r\n\r\n");
$w->wait_for_log(qr/\[alert\] .*worker process $pid is in one turn of its loop for more than 400 ms \(worker_watchdog\): it is killed/);
$w->wait_for_log(qr/worker process $pid exited on signal 6/);
like $w->error_log, qr/^backtrace of worker process $pid\n(?:.*\(.*\)\[0x.*\n){4,}/m, 'the log says where it hung';
like $w->error_log, qr{^\S*hang\.so\(}m, 'which is in the trap';
$w->wait_until('a successor serves', sub { my $answer = eval { $w->get('/pid') }; $answer && $answer->body ne $pid });
is $w->get('/good')->body, 'x', 'and serves files';
$stuck->close;

# off: as long as it takes.
$w->reload($conf, main => 'worker_watchdog off;');
$pid = $w->get('/pid')->body;
my $mark = length $w->error_log;
$stuck = $w->client->send("GET /hang-here HTTP/1.1\r\nHost: a\r\n\r\n");
select undef, undef, undef, 1.2;            # nothing happens: there is no event to wait for
unlike substr($w->error_log, $mark), qr/worker_watchdog/, 'with off it is left alone';
kill 'KILL', $pid;
$w->allow_log(qr/exited on signal 9/);
$w->wait_until('a successor serves', sub { my $answer = eval { $w->get('/pid') }; $answer && $answer->body ne $pid });
$stuck->close;
done_testing;
