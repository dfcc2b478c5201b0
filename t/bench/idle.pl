# idle.pl SCHEME PORT PATH N - opens N connections, asks once on each, says "N open" and waits until it is ended: for scripts/bench.
use strict;
use warnings;
use IO::Socket::INET;

my ($scheme, $port, $path, $n) = @ARGV;
my @open;
$| = 1;
my $context;               # one for all: to make one reads the system's authorities
if ($scheme eq 'https') {
    require IO::Socket::SSL;
    $context = IO::Socket::SSL::SSL_Context->new(SSL_verify_mode => 0) or die "no context\n";
}
for (1 .. $n) {
    my $s = $scheme eq 'https'
        ? IO::Socket::SSL->new(PeerAddr => '127.0.0.1', PeerPort => $port, SSL_reuse_ctx => $context)
        : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
    last unless $s;
    print $s "GET $path HTTP/1.1\r\nHost: a\r\n\r\n";
    $s->flush;
    my $got = '';
    while ($got !~ /\r\n\r\n/ || length($got) < index($got, "\r\n\r\n") + 4 + ($got =~ /Content-Length: (\d+)/i ? $1 : 0)) {
        sysread $s, $got, 65536, length $got or last;
    }
    last unless $got =~ m{^HTTP/1.1 200};
    push @open, $s;
}
print scalar(@open), " open\n";
sleep 60;
