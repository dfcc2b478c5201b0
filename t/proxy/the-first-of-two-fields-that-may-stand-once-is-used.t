# As nginx 1.23 and later: of a field of which an answer has one, the first is the peer's word; lists and cookies may be several.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('the first of two fields that may stand once is used')->needs_weir;
my @single = qw(Content-Type ETag Last-Modified Expires Location Refresh Accept-Ranges Content-Disposition Date Server);
my @list   = qw(Cache-Control Vary Set-Cookie Link WWW-Authenticate X-Mine);
my $origin = $w->origin(sub ($c) {
    $c->reply(200, 'x', (map { ($_ => "first", $_ => "second") } @single, @list), ($c->request->target =~ /accel/ ? ('X-Accel-Redirect' => '/a', 'X-Accel-Redirect' => '/b') : ()));
});
$w->conf(<<"END");
    add_header X-Seen "\$upstream_http_etag \$upstream_http_x_mine";
    server {
        location / { proxy_pass http://$origin; proxy_pass_header Date; proxy_pass_header Server; }
        location = /a { internal; return 200 'the first'; }
        location = /b { internal; return 200 'the second'; }
    }
END
$w->allow_log(qr/duplicate header line/);

my $answer = $w->get('/');
is_deeply [ $answer->header($_) ], ['first'], "one $_" for @single;
is_deeply [ $answer->header($_) ], [ 'first', 'second' ], "both of $_" for @list;
$answer = $w->get('/accel');
is $answer->body, 'the first', 'one place to go to';
is_deeply [ $answer->header('Content-Type') ], ['first'], 'and what it is';
is_deeply [ $answer->header('Set-Cookie') ], [ 'first', 'second' ], 'with all cookies';
like $w->error_log, qr/duplicate header line: "ETag"/i, 'the log tells';

done_testing;
