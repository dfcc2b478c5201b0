# nginx: set and auth_request_set may change $args, $limit_rate, and what a prefix makes ($http_x, $arg_x, $cookie_x); $arg_ is a name without a value.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('variables of nginx that may be set are set');
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, $r->target . ' ' . ($r->header('X-Foo') // ''), 'X-User' => 'a&b c') });
$w->allow_log(qr/built-in|emerg|duplicate/);
$w->conf(<<"END", workers => 1);
    log_format early '\$http_early';
    server {
        access_log logs/early.log early;
        location /http { set \$http_foo changed; proxy_set_header X-Foo \$http_foo; proxy_pass http://$origin; }
        location /maybe { if (\$arg_x) { set \$http_maybe "set \$arg_x"; } return 200 "[\$http_maybe]"; }
        location /late { set \$http_early late; return 200 x; }
        location /arg { set \$arg_a changed; return 200 "\$arg_a \$args"; }
        location /cookie { set \$cookie_a changed; return 200 "\$cookie_a"; }
        location /empty { return 200 "[\$arg_]"; }
        location /query { set \$args "x=1&y=\$arg_a"; proxy_pass http://$origin; }
        location /asked { auth_request /auth; auth_request_set \$args "u=\$upstream_http_x_user"; auth_request_set \$http_foo \$upstream_status;
            proxy_set_header X-Foo \$http_foo; proxy_pass http://$origin; }
        location = /auth { internal; proxy_pass http://$origin; }
    }
END
my $get = sub ($path, @headers) { $w->get($path, @headers)->body };
is $get->('/http', Foo => 'sent'), '/http changed', '$http_foo';
is $get->('/maybe?x=1', Maybe => 'sent'), '[set 1]', 'where it was set';
is $get->('/late', Early => 'sent'), 'x', 'a name that stands before';
is $get->('/arg?a=1'), 'changed a=1', '$arg_a';
is $get->('/cookie', Cookie => 'a=1'), 'changed', '$cookie_a';
is $get->("/empty$_"), '[]', "\$arg_$_" for '', '?=5', '?a=5';
is $get->('/query?a=b%20c'), '/query?x=1&y=b%20c ', '$args';
if (!$w->is_nginx) {
    is $get->('/maybe', Maybe => 'sent'), '[sent]', 'where it was not it is what was sent';       # nginx: empty, and a warning
    is $get->('/asked?a=1'), '/asked?u=a&b%20c 200', 'auth_request_set';
}
my $log = sub { open my $fh, '<', $w->dir . '/logs/early.log' or return ''; local $/; <$fh> // '' };
$w->wait_until('the log says what was set', sub { $log->() =~ /^late$/m });
for my $bad ('$uri', '$host', '$remote_addr') {
    my ($code) = $w->check_conf("server { set $bad x; }");
    isnt $code, 0, "$bad may not be set";
}
done_testing;
