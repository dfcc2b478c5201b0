use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a refused peer is skipped');
my $good = $w->origin(sub ($c) { $c->reply(200, 'ok') });
my $dead = $w->refused_peer;
$w->conf("upstream api { server $dead; server $good; } server { location / { proxy_pass http://api; } }");

for my $n (1 .. 4) {
    my $answer = $w->get('/');
    is $answer->status, 200, "request $n: answered";
    is $answer->body, 'ok', "request $n: by the good peer";
}
is $good->requests, 4, 'the origin saw each request once';
like $w->wait_for_log(qr/.*refused.*/), qr/\Q$dead/, 'the log names the peer that refused';

done_testing;
