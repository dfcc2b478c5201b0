# deprecated and brownout: fields that say so, and windows of time in which requests are refused.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a deprecated place tells its clients');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
my $iso    = sub ($seconds) { my @t = gmtime $seconds; sprintf '%d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ] };
my $now    = time;
$w->allow_log(qr/deprecated\.brownout|\[emerg\]/);
$w->conf(<<"END");
    add_header X-Cause \$weir_cause always;
    server {
        location / {
            deprecated since=2023-06-30T23:59:59Z sunset=2024-06-30 link=https://docs.example.com/old?a=1;
            proxy_pass http://$origin;
            location /inner { deprecated off; proxy_pass http://$origin; }
            location /denied { deny all; }
        }
        location /since { deprecated since=2024-02-29T02:00:00+02:00; proxy_pass http://$origin; }
        location /open { brownout from=@{[ $iso->($now - 60) ]} for=1h; proxy_pass http://$origin; }
        location /over { brownout from=@{[ $iso->($now - 7200) ]} for=1h status=410; proxy_pass http://$origin; }
        location /later { brownout from=@{[ $iso->($now + 3600) ]} for=1h; proxy_pass http://$origin; }
        location /again { brownout from=@{[ $iso->($now - 86400 - 60) ]} for=1h every=1d status=410; proxy_pass http://$origin; }
        location /between { brownout from=@{[ $iso->($now - 86400 - 7200) ]} for=1h every=1d; proxy_pass http://$origin; }
        location /dry { brownout from=@{[ $iso->($now - 60) ]} for=1h dry_run; proxy_pass http://$origin; }
    }
END
my $say = sub ($path) { my $a = $w->get($path); join '|', $a->status, map { $a->header($_) // '-' } qw(X-Cause Deprecation Sunset Link) };
is $say->('/'), '200|-|@1688169599|Sun, 30 Jun 2024 00:00:00 GMT|<https://docs.example.com/old?a=1>; rel="deprecation"', 'since, sunset and link';
is $say->('/denied'), '403|access.denied|@1688169599|Sun, 30 Jun 2024 00:00:00 GMT|<https://docs.example.com/old?a=1>; rel="deprecation"', 'a refusal tells it, too';
is $say->('/since'), '200|-|@1709164800|-|-', 'since alone, in another zone, on a leap day';
is $say->('/inner'), '200|-|-|-|-', 'off';
is $say->($_), '503|deprecated.brownout|-|-|-', "$_ is refused" for '/open';
is $say->('/again'), '410|deprecated.brownout|-|-|-', 'a window that comes each day, with a status';
is $say->($_), '200|-|-|-|-', "$_ is served" for '/over', '/later', '/between', '/dry';
$w->wait_for_log(qr/the request would be refused \(dry run\).*cause: deprecated\.brownout/);
my $left = $w->get('/open')->header('Retry-After');
cmp_ok $left, '<=', 3540, 'Retry-After is until the window ends';
cmp_ok $left, '>=', 3400, '… and not sooner';

for my $bad ([ 'deprecated sunset=2024-01-01;', qr/needs since/ ], [ 'deprecated since=2024-02-30;', qr/a date such as/ ], [ 'deprecated since=1688169599;', qr/a date such as/ ],
    [ 'deprecated since=2024-01-02 sunset=2024-01-01;', qr/before the deprecation/ ], [ 'deprecated sunset=2024-01-01 since=2024-01-02;', qr/before the deprecation/ ],
    [ 'deprecated since=2024-01-01 link="<x>";', qr/link=URL/ ], [ 'brownout for=1h from=soon;', qr/a date such as/ ], [ 'brownout for=1h status=410;', qr/needs from/ ],
    [ 'brownout from=2024-01-01 for=1h every=1h;', qr/shorter/ ], [ 'brownout from=2024-01-01 for=1ms;', qr/a second or more/ ], [ 'brownout from=2024-01-01 for=1h status=200;', qr/status=STATUS/ ])
{
    my ($code, $said) = $w->check_conf($bad->[0]);
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], '… and told';
}
done_testing;
