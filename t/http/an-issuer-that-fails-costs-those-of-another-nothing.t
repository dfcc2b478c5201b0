# Who waits for the keys of an issuer that is slow goes on waiting while another issuer fails, in whichever worker.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Jose;

my $w = Weir::Test->new('an issuer that fails costs those of another nothing');
$w->needs_weir;
my $key = Weir::Jose->key($w, 'ES256', kid => 'a');
my $slow = $w->origin(sub ($c) { $c->request; $c->note('asked'); $c->wait_for('answer'); $c->reply(200, Weir::Jose->set($key)) });
my $fails = $w->origin(sub ($c) { $c->request; $c->reply(503, 'down') });
$w->allow_log(qr/the keys of|auth\.jwt/);
$w->conf(<<"END", workers => 2);
    server {
        auth_jwt api;
        location / { auth_jwt_key_request http://$slow/; empty_gif; }
        location /fails { auth_jwt_key_request http://$fails/; empty_gif; }
        location /pid { auth_jwt off; return 200 \$pid; }
    }
END
my $token = $key->token({ exp => time + 600 });
my %client;
$w->wait_until('a connection to each worker', sub { my $client = $w->client; $client{ $client->get('/pid')->body } //= $client; keys %client == 2 });
$slow->wait_note('asked');
$_->send_request('GET', '/', headers => [ Authorization => "Bearer $token" ]) for values %client;
my $failed = $fails->requests;
$w->wait_until('the other issuer has failed a few times', sub { $w->get('/fails', Authorization => "Bearer $token"); $fails->requests >= $failed + 3 });
$w->pass('answer');
is join(' ', map { $_->read_response(method => 'GET')->status } values %client), '200 200', 'both are answered';
done_testing;
