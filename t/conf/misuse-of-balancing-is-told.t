use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('misuse of balancing is told')->allow_log(qr{\[emerg\]});
my @cases = (
    ['locality eu//a;',                                      qr/REGION, REGION\/ZONE or REGION\/ZONE\/SUBZONE/],
    ['locality a/b/c/d;',                                    qr/REGION, REGION\/ZONE or REGION\/ZONE\/SUBZONE/],
    ['overprovisioning 0.5;',                                qr/a factor from 1 to 100/],
    ['overprovisioning 101;',                                qr/a factor from 1 to 100/],
    ['overprovisioning 1.445;',                              qr/a factor such as 1\.4/],
    ['overprovisioning 1.;',                                 qr/a factor such as 1\.4/],
    ['overprovisioning much;',                               qr/a factor such as 1\.4/],
    ['panic 50;',                                            qr/a part such as 50%, at most 100%, or off/],
    ['panic 101%;',                                          qr/a part such as 50%, at most 100%, or off/],
    ['panic %;',                                             qr/a part such as 50%, at most 100%, or off/],
    ['locality eu/de/a; zone_aware on;',                     qr/expected callers=REGION\/ZONE\/SUBZONE:NUMBER/],
    ['locality eu/de/a; zone_aware callers=eu/de/a;',        qr/invalid zone of callers "eu\/de\/a", expected REGION/],
    ['locality eu/de/a; zone_aware callers=eu/de/a:0;',      qr/invalid zone of callers "eu\/de\/a:0"/],
    ['locality eu/de/a; zone_aware callers=eu/de/a:1,;',     qr/invalid zone of callers ""/],
    ['locality eu/de/a; zone_aware callers=eu/de/a:1,eu/de:1;', qr/"eu\/de" is part of another one, or stands twice/],
    ['locality eu/de/a; zone_aware callers=eu/de/b:1;',      qr/zone_aware has no callers in "eu\/de\/a", where this gateway is/],
    ['zone_aware callers=eu/de/b:1;',                        qr/zone_aware needs to know where this gateway is: `locality`/],
    ['upstream u { hash $arg_k consistently; server 127.0.0.1:1; }', qr/invalid value "consistently" in "hash" directive: expected consistent/],
    ['upstream u { hash $nothing; server 127.0.0.1:1; }',    qr/unknown "nothing" variable/],
    ['upstream u { hash $arg_k; ip_hash; server 127.0.0.1:1; }', qr/has two ways to choose its servers: (?:hash and ip_hash|ip_hash and hash)/],
    ['upstream u { random one; server 127.0.0.1:1; }',       qr/invalid value "one" in "random" directive: expected two/],
    ['upstream u { random two least; server 127.0.0.1:1; }', qr/invalid value "least" in "random" directive: expected least_conn, least_time, /],
    ['upstream u { random two least_time=all; server 127.0.0.1:1; }', qr/or least_time=last_byte/],
    ['upstream u { least_time; server 127.0.0.1:1; }',      qr/invalid number of arguments in "least_time"/],
    ['upstream u { least_time body; server 127.0.0.1:1; }', qr/invalid value "body" in "least_time" directive: expected header or last_byte/],
    ['upstream u { least_time header now; server 127.0.0.1:1; }', qr/expected inflight/],
    ['upstream u { random; least_conn; server 127.0.0.1:1; }', qr/has two ways to choose its servers: /],
    ['upstream u { hash $arg_k bounded=1.5; server 127.0.0.1:1; }', qr/invalid value "bounded=1\.5" in "hash" directive: expected consistent/],
    ['upstream u { hash $arg_k consistent bounds=2; server 127.0.0.1:1; }', qr/invalid value "bounds=2" in "hash" directive: expected bounded=FACTOR/],
    ['upstream u { hash $arg_k consistent bounded=0.9; server 127.0.0.1:1; }', qr/expected bounded= and a factor from 1 to 100/],
    ['upstream u { hash $arg_k consistent bounded=much; server 127.0.0.1:1; }', qr/expected bounded= and a factor such as 1\.25/],
    ['upstream u { maglev $arg_k table=65536; server 127.0.0.1:1; }', qr/invalid value "table=65536" in "maglev" directive: expected table= and a prime number/],
    ['upstream u { maglev $arg_k table=97; server 127.0.0.1:1; }', qr/a prime number from 101 to 5000011/],
    ['upstream u { maglev $arg_k consistent; server 127.0.0.1:1; }', qr/expected table=SIZE or bounded=FACTOR/],
    ['upstream u { maglev $arg_k bounded=2 bounded=3; server 127.0.0.1:1; }', qr/"bounded=" stands twice in "maglev"/],
    ['upstream u { maglev $nothing; server 127.0.0.1:1; }', qr/unknown "nothing" variable/],
    (map { ["upstream u { $_; server 127.0.0.1:1 slow_start=1s; }", qr/server "127\.0\.0\.1:1" of upstream "u" has slow_start, which may not be used with \w+/] }
        'hash $arg_k', 'hash $arg_k consistent', 'ip_hash', 'random', 'random two', 'maglev $arg_k'),
    ['upstream u { server 127.0.0.1:1 slow_start=soon; }',   qr/invalid parameter "slow_start=soon"/],
    (map { ["upstream u { server 127.0.0.1:1 $_; }", qr/of server "127\.0\.0\.1:1" stands a second time/] }
        'slow_start=1s slow_start=2s', 'drain drain', 'route=a weight=2 route=b', 'priority=1 priority=1', 'locality=a locality=b'),
    ['upstream u { server a.example resolve service=_a resolve; }', qr/"resolve" of server "a\.example" stands a second time/],
    (map { ["upstream u { sticky $_->[0]; server 127.0.0.1:1; }", $_->[1]] }
        ['cake',                              qr/invalid value "cake" in "sticky" directive: expected cookie, header, route or learn/],
        ['cookie',                            qr/"sticky cookie" needs a name/],
        ['cookie "a b"',                      qr/expected the name of a cookie/],
        ['cookie c expires=soon',             qr/expected expires= and a time, or expires=max/],
        ['cookie c path=x',                   qr/expected path= and a path/],
        ['cookie c path="/;secure"',          qr/expected path= and a path/],
        ['cookie c domain=',                  qr/expected domain= and a domain/],
        ['cookie c samesite=yes',             qr/expected samesite= and strict, lax, none or a variable/],
        ['cookie c samesite=$nothing',        qr/unknown "nothing" variable/],
        ['cookie c secure=1',                 qr/invalid value "secure=1" in "sticky" directive: expected expires=TIME, /],
        ['cookie c secure secure',            qr/"secure" stands twice in "sticky"/],
        ['cookie c secret=nowhere',           qr/nowhere/],
        ['cookie c secret=weir.conf',         qr/is no file of secrets/],
        ['header',                            qr/"sticky header" needs a name/],
        ['header a:b',                        qr/expected the name of a header field/],
        ['header h expires=1h',               qr/invalid value "expires=1h" in "sticky" directive: expected secret=FILE/],
        ['route',                             qr/"sticky route" needs a variable/],
        ['route r',                           qr/invalid value "r" in "sticky" directive: expected a variable/],
        ['learn',                             qr/"sticky learn" needs create=, lookup= and zone=/],
        ['learn create=$arg_a lookup=$arg_a', qr/"sticky learn" needs create=, lookup= and zone=/],
        ['learn create=a lookup=$arg_a zone=z:1m', qr/expected create= and a variable/],
        ['learn create=$arg_a lookup=a zone=z:1m', qr/expected lookup= and a variable/],
        ['learn create=$arg_a lookup=$arg_a zone=z', qr/expected zone=NAME:SIZE/],
        ['learn create=$arg_a lookup=$arg_a zone=z:1k', qr/zone "z" is too small: 16384 bytes at least/],
        ['learn create=$arg_a lookup=$arg_a zone=z:1m timeout=100d', qr/expected timeout= and a time from 1s to 90d/],
        ['learn create=$arg_a lookup=$arg_a zone=z:1m sync', qr/expected create=VARIABLE, lookup=VARIABLE, /]),
    ['upstream u { server 127.0.0.1:1 route=; }',            qr/invalid parameter "route="/],
    ['upstream u { server 127.0.0.1:1 priority=129; }',      qr/invalid parameter "priority=129"/],
    ['upstream u { server 127.0.0.1:1 priority=-1; }',       qr/invalid parameter "priority=-1"/],
    ['upstream u { server 127.0.0.1:1 locality=eu/; }',      qr/invalid parameter "locality=eu\/"/],
);
for my $case (@cases) {
    my ($text, $why) = @$case;
    my ($code, $said) = $w->check_conf("$text server { location / { return 200; } }");
    is $code, 1, "refused: $text";
    like $said, $why, 'and says why';
}
done_testing;
