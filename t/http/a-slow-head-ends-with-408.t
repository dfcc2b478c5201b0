# The deadline is of the whole head, so a byte now and then does not help.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a slow head ends with 408');
my $cause = $w->is_nginx ? '' : '$weir_cause';
$w->conf("log_format c '\$status $cause'; access_log logs/c.log c; client_header_timeout 300ms; server { location / { return 200 ok; } }");

my $client = $w->client;
is $client->send("GET / HTTP/1.1\r\nHost: loc")->read_response->status, 408, 'a head that stops';
ok $client->at_eof, 'and the connection ends';

$client = $w->client;
my $sent = 0;
$client->send("GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
while ($client->is_quiet(0.05) && $sent < 60) {
    $client->send('x');
    $sent++;
}
cmp_ok $sent, '<', 40, 'a head that trickles ends as well';
is $client->read_response->status, 408, 'with 408';
like $w->wait_for_access(qr/^408 .*/m, 'c.log'), qr/client\.header\.timeout/, 'which has its cause' unless $w->is_nginx;

done_testing;
