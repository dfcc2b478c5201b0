# auth_jwt_key_request with a location: a subrequest for each request, or as auth_jwt_key_cache says; several sources; what is no set.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Jose;

my $w = Weir::Test->new('auth_jwt asks a location for keys');
$w->needs_weir;
my ($one, $two) = map { Weir::Jose->key($w, 'ES256', kid => $_) } qw(one two);
my $sets = $w->origin(sub ($c) {
    my $target = $c->request->target;
    return $c->reply(200, Weir::Jose->set($one)) if $target =~ /one/;
    return $c->reply(200, Weir::Jose->set($two)) if $target =~ /two/;
    return $c->reply(200, '{"keys":[' . ' ' x 600_000 . ']}') if $target =~ /long/;
    if ($target =~ /slow/) { $c->note('slow'); $c->wait_for('answer') }
    $c->reply(404, 'none');
});
$w->allow_log(qr/the keys of|auth\.jwt/);
$w->conf(<<"END", workers => 1);
    server {
        auth_jwt api;
        location /each { auth_jwt_key_request /keys/one; empty_gif; }
        location /cached { auth_jwt_key_cache 1h; auth_jwt_key_request /keys/one?cached; empty_gif; }
        location /both { auth_jwt_key_request /keys/one; auth_jwt_key_request /keys/two; empty_gif; }
        location /by { auth_jwt_key_cache 1h; auth_jwt_key_request /keys/\$arg_who; empty_gif; }
        location /long { auth_jwt_key_request /keys/long; empty_gif; }
        location /none { auth_jwt_key_request /keys/missing; empty_gif; }
        location /slow { auth_jwt_key_request /keys/slow; empty_gif; }
        location /some { auth_jwt_key_request /keys/missing; auth_jwt_key_request /keys/two; empty_gif; }
        location /keys/ { internal; proxy_pass http://$sets; }
        location /seen { auth_jwt_key_request /keys/one; add_header X-Sub \$jwt_claim_sub; empty_gif; }
    }
END
my %token = (one => $one->token({ sub => 's1' }), two => $two->token({ sub => 's2' }));
my $get = sub ($path, $which) { $w->get($path, Authorization => "Bearer $token{$which}") };
my $asked = sub ($do) { my $n = $sets->requests; my @is = $do->(); return ($sets->requests - $n, @is) };
is join(' ', $asked->(sub { map { $get->('/each', 'one')->status } 1 .. 3 })), '3 200 200 200', 'each request asks';
is join(' ', $asked->(sub { map { $get->('/cached', 'one')->status } 1 .. 3 })), '1 200 200 200', 'auth_jwt_key_cache';
is join(' ', $asked->(sub { map { $get->('/both', $_)->status } qw(one two) })), '3 200 200', 'two sources, asked as far as they are needed';
is join(' ', $asked->(sub { map { $get->("/by?who=$_->[0]", $_->[1])->status } [qw(one one)], [qw(one one)], [qw(two two)], [qw(two one)] })), '2 200 200 200 401', 'variables in the URI';
is $get->($_, 'one')->status, 500, "$_: no keys" for qw(/long /none);
is join(' ', map { $get->('/some', $_)->status } qw(one two)), '500 200', 'a source that fails matters to whom it may concern';
is $get->('/seen', 'one')->header('X-Sub'), 's1', 'claims';
my $client = $w->client;
$client->send_request('GET', '/slow', headers => [ Authorization => "Bearer $token{one}" ]);
$sets->wait_note('slow');
$client->close;
$w->pass('answer');
is $get->('/each', 'one')->status, 200, 'a client that leaves meanwhile leaves nothing behind';
done_testing;
