# What canary says that makes no sense is an error with its line and what was expected.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('what a canary cannot do is refused')->needs_weir;
$w->allow_log(qr/\[emerg\]/, qr/store_path/);
my $two = 'proxy_pass http://127.0.0.1:1 weight=1; proxy_pass http://127.0.0.1:2 weight=0;';
for my $case (
    [ "$two canary c http://127.0.0.1:2;",                               qr/invalid number of arguments in "canary"/ ],
    [ "$two canary c http://127.0.0.1:2 interval=5m;",                   qr/"canary" has no steps/ ],
    [ "$two canary c http://127.0.0.1:2 steps=;",                        qr/at most 16 percentages/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5,5;",                     qr/each more than the one before/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5,101;",                   qr/at most 16 percentages/ ],
    [ "$two canary c http://127.0.0.1:2 steps=0,5;",                     qr/each more than the one before/ ],
    [ "$two canary c http://127.0.0.1:2 steps=100;",                     qr/a first step below 100/ ],
    [ "$two canary c http://127.0.0.1:2 steps=@{[ join ',', 1 .. 17 ]};", qr/at most 16 percentages/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5 interval=0;",            qr/a time such as 5m/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5 min_requests=0;",        qr/a number from 1 on/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5 errors=1;",              qr/a percentage such as 1%, or off/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5 latency=p95;",           qr/such as p95:1\.2x/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5 latency=p100:2x;",       qr/such as p95:1\.2x/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5 latency=p50:0.5x;",      qr/such as p95:1\.2x/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5 errors=off;",            qr/judges nothing/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5 release=;",              qr/release= with a text/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5 step=5;",                qr/expected steps=, interval=/ ],
    [ "$two canary c/d http://127.0.0.1:2 steps=5;",                     qr/a name of letters/ ],
    [ "$two canary c http://127.0.0.1:3 steps=5;",                       qr/"http:\/\/127\.0\.0\.1:3", which is none of the targets/ ],
    [ "$two canary c http://127.0.0.1:1 steps=5;",                       qr/has to stand once in this place, with weight=0/ ],
    [ 'proxy_pass http://127.0.0.1:1; canary c http://127.0.0.1:1 steps=5;', qr/where no targets share the requests/ ],
    [ 'return 503 weight=1; proxy_pass http://127.0.0.1:2 weight=0; canary c http://127.0.0.1:2 steps=5;', qr/no other target/ ],
    [ "$two canary c http://127.0.0.1:2 steps=5; } location /b { $two canary c http://127.0.0.1:2 steps=6;", qr/says something else here than in another place/ ],
    )
{
    my ($code, $said) = $w->check_conf("server { location / { $case->[0] } }");
    isnt $code, 0, "$case->[0] is refused";
    like $said, $case->[1], '… and why';
    like $said, qr/weir\.conf:\d+/, '… and where';
}
my ($code, $said) = $w->check_conf("server { location / { $two canary c http://127.0.0.1:2 steps=0.5,99.99 latency=p99:1x; }"
    . " location /b { $two canary c http://127.0.0.1:2 steps=0.5,99.99 latency=p99:1x; } }");
is $code, 0, 'two places may say the same' or diag $said;
like $said, qr/begins with its first step after each restart/, 'without a store a warning says what will be forgotten';
done_testing;
