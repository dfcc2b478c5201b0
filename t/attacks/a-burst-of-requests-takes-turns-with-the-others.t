# Ten thousand whole requests are there at once: other connections wait for a few of them only, memory for none.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $MANY = 10_000;
my $w    = Weir::Test->new('a burst of requests takes turns with the others');
$w->conf('keepalive_requests 1000000; access_log logs/uris.log uris; log_format uris $uri;
    server { http2 on; location / { return 204; } }', workers => 1);

my $honest = $w->client;
my $burst  = Weir::Http2::client($w, rcvbuf => 4096);
my $head   = "\x82\x86\x04\x02/n\x01\x01a";    # a literal path and authority: each head the same
my $bytes  = join '', map { frame('HEADERS', 'END_HEADERS END_STREAM', 2 * $_ + 1, $head) } 0 .. $MANY - 1;

is $honest->send_request('GET', '/before')->read_response->status, 204, 'a client on a kept connection';
my $before = $w->memory;
$w->stop_workers;
my $at = 0;
while (my $n = syswrite $burst->fh, $bytes, length($bytes) - $at, $at) { $at += $n }    # as much as the kernel takes
$honest->send_request('GET', '/honest');
$w->continue_workers;
is $honest->read_response->status, 204, 'is answered';
$w->wait_for_access(qr{^/honest$}m, 'uris.log');
my @lines = split /\n/, $w->access_log('uris.log');
my ($place) = grep { $lines[$_] eq '/honest' } 0 .. $#lines;
cmp_ok $at / 21, '>', 2000, 'thousands of requests were there before it';
cmp_ok $place, '<', 200, "and $place were served before it";

# It reads none of the answers: some of them fill its buffers, the others are not made.
my ($served, $still) = (0, 0);
$w->wait_until('no more are served', sub { my $n = () = $w->access_log('uris.log') =~ /\n/g; $still = $n == $served ? $still + 1 : 0; $served = $n; $still > 100 });
SKIP: {
    skip 'a sanitizer keeps what was freed', 1 if $w->is_sanitized;
    cmp_ok $w->memory - $before, '<', 2048, 'memory grew by less than two MiB';
}
$burst->close;
is $honest->send_request('GET', '/after')->read_response->status, 204, 'and is served on';

done_testing;
