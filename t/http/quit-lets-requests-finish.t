use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('QUIT lets requests finish');
my $origin = $w->origin(sub ($c) { $c->wait_for('quit'); $c->reply(200, 'finished') });
$w->conf("server { location / { proxy_pass http://$origin; } }");

my $idle = $w->client;
my $busy = $w->client->send_request('GET', '/');
$origin->wait_requests(1);
$w->signal('QUIT');
ok $idle->at_eof, 'an idle connection ends';
$w->pass('quit');
my $answer = $busy->read_response;
is $answer->body, 'finished', 'a busy one gets its answer';
is $answer->header('Connection'), 'close', 'and is told that it is the last';
is $w->wait_exit, 0, 'then the server ends';

done_testing;
