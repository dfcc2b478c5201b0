# A reload that adds an address serves it, one that removes it closes it; the others do not notice.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Weir::Test;

my $w = Weir::Test->new('addresses come and go')->needs_weir;
my $default = "server { location / { return 200 'default'; } }";
my $more    = "server { listen 127.0.0.1:%%PORT_more%%; location / { return 200 'more'; } }";
my $refuses = sub ($name) { !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $w->port($name)) };
$w->descriptors_may_stay;

$w->conf($default);
$w->start;
my @before = $w->workers;
ok $refuses->('more'), 'nobody listens on the second address';
my $kept = $w->client;
is $kept->send_request('GET', '/')->read_response->body, 'default', 'a connection to the first one is kept';

for my $round (1 .. 3) {
    $w->reload("$default $more");
    is $w->request('GET', '/', port => 'more')->body, 'more', "round $round: the second one is served";
    is $w->get('/')->body, 'default', 'beside the first';
    my $mark = length $w->error_log;
    $w->reload($default);
    $w->wait_for_log(qr/no longer listening on 127\.0\.0\.1:\d+/, from => $mark);
    ok $refuses->('more'), 'and refused when it has gone';
}
is $kept->send_request('GET', '/')->read_response->body, 'default', 'the kept connection lives on';
is_deeply [ $w->workers ], \@before, 'in the same processes';
done_testing;
