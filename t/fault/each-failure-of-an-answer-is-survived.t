use v5.36;
use lib 't/lib';
use Weir::Fault;
use Weir::Test;

my $w     = Weir::Fault->test('each failure of an answer is survived');
my $fault = $w->{fault};

sub bytes ($n, $len) { substr "$n " x (1 + $len / length "$n "), 0, $len }

my $large  = 400_000;
my $origin = $w->origin(sub ($c) {
    my ($how, $n) = $c->request->target =~ m{^/\w+/(\w+)/(\w+)$} or die $c->request->target;
    if ($how eq 'large') {
        $c->reply(200, bytes($n, $large));
    } elsif ($how eq 'chunked') {
        $c->reply_chunked(200, [ unpack '(a9000)*', bytes($n, 60_000) ], trailers => [ 'X-Sum', $n ]);
    } elsif ($how eq 'until') {
        $c->raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" . bytes($n, 30_000));
        $c->close;
    } elsif ($how eq 'hinted') {
        $c->raw("HTTP/1.1 103 Early Hints\r\nLink: </$n>\r\n\r\n");
        $c->reply(200, bytes($n, 300));
    } elsif ($how eq 'pieces') {
        $c->raw("HTTP/1.1 200 OK\r\nConte");
        Time::HiRes::sleep(0.003);
        $c->raw("nt-Length: 600\r\n\r\n" . substr bytes($n, 600), 0, 100);
        Time::HiRes::sleep(0.003);
        $c->raw(substr bytes($n, 600), 100);
    }
});

$w->conf(<<"CONF", workers => 1, control => 0);
proxy_temp_path %%DIR%%/proxy;
proxy_pass_trailers on;
upstream fresh { server $origin; keepalive 0; }
upstream kept  { server $origin; keepalive 1; }
server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k;
    location /ordinary { return 200 "fine"; }
    location /fresh/   { proxy_pass http://fresh; proxy_buffers 4 8k; }
    location /kept/    { proxy_pass http://kept; }
    location /direct/  { proxy_pass http://fresh; proxy_buffering off; }
    location /memory/  { proxy_pass http://fresh; proxy_max_temp_file_size 0; }
}
CONF

# slow: takes nothing before Weir has done all that it can.
sub fetch ($target, $n, $len, %arg) {
    my $client = $w->client($arg{slow} ? (rcvbuf => 4096) : ());
    $client->send_request('GET', "$target/$n", headers => [ 'TE', 'trailers' ]);
    $fault->settle if $arg{slow};
    my $word = $fault->judge($client, sub ($answer) {
        return 0 unless $answer->status == 200 && $answer->body eq bytes($n, $len);
        return !$arg{trailer} || $answer->trailer('X-Sum') eq $n;
    });
    $client->close;
    return $word;
}

my @flows = (
    [ 'a large answer for a slow client',              '/fresh/large',   $large, slow => 1 ],
    [ 'the same without buffering',                    '/direct/large',  $large, slow => 1 ],
    [ 'the same without a temporary file',             '/memory/large',  $large, slow => 1 ],
    [ 'a large answer for a quick client',             '/kept/large',    $large ],
    [ 'a chunked answer with trailers',                '/fresh/chunked', 60_000, trailer => 1 ],
    [ 'a chunked answer for a slow client',            '/fresh/chunked', 60_000, slow => 1, trailer => 1 ],
    [ 'an answer that ends with the connection',       '/fresh/until',   30_000 ],
    [ 'an answer behind an interim one',               '/fresh/hinted',  300 ],
    [ 'an answer in pieces',                           '/kept/pieces',   600 ],
);
is fetch($_->[1], 'warm', @$_[ 2 .. $#$_ ]), 'right', "$_->[0] works" for @flows;
$fault->baseline;
for my $flow (@flows) {
    my ($name, $target, $len, %arg) = @$flow;
    $fault->sweep($name, kept => 1, flow => sub ($n) { fetch($target, $n, $len, %arg) });
}

done_testing;
