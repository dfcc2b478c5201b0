# A server may leave its group, or be another line of it, while a request is with it: what the log tells of the attempt is the request's own.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a log names the server that answered although it has gone');
my $slow = $w->origin(sub ($c) { $c->note('asked'); $c->wait_for('end'); $c->reply(200, 'slow') });
my $next = $w->origin(sub ($c) { $c->reply(200, 'next') });
my $conf = sub ($servers) { <<"END" };
    log_format peers '\$request_uri \$upstream_addr';
    access_log logs/peers.log peers;
    upstream all { $servers }
    server { location / { proxy_pass http://all; } }
END
$w->conf($conf->("server $slow;"), workers => 1);
my $client = $w->client->send_request('GET', '/one');
$slow->wait_note('asked');
$w->reload($conf->("server $slow weight=5 max_fails=7;"));
$w->reload($conf->("server $next;"));
$w->reload($conf->("server $next weight=3;"));
is $w->get('/two')->body, 'next', 'the group has another server now';
$w->pass('end');
is $client->read_response->body, 'slow', 'the one that has gone answers what it was asked';
is $w->wait_for_access(qr{^/one (\S+)$}m, 'peers.log'), "$slow", 'and the log names it';

done_testing;
