use v5.36;
use lib 't/lib';
use Weir::Test;

# [condition, { query => let in }]; the query is what $arg_a and $arg_b are.
my @rows = (
    [ '$arg_a',                              { 'a=x' => 1, 'a=0' => 0, 'a=' => 0, '' => 0 } ],
    [ 'not $arg_a',                          { 'a=x' => 0, '' => 1 } ],
    [ '$arg_a = x',                          { 'a=x' => 1, 'a=X' => 0, 'a=xx' => 0, '' => 0 } ],
    [ '$arg_a == $arg_b',                    { 'a=x&b=x' => 1, 'a=x&b=y' => 0, '' => 1 } ],
    [ '$arg_a != x',                         { 'a=x' => 0, 'a=y' => 1, '' => 1 } ],
    [ '$arg_a = "and"',                      { 'a=and' => 1, 'a=or' => 0 } ],
    [ '"$arg_a-$arg_b" = x-y',               { 'a=x&b=y' => 1, 'a=x-y' => 0 } ],
    [ '$arg_a < 10',                         { 'a=9' => 1, 'a=9.999' => 1, 'a=10' => 0, 'a=10.0' => 0, 'a=-3' => 1, 'a=x' => 0, 'a=' => 0, 'a=1e1' => 0, 'a=0x9' => 0 } ],
    [ 'not $arg_a < 10',                     { 'a=9' => 0, 'a=10' => 1, 'a=x' => 0, '' => 0 } ],
    [ '$arg_a <= 10',                        { 'a=10' => 1, 'a=010.00' => 1, 'a=10.0000000000000000000001' => 0 } ],
    [ '$arg_a > -1.5',                       { 'a=-1.5' => 0, 'a=-1.4' => 1, 'a=-2' => 0, 'a=0' => 1, 'a=-0' => 1 } ],
    [ '$arg_a >= 18446744073709551616',      { 'a=18446744073709551615' => 0, 'a=18446744073709551616' => 1, 'a=100000000000000000000' => 1 } ],
    [ '$arg_a ~ ^[a-c]+(x|y)$',              { 'a=abx' => 1, 'a=ABX' => 0, 'a=abz' => 0 } ],
    [ '$arg_a ~* "^[a-c]{2}$"',              { 'a=AB' => 1, 'a=abc' => 0 } ],
    [ '$arg_a !~ b',                         { 'a=abc' => 0, 'a=ac' => 1, '' => 1 } ],
    [ '$arg_a in (x, y,z)',                  { 'a=x' => 1, 'a=y' => 1, 'a=z' => 1, 'a=x,' => 0, '' => 0 } ],
    [ '$arg_a not in (x, y)',                { 'a=x' => 0, 'a=z' => 1, '' => 1 } ],
    [ '$arg_a in (1,2,3,4,5,6,7,8,9,ten)',   { 'a=ten' => 1, 'a=TEN' => 0, 'a=9' => 1, 'a=0' => 0 } ],
    [ '$arg_a in ($arg_b, q)',               { 'a=q' => 1, 'a=w&b=w' => 1, 'a=w&b=q' => 0 } ],
    [ '$arg_a in (10.0.0.0/8, 2001:db8::/32)', { 'a=10.1.2.3' => 1, 'a=11.1.2.3' => 0, 'a=2001:db8::1' => 1, 'a=::ffff:10.0.0.1' => 1, 'a=x' => 0, '' => 0 } ],
    [ '$arg_a not in 10.0.0.0/8',            { 'a=10.1.2.3' => 0, 'a=11.1.2.3' => 1, 'a=x' => 0, '' => 0 } ],
    [ '$arg_a in ("10.0.0.0/8")',            { 'a=10.0.0.0/8' => 1, 'a=10.0.0.1' => 0 } ],
    [ q{$arg_a in ('x',"y)",z)},            { 'a=x' => 1, 'a=y)' => 1, 'a=y' => 0, 'a=z' => 1 } ],
    [ '$arg_a in (x, "y,z" )',               { 'a=x' => 1, 'a=y,z' => 1, 'a=y' => 0 } ],
    [ '$arg_a has admin',                    { 'a=admin' => 1, 'a=ops,admin' => 1, 'a=ops%20admin' => 0, 'a=administrator' => 0, 'a=,,admin,' => 1, '' => 0 } ],
    [ '$arg_a = x or $arg_a = y and $arg_b = z', { 'a=x' => 1, 'a=y' => 0, 'a=y&b=z' => 1 } ],
    [ '($arg_a = x or $arg_a = y) and $arg_b = z', { 'a=x' => 0, 'a=x&b=z' => 1, 'a=y&b=z' => 1 } ],
    [ 'not ($arg_a = x or not ($arg_b = z))', { 'b=z' => 1, 'a=x&b=z' => 0, '' => 0 } ],
    [ '$arg_a < 5 or $arg_b = z',            { 'b=z' => 1, 'a=q' => 0, 'a=q&b=z' => 1 } ],
    [ 'not ($arg_a < 5 and $arg_b = z)',     { 'a=q&b=z' => 0, 'a=q&b=y' => 1 } ],
    [ '$remote_addr in 127.0.0.0/8 and $request_method in (GET,HEAD)', { '' => 1 } ],
);
my $w = Weir::Test->new('require admits requests that meet its condition');
my $locations = join '', map { "location /$_ { require $rows[$_][0]; empty_gif; }\n" } 0 .. $#rows;
$w->conf(<<"END", workers => 1, main => "recorder_requests 64;\n");
    server { $locations
        location /status { require \$arg_a = x error=404; empty_gif; }
        location /dry { require \$arg_a = x dry_run; empty_gif; }
        location /two { require \$arg_a = x; require \$arg_b = y error=401; empty_gif; }
        location /any { satisfy any; deny all; require \$arg_a = x error=402; empty_gif; }
        location /any-dry { satisfy any; deny all; require \$arg_a = x dry_run; empty_gif; }
        location /cause { require \$arg_a = x; error_page 403 =200 /page; empty_gif; }
        location /page { return 200 \$weir_cause; }
        location /has { require not \$http_roles has banned; empty_gif; }
        location /slash/ { require \$uri ~ ^/slash/[^/]+\$; empty_gif; }
    }
    server { listen 127.0.0.1:%%PORT_outer%%; require \$arg_a = x;
        location / { empty_gif; }
        location /own { require \$arg_b = y; empty_gif; } }
