use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('error_page answers in place of an error');
my $origin = $w->origin(sub ($c) { $c->reply($c->request->target =~ /500/ ? 500 : 404, 'from up') });
my $dead   = $w->refused_peer;
$w->conf(<<"END");
    server {
        error_page 404 /pages/404;
        error_page 502 504 \@fallback;
        error_page 403 =200 /pages/ok;
        error_page 410 = /pages/own;
        error_page 405 http://elsewhere/\$uri;
        location / { return 404; }
        location /403 { return 403; }
        location /410 { return 410; }
        location /405 { return 405; }
        location /dead { proxy_pass http://$dead; }
        location /loop { error_page 404 /loop/\$uri; return 404; }
        location /own { error_page 404 /pages/other; return 404; }
        location /up { proxy_pass http://$origin; }
        location /caught { proxy_pass http://$origin; proxy_intercept_errors on; error_page 500 /pages/ok; }
        location /pages/ { internal; return 200 "page \$uri \$status"; }
        location = /pages/404 { internal; return 404 "my 404"; }
        location = /pages/own { internal; return 201 "its own"; }
        location \@fallback { return 503 "fallback for \$uri"; }
    }
END

my $check = sub ($path, $status, $body) {
    my $answer = $w->get($path);
    is $answer->status, $status, "$path: $status";
    like $answer->body, $body, "$path: body";
    return $answer;
};
$check->('/x', 404, qr/my 404/);
$check->('/403', 200, qr{page /pages/ok});
$check->('/410', 201, qr/its own/);
like $check->('/405', 302, qr/302 Found/)->header('Location'), qr{^http://elsewhere//?405$}, 'a redirect to elsewhere';
$check->("/dead", 502, qr{^fallback for /dead$});
$check->('/own', 404, qr{page /pages/other});
$check->('/up/404', 404, qr/from up/);
$check->('/caught/500', 500, qr{page /pages/ok});
$check->('/caught/404', 404, qr/from up/);
$check->('/pages/x', 404, qr/my 404|404 Not Found/);
$check->('/loop', 404, qr/404 Not Found|my 404/);

done_testing;
