use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a server that is down is never asked');
my $down = $w->origin;
my $up   = $w->origin(sub ($c) { $c->request->target =~ /close/ ? $c->close : $c->reply(200, 'up') });
$w->conf(<<"END", workers => 1);
    log_format causes '\$status \$weir_cause \$upstream_addr \$upstream_status';
    access_log logs/causes.log causes;
    upstream some { server $down down; server $up max_fails=0; }
    upstream none { server $down down; }
    server {
        location /     { proxy_pass http://some; }
        location /none { proxy_pass http://none; }
    }
END

my $client = $w->client;
is $client->get('/')->body, 'up', "request $_" for 1 .. 3;
is $client->get('/close')->status, 502, 'also not when the other fails';
is $client->get('/none')->status, 502, 'and not when it is alone';
is $w->wait_for_access(qr/.* none .*/, 'causes.log'), '502 upstream.none none 502', 'the log tells that nobody was asked';
is $down->connections, 0, 'no connection was made to it';

done_testing;
