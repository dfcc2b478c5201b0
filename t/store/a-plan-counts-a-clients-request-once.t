# plan_limit: whatever becomes of a request inside - redirects, pages of errors, subrequests, copies, two places with the same plan - it
# counts once; over HTTP/2 each stream is one, and one that is reset lets go of its place.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Store;
use Weir::Test;

my $w = Weir::Test->new('a plan counts a client\'s request once')->needs_weir;
Weir::Store::not_at_the_end_of_a_month();
my $origin = $w->origin(sub ($c) { $c->wait_for("go $1") if $c->request->target =~ /held=(\w+)/; $c->reply($c->request->target =~ /fails/ ? 500 : 200, 'ok') });
$w->allow_log(qr/limit\.plan|upstream|auth\.request/);
$w->conf(<<"END", main => "store_path store;\n");
http {
    plan_limit_zone plans:1m;
    anonymous plan=free key=\$arg_who;
    upstream o { server $origin; }
    server {
        http2 on;
        plan_limit;
        location / { proxy_pass http://o; }
        location /own { plan_limit scope=own; error_page 418 = \@there; return 418; }
        location \@there { plan_limit scope=own; proxy_pass http://o; }
        location /asks { plan_limit; auth_request /judge; mirror /copy; proxy_pass http://o; }
        location = /judge { internal; plan_limit; proxy_pass http://o; }
        location = /copy { internal; plan_limit; proxy_pass http://o; }
        location /tries { try_files /none \@tried; }
        location \@tried { plan_limit; proxy_pass http://o; }
        location /fails { proxy_intercept_errors on; error_page 500 = /page; proxy_pass http://o; }
        location = /page { plan_limit; proxy_pass http://o; }
        location /off { plan_limit off; return 204; }
    }
}
END
is +($w->tool('plan', 'add', 'free', 'month=4', 'concurrency=3'))[0], 0, 'a plan';
$w->start;
for my $path ('/', '/own', '/asks', '/tries', '/fails', '/asks') {
    my $who = 'who' . ($path =~ s/\W//gr) . int rand 1e9;
    is join(' ', map { $w->get("$path?who=$who")->status } 1 .. 5), '200 200 200 200 429', "$path counts once";
}
my $h2 = Weir::Http2::client($w);
my $come = $origin->requests;
$h2->send(join '', map { headers(2 * $_ + 1, 'END_STREAM END_HEADERS', Weir::Http2::request_fields(':path' => "/?who=h2&held=h$_")) } 0 .. 19);
my %is;
$is{ $h2->verdict(2 * $_ + 1, waits => 1) }++ for 3 .. 19;
is_deeply \%is, { 429 => 17 }, 'of twenty streams at once three are under way';
$origin->wait_requests($come + 3);
$h2->send(rst(1));
$w->wait_until('the one that was reset let go', sub { $w->get('/?who=h2')->status == 200 });
is $w->get('/?who=h2')->status, 429, 'and that was the fourth of four';
$w->pass('go h0');
for my $n (1, 2) {
    $w->pass("go h$n");
    is $h2->verdict(2 * $n + 1, waits => 1), '200', "what is under way ends well ($n)";
}
$h2->close;
$w->wait_until('nothing is held', sub { ($w->tool('zones'))[1] =~ /plan-conn\s+plans\b.*keys=0/ });
done_testing;
