use v5.36;
use lib 't/lib';
use Weir::Fault;
use Weir::Test;

my $w      = Weir::Fault->test('each failure of a request is survived');
my $fault  = $w->{fault};
my $origin = $fault->telling_origin;
my $missed = $w->origin(sub ($c) { $c->reply(404, 'not here') });
my $dead   = $w->refused_peer;

$w->conf(<<"CONF", workers => 1, control => 0);
proxy_temp_path %%DIR%%/proxy;
upstream fresh  { server $origin; keepalive 0; }
upstream kept   { server $origin; keepalive 1; }
upstream second { server $dead max_fails=0 weight=100; server $origin max_fails=0; keepalive 0; }
upstream missed { server $missed; keepalive 0; }
server {
    location /ordinary { return 200 "fine"; }
    location /return/  { return 200 "here \$request_uri"; }
    location /fresh/   { proxy_pass http://fresh; }
    location /kept/    { proxy_pass http://kept; }
    location /second/  { proxy_pass http://second; }
    location /missed/  { proxy_pass http://missed; proxy_intercept_errors on; error_page 404 =200 /sorry; }
    location /sorry    { internal; return 200 "sorry \$request_uri"; }
}
CONF

sub ask_weir ($target, $text) {
    my $client = $w->client;
    $client->send_request('GET', $target);
    my $word = $fault->judge($client, sub ($answer) { $answer->status == 200 && $answer->body eq $text });
    $client->close;
    return $word;
}

# Several on one connection: each answer is its own, or it is the last.
sub ask_all ($client, $pipelined, @targets) {
    my @texts = map { Weir::Client::request_text('GET', $_) } @targets;
    $client->send(join '', @texts) if $pipelined;
    my $word = 'right';
    for my $target (@targets) {
        $client->send(shift @texts) unless $pipelined;
        my $told = $target =~ /return/ ? "here $target" : Weir::Fault::told('GET', $target);
        my $one  = $fault->judge($client, sub ($answer) { $answer->status == 200 && $answer->body eq $told });
        next if $one eq 'right';
        $word = $one if $word eq 'right' || $one eq 'refused';
        last if $one eq 'closed';
    }
    $client->close;
    return $word;
}

is $fault->ask('GET', "/$_/warm"), 'right', "$_ works" for qw(fresh kept second);
is ask_weir('/missed/warm', 'sorry /missed/warm'), 'right', 'the error page works';
is ask_all($w->client, 1, '/return/a', '/fresh/b', '/return/c'), 'right', 'pipelining works';
$fault->baseline;
my $kept = sub { $fault->ask('GET', '/kept/before') };

$fault->sweep('return', flow => sub ($n) { ask_weir("/return/$n", "here /return/$n") });
$fault->sweep('a request on a fresh connection to the peer', flow => sub ($n) { $fault->ask('GET', "/fresh/$n") });
$fault->sweep('a request on a kept connection to the peer', kept => 1, before => $kept,
    flow => sub ($n) { $fault->ask('GET', "/kept/$n") });
$fault->sweep('a request whose first peer refuses', kept => 1, flow => sub ($n) { $fault->ask('GET', "/second/$n") });
$fault->sweep('a HEAD', kept => 1, flow => sub ($n) { $fault->ask('HEAD', "/fresh/$n", told => '') });
$fault->sweep('an error page', kept => 1, flow => sub ($n) { ask_weir("/missed/$n", "sorry /missed/$n") });
$fault->sweep('three pipelined requests', kept => 1,
    flow => sub ($n) { ask_all($w->client, 1, "/return/a$n", "/fresh/b$n", "/return/c$n") });
$fault->sweep('three requests on one connection', kept => 1, before => $kept,
    flow => sub ($n) { ask_all($w->client, 0, "/kept/a$n", "/return/b$n", "/kept/c$n") });

done_testing;
