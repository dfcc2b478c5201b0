# Requests of thirteen bytes each that wait for a peer: what one of them holds is small, and what those of one
# connection hold together is bounded, however many streams it may have.
use v5.36;
use lib 't/lib';
use IO::Socket::INET;
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('requests that wait hold little memory');
# A peer that accepts nobody: its kernel completes the connections.
my $peer = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1024) // die "listen: $@";
my $gate = '127.0.0.1:' . $peer->sockport;
$w->conf("server { http2 on; location / { proxy_pass http://$gate; } location /n { return 204; } }
    server { listen 127.0.0.1:%%PORT_many%%; http2 on; http2_max_concurrent_streams 4000;
        location / { proxy_pass http://$gate; } }",
    workers => 1);

# Authority and path enter the table with the first, and are a byte each from then on.
sub heads ($n, $method = "\x82", $end = ' END_STREAM') {
    my $first = "$method\x86\x41" . literal('localhost') . "\x44" . literal('/a');
    return join '', map { frame('HEADERS', "END_HEADERS$end", 2 * $_ + 3001,
        $_ ? "$method\x86\xbf\xbe" : $first) } 0 .. $n - 1;
}

# Waits until all were taken; numbers of those that were refused.
sub refused ($c) {
    my %code;
    $c->write(ping('all-here'));
    while (my $f = $c->next_frame) {
        last if $f->{type} eq 'PING' && $f->{payload} eq 'all-here';
        $code{ $f->{stream} } = unpack 'N', $f->{payload} if $f->{type} eq 'RST_STREAM';
    }
    is_deeply [ grep { $_ != 7 } values %code ], [], 'who is refused is told REFUSED_STREAM' if %code;
    return scalar keys %code;
}

my @clients = map { Weir::Http2::client($w) } 1 .. 3;
$_->ask(':path' => '/n') for @clients;           # what a connection costs by itself is there
my $before = $w->memory;
$_->write(heads(128)) for @clients;
is refused($_), 0, '128 requests are taken' for @clients;
refused($_) for @clients;      # heads that came with the first PING have run when the second is answered
SKIP: {
    skip 'a sanitizer keeps more', 1 if $w->is_sanitized;
    my $each = ($w->memory - $before) / (3 * 128);
    cmp_ok $each, '<', 12, sprintf 'each holds %.1f KiB', $each;
}
$_->close for @clients;

# 1m of http2_header_budget: 1,024 for each, and four fields.  These wait for their bodies.
my $many = Weir::Http2::client($w, port => 'many');
$many->write(heads(2000, "\x83", ''));
my $refused = refused($many);
cmp_ok $refused, '>=', 2000 - 2 ** 20 / 1024, 'of two thousand on one connection those beyond the budget are refused';
cmp_ok $refused, '<', 1400, 'and no others';
$many->close;

done_testing;
