# Whoever sends requests to the control socket one behind the other and then says no more has an answer to each of them,
# however many they are.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('every command that was sent is answered')->needs_weir;
my $a = $w->origin;
$w->conf("upstream api { server $a; } server { location / { proxy_pass http://api; } }", workers => 1);
is $w->get('/')->status, 200, 'it serves';

for my $n (5, 1500, 5000) {
    my $control = $w->control_client;
    my $sender  = $w->child(sub {
        $control->write($control->encode(PATCH => "/v1/upstreams/api/servers/$a", {}) x $n);
        $control->socket->shutdown(1);
    });
    my $answers = 0;
    while (my ($status, $answer) = $control->read) {
        $answers += $status == 400 && $answer->{detail} eq 'nothing is to be set';
    }
    is $answers, $n, "$n commands have $n answers";
}
done_testing;
