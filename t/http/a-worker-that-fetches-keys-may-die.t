# The keys of an issuer are fetched by one worker for all.  When it dies meanwhile, another takes its place: who waits is answered.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Jose;

my $w = Weir::Test->new('a worker that fetches keys may die');
$w->needs_weir;
my @keys = map { Weir::Jose->key($w, 'ES256', kid => "k$_") } 0, 1;
my $file = $w->dir . '/slow';
my $issuer = $w->origin(sub ($c) {
    $c->request;
    if (-e $file) { $c->note('slow'); $c->wait_for('never') }
    $c->reply(200, Weir::Jose->set($c->number == 1 ? $keys[0] : @keys));
});
$w->allow_log(qr/exited on signal 9|auth\.jwt/);
$w->workers_may_change->conf(<<"END", workers => 2);
    server { auth_jwt api; auth_jwt_key_request http://$issuer/keys; location / { empty_gif; add_header X-Pid \$pid; } }
END
my @token = map { $_->token({ exp => time + 3600 }) } @keys;
my %client;
$w->wait_until('a connection to each worker', sub {
    my $client = $w->client;
    $client{ $client->get('/', Authorization => "Bearer $token[0]")->header('X-Pid') } //= $client;
    return keys %client == 2;
});
my ($first, $second) = sort keys %client;
open my $slow, '>', $file;
$client{$first}->send_request("GET", "/", headers => [ Authorization => "Bearer $token[1]" ]);
$issuer->wait_note('slow');
unlink $file;
$client{$second}->send_request("GET", "/", headers => [ Authorization => "Bearer $token[1]" ]);
kill KILL => $first;
$w->pass('never');     # the origin serves one after another
my $answer = $client{$second}->read_response(method => 'GET');
is $answer->status, 200, 'who waited in another worker is answered';
is $answer->header('X-Pid'), $second, '… by that one';
$w->wait_until('the successor knows the keys', sub { my $r = $w->get('/', Authorization => "Bearer $token[1]"); $r->status == 200 && $r->header('X-Pid') != $second });
done_testing;
