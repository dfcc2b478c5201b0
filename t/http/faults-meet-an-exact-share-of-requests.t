# fault: requests wait or fail, exactly so many of a hundred over all workers, those for which a condition holds, and once each.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Test;

my $w      = Weir::Test->new('faults meet an exact share of requests');
my $origin = $w->origin(sub ($c) { $c->note($c->request->target); $c->reply(200, 'ok') });
$w->allow_log(qr/fault\.abort|client\.closed|\[emerg\]/);
$w->conf(<<"END", workers => 3);
    add_header X-Cause \$weir_cause always;
    server {
        location /third { fault abort=503 percent=33.33; proxy_pass http://$origin; }
        location /quarter { fault abort=429 percent=25; proxy_pass http://$origin; }
        location /never { fault abort=503 percent=0; proxy_pass http://$origin; }
        location /if { fault abort=418 if=\$http_x_test; proxy_pass http://$origin; }
        location /late { fault delay=300ms; proxy_pass http://$origin; }
        location /both { fault delay=100ms; fault delay=100ms abort=504; proxy_pass http://$origin; }
        location /long { fault delay=1h; proxy_pass http://$origin; }
        location /page { error_page 503 = /again; fault abort=503; proxy_pass http://$origin; }
        location = /again { fault abort=503; return 200 page; }
        location = /once { fault abort=503; proxy_pass http://$origin; }
        location /dry { fault abort=503 dry_run; proxy_pass http://$origin; }
        location /guarded { deny all; fault delay=1h; proxy_pass http://$origin; }
    }
END
my $ask   = sub ($path, @headers) { my $a = $w->request('GET', $path, headers => \@headers); join ' ', $a->status, $a->header('X-Cause') // '-' };
my $count = sub ($path, $n) { my %n; $n{ $ask->($path) }++ for 1 .. $n; \%n };
is_deeply $count->('/quarter', 200), { '429 fault.abort' => 50, '200 -' => 150 }, 'a quarter of two hundred, over three workers';
my $many = $count->('/third', 60);
cmp_ok abs($many->{'503 fault.abort'} - 20), '<=', 1, 'a third';
is_deeply $count->('/never', 5), { '200 -' => 5 }, 'none';
$w->reload;
is_deeply $count->('/quarter', 40), { '429 fault.abort' => 10, '200 -' => 30 }, 'the share goes on after a reload';
is $ask->('/if'), '200 -', 'the condition does not hold';
is $ask->('/if', 'X-Test', 0), '200 -', '… nor for 0';
is $ask->('/if', 'X-Test', 'yes'), '418 fault.abort', 'it holds';
my $from = time;
is $ask->('/late'), '200 -', 'a delay';
cmp_ok time - $from, '>=', 0.3, '… lasts as long';
$from = time;
is $ask->('/both'), '504 fault.abort', 'a delay and an abort';
cmp_ok time - $from, '>=', 0.2, '… and delays add up';
is $ask->('/page'), '200 fault.abort', 'the page of an abort is not met again';
is $ask->('/once'), '503 fault.abort', 'a place of its own is';
is $ask->('/dry'), '200 -', 'dry_run';
is $ask->('/guarded'), '403 access.denied', 'guards come first';

my $client = $w->client->send("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
$client->close;
$w->wait_for_log(qr/client\.closed/);
is scalar(grep { m{^/long} } $origin->notes), 0, 'a client that leaves while it waits is not passed on';

for my $bad ([ 'fault percent=5;', qr/needs delay= or abort=/ ], [ 'fault abort=200;', qr/from 400 to 599/ ], [ 'fault abort=503 percent=101;', qr/from 0 to 100/ ],
    [ 'fault abort=503 percent=1.234;', qr/two decimals/ ], [ 'fault delay=2h;', qr/up to an hour/ ], [ 'fault delay=0;', qr/up to an hour/ ], [ 'fault abort=503 when=1;', qr/if=/ ])
{
    my ($code, $said) = $w->check_conf($bad->[0]);
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], '… and told';
}
done_testing;
