# servers_file: a thousand servers give way to a thousand others, a hundred times, while requests come: none fails, and what serves at the end is the last list.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a whole group of a thousand is swapped under load')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') }, host => '0.0.0.0');       # at every address of the loopback
my $port   = $origin->port;
my $dir    = $w->dir;
my @list   = map { my $net = $_; join '', map { my $i = $_; "server 127.$net." . int($i / 200) . '.' . ($i % 200 + 1) . ":$port;\n" } 0 .. 999 } 1, 2;
my $say    = sub ($i) { $w->write_file('list.new', "# $i\n" . $list[ $i % 2 ]); rename "$dir/list.new", "$dir/list" or die };
$say->(0);
$w->conf(<<"END", workers => 2);
    upstream swapped { servers_file $dir/list interval=100ms max_fails=0; keepalive 4; }
    server {
        location / { add_header X-Peer \$upstream_addr; proxy_pass http://swapped; }
    }
END
my %status;
my $ask = sub ($client) { my $r = $client->send_request('GET', '/')->read_response; $status{ $r->status }++; return $r->header('X-Peer') // '' };
for my $round (1 .. 100) {
    $say->($round);
    my $net = $round % 2 + 1;
    $w->wait_until("round $round is known", sub { my @seen = map { $ask->($w->client) } 1 .. 4; !grep { !/^127\.$net\./ } @seen });
}
is join(' ', sort keys %status), '200', "no request has failed ($status{200} requests)";
like $ask->($w->client), qr/^127\.1\./, 'the last list serves';
done_testing;
