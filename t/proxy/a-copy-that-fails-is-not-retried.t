# retry with pauses is for requests that somebody waits for: copies would keep a worker that is to end, and the room of other copies.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a copy that fails is not retried');
my $main = $w->origin;
my $dead = $w->refused_peer;
$w->conf(<<"END", workers => 1);
    log_format all '\$request_method \$status \$upstream_addr \$upstream_status';
    access_log logs/all.log all;
    log_subrequest on;
    server { location / { retry 10 on=connect backoff=30s; mirror_to $dead; proxy_pass http://$main; } }
END
is $w->request('POST', '/', body => 'abc')->status, 200, 'the client has its answer';
$w->wait_until('the copy has ended', sub { $w->access_log('all.log') =~ /\Q$dead\E/ });
like $w->access_log('all.log'), qr/^POST 502 \Q$dead\E 502$/m, 'the copy was tried once';
is $w->stop, 0, 'nothing is waited for at the end';

done_testing;
