# ext_authz_fail_open and a service that ends the call with an error: one that says something about the question (it is too long, say, which a client
# can make it) lets nobody in, one that says that the service is ill does.
use v5.36;
use lib 't/lib';
use Weir::Authz;
use Weir::Http2 ':all';
use Weir::Test;

sub head ($s, $status, @more) { headers($s, 'END_HEADERS END_STREAM', ':status' => $status, 'content-type' => 'application/grpc', @more) }
my %want = ((map { ("grpc-$_" => 503) } 3, 7, 8, 11, 16), (map { ("grpc-$_" => 200) } 1, 2, 4, 12, 13, 14, 15), (map { ("http-$_" => 503) } 400, 401, 403, 413, 431, 499), (map { ("http-$_" => 200) } 500, 502, 503));

my $w      = Weir::Test->new('ext_authz_fail_open lets in no request of which the service complains');
my $authz  = Weir::Authz::scripted($w, sub ($h2, $s, $case, $message) { my ($of, $n) = split /-/, $case; $of eq 'grpc' ? head($s, 200, 'grpc-status' => $n) : head($s, $n) });
my $origin = $w->origin;
$w->allow_log(qr/auth\.ext\.unavailable|upstream\./);
$w->conf(<<"END", workers => 1);
    upstream authz { server $authz max_fails=0; }
    server { location / { ext_authz grpc://authz; ext_authz_fail_open on; proxy_pass http://$origin; } }
END
is $w->get('/', "X-Case", $_)->status, $want{$_}, $_ for sort keys %want;
is $origin->requests, scalar(grep { $_ == 200 } values %want), 'the peer is asked for those that are let in';
done_testing;
