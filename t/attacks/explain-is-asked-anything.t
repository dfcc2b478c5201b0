# Twenty thousand lines that a stranger wrote are given to `weir explain -`: bytes of any value, paths that climb, fields that are none, credentials
# that are none, lines without end. Each gets an answer or is refused, nothing ends the tool, and nothing leaves raw.
use v5.36;
use lib 't/lib';
use Weir::Jose;
use Weir::Test;

my $seed = $ENV{WEIR_SEED} // 7;
srand $seed;
note "WEIR_SEED=$seed";
my $w = Weir::Test->new('explain is asked anything')->needs_weir;
$w->time_limit(300);
my $key = Weir::Jose->key($w, 'HS256', kid => 'k');
$w->write_file('conf/jwks', Weir::Jose->set($key));
$w->write_file('conf/users', "u:{PLAIN}p\n");
$w->write_file('conf/weir.conf', <<'END');
error_log stderr;
events { }
http {
    map $http_x_kind $k { default 1; ~^f(?<rest>.*)$ 2; }
    auth_jwt_claim_set $role role;
    limit_req_zone $binary_remote_addr zone=r:1m rate=1r/s;
    server {
        listen 8080; server_name a.example ~^(?<sub>.+)\.b\.example$;
        route r { match path_template=/x/{id} header:X-A~[a-z]; require $arg_a != 1; proxy_pass http://127.0.0.1:1/$route_id; }
        location /api/ { auth_jwt api; auth_jwt_key_file jwks; auth_jwt_require $jwt_claim_sub; require $role = admin; limit_req zone=r; proxy_pass http://127.0.0.1:1; }
        location ~ ^/(?<n>a+)+$ { satisfy any; deny all; auth_basic x; auth_basic_user_file users; proxy_pass http://127.0.0.1:1/$n; }
        location / { cors { allow_origin *; } limit_except GET { deny all; } if ($k = 2) { rewrite ^/(.*)$ /api/$1 last; } error_page 403 404 405 =200 /e; root /tmp; }
        location /e { internal; return 404; }
    }
}
END
my $one = sub (@of) { $of[ rand @of ] };
my $byte = sub { chr int rand 256 };
my $line = sub {
    my $text = $one->(qw(GET GET POST OPTIONS TRACE CONNECT FOO)) . ' http://' . $one->('a.example', 'x.b.example', 'c') . ':8080/';
    my $kind = int rand 10;
    return join '', map { $byte->() } 1 .. rand 200 if $kind == 0;
    return $text . join '', map { $byte->() } 1 .. rand 60 if $kind <= 2;
    return $text . join '/', map { $one->('..', '.', '%2e', '%00', '%2f', 'a', '%zz', "\xc3\xbc", '') } 1 .. rand 20 if $kind <= 4;
    return $text . 'x/1?' . join '&', map { "a$_=" . $one->('%', '%4', '\\', '"', '1') } 1 .. rand 9 if $kind == 5;
    return $text . 'a' x rand 20_000 if $kind == 6;
    return $text . "api/\tX-Kind: fancy\tAuthorization: Bearer " . $key->token({ sub => $one->('', 'x', undef), role => $one->('admin', 1, []) }) if $kind == 7;
    return $text . $one->('api/', 'x/1', 'aaa', '') . "\t" . join "\t", map {
        $one->('X-A: ' . $byte->(), 'Host: ' . $byte->(), 'Content-Length: ' . int rand 1e12, 'Transfer-Encoding: chunked', 'Authorization: Bearer ' . 'A.' x rand(4) . $byte->(),
            'Authorization: Basic ' . $byte->(), 'Cookie: ' . $byte->(), ': ', "X:\0", 'Origin: null', 'Access-Control-Request-Method: ' . $byte->(), "X-Kind: f" . $byte->())
    } 1 .. rand 8;
};
my @lines = map { $line->() =~ tr/\n//dr } 1 .. 20_000;
push @lines, 'z' x 3_000_000, 'GET http://a.example:8080/last';
$w->write_file('lines', join '', map { "$_\n" } @lines);
my $asked = grep { /[^\r]/ } @lines;
for my $options ([], ['--json', '--ip', '10.0.0.1'], ['--http2', '--json']) {
    my ($code, $said) = $w->command(200, 'sh', '-c', 'cd ' . $w->dir . ' && exec "$0" "$@" - < lines 2> errors', $w->bin, '-p', $w->dir . '/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', @$options);
    is $code, 64, "@$options: some of them are no requests" or diag substr $said, -500;
    my $errors = Weir::Server::slurp($w->dir . '/errors');
    my ($raw) = "$said$errors" =~ /([\x00-\x08\x0b-\x1f\x7f].{0,40})/s;
    is $raw, undef, 'no control leaves';
    my $refused = () = $errors =~ /^weir: explain: /mg;
    if (@$options) {
        my $answers = () = $said =~ /^\{.*\}$/mg;
        is $answers + $refused, $asked, 'each line has its answer, or is refused';
        cmp_ok $answers, '>', 5_000, 'many are answered';
    }
    cmp_ok $refused, '>', 1_000, 'and many are refused';
    like $said, qr{^(?:\{"request":")?GET http://a\.example:8080/last}m, 'also behind a line without end';
}
done_testing;
