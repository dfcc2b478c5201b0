# Weir::Hang - a trap for tests of the watchdog: a worker that opens the file files/hang-here never comes back.
#
#     Weir::Hang::set($w);                   # before the configuration; `location / { root files; }` leads there, and to files/good
package Weir::Hang;
use v5.36;
use Test::More ();
use Weir::Server;

my $trap = <<'END';
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

sub set ($w) {
    $w->write_file('hang.c', $trap);
    my ($code, $said) = $w->command(30, 'cc', '-O1', '-shared', '-fPIC', '-o', $w->dir . '/hang.so', $w->dir . '/hang.c');
    Test::More::is($code, 0, 'the trap is built') or Test::More::diag($said);
    mkdir $w->dir . '/files';
    chmod 0755, $w->dir . '/files';
    $w->write_file('files/hang-here', 'x');
    $w->write_file('files/good', 'x');
    my $environment = \&Weir::Server::environment;
    no warnings 'redefine';
    *Weir::Server::environment = sub ($self) {
        my $all = $environment->($self);
        return { %$all, LD_PRELOAD => $w->dir . '/hang.so', ASAN_OPTIONS => ($all->{ASAN_OPTIONS} // '') . ':verify_asan_link_order=0' };
    };
}

1;
