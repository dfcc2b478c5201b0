# When all connections of a worker are in use it looks away from its sockets for half a second; also from one that a reload brings then.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an address that comes while connections are used up waits, too')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->wait_for('answer'); $c->reply(200, 'slow') });
my $conf   = sub ($more) { <<"END" };
daemon off;
worker_processes 1;
pid logs/weir.pid;
error_log logs/error.log info;
events { worker_connections 8; }
http { server { listen 127.0.0.1:%%PORT%%; $more location / { proxy_pass http://$origin; } } }
END
$w->allow_log(qr/worker_connections are not enough/);
$w->conf_main($conf->(''), workers => 1);
my $lines = sub { scalar(() = $w->error_log =~ /worker_connections are not enough/g) };
my @slow  = map { $w->client->send_request('GET', "/$_") } 1 .. 8;
my $more  = $w->client->send_request('GET', '/more');
$w->wait_until('connections are used up', sub { $lines->() > 0 });

$w->conf_main($conf->('listen 127.0.0.1:%%PORT_new%%;'), workers => 1);
$w->reload;
$w->wait_for_log(qr/configuration 2 is in use/);
my $new    = $w->client(port => $w->port('new'))->send_request('GET', '/new');
my $before = $lines->();
$w->wait_until('it has looked again', sub { $lines->() > $before + 1 });
cmp_ok $lines->(), '<', $before + 8, 'it looks again from time to time only';
$w->pass('answer');
is $_->read_response->body, 'slow', 'served' for @slow, $more, $new;
done_testing;
