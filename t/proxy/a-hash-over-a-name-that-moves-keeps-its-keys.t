# `hash` over servers whose names are looked up again and again: a key stays where it is while the same addresses are
# told, in whatever order and over a reload, in every worker.  With `consistent` a written server has its part of the
# keys, which its addresses take turns with, as with nginx: one whose addresses change keeps its keys, and takes
# nobody's.
use v5.36;
use lib 't/lib';
use Weir::Dns;
use Weir::Test;

my $w    = Weir::Test->new('a hash over a name that moves keeps its keys')->needs_weir;
my $port = $w->port('origins');
$w->origin(sub ($c) { $c->reply(200, $c->{fh}->sockhost) }, host => "127.0.0.$_", port => $port) for 1 .. 3;
my $dir = $w->dir;
my $say = sub (@hosts) { $w->write_file('answer', join ' ', map { "127.0.0.$_" } @hosts) };
$say->(1, 2, 3);
my $dns = Weir::Dns->new($w, sub ($name, $type) {
    return '127.0.0.1' if $name =~ /^still/;
    open my $in, '<', "$dir/answer" or return 'servfail';
    my $text = <$in> // '';
    chomp $text;
    return split / /, $text;
});
my $conf = <<"END";
    resolver $dns valid=1s ipv6=off;
    upstream plain { hash \$arg_k; server moves.test:$port resolve; }
    upstream ring { hash \$arg_k consistent; server still.test:$port resolve; server moves.test:$port resolve; }
    server {
        location /plain { proxy_pass http://plain; }
        location /ring { proxy_pass http://ring; }
    }
END
$w->conf($conf, workers => 1);
my $where = sub ($path) { return { map { $_ => $w->get("$path?k=$_")->body =~ s/.*\.//r } 1 .. 40 } };
my $hosts = sub ($map) { my %seen = map { $_ => 1 } values %$map; join ' ', sort keys %seen };
my $until = sub ($path, $want) {
    $w->wait_until("$path is of $want", sub {
        return $w->get("$path?k=1")->status == 200 && $hosts->($where->($path)) eq $want;
    });
    return $where->($path);                     # (the one before may have begun with what was)
};
# The name was asked for again after the answer had changed, and what it told is in use.
my $asked_again = sub () {
    my $n = () = $dns->questions;
    $w->wait_until('asked twice more', sub { (() = grep { /moves/ } $dns->questions) >= $n + 3 });
};

my $all = $until->('/plain', '1 2 3');
$say->(3, 1, 2);
$asked_again->();
is_deeply $where->('/plain'), $all, 'another order of the same addresses changes nothing';
$w->reload;
is_deeply $until->('/plain', '1 2 3'), $all, 'nor does a reload, which hears them in that order first';
$say->(1, 3);
my $two = $until->('/plain', '1 3');
is_deeply $where->('/plain'), $two, 'with one gone keys have other places, and stay there';
$say->(2, 3, 1);
is_deeply $until->('/plain', '1 2 3'), $all, 'it comes back to its keys';

# "still" is 127.0.0.1 for ever; "moves" is what the name server says.
$say->(2);
my $ring  = $until->('/ring', '1 2');
my $still = join ' ', grep { $ring->{$_} eq '1' } sort keys %$ring;
$say->(3);
my $other = $until->('/ring', '1 3');
is join(' ', grep { $other->{$_} eq '1' } sort keys %$other), $still,
    'consistent: the keys of one that moved go with it, and no others';
$say->(3, 2);
my $both = $until->('/ring', '1 2 3');
is join(' ', grep { $both->{$_} eq '1' } sort keys %$both), $still,
    'of two addresses each has a turn with the keys of their server';

done_testing;
