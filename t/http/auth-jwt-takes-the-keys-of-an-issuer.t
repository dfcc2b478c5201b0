# auth_jwt_key_request with an address: one fetch for all workers, rotation under load without a refused request, revocation, an issuer that
# is down, a reload.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Jose;

my $w = Weir::Test->new('auth_jwt takes the keys of an issuer');
$w->needs_weir;
my @keys = map { Weir::Jose->key($w, 'ES256', kid => "k$_") } 0 .. 4;
my $file = $w->dir . '/jwks.json';
my $publish = sub (@which) { open my $out, '>', "$file.new" or die $!; print $out Weir::Jose->set(@keys[@which]); close $out; rename "$file.new", $file };
my $slurp = sub ($path) { open my $in, '<', $path or return ''; local $/; return scalar <$in> };
$publish->(0);
my $issuer = $w->origin(sub ($c) {
    my $r = $c->request;
    $c->note($r->target . ' ' . ($r->header('Accept') // '-'));
    return $c->reply(503, 'down') if -e "$file.down";
    $c->reply(200, $slurp->($file), 'Cache-Control' => 'public, max-age=1', 'Content-Type' => 'application/jwk-set+json');
});
$w->allow_log(qr/the keys of .* could not be fetched|auth\.jwt|too old/);
my $conf = sub ($more) { <<"END" };
    server {
        auth_jwt api;
        auth_jwt_key_request http://$issuer/keys;
        auth_jwt_key_refresh 300ms;
        location / { empty_gif; $more add_header X-Sub \$jwt_claim_sub; }
    }
END
$w->conf($conf->('auth_jwt_key_stale 1h;'), workers => 2);
my %token = map { $_ => $keys[$_]->token({ sub => "s$_", exp => time + 3600 }) } 0 .. $#keys;
my $get = sub ($n) { $w->get('/', Authorization => "Bearer $token{$n}") };
is $get->(0)->header('X-Sub'), 's0', 'the issuer\'s key is known';
is $get->(0)->status, 200, "again, $_" for 1 .. 6;
is $issuer->requests, 1, 'all workers have it from one fetch';
is +($issuer->notes)[0], '/keys application/jwk-set+json, application/json', 'which asks for a set';

# An unknown key: one more fetch, and the request waits for it.
is $get->(1)->status, 401, 'a key that the issuer does not have';
is $issuer->requests, 2, 'was asked for once';
$publish->(0, 1);
is $get->(1)->status, 200, 'a key that has just come';
is $issuer->requests, 3, 'was asked for once more';
is $get->(2)->status, 401, "nobody makes Weir hammer the issuer, $_" for 1 .. 2;
cmp_ok $issuer->requests, '<=', 5, 'asked at most once in auth_jwt_key_refresh';
is $get->(0)->status, 200, 'who is known does not wait';

# Rotation: the issuer signs with the new key as soon as it is there, while clients ask all the time.
my @loads = map { my $n = $_; $w->child(sub {
    my ($refused, $asked) = (0, 0);
    for my $i (1 .. 60) {
        my $now = $slurp->("$file.signs") || 1;
        my $answer = $w->get('/', Authorization => "Bearer $token{$now}");
        $asked++;
        $refused++ if $answer->status != 200;
        select undef, undef, undef, 0.01;
    }
    print STDERR "$asked $refused\n";
}) } 1 .. 3;
for my $next (2, 3, 4) {
    select undef, undef, undef, 0.15;
    $publish->(0, $next - 1, $next);
    open my $out, '>', "$file.signs.new"; print $out $next; close $out;
    rename "$file.signs.new", "$file.signs";
}
my @told = map { ($_->(60))[1] } @loads;
is join('', @told), "60 0\n" x 3, 'keys change under load, and nobody is refused';

# Revocation: the key is gone from the set, and with it what it verified.
is $get->(0)->status, 200, 'verified and remembered';
$publish->(3, 4);
is $get->(1)->status, 401, '(the set is fetched once more for an unknown key)';
$w->wait_until('a revoked key verifies nothing', sub { $get->(0)->status == 401 });
is $get->(4)->status, 200, 'others do';

# The issuer is down: its keys are used further on.
open my $down, '>', "$file.down";
is $get->(4)->status, 200, 'an issuer that is down does not matter';
is $get->(1)->status, 401, 'though new keys cannot be had';
my $before = $issuer->requests;
$w->reload($conf->('auth_jwt_key_stale 1h; add_header X-New yes;'));
is $get->(4)->header('X-New'), 'yes', 'a reload';
is $get->(4)->status, 200, 'keeps the keys';
unlink "$file.down";
done_testing;
