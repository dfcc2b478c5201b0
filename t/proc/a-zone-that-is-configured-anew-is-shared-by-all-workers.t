# A zone left the configuration and came back while a request of before still held the first one: workers that had it and workers
# that had not count in the same new one.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a zone that is configured anew is shared by all workers');
my $origin = $w->origin(sub ($c) { $c->wait_for('end') if $c->request->target eq '/held'; $c->reply(200, 'ok') });
my $with   = "limit_req_zone all zone=x:1m rate=1r/m;"
    . " server { location /held { proxy_pass http://$origin; } location / { limit_req zone=x burst=9 nodelay; proxy_pass http://$origin; } location /own { return 200 '\$pid'; } }";
my $without = "server { location / { proxy_pass http://$origin; } location /own { return 200 '\$pid'; } }";
$w->conf($with, workers => 2);
$w->start;
my ($held) = $w->client;
my $owner = $held->get('/own')->body;
$held->send_request('GET', '/held');
$origin->wait_requests(1);
$w->reload($without, workers => 2);
$w->reload($with, workers => 2);

# One connection to each worker.
my (%of, $asked);
while (keys %of < 2) {
    die "no second worker\n" if ++$asked > 500;
    my $c = $w->client;
    $of{ $c->get('/own')->body } //= $c;
}
ok $of{$owner}, 'one is the worker that holds the first zone';
my %answers;
$answers{ $of{$_}->get('/')->status }++ for map { sort keys %of } 1 .. 10;
is_deeply \%answers, { 200 => 10, 503 => 10 }, 'of twenty ten are admitted, whichever worker is asked';
$w->pass('end');
is $held->read_response->body, 'ok', 'what was under way all the time is answered';

done_testing;
