# Weir::Build - a small tree around the real configure and auto/, for tests of the build itself.
#
#     my $tree = Weir::Build->new;
#     $tree->module('http', 'gzip', after => 'http_headers');
#     my ($status, $said) = $tree->sh('./configure && make');
#
# The tree has a main() that prints the names of its modules in order.  It is removed with the object.
package Weir::Build;
use v5.36;

use Cwd ();
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp ();

my $top = Cwd::abs_path(dirname(__FILE__) . '/../../..');

my %files = (
    'core/conf/module.h' => <<'END',
#ifndef CONF_MODULE_H
#define CONF_MODULE_H
#include <stddef.h>
typedef struct { const char *name, *after; } weir_module_t;
extern const weir_module_t *const weir_modules[];
extern const size_t weir_modules_count;
#endif
END
    'core/http/module.h' => <<'END',
#ifndef HTTP_MODULE_H
#define HTTP_MODULE_H
typedef struct { const char *name, *after; int more; } weir_http_module_t;
#endif
END
    'core/main.c' => <<'END',
#include "conf/module.h"
#include "config.h"
#include <stdio.h>
int main(void)
{
    for (size_t i = 0; i < weir_modules_count; i++) {
        printf("%s%s", i > 0 ? " " : "", weir_modules[i]->name);
    }
    printf("\n");
    return 0;
}
END
    'core/http/core.c'  => qq{#include "http/module.h"\n}
        . qq{const weir_http_module_t weir_http_core = { .name = "http_core" };\n},
    'core/conf/core.c'  => qq{#include "conf/module.h"\nconst weir_module_t weir_core = { .name = "core" };\n},
    'conf/weir.conf'    => "events { }\n",
);

sub new ($class) {
    my $self = bless { dir => File::Temp->newdir('weir-build-XXXXXX', TMPDIR => 1) }, $class;
    system('cp', '-R', "$top/configure", "$top/auto", "$top/Makefile", "$self->{dir}/") == 0 or die "cp failed\n";
    $self->file($_, $files{$_}) for keys %files;
    return $self;
}

sub dir ($self) { return "$self->{dir}" }

sub file ($self, $name, $text) {
    make_path(dirname("$self->{dir}/$name"));
    open my $out, '>', "$self->{dir}/$name" or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
}

# A module of an area; its file is modules/AREA/NAME.c unless another one is named.
sub module ($self, $area, $name, %more) {
    my $after = $more{after} ? qq{\n    .after = "$more{after}",} : '';
    $self->file($more{file} // "modules/$area/$name.c",
        qq{#include "http/module.h"\n}
            . qq{const weir_http_module_t weir_${area}_$name = {\n    .name = "${area}_$name",$after\n};\n});
}

# Runs a line of sh at the top of the tree: exit status, and all that it said.
sub sh ($self, $line) {
    local $ENV{MAKEFLAGS} = '';
    local $ENV{MFLAGS}    = '';
    delete local $ENV{CC};
    my $said = qx(cd $self->{dir} && { $line ; } 2>&1);
    return ($? >> 8, $said);
}

1;
