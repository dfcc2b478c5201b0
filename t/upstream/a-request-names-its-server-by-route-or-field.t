# sticky route: the first value that is not empty names a server by its route.  sticky header: a field of the answer says
# what requests name the server by.  A server that drains has bound requests and no others.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w      = Weir::Test->new('a request names its server by route or field')->needs_weir;
my @origin = map { my $name = $_; $w->origin(sub ($c) { $c->reply(200, $name, 'X-Peer' => 'of the server') }) } 'a' .. 'c';
my ($a, $b, $c) = @origin;
my $conf = <<"END";
    map \$cookie_session \$of_cookie { default ''; ~\\.(?<r>\\w+)\$ \$r; }
    upstream routes { sticky route \$of_cookie \$arg_route; server $a route=one; server $b route=two; server $c; }
    upstream fields { hash \$arg_k consistent; sticky header X-Peer; server $a; server $b; server $c; }
    server {
        location /routes { proxy_pass http://routes; }
        location /fields { proxy_pass http://fields; }
        location /status { status; }
    }
END
$w->conf($conf, workers => 1);
my $ask = sub ($path, @headers) { $w->request('GET', $path, headers => \@headers) };
my $state = sub ($group, $server) { decode_json($w->get('/status')->body)->{upstreams}{$group}{peers}{"$server"}{state} };

is join(' ', map { $ask->('/routes?route=one', Cookie => 'session=xyz.two')->body } 1 .. 4), 'b b b b', 'route: the first variable';
is join(' ', map { $ask->('/routes?route=one')->body } 1 .. 4), 'a a a a', 'the second, where the first is empty';
is join(' ', sort map { $ask->('/routes?route=three')->body } 1 .. 3), 'a b c', 'a route that no server has: turns';
is join(' ', sort map { $ask->('/routes')->body } 1 .. 3), 'a b c', 'so without one';
is $ask->('/routes')->header('Set-Cookie'), undef, 'nothing is set';

my %bond;
for my $k (1 .. 40) {
    my $answer = $ask->("/fields?k=$k");
    $bond{ $answer->body } = $answer->header('X-Peer');
}
is join(' ', sort keys %bond), 'a b c', 'the balancer spreads what is not bound';
like $bond{a}, qr/^[\w-]{22}$/, 'header: the answer names the server, in the place of a field of the server\'s';
for my $name ('a' .. 'c') {
    is join(' ', map { $ask->("/fields?k=$_", 'X-Peer' => $bond{$name})->body } 1 .. 6), join(' ', ($name) x 6),
        "the requests that bring that of $name go there, whatever the balancer says";
}

$w->reload($conf =~ s/server \Q$b\E(?= route=two|;)/server $b drain/gr);
ok !(grep { $ask->('/routes')->body eq 'b' } 1 .. 12), 'a server that drains gets no other request';
is $ask->('/routes?route=two')->body, 'b', 'but those that are bound to it';
is $ask->('/fields', 'X-Peer' => $bond{b})->body, 'b', 'as this one';
is $state->('routes', $b), 'draining', 'statistics say so';
$w->reload($conf);
my %seen = map { $ask->('/routes')->body => 1 } 1 .. 6;
is join(' ', sort keys %seen), 'a b c', 'then it does not drain any more';
is $state->('routes', $b), 'up', 'and is up';
$w->reload($conf =~ s/server \Q$b\E/server $b down/gr);
isnt $ask->('/routes?route=two')->body, 'b', 'a server that is down gets not even those';
$w->reload($conf =~ s/route=one/route=uno/r =~ s/route=two/route=one/r);
is join(' ', map { $ask->('/routes?route=one')->body } 1 .. 4), 'b b b b', 'a route may become another server\'s';
is $ask->('/routes?route=uno')->body, 'a', 'and a server have another one';
done_testing;
