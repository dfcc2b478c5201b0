# A request that is bound to a server (sticky) may wait in the queue of its group, behind others, when that server is
# removed: it goes to another one.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w = Weir::Test->new('a request that waits for its own server outlives it')->needs_weir;
my ($a, $b) = map { my $name = $_; $w->origin(sub ($c) {
    if ($c->request->target =~ /(hold-\w+)/) {
        $c->note($1);
        $c->wait_for("$1-$name");
    }
    $c->reply(200, $name);
}) } 'a', 'b';
$w->conf(<<"END", workers => 1);
    upstream api { sticky cookie srv; queue 9 timeout=1h; server $a max_conns=1; server $b max_conns=1; }
    server {
        location / { proxy_pass http://api; }
        location /status { status; }
    }
END
my $waiting = sub { decode_json($w->get('/status')->body)->{upstreams}{api}{queue}{now} };
my $ask = sub ($path, @headers) { $w->client->send_request('GET', $path, headers => \@headers) };

my %cookie;
for (1 .. 2) {
    my $answer = $w->get('/');
    ($cookie{ $answer->body }) = $answer->header('Set-Cookie') =~ /^(srv=[^;]+)/;
}
is join(' ', sort keys %cookie), 'a b', 'each server has its cookie';

my @held = map { $ask->("/hold-$_", Cookie => $cookie{$_}) } 'a', 'b';
$a->wait_note('hold-a');
$b->wait_note('hold-b');
my $first = $ask->('/hold-first');
$w->wait_until('a first one waits', sub { $waiting->() == 1 });
my $bound = $ask->('/', Cookie => $cookie{a});
$w->wait_until('behind it one that is bound to a', sub { $waiting->() == 2 });
is +($w->tool('upstream', 'api', 'remove', "$a"))[0], 0, 'which is removed';
$w->pass('hold-a-a');
is $held[0]->read_response->body, 'a', 'and ends with its last request';
is $waiting->(), 2, 'the others wait';
$w->pass('hold-b-b');
is $held[1]->read_response->body, 'b', 'until b has room';
$b->wait_note('hold-first');
$w->pass('hold-first-b');
is $first->read_response->body, 'b', 'for the first one';
is $bound->read_response->body, 'b', 'and for the one that was bound';
done_testing;
