# proxy_read_timeout does not run while it is the client that does not read.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new("proxy read timeout does not run while the client reads nothing");
my $bytes  = join '', map { sprintf "%015d\n", $_ } 1 .. 1_000_000;
my $origin = $w->origin(sub ($c) { $c->reply(200, $bytes) });
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    proxy_read_timeout 300ms;
    server {
        location /off { proxy_pass http://api; proxy_buffering off; }
        location /on  { proxy_pass http://api; proxy_max_temp_file_size 0; }
    }
END

for my $way (qw(off on)) {
    my $client = $w->client(rcvbuf => 8192)->send_request('GET', "/$way");
    my $head = $client->read_response_head;
    select undef, undef, undef, 0.9;
    ok $client->read_body($head)->body eq $bytes, "buffering $way: all of it after a pause of three times proxy_read_timeout";
}
unlike $w->error_log, qr/\[error\]/, 'nobody is blamed';

done_testing;
