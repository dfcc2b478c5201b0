# Opened and idle; there is nobody to answer to, so it just ends.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a connection that says nothing is closed');
$w->conf('client_header_timeout 200ms; server { location / { return 200 ok; } }');

my @clients = map { $w->client } 1 .. 20;
my $alive   = $w->get('/');
is $alive->status, 200, 'others are served meanwhile';
my @left = grep { $_->take_all ne '' } @clients;
is scalar @left, 0, 'all of them ended, without an answer';

done_testing;
