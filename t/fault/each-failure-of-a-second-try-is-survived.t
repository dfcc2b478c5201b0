# hedge: whatever fails, the client gets the answer of one of the two, an error of Weir's or a cut; and nothing is left of the other try.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(sleep);
use Weir::Fault;
use Weir::Test;

my $w     = Weir::Fault->test('each failure of a second try is survived');
my $fault = $w->{fault};
my $slow  = $w->origin(sub ($c) { sleep 0.05; $c->reply(200, 'slow ' . $c->request->body) });
my $quick = $w->origin(sub ($c) { $c->reply(200, 'quick ' . $c->request->body) });
$w->conf(<<"CONF", workers => 1, control => 0);
upstream two { server $slow max_fails=0; server $quick max_fails=0 backup; keepalive 2; }
server {
    location /ordinary { return 200 "fine"; }
    location / { hedge after=15ms budget=100%; retry 1 on=connect,reset; proxy_pass http://two; }
}
CONF

sub ask ($n) {
    my $client = $w->client;
    my $word   = eval {
        my $answer = $client->send_request('PUT', "/$n", body => "body $n")->read_response;
        $answer->status >= 500 ? 'refused' : $answer->body =~ /^(?:slow|quick) body \Q$n\E$/ ? 'right' : die "another answer: " . $answer->body . "\n";
    } // Weir::Fault::judge_end($@);
    $client->close;
    return $word;
}

is ask('warm'), 'right', 'it works' for 1 .. 3;
$fault->baseline;
$fault->sweep('a request that goes to two', flow => sub ($n) { ask($n) });

done_testing;
