use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Test;

my $w      = Weir::Test->new('each timeout toward the peer is 504 with its own cause');
my $silent = $w->origin(sub ($c) { $c->wait_for('end') });
my $mid    = $w->origin(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nX: "); $c->wait_for('end') });
my $deaf   = $w->peer(sub ($c) { $c->read_head; $c->wait_for('end') });
my $hole   = $w->blackhole_peer;
$w->conf(<<"END", workers => 1);
    log_format causes '\$request_uri \$status \$weir_cause \$upstream_status';
    access_log logs/causes.log causes;
    proxy_connect_timeout 200ms;
    proxy_read_timeout 300ms;
    proxy_send_timeout 250ms;
    client_max_body_size 0;
    server {
        location /connect { proxy_pass http://$hole; }
        location /read    { proxy_pass http://$silent; }
        location /head    { proxy_pass http://$mid; }
        location /send    { proxy_pass http://$deaf; }
        location /stream  { proxy_pass http://$deaf; proxy_request_buffering off; }
    }
END

my $big = 'x' x 20_000_000;
for my $case ([ connect => 0.2 ], [ read => 0.3 ], [ head => 0.3 ], [ send => 0.25, $big ], [ stream => 0.25, $big ]) {
    my ($way, $limit, $body) = @$case;
    my $client = $w->client;
    my $from = time;
    $client->send_request(defined $body ? 'POST' : 'GET', "/$way", body => $body);
    is $client->read_response->status, 504, "$way: 504";
    cmp_ok time - $from, '>=', $limit, "$way: not before its time";
    cmp_ok time - $from, '<', $limit + 1.5, "$way: nor long after";
    my $cause = $way =~ /connect/ ? 'connect' : $way =~ /send|stream/ ? 'send' : 'read';
    is $w->wait_for_access(qr{^/$way (.*)}m, 'causes.log'), "504 upstream.$cause.timeout 504", "$way: its cause";
}
$w->pass('end');

done_testing;
