# A text of ext_authz_context that cannot be computed (its pattern ran into its limit) refuses the request, whether the body goes along or not: the
# service is not asked about a text that is empty instead.  A rehearsal refuses nothing.
use v5.36;
use lib 't/lib';
use Weir::Authz;
use Weir::Test;

my $w      = Weir::Test->new('ext_authz refuses a request whose context cannot be computed');
my $asked  = $w->dir . '/asked';
my $authz  = Weir::Authz::scripted($w, sub ($h2, $s, $case, $message) { open my $fh, '>>', $asked; print $fh "x"; close $fh; Weir::Authz::answer($s, $Weir::Authz::ok) });
my $origin = $w->origin;
$w->allow_log(qr/route\.pattern_limit|dry run/);
$w->conf(<<"END", workers => 1);
    upstream authz { server $authz; }
    map \$arg_x \$plan { "~^(a+)+\$" gold; default none; }
    server {
        ext_authz grpc://authz;
        ext_authz_context plan \$plan;
        add_header X-Cause \$weir_cause always;
        location / { proxy_pass http://$origin; }
        location /body { ext_authz_body 1k; proxy_pass http://$origin; }
        location /open { ext_authz_body 1k; ext_authz_fail_open on; proxy_pass http://$origin; }
        location /dry { ext_authz_body 1k; ext_authz_dry_run on; proxy_pass http://$origin; }
    }
END

sub post ($target, $body) {
    my $r = $w->request('POST', $target, body => $body);
    return $r->status . ' ' . ($r->header('X-Cause') // '-');
}
my $bad = 'a' x 40 . 'b';
for my $path ('/', '/body', '/open') {
    is post("$path?x=$bad", $_), '403 route.pattern_limit', "$path with '$_'" for '', 'hello';
}
ok !-e $asked, 'the service was not asked';
is $origin->requests, 0, 'nor was the peer';
is post('/body?x=aa', 'hello'), '200 -', 'a context that can be computed';
is post("/dry?x=$bad", 'hello'), '200 -', 'a rehearsal';
is -s $asked, 2, 'the service was asked about both';
done_testing;
