# Where workers have to be replaced, new ones serve first; the old ones finish what they have and leave.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w = Weir::Test->new('a changed number of workers drains the old ones')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->wait_for('answer') if $c->request->target eq '/slow'; $c->reply(200, 'origin') });
my $text   = "server { location / { proxy_pass http://$origin; } }";
$w->workers_may_change->descriptors_may_stay;
$w->conf($text, workers => 2);
$w->start;
my @old = $w->workers;

my $slow = $w->client->send_request('GET', '/slow');
$w->wait_until('the slow request is at the origin', sub { $origin->requests > 0 });
$w->reload($text, workers => 3);
my %old = map { $_ => 1 } @old;
my @new = grep { !$old{$_} } $w->workers;
is scalar @new, 3, 'three new workers run';
is $w->get('/')->body, 'origin', 'and serve';
$w->wait_for_log(qr/gracefully shutting down/);

$w->pass('answer');
is $slow->read_response->body, 'origin', 'the request in the old worker is answered';
$w->wait_until('the old ones have left', sub { !grep { -d "/proc/$_" } @old });
is_deeply [ $w->workers ], \@new, 'only the new ones are left';

$w->reload($text, workers => 1);
$w->wait_until('one worker is left', sub { $w->workers == 1 });
is $w->get('/')->body, 'origin', 'fewer work as well';
unlike $w->error_log, qr/exited on signal/, 'nobody was killed';
done_testing;
