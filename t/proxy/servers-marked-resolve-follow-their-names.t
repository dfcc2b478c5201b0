# server … resolve: a name that is not known at start is no error; the group is what its names are at the moment, and requests under way are not disturbed.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Dns;

my $w      = Weir::Test->new('servers marked resolve follow their names');
$w->needs_weir;
my $port   = $w->port('origins');
my $one    = $w->origin(sub ($c) { $c->reply(200, 'one') }, port => $port);
my $two    = $w->origin(sub ($c) { $c->reply(200, 'two') }, host => '127.0.0.2', port => $port);
my $dir    = $w->dir;
my $say    = sub ($text) { $w->write_file('answer', $text) };
$say->('nxdomain');
my $dns = Weir::Dns->new($w, sub ($name, $type) { open my $in, '<', "$dir/answer" or return 'servfail'; my $text = <$in> // ''; chomp $text; return split / /, $text });
$w->allow_log(qr/\[emerg\]/, qr/could not be resolved|upstream\.none/);
$w->conf(<<"END", workers => 1);         # each worker asks for itself: two would learn at different times
    resolver $dns valid=1s ipv6=off;
    resolver_timeout 1s;
    upstream moving { server origin.test:$port resolve; }
    upstream mixed { server $one; server origin.test:$port resolve backup; }
    upstream own { resolver $dns valid=1s; server origin.test:$port resolve max_fails=0; }
    server {
        location / { proxy_pass http://moving; }
        location /mixed { proxy_pass http://mixed; }
        location /own { proxy_pass http://own; }
    }
END
is $w->get('/')->status, 502, 'nothing is known yet';
is $w->get('/mixed')->body, 'one', 'what is known serves';
my $wait = sub ($path, $want) { $w->wait_until("$path answers $want", sub { my $a = $w->get($path); $a->status == 200 && $a->body eq $want }); pass "$path answers $want" };
$say->('127.0.0.1');
$wait->($_, 'one') for '/', '/own';
$say->('127.0.0.2');
$wait->('/', 'two');
$say->('nxdomain');
$w->wait_for_log(qr/origin\.test of upstream "moving" could not be resolved/);
is $w->get('/')->body, 'two', 'what was known holds while the name is gone';
$say->('127.0.0.2 127.0.0.1');
$w->wait_until('both serve', sub { my %seen = map { $w->get('/')->body => 1 } 1 .. 8; keys %seen == 2 });
pass 'both addresses serve';
$w->reload;
$w->wait_until('served after a reload', sub { $w->get('/')->status == 200 });
pass 'and after a reload';

for my $bad ([ 'upstream a { server b.test resolve; }', qr/no resolver defined/ ], [ 'resolver 127.0.0.1; upstream a { server unix: resolve; }', qr/unix/ ],
    [ 'upstream a { server does-not-exist.invalid; }', qr/host not found/ ], [ 'resolver 127.0.0.1; upstream a { server x.test resolves; }', qr/invalid parameter "resolves"/ ])
{
    my ($code, $said) = $w->check_conf($bad->[0]);
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told';
}
done_testing;
