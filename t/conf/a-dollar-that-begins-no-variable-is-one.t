use v5.36;
use lib 't/lib';
use Weir::Test;

# "…"$ in the text notation, a plain text in JSON: a '$' in it is a '$', whoever reads the word.
my $w = Weir::Test->new('a $ that begins no variable is one');
$w->allow_log(qr{\[emerg\]});
my $echo = $w->echo_origin;
mkdir $w->dir . "/$_" or die "$_: $!" for 'root', 'root/$uri';
$w->write_file('root/$uri/f', 'a file');
my $text = <<'END' =~ s/ORIGIN/'127.0.0.1:' . $echo->port/ger;
    log_format f "$uri "$ '$status' " $status"$;
    map $arg_a $mapped { default "$arg_b"$; x $arg_b; }
    upstream o { server ORIGIN; }
    server {
        access_log %%DIR%%/a.log f;
        location /return { return 200 "$uri costs 5$"$; }
        location /mixed { return 200 $uri; }
        location /set { set $x "$uri"$; return 200 "$x $mapped"; }
        location /if { if ($arg_a = "$uri"$) { return 200 yes; } return 200 no; }
        location /header { add_header X-A "$uri;{"$; return 204; }
        location /rewrite { rewrite ^/rewrite(.*) "/return$1"$ redirect; }
        location /proxy { proxy_set_header X-Text "$uri"$; proxy_pass "http://o/a$uri"$; }
        location /variable { proxy_pass http://o/b$uri; }
        location /files { root %%DIR%%/root; try_files "/$uri/f"$ =404; }
        location /require { require $arg_a = "$uri"$; root %%DIR%%/root; try_files "/$uri/f"$ =404; }
        location ~ "^/pattern$"$ { return 200 pattern; }
    }
END
$w->conf($text);

is $w->get('/return')->body, '$uri costs 5$', 'return';
is $w->get('/mixed')->body, '/mixed', 'other words have variables';
is $w->get('/set?a=1&b=2')->body, '$uri $arg_b', 'set, and a value of a map';
is $w->get('/set?a=x&b=2')->body, '$uri 2', 'beside one that has variables';
is $w->get('/if?a=$uri')->body, 'yes', 'if';
is $w->get('/if?a=/if')->body, 'no', 'and not the value';
is $w->get('/header')->header('X-A'), '$uri;{', 'a field of an answer';
like $w->get('/rewrite/1')->header('Location'), qr{/return\$1$}, 'rewrite';
my $echoed = $w->get('/proxy')->body;
like $echoed, qr{"target":"/a\$uri"}, 'the path of proxy_pass';
like $echoed, qr{\["X-Text","\$uri"\]}i, 'a field of a request';
like $w->get('/variable')->body, qr{"target":"/b/variable"}, 'with variables elsewhere';
is $w->get('/files')->body, 'a file', 'the name of a file';
is $w->get('/require?a=$uri')->body, 'a file', 'require';
is $w->get('/require?a=/require')->status, 403, 'and not the value';
is $w->get('/pattern')->body, 'pattern', 'in a pattern a $ is what it is in patterns';
$w->wait_until('the log is written', sub { -s $w->dir . '/a.log' });
like Weir::Server::slurp($w->dir . '/a.log'), qr{^\$uri 200 \$status$}m, 'each word of a log_format for itself';

for my $case (
    ['http', 'map "$arg_a"$ $m { }', undef, 'the source of a map is a text'],
    ['http', 'map $arg_a "$m"$ { }', qr{invalid variable name "\$m"}, 'a name is a variable'],
    ['server', 'set "$m"$ 1;', qr{invalid variable name "\$m"}, 'set'],
    ['server', 'if ( "$arg_a"$ = x ) { return 204; }', qr{invalid condition}, 'what if asks'],
    ['server', 'proxy_pass "$arg_a"$;', qr{invalid URL prefix in "\$arg_a"}, 'proxy_pass'],
    ['server', 'auth_jwt_require "$arg_a"$;', qr{expected a value that begins with a variable}, 'auth_jwt_require'],
    ['server', 'return 200 "a"b;', qr{unexpected "b"}, 'behind a quote stands nothing else'],
    ['server', 'return 200 "a"$b;', qr{unexpected "b"}, 'nor behind the $'],
) {
    my ($code, $said) = $w->check_conf($case->[0] eq 'http' ? $case->[1] : "server { location / { $case->[1] } }");
    is $code, $case->[2] ? 1 : 0, $case->[3];
    like $said, $case->[2], 'with words' if $case->[2];
}

$w->conf($text);
my (undef, $explained) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', 'GET http://localhost:' . $w->port . '/set');
like $explained, qr{set \$x "\$uri"\$}, 'weir explain shows it so';

# JSON says the same of plain texts.
my ($code, $json) = $w->run('convert', '--to', 'json', $w->write_file('text.conf', $text));
is $code, 0, 'it has a JSON';
like $json, qr{"args": \["200", "\$uri costs 5\$"\]}, 'in which it is a plain text';
($code, my $back) = $w->run('convert', '--to', 'conf', $w->write_file('text.json', $json));
my (undef, $plain) = $w->run('fmt', $w->dir . '/text.conf');
is $back, $plain, 'and back';
done_testing;
