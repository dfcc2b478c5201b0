# `weir reload --guard 1%`: by what the recorder holds, or a log: a configuration in which more requests than that lose a policy that they had to
# pass, or their route, is refused, and what is served stays; without any request to judge by it is refused, too.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a guarded reload refuses what requests would lose')->needs_weir;
$w->write_file('users', "u:{PLAIN}p\n");
$w->write_file('conf/users', "u:{PLAIN}p\n");
my $port = $w->port('main');
my $conf = sub ($text) { "server { listen 127.0.0.1:$port; server_name shop.example; $text } server { listen 127.0.0.1:$port default_server; server_name other.example; location / { return 200 other; } }" };
my $old = <<'END';
    auth_basic shop; auth_basic_user_file users;
    route orders { match path_template=/orders/{id}; try_files /none =203; }
    location /open/ { auth_basic off; try_files /none =200; }
    location /inner/ { allow 127.0.0.1; deny all; try_files /none =200; }
    location /any/ { satisfy any; deny all; try_files /none =200; }
END
my $main = "recorder_requests 100;\n";                     # of what comes before the requests below it keeps nothing
my $file = sub ($text) { $w->conf($conf->($text), main => $main, workers => 1) };
my $reload = sub (@words) { $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'reload', @words) };
$file->($old);
$w->start;
my ($code, $said);

my @auth = (headers => [ Authorization => 'Basic ' . 'dTpw' ]);
my $ask = sub ($path, $n, $host = 'shop.example') {
    for my $i (1 .. $n) { $w->request('GET', $path =~ s/ID/$i/r, port => $port, host => $host, @auth) }
};
$ask->('/orders/ID', 90);
$ask->('/open/ID', 8);
$ask->('/inner/ID', 1);
$ask->('/any/ID', 1);
my $guard = sub ($text, @more) { $file->($text); my ($code, $said) = $reload->('--guard', '1%', @more); return ($code, $said) };

is +($guard->($old))[0], 0, 'nothing changes';
my ($rc, $why) = $guard->($old =~ s/(orders \{)/$1 auth_basic off;/r);
is $rc, 2, 'a route without its policy';
like $why, qr/^unguarded 90 \(90\.00%\)  GET shop\.example \/orders\/\{\}$/m, 'its requests, as one shape';
like $why, qr/^    a policy that it had to pass is gone: auth_basic shop  \(\S+weir\.conf:\d+\)$/m, 'the policy, by its line';
like $why, qr/^    - server shop\.example, route orders, .*policies auth_basic$/m, 'what there was';
like $why, qr/^    \+ server shop\.example, route orders, .*policies none$/m, 'and what there is';
like $why, qr/refused: 90 of 100 requests \(90\.00%\) lose a policy or their route, more than 1%: the running configuration stays/, 'in one line';
is +($w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', "GET http://shop.example:$port/orders/1", '--live'))[0], 3, 'the running configuration has stayed';

like +($guard->($old =~ s/route orders.*\n//r))[1], qr/^lost      90 .*GET shop\.example \/orders\/\{\}$/m, 'a route that is gone';
like +($guard->($old =~ s/location \/open.*\n//r))[1], qr/^lost      8 \(8\.00%\)/m, 'and a location';
$file->('location / { return 404; }');
($rc, $why) = $reload->('--guard', '50%');
is $rc, 2, 'all is answered with an error';
is scalar(() = $why =~ /it gets an error/g), 4, 'each of the shapes is named';
like +($guard->($old =~ s/location \/inner/location \/outer/r))[1], qr/^traffic  0 lose a policy \(0\.00%\), 1 lose their route \(1\.00%\)$/m, 'one of a hundred is no more than 1%';
is +($reload->('--guard', '0.9%'))[0], 0, 'which is there now: nothing is lost by it any more' or diag $why;
is +($guard->($old, '--guard', '100%'))[0], 0, 'back';
is +($guard->($old =~ s/allow 127\.0\.0\.1; deny all;//r, '--guard', '0'))[0], 2, 'the addresses of a location are a policy';
is +($guard->($old =~ s/location \/inner\/ \{/location \/inner\/ { satisfy any;/r, '--guard', '0'))[0], 2, 'all of them that become any of them are lost';
is +($guard->($old =~ s/satisfy any; //r, '--guard', '0'))[0], 0, 'any that become all are not';
is +($guard->($old, '--guard', '100%'))[0], 0, 'back';
is +($guard->($old =~ s/auth_basic shop;/auth_basic shop; require \$request_method = GET;/r, '--guard', '0'))[0], 2, 'one more of any makes it easier';
is +($guard->($old =~ s/(orders \{)/$1 require \$request_method = GET;/r, '--guard', '0'))[0], 0, 'more policies are none that is lost';
is +($guard->($old, '--guard', '0'))[0], 2, 'but to take it back is';
is +($guard->($old, '--guard', '100%'))[0], 0, 'a share of all of them refuses nothing';
($rc, $why) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'reload', '--guard', '0', '--json');
my $json = Weir::Json::decode($why =~ /^(\{.*\})$/m);
is "$rc $json->{traffic}{requests} $json->{traffic}{lose}" . ($json->{refused} ? ' refused' : ''), '0 100 0', 'and as JSON' or diag $why;

$file->("$old nonsense;");
($rc, $why) = $reload->('--guard', '1%');
is $rc, 1, 'a bad file is refused as such';
like $why, qr/unknown directive "nonsense"/, 'with what is wrong';
$file->($old);
is +($reload->())[0], 0, 'without a guard it only reloads';
for my $bad ([ '--guard' ], [ '--guard', '1' ], [ '--guard', '101%' ], [ '--guard', '1%', 'x' ], [ '--json' ], [ '--guard', '1%', '--traffic' ], [ '--guard', '1%', '--traffic', 'a', '--recorder' ]) {
    is +($reload->(@$bad))[0], 64, "@$bad: misuse";
}

# By a log.
$w->write_file('log', join '', map { qq{10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /open/$_ HTTP/1.1" 200 1 "-" "x"\n} } 1 .. 100);
$file->($old =~ s/location \/open.*\n//r);
($rc, $why) = $reload->('--guard', '1%', '--traffic', $w->dir . '/log', '--host', 'shop.example');
is $rc, 2, 'a log that has nothing else';
like $why, qr/^lost      100 \(100\.00%\)  GET shop\.example \/open\/\{\}$/m, 'says so';
$w->write_file('empty', '');
is +($reload->('--guard', '1%', '--traffic', $w->dir . '/empty'))[0], 2, 'an empty log is none to judge by';
is +($reload->('--guard', '1%', '--traffic', $w->dir . '/missing'))[0], 1, 'nor is one that is not there';
$w->stop;
is +($reload->('--guard', '1%'))[0], 1, 'nothing runs';
$main = "recorder_requests 0;\n";
$file->($old);
$w->start;
($code, $said) = $reload->('--guard', '1%');
is $code, 2, 'nothing is recorded: refused';
like $said, qr/no request is recorded: refused, as nothing is known of what would be lost \(--allow-no-traffic/, 'which is told';
is +($reload->('--guard', '1%', '--allow-no-traffic'))[0], 0, 'unless told';
done_testing;
