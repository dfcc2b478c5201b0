# For the patterns of rewrite, if and proxy_redirect: the first two deny the request, the last leaves the peer's address as it is and tells.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('patterns of rewrite and if that run wild deny')->needs_weir;
my $wild   = 'a' x 60 . 'b';
my $origin = $w->origin(sub ($c) { $c->reply(302, 'x', Location => "http://$wild/") });
$w->allow_log(qr/pattern|match limit/);
$w->conf(<<"END", http => "log_format c '\$status \$weir_cause';\naccess_log logs/c.log c;\n");
    server {
        location /if { if (\$arg_a ~ ^(a+)+\$) { return 200 yes; } return 200 no; }
        location /not { if (\$arg_a !~ ^(a+)+\$) { return 200 no; } return 200 yes; }
        location /w/ { rewrite ^/w/(a+)+\$ /if break; return 200 no; }
        location /peer { proxy_redirect ~^http://(a+)+/\$ /found; proxy_pass http://$origin; }
    }
END
is $w->get('/if?a=aaa')->body, 'yes', 'an if that matches';
for my $path ("/if?a=$wild", "/not?a=$wild", "/w/$wild") {
    my $started = Time::HiRes::time();
    is $w->get($path)->status, 403, 'denied: ' . substr $path, 0, 5;
    cmp_ok Time::HiRes::time() - $started, '<', 2, 'the time is bounded';
}
is $w->get('/peer')->header('Location'), "http://$wild/", 'an answer is passed on as it is';
like $w->error_log, qr/a pattern for the peer's answer ran into its match limit/, 'and told';
$w->wait_for_access(qr/^403 route\.pattern_limit$/m, 'c.log');

done_testing;
