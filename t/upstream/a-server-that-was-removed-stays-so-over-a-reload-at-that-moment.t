# With `state`, a reload in the moment in which a server is removed reads the file as it was, or as it is: the server is gone
# all the same.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('a server that was removed stays so over a reload at that moment')->needs_weir;
my $file = $w->dir . '/servers.state';
$w->conf("upstream api { state $file; } server { location / { return 200 ok; } location /status { status; } }", workers => 1)->start;
my $control = $w->control_client;
my $path    = '/v1/upstreams/api/servers';
my ($back, $wrong) = (0, 0);

for my $round (1 .. 40) {
    my $server = "127.0.0.1:$round";
    $wrong++ unless ($control->ask(POST => $path, { server => $server }))[0] == 201;
    $control->send(DELETE => "$path/$server");
    select undef, undef, undef, 0.0005 * ($round % 10);
    $w->reload;
    $wrong++ unless ($control->read)[0] == 200;
    my $peers = decode_json($w->get('/status')->body)->{upstreams}{api}{peers} // {};
    my (undef, $list) = $w->tool('upstream', 'api', 'list', '--json');
    $back++ if grep { $_->{server} eq $server } decode_json($list)->{servers}->@*;
}
is $wrong, 0, 'each command is done';

# Nor does a reload that changes nothing keep an answer back.
for my $round (41 .. 50) {
    $control->send(POST => $path, { server => "127.0.0.1:$round" });
    $w->reload_refused('nonsense;', qr/unknown directive "nonsense"/);
    $wrong++ unless ($control->read)[0] == 201;
}
is $wrong, 0, 'each is answered, whether the configuration is good or not';
is $back, 0, 'no server that was removed is there again';

done_testing;
