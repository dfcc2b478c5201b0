# A worker that leaves, kept by a client, checks no peer any more: what the newest configuration says of checks holds,
# also that there are none.  What was found outlives the change of workers and an upgrade.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('a worker that leaves makes no checks')->needs_weir->workers_may_change;
my $good = $w->origin(sub { shift->reply(200, 'good') });
my $sick = $w->origin(sub ($c) {
    return $c->reply(500, 'ill') if $c->request->target eq '/check';
    $w->wait_for('end') if $c->request->target eq '/long';
    $c->reply(200, 'sick');
});
my $conf = sub ($more) { <<"END" };
    upstream all { server $good; server $sick; }
    server { location / { proxy_pass http://all; $more } location /long { proxy_pass http://$sick; } location /status { status; } }
END
$w->allow_log(qr/is unhealthy|is healthy/);
$w->conf($conf->('health_check uri=/check interval=100ms;'), workers => 2);
my $state = sub { decode_json($w->get('/status')->body)->{upstreams}{all}{peers}{"$sick"}{state} };
my $asked = sub { my %got; $got{ $w->get("/$_")->body }++ for 1 .. 12; join ' ', sort keys %got };
$w->wait_until('it is unhealthy', sub { $state->() eq 'unhealthy' });
is $asked->(), 'good', 'and not asked';

my ($code, $said) = $w->tool(qw(-s upgrade));
is $code, 0, 'another program takes over' or diag $said;
$w->wait_until('it is there', sub { eval { $w->taken_over } });
is $state->(), 'unhealthy', 'and knows what was found';
is scalar(() = $w->error_log =~ /is unhealthy/g), 1, 'which is told once';

my @held = map { $w->client->send_request('GET', '/long') } 1 .. 8;     # each worker has one of them
$w->wait_until('all are there', sub { 8 == grep { $_ eq 'GET /long' } $sick->lines });
$w->reload($conf->(''), workers => 1);
$w->wait_until('it is asked', sub { $asked->() eq 'good sick' });
my $checks = sub { scalar grep { $_ eq 'GET /check' } $sick->lines };
my $had = $checks->();
my $end = Time::HiRes::time() + 0.6;
while (Time::HiRes::time() < $end) {
    last if $asked->() ne 'good sick';
}
is $asked->(), 'good sick', 'nobody bars it';
cmp_ok $checks->() - $had, '<=', 1, 'nor checks it';
$w->pass('end');
is $_->read_response->status, 200, 'what was under way ends well' for @held;

done_testing;
