# Several targets in one place: exact shares over all workers, over reloads; never a target of weight 0; a status keeps its share.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('requests are shared exactly by weight');
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->{target}) });
my %conf   = (workers => 2);
my $text   = <<"END";
    upstream a { server $origin; keepalive 4; }
    upstream b { server $origin; keepalive 4; }
    server {
        http2 on;
        add_header X-Target \$split_target always;
        add_header X-Pid \$pid always;
        route shared {
            match path_prefix=/route;
            proxy_pass http://a/r/ weight=2;
            proxy_pass http://b/s weight=1 { response_header set X-B yes; }
            return 500 weight=1;
        }
        location /three { proxy_pass http://a weight=50; proxy_pass http://b weight=30; proxy_pass http://$origin weight=0; return 503 weight=20; }
        location /one   { proxy_pass http://a weight=7; }
        location /many  { proxy_pass http://a weight=999999; return 500 weight=1; }
        location /plain { proxy_pass http://a; }
        location /text  { proxy_pass http://a; return 200 weight=10; }
        location /path/ { proxy_pass http://a/one/ weight=1; proxy_pass http://b/two/ weight=1; }
        location /late  { return 500 weight=1; proxy_pass http://b weight=1; }
        location /if    { if (\$arg_b) { proxy_pass http://b weight=1; return 500 weight=1; } proxy_pass http://a; }
        location /var   { set \$b b; proxy_pass http://\$b weight=1; proxy_pass http://a weight=1; }
    }
END
$w->conf($text, %conf);

my (%seen, %pids);
my $ask = sub ($path) {
    my $answer = $w->get($path);
    $pids{ $answer->header('X-Pid') }++;
    return $answer->header('X-Target') // '-';
};
my $run = sub ($path, $n) { my %n; $n{ $ask->($path) }++ for 1 .. $n; \%n };
my $share = { 'http://a' => 5, 'http://b' => 3, 'return 503' => 2 };
$ask->('/three') for 1 .. 3;                                         # wherever a run of ten begins
is_deeply $run->('/three', 10), $share, "ten requests, run $_" for 1 .. 6;
my @order = map { $ask->('/three') } 1 .. 20;
unlike join(' ', @order), qr{(?:http://a ?){4}}, 'no target is asked so often in a row';
for (1 .. 40) { last if keys %pids == 2; $ask->('/three') for 1 .. 10 }
is scalar(keys %pids), 2, 'both workers have served';

my %half = $run->('/three', 4)->%*;
$w->reload("$text # once more");
my %rest = $run->('/three', 6)->%*;
is_deeply { map { $_ => ($half{$_} // 0) + ($rest{$_} // 0) } keys %half, keys %rest }, $share, 'ten requests with a reload between';

is_deeply $run->('/one', 3), { 'http://a' => 3 }, 'one target';
is_deeply $run->('/plain', 3), { '-' => 3 }, 'one without a weight is no target';
is $w->get('/text')->body, 'weight=10', 'where nothing is shared `return` is what it was';
is_deeply $run->('/many', 20)->{'http://a'} >= 19, 1, 'a small share';
is_deeply $run->('/late', 4), { 'return 500' => 2, 'http://b' => 2 }, '`return` may stand first';
is_deeply $run->('/if', 2), { '-' => 2 }, 'a condition that does not hold';
is_deeply $run->('/if?b=1', 4), { 'http://b' => 2, 'return 500' => 2 }, 'one that does has targets of its own';
is_deeply $run->('/var', 4), { 'http://$b' => 2, 'http://a' => 2 }, 'a target may have variables';
is_deeply $run->('/route/x', 8), { 'http://a/r/' => 4, 'http://b/s' => 2, 'return 500' => 2 }, 'a route may have several, too';
my %route;
$route{ $_->status == 200 ? $_->body : $_->status }++ for map { $w->get('/route/x') } 1 .. 4;
is_deeply \%route, { '/r/x' => 2, '/s/x' => 1, 500 => 1 }, 'each with its own path';
my %paths;
$paths{ $w->get('/path/x')->body }++ for 1 .. 4;
is_deeply \%paths, { '/one/x' => 2, '/two/x' => 2 }, 'each with its own path';
is $w->get('/late?')->status =~ /^(?:200|500)$/, 1, 'a status is an answer with a cause';

my $h2 = Weir::Http2::client($w);
my %n;
$h2->ask(':path' => '/three'), $n{ $h2->head->{'x-target'} }++ for 1 .. 10;
is_deeply \%n, $share, 'over HTTP/2';
$h2->close;

$w->allow_log(qr/\[emerg\]/);
for my $bad ([ 'proxy_pass http://a; proxy_pass http://b;', qr/duplicate: each of several must have a weight=/ ],
    [ 'proxy_pass http://a weight=1; proxy_pass http://b;', qr/duplicate/ ], [ 'proxy_pass http://a; proxy_pass http://b weight=1;', qr/duplicate/ ],
    [ 'proxy_pass http://a weight=0;', qr/none would answer/ ], [ 'proxy_pass http://a weight=-1;', qr/0 to 1000000/ ],
    [ 'proxy_pass http://a weight=1000001;', qr/0 to 1000000/ ], [ 'proxy_pass http://a share=1;', qr/weight=/ ],
    [ 'proxy_pass http://a weight=1; grpc_pass a weight=1;', qr/cannot share/ ], [ 'proxy_pass http://a weight=1; return 500 weight=x;', qr/0 to 1000000/ ],
    [ 'proxy_pass http://a weight=1 { proxy_set_header X y; }', qr/request_header or response_header/ ], [ 'proxy_pass http://a { }', qr/number of arguments/ ],
    [ 'proxy_pass http://a weight=1 { request_header set Host x; }', qr/rewrite_host/ ], [ 'proxy_pass http://a weight=1 { request_header set; }', qr/number of arguments/ ],
    [ 'rewrite_path /x; proxy_pass http://a weight=1; proxy_pass http://b/y weight=1;', qr/cannot stand beside "rewrite_path"/ ]) {
    my ($code, $said) = $w->check_conf("upstream a { server $origin; } upstream b { server $origin; } server { location / { $bad->[0] } }");
    isnt $code, 0, "$bad->[0]: refused";
    like $said, $bad->[1], 'and told why';
}

done_testing;
