# A limit whose key is a claim counts requests that came before the keys of their issuer; what decides by a claim before that is refused.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Jose;

my $w = Weir::Test->new('a limit by a claim waits for the keys');
$w->needs_weir;
my $key = Weir::Jose->key($w, 'ES256', kid => 'a');
my $issuer = $w->origin(sub ($c) { $c->request; $c->note('asked'); $c->wait_for('answer'); $c->reply(200, Weir::Jose->set($key)) });
$w->allow_log(qr/auth\.jwt\.keys|limiting requests/);
$w->conf(<<"END", workers => 1);
    limit_req_zone \$jwt_claim_sub zone=by:1m rate=1r/m;
    map \$jwt_claim_role \$is_admin { admin 1; default 0; }
    server {
        auth_jwt api;
        auth_jwt_key_request http://$issuer/;
        location / { limit_req zone=by; empty_gif; }
        location /decides { if (\$is_admin) { return 403; } empty_gif; }
    }
END
my $token = $key->token({ sub => 'one', exp => time + 600 });
$w->start;
$issuer->wait_note('asked');
is $w->get('/decides', Authorization => "Bearer $token")->status, 500, 'what decides in the rewrite phase is not told that a claim is empty';
my @clients = map { $w->client->send_request('GET', '/', headers => [ Authorization => "Bearer $token" ]) } 1 .. 3;
$w->pass('answer');
is join(' ', sort map { $_->read_response(method => 'GET')->status } @clients), '200 503 503', 'the limit counts all of them';
is $w->get('/decides', Authorization => "Bearer $token")->status, 200, 'with keys it is told';
done_testing;
