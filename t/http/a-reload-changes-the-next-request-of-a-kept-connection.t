use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a reload changes the next request of a kept connection');
$w->needs_weir;
$w->conf('server { location / { return 200 one; } }');

my @clients = map { $w->client } 1 .. 8;
is $_->get('/')->body, 'one', 'before' for @clients;
my @workers = $w->workers;
$w->reload('server { location / { return 200 two; } }');
is $_->get('/')->body, 'two', 'after, on the same connection' for @clients;
is_deeply [ $w->workers ], \@workers, 'by the same workers';
$w->reload_refused('server { location / { retrun 200 three; } }', qr/unknown directive "retrun"/);
is $_->get('/')->body, 'two', 'a broken file changes nothing' for @clients;

done_testing;
