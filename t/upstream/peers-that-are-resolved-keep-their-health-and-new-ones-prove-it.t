# A group whose servers follow a name: addresses that stay keep what their checks have found, one that comes gets no
# request before it has passed, and one that has gone is checked no more.
use v5.36;
use lib 't/lib';
use Weir::Dns;
use Weir::Test;

my $w    = Weir::Test->new('peers that are resolved keep their health and new ones prove it')->needs_weir;
my $dir  = $w->dir;
my $port = $w->port('origins');
my %host = (one => 1, two => 2, three => 3);
my %o    = map { my $name = $_; ($name => $w->origin(sub ($c) {
    return $c->reply(200, $name) if $c->request->target ne '/check';
    return $c->reply(500, 'ill') if -e "$dir/ill.$name";
    $w->wait_for('proof') if $name eq 'three';
    $c->reply(200, 'well');
}, host => "127.0.0.$host{$name}", port => $port)) } sort keys %host;
my $say  = sub (@names) { $w->write_file('answer.new', join ' ', map { "127.0.0.$host{$_}" } @names); rename "$dir/answer.new", "$dir/answer" or die };
my $dns  = Weir::Dns->new($w, sub ($name, $type) { open my $in, '<', "$dir/answer" or return 'servfail'; chomp(my $text = <$in> // ''); return split / /, $text });
$say->('one', 'two');
$w->write_file('ill.two', '');
$w->allow_log(qr/is unhealthy|is healthy|could not be resolved/);
$w->conf(<<"END", workers => 2);
    resolver $dns valid=1s ipv6=off;
    upstream all { server origin.test:$port resolve; health_check uri=/check interval=100ms mandatory persistent; }
    server { location / { proxy_pass http://all; } location /status { status; } }
END
# (servers that names bring have no rows of statistics: the log and what is asked tell of them)
my $told  = sub ($name, $what) { scalar(() = $w->error_log =~ /peer 127\.0\.0\.$host{$name}:\d+ of upstream "all" is $what/g) };
my $is    = sub ($name, $what) { $w->wait_until("$name: $what", sub { $told->($name, $what) }); pass "$name is $what" };
my $asked = sub { my %got; $got{ $w->get("/$_")->body }++ for 1 .. 12; join ' ', sort keys %got };

$w->start;
$is->('one', 'healthy');
$is->('two', 'unhealthy');
is $asked->(), 'one', 'the healthy one is asked';
$say->('one', 'two', 'three');
$o{three}->wait_requests(1);
is $asked->(), 'one', 'the new one is not asked while it is checked, and the others are as they were';
is_deeply [ grep { $_ ne 'GET /check' } $o{three}->lines ], [], 'no request came to it';
$w->pass('proof');
$is->('three', 'healthy');
$w->wait_until('both are asked', sub { $asked->() eq 'one three' });
is $asked->(), 'one three', 'and the unhealthy one is not';

$say->('one', 'two');
$w->wait_until('three is asked no more', sub { $asked->() eq 'one' });
$w->wait_until('its checks end', sub { my $had = $o{three}->requests; my $n = $o{one}->requests; $w->wait_until('more checks', sub { $o{one}->requests >= $n + 4 }); $o{three}->requests == $had });
pass 'one that has gone is checked no more';

my $two = $told->('two', 'unhealthy');
$w->reload;
my $n = $o{two}->requests;
$w->wait_until('checks go on', sub { $o{two}->requests > $n + 5 });
is $asked->(), 'one', 'a reload changes nothing of it';
is $told->('two', 'unhealthy'), 1, 'what was known is told once in all this';

$w->end_checks;
done_testing;
