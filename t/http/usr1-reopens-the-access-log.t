use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('USR1 reopens the access log');
$w->conf('log_format f "$uri"; access_log logs/r.log f; server { location / { return 200 x; } }');

my $client = $w->client;
$client->get('/before');
$w->wait_for_access(qr{/before}, 'r.log');
rename $w->dir . '/logs/r.log', $w->dir . '/logs/r.log.1' or die;
$w->signal('USR1');
$w->wait_until('the new file', sub { -e $w->dir . '/logs/r.log' });
my $n = 0;
$w->wait_until('a line in the new file', sub { $client->get('/after'); $n++; $w->access_log('r.log') =~ m{/after} });
is $w->access_log('r.log.1') =~ s{/after\n}{}gr, "/before\n", 'the old one keeps what it had';
is +(() = ($w->access_log('r.log') . $w->access_log('r.log.1')) =~ m{/after}g), $n, 'and no line is lost'
    if $w->stop == 0;

done_testing;
