# Each kind of condition of `match`, one that holds and one that does not; the log names the condition that failed.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w = Weir::Test->new('an answer to a health check is judged by its match')->needs_weir;
my $origin = $w->origin(sub ($c) {
    my ($status) = $c->request->{target} =~ m{^/(\d+)};
    $c->reply($status, "Welcome to it\nall is well", 'Content-Type', 'text/html', 'X-Two', 'one', 'X-Two', 'two', 'X-Zero', '0');
});
# conditions, status that the origin gives, the condition that fails (undef: none)
my @rows = (
    [ '',                                      200, undef ],
    [ '',                                      399, undef ],
    [ '',                                      400, 'status 400' ],
    [ '',                                      503, 'status 503' ],
    [ 'status 200;',                           200, undef ],
    [ 'status 200;',                           204, 'status 200, it was 204' ],
    [ 'status 301 404;',                       404, undef ],
    [ 'status ! 500;',                         200, undef ],
    [ 'status ! 500;',                         500, 'status ! 500, it was 500' ],
    [ 'status 200-299 404;',                   404, undef ],
    [ 'status 200-299;',                       300, 'status 200-299, it was 300' ],
    [ 'status ! 500-599;',                     502, 'status ! 500-599, it was 502' ],
    [ 'header X-Two;',                         200, undef ],
    [ 'header X-Three;',                       200, 'header X-Three' ],
    [ 'header ! X-Three;',                     200, undef ],
    [ 'header ! x-two;',                       200, 'header ! x-two' ],
    [ 'header Content-Type = text/html;',      200, undef ],
    [ 'header Content-Type = text;',           200, 'header Content-Type = text' ],
    [ 'header X-Two = two;',                   200, undef ],
    [ 'header X-Two != two;',                  200, 'header X-Two != two' ],
    [ 'header X-Three != two;',                200, undef ],
    [ 'header Content-Type ~ "^text/";',       200, undef ],
    [ 'header Content-Type ~ "^TEXT/";',       200, 'header Content-Type ~ "^TEXT/"' ],
    [ 'header Content-Type ~* "^TEXT/";',      200, undef ],
    [ 'header Content-Type !~ json;',          200, undef ],
    [ 'header Content-Type !~ html;',          200, 'header Content-Type !~ html' ],
    [ 'body ~ "Welcome to";',                  200, undef ],
    [ 'body ~ "(?s)Welcome.*well$";',          200, undef ],
    [ 'body ~ nothing;',                       200, 'body ~ nothing' ],
    [ 'body !~ "maintenance mode";',           200, undef ],
    [ 'body !~* WELCOME;',                     200, 'body !~* WELCOME' ],
    [ 'body ~ "(W|We|e|l)*(?=zzz)x";',         200, 'body ~ "' ],
    [ 'require $upstream_http_x_two;',         200, undef ],
    [ 'require $upstream_http_x_three;',       200, 'require $upstream_http_x_three' ],
    [ 'require $upstream_http_x_two $upstream_http_x_zero;', 200, 'require $upstream_http_x_two $upstream_http_x_zero' ],
    [ 'require $fine;',                        200, undef ],
    [ 'require $fine;',                        404, undef ],
    [ 'require $fine;',                        500, 'require $fine' ],
    [ 'require $typed$fine;',                  500, undef ],
    [ 'require $upstream_response_time;',      200, undef ],
    [ 'status 200; header X-Two; body ~ well;', 200, undef ],
    [ 'status 200; header X-Two; body ~ ill;', 200, 'body ~ ill' ],
    [ 'status 200; header X-No; body ~ well;', 200, 'header X-No' ],
);
my ($matches, $groups) = ('', '');
for my $i (0 .. $#rows) {
    my ($conditions, $status) = $rows[$i]->@*;
    $matches .= "match m$i { $conditions }\n" if length $conditions;
    $groups .= "upstream g$i { server $origin; health_check interval=1h uri=/$status" . (length $conditions ? " match=m$i" : '') . "; }\n";
}
$w->conf('map $upstream_status $fine { 200 1; ~^4 yes; default 0; } map $upstream_http_content_type $typed { ~*HTML 1; }' . "$groups $matches server { location /status { status; } }", workers => 1);
$w->allow_log(qr/is unhealthy/);
my $status = sub { decode_json($w->get('/status')->body)->{upstreams} };
my $checked;
$w->wait_until('each was checked', sub {
    $checked = $status->();
    !grep { !$checked->{"g$_"}{peers}{"$origin"}{health_checks}{checks} } 0 .. $#rows;
});
my $log = $w->error_log;
for my $i (0 .. $#rows) {
    my ($conditions, $code, $fails) = $rows[$i]->@*;
    my $name = (length $conditions ? $conditions : 'nothing said') . " of $code";
    is $checked->{"g$i"}{peers}{"$origin"}{state}, defined $fails ? 'unhealthy' : 'up', $name;
    next unless defined $fails;
    my $reason = length $conditions ? qq{match "m$i" failed: $fails} : $fails;
    like $log, qr/of upstream "g$i" is unhealthy: \Q$reason\E/, "$name: the log names it";
}

done_testing;
