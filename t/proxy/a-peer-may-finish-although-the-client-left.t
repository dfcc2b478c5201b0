# proxy_ignore_client_abort
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a peer may finish although the client left');
my $origin = $w->origin(sub ($c) {
    $c->note('asked');
    $c->wait_for('gone');
    select undef, undef, undef, 0.05;
    $c->note('still open') if $c->is_quiet(0.01);
    $c->reply(200, 'done');
    $c->note('done');
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    log_format ends '\$request_uri \$status \$upstream_status';
    access_log logs/ends.log ends;
    server { location / { proxy_pass http://api; proxy_ignore_client_abort on; } }
END

my $client = $w->client->send_request('GET', '/order');
$origin->wait_note('asked');
$client->close;
$w->pass('gone');
$origin->wait_note('done');
ok scalar(grep { $_ eq 'still open' } $origin->notes), 'the peer was left in peace';
like $w->wait_for_access(qr{^/order (.*)}m, 'ends.log'), qr/ 200$/, 'its answer is in the log';
is $w->get('/next')->status, 200, 'the next request';
is $origin->connections, 1, 'goes over the same connection';

done_testing;
