# Hundreds of whole requests are there at once on each of many connections: who asks for one thing waits for a few of them, not for some of each.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my ($MANY, $EACH) = (40, 400);
my $w = Weir::Test->new('a single request is not delayed by bursts of other connections');
$w->conf('keepalive_requests 1000000; access_log logs/uris.log uris; log_format uris $uri;
    server { http2 on; location / { return 204; } }', workers => 1);

my $plain  = $w->client;
my $stream = Weir::Http2::client($w);
my @bursts = map { Weir::Http2::client($w) } 1 .. $MANY;
my $bytes  = join '', map { frame('HEADERS', 'END_HEADERS END_STREAM', 2 * $_ + 1, "\x82\x86\x04\x02/n\x01\x01a") } 0 .. $EACH - 1;

is $plain->send_request('GET', '/before')->read_response->status, 204, 'a client of HTTP/1.1';
is $stream->ask, '204', 'and one of HTTP/2';
$w->stop_workers;
$_->write($bytes) for @bursts;
$plain->send_request('GET', '/plain');
$stream->request(2001, ':path' => '/stream');
$w->continue_workers;
is $plain->read_response->status, 204, 'both are answered';
is $stream->verdict(2001, waits => 1), '204', 'in the middle of them';
$w->wait_for_access(qr{^/$_$}m, 'uris.log') for 'plain', 'stream';
my @lines = split /\n/, $w->access_log('uris.log');
for my $who ('plain', 'stream') {
    my ($place) = grep { $lines[$_] eq "/$who" } 0 .. $#lines;
    cmp_ok $place, '<', 8 * $MANY, "few are served before /$who";
}
$_->close for @bursts;

done_testing;
