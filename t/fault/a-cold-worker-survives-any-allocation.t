use v5.36;
use lib 't/lib';
use Weir::Fault;
use Weir::Test;

# A worker keeps what it has once allocated, so the first requests of its life are those that need memory.
my $w      = Weir::Fault->test('a cold worker survives any allocation that fails');
my $fault  = $w->{fault};
my $origin = $fault->telling_origin;

$w->conf(<<"CONF", workers => 1, control => 0);
client_body_buffer_size 8k;
client_body_temp_path %%DIR%%/client-body;
proxy_temp_path %%DIR%%/proxy;
upstream fresh { server $origin; keepalive 0; }
server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k;
    location /ordinary { return 200 "fine"; }
    location /fresh/   { proxy_pass http://fresh; }
    location /large    { return 200 "@{[ 'x' x 60_000 ]}"; }
}
CONF

sub afresh () {
    $w->stop if $w->{pid};
    $w->start;
    $fault->baseline;
}

sub large ($n) {
    my $client = $w->client(rcvbuf => 4096);
    $client->send_request('GET', '/large');
    $fault->settle;
    my $word = $fault->judge($client, sub ($answer) { $answer->status == 200 && $answer->body eq 'x' x 60_000 });
    $client->close;
    return $word;
}

my %cold = (kept => 1, before => \&afresh, arm => { kinds => 'allocations' });
$fault->sweep('a first request', %cold, flow => sub ($n) { $fault->ask('GET', "/fresh/$n") });
$fault->sweep('a first body', %cold, flow => sub ($n) { $fault->ask('POST', "/fresh/$n", body => "$n " x 8000) });
$fault->sweep('a first large answer', %cold, flow => \&large);

done_testing;
