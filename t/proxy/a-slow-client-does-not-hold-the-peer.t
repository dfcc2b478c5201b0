# proxy_buffering on: the answer is read ahead into proxy_buffers and behind them a temporary file.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a slow client does not hold the peer');
my $bytes  = join '', map { sprintf "%015d\n", $_ } 1 .. 1_048_576;      # 16 MiB that show what is missing
my $origin = $w->origin(sub ($c) {
    my $way = $c->request->target;
    if    ($way =~ /length/)  { $c->reply(200, $bytes) }
    elsif ($way =~ /chunked/) { $c->reply_chunked(200, [ unpack '(a50000)*', $bytes ]) }
    else                      { $c->raw("HTTP/1.1 200 OK\r\n\r\n$bytes"); $c->note("all of $way"); $c->close; return }
    $c->note("all of $way");
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    proxy_temp_path %%DIR%%/proxy-temp;
    proxy_buffers 4 8k;
    server { location / { proxy_pass http://api; } }
END

for my $way (qw(length chunked close)) {
    my $client = $w->client(rcvbuf => 8192)->send_request('GET', "/$way");
    $origin->wait_note("all of /$way");
    pass "$way: the peer is done while the client has read nothing";
    my ($pid) = $w->workers;
    ok $w->wait_until('no file', sub { grep { (readlink // '') =~ m{/proxy-temp/.*deleted} } glob "/proc/$pid/fd/*" }), "$way: the rest lies in an unnamed file";
    my $answer = $client->read_response;
    ok $answer->body eq $bytes, "$way: the client gets every byte in order" or diag length $answer->body;
}
is $origin->connections, 1, 'its connection went back to the pool at once';
is_deeply [ glob $w->dir . '/proxy-temp/*' ], [], 'no file is left';

done_testing;
