# mirror_to: whatever becomes of a copy, error_page, X-Accel-Redirect and try_files lead none to who answers real requests, so that no work is done twice.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w     = Weir::Test->new('a copy goes to its group and nowhere else');
my $main  = $w->origin;
my $other = $w->origin;
my $copy  = $w->origin(sub ($c) {
    my $t = $c->request->target;
    $t =~ /accel=(\S+)/ ? $c->reply(200, 'x', 'X-Accel-Redirect', $1) : $c->reply($t =~ /bad/ ? 503 : 200, 'x');
});
my $dead = $w->refused_peer;
$w->conf(<<"END", workers => 1);
    upstream main { server $main; } upstream copy { server $copy; } upstream dead { server $dead; }
    log_format all '\$request_uri \$status \$upstream_addr';
    access_log logs/all.log all;
    log_subrequest on;
    server {
        location \@other { proxy_pass http://$other; }
        location /other { internal; proxy_pass http://$other; }
        location /named { error_page 502 = \@other; mirror_to dead; proxy_pass http://main; }
        location /path  { error_page 502 = /other; mirror_to dead; proxy_pass http://main; }
        location /bad   { error_page 503 = \@other; proxy_intercept_errors on; mirror_to copy; proxy_pass http://main; }
        location /accel { mirror_to copy; proxy_pass http://main; }
        location /files { try_files /none \@other; mirror_to copy; proxy_pass http://main; }
    }
END
my $told = 0;
for my $case ([ '/named', 0 ], [ '/path', 0 ], [ '/bad', 1 ], [ '/accel?accel=/other', 1 ], [ '/accel?accel=@other', 1 ]) {
    my ($target, $copies) = @$case;
    my ($was, $had) = ($copy->requests, $main->requests);
    is $w->request('POST', $target, body => 'abc')->status, 200, "$target: the client has its answer";
    $told += 2;
    $w->wait_until('the copy has ended', sub { my @lines = split /\n/, $w->access_log('all.log'); @lines >= $told });
    is $copy->requests - $was, $copies, 'a copy' if $copies;
    is $main->requests - $had, 1, 'and one request';
    is $other->requests, 0, 'nobody else was asked';
}
my $was = $copy->requests;
is $w->request('POST', '/files', body => 'abc')->status, 200, 'a request that try_files leads elsewhere';
$told++;
$w->wait_until('it has ended', sub { my @lines = split /\n/, $w->access_log('all.log'); @lines >= $told });
is $other->requests, 1, 'is sent once';
is $w->get('/accel')->status, 200, 'and one later';
$copy->wait_requests($was + 1);
is $copy->requests - $was, 1, 'is the next that is copied';

done_testing;
