# Whoever asks the control socket for many long lists at once, or opens connections and says nothing, keeps nobody else from
# it, and no request from its answer.
use v5.36;
use lib 't/lib';
use Weir::Test;

$SIG{PIPE} = 'IGNORE';
my $w = Weir::Test->new('lists keep no client from the control socket')->needs_weir;
my $a = $w->origin;
my $servers = join ' ', map { 'server 127.9.' . int($_ / 250) . '.' . ($_ % 250 + 1) . ':9 down;' } 1 .. 2000;
$w->conf("upstream api { server $a; $servers } server { location / { proxy_pass http://api; } }", workers => 1);
is $w->get('/')->status, 200, 'it serves';

my $greedy = $w->control_client;
$greedy->write($greedy->encode(GET => '/v1/upstreams/api') x 380);
is +($w->tool('upstream', 'api', 'set', "$a", 'weight=2'))[0], 0, 'meanwhile a change is made';
is $w->get('/')->status, 200, 'and requests are answered';
for my $which ('a list comes when it is read', 'and another one') {
    my (undef, $answer) = $greedy->read;
    is scalar(grep { $_->{server} eq "$a" } $answer->{servers}->@*), 1, $which;
}
undef $greedy;

my @idle = map { $w->control_client } 1 .. 150;
is +($w->tool('upstream', 'api', 'set', "$a", 'weight=1'))[0], 0, 'connections that say nothing keep nobody from it';
done_testing;