END
my $client = $w->client;
for my $i (0 .. $#rows) {
    my ($condition, $queries) = $rows[$i]->@*;
    my @wrong = grep { ($client->get("/$i?$_")->status == 200 ? 1 : 0) != $queries->{$_} } sort keys %$queries;
    is "@wrong", '', $condition;
}
is $client->get('/status')->status, 404, 'error= says the status';
is $client->get('/dry')->status, 200, 'a dry run lets in';
like $w->error_log, qr/a requirement does not hold \(dry run\): \$arg_a = x/, 'and logs that it would not';
is join(' ', map { $client->get("/two?$_")->status } '', 'a=x', 'b=y', 'a=x&b=y'), '403 401 403 200', 'all of a place must hold';
is join(' ', map { $client->get("/any?$_")->status } '', 'a=x'), '402 200', 'with satisfy any one that is met lets in';
is $client->get('/any-dry?a=x')->status, 403, 'but a dry run lets nobody in';
is join(' ', map { $client->get('/has', Roles => $_)->status } "user", "user, banned", "user,\tbanned"), '200 403 403', 'lists have spaces or tabs between';
is $client->get('/cause')->body, 'access.require', 'the cause is named';
is join(' ', map { $client->get("/slash/$_")->status } 'a', 'a%2Fb'), '200 403', 'a path with an encoded slash is judged in both readings';
is join(' ', map { $w->request('GET', $_, port => $w->port('outer'))->status } '/', '/?a=x', '/own?a=x', '/own?b=y'), '403 200 403 200', 'an inner require is in the place of the outer one';
done_testing;
