# A byte of HPACK stands for a field of four kilobytes, seven times in each head, on as many streams as there may be: what the requests of a
# connection hold together is bounded, and what is refused may be sent again.  Ordinary heads on all streams are no attack.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('what heads unpack to is bounded for a connection');
my $gate = $w->peer(sub ($c) { 1 while $c->fill });
$w->conf("server { http2 on; location / { proxy_pass http://$gate; } location /n { return 204; } }", workers => 1);

my $request = Weir::Http2::fields(Weir::Http2::request_fields(':path' => '/'));
my $indexed = "\x40" . literal('x-a') . literal('A' x 3900);          # enters the table
my $c       = Weir::Http2::client($w);
$c->ask(':path' => '/n', 'x-large' => 'b' x 8000) for 1 .. 2;          # (what a worker needs once is there)
my $before  = $w->memory;
$c->write(frame('HEADERS', 'END_HEADERS END_STREAM', 2001, $request . $indexed . "\xbe" x 6));
$c->write(join '', map { frame('HEADERS', 'END_HEADERS END_STREAM', 2 * $_ + 2001, $request . "\xbe" x 7) } 1 .. 99);
$c->write(ping('all-here'));
my %reset;
while (my $f = $c->next_frame) {
    last if $f->{type} eq 'PING' && $f->{payload} eq 'all-here';
    $reset{ $f->{stream} } = unpack 'N', $f->{payload} if $f->{type} eq 'RST_STREAM';
}
cmp_ok scalar(keys %reset), '>=', 60, 'most are refused';
cmp_ok scalar(keys %reset), '<=', 66, 'but what a mebibyte holds';
is_deeply [ grep { $_ != 7 } values %reset ], [], 'with REFUSED_STREAM';
SKIP: {
    skip 'a sanitizer keeps what was freed', 1 if $w->is_sanitized;
    cmp_ok $w->memory - $before, '<', 2500, 'and hold no memory';
}

# When some have gone there is room.
$c->write(rst(2 * $_ + 2001)) for 1 .. 10;
$c->{next_stream} = 3001;
is $c->ask(':path' => '/n'), '204', 'a request is served again';
$c->close;

my $honest = Weir::Http2::client($w);
$honest->write(join '', map { headers(2 * $_ + 1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => '/', map { ("x-$_", 'v' x 100) } 1 .. 20)) } 0 .. 126);
is $honest->ask(':path' => '/n'), '204', 'two kilobytes of fields on each of 128 streams are no attack';
$honest->close;

done_testing;
