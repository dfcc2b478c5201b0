# Weir::Fragments - fragments of a configuration in tests: files below conf/parts, and what an instance says of them.
#
#     my $f = Weir::Fragments->new($w);
#     $f->put('a.conf', 'extend server one { location = /a { return 200 a; } }');
#     $f->becomes('/a', '200 a', 'it is live');
package Weir::Fragments;
use v5.36;
use File::Basename ();
use File::Path ();
use Test::More ();
use Weir::Json;

sub new ($class, $w, $folder = 'conf/parts') {
    File::Path::make_path($w->dir . "/$folder");
    return bless { w => $w, folder => $folder }, $class;
}

sub path ($self, $name = '') { $self->{w}->dir . "/$self->{folder}" . ($name eq '' ? '' : "/$name") }

# Written and renamed.
sub put ($self, $name, $text) {
    File::Path::make_path(File::Basename::dirname($self->path($name)));
    return $self->{w}->write_file("$self->{folder}/$name", "$text\n");
}

sub remove ($self, $name) { unlink $self->path($name) or die "$name: $!\n" }

# Status and body.
sub answer ($self, $path, %arg) {
    my $answer = $self->{w}->request('GET', $path, %arg);
    return $answer->status . ' ' . $answer->body;
}

# Until every one of some answers in a row, and so each worker, says it.
sub becomes ($self, $path, $want, $what, %arg) {
    my $last = '';
    my $good = eval {
        $self->{w}->wait_until("$path says $want", sub {
            for (1 .. 2 * $self->{w}->workers_expected) {
                $last = eval { $self->answer($path, %arg) } // 'no answer';
                return 0 if $last ne $want;
            }
            return 1;
        });
    };
    Test::More::ok($good, $what) or Test::More::diag("$path said last: $last");
}

# A command of the control socket by the tool: (exit code, what it says).
sub tool ($self, @words) { $self->{w}->tool('fragments', @words) }

# The rows of `weir fragments --json`, by name.
sub rows ($self) {
    my ($code, $said) = $self->tool('list', '--json');
    die "weir fragments: $said\n" if $code;
    return { map { $_->{name} => $_ } Weir::Json::decode($said)->{fragments}->@* };
}

1;
