# Each refusal of auth_jwt has a cause of its own, and says to the client what RFC 6750 asks for; nothing of a token is in the log.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Jose;
use MIME::Base64 qw(encode_base64url);

my $w = Weir::Test->new('auth_jwt tells why a token is refused');
$w->needs_weir;
my $now = time;
my $good = Weir::Jose->key($w, 'HS256', kid => 'good', silent => 1);
my $rsa = Weir::Jose->key($w, 'RS256', kid => 'rsa', silent => 1);
my $weak = Weir::Jose->key($w, 'RS256', kid => 'weak', bits => 1024);
my $enc = Weir::Jose->secret('0123456789abcdefghijklmnopqrstuv', kid => 'enc', dir => $w->dir);
mkdir $w->dir . '/conf';
my $write = sub ($name, $text) { open my $out, '>', $w->dir . "/conf/$name" or die $!; print $out $text };
$write->('hs.json', Weir::Jose->set($good));
$write->('rs.json', Weir::Jose->set($rsa));
$write->('enc.json', Weir::Jose->set($enc));
my $sets = $w->origin(sub ($c) { $c->request; $c->reply(200, Weir::Jose->set($rsa, $weak, { $rsa->jwk->%*, kid => 'twin' }, { $rsa->jwk->%*, kid => 'twin' }, { $rsa->jwk->%*, kid => 'enc', use => 'enc' })) });
my $broken = $w->origin(sub ($c) { $c->request; $c->reply(200, '{"keys":1}') });
my $fails = $w->origin(sub ($c) { $c->request; $c->reply(503, 'no') });
my $dead = $w->refused_peer;
$w->allow_log(qr/keys of|auth\.jwt\.keys|connect\(\) failed|upstream\.|Connection refused/, qr/\[emerg\]/);
$w->conf(<<"END");
    server {
        error_page 400 401 403 500 /page;
        location = /page { auth_jwt off; add_header X-Cause \$weir_cause always; return 204; }
        auth_jwt "an \\\"api\\\"";
        auth_jwt_key_file hs.json;
        auth_jwt_key_file rs.json;
        location / { auth_jwt_issuer me; auth_jwt_audience us; auth_jwt_algorithms HS256 HS512 RS256; auth_jwt_max_size 4k; empty_gif; }
        location /plain { empty_gif; }
        location /need { auth_jwt_require \$jwt_claim_admin; empty_gif; }
        location /need403 { auth_jwt_require \$jwt_claim_admin error=403; empty_gif; }
        location /sealed { auth_jwt_type encrypted; auth_jwt_key_file enc.json; empty_gif; }
        location /sets { auth_jwt_key_request /keys; empty_gif; }
        location /keys { proxy_pass http://$sets; }
        location /broken { auth_jwt_key_request /brokenkeys; empty_gif; }
        location /brokenkeys { proxy_pass http://$broken; }
        location /fails { auth_jwt_key_request /failskeys; empty_gif; }
        location /failskeys { proxy_pass http://$fails; }
        location /dead { auth_jwt_key_request http://$dead/; empty_gif; }
    }
    server { listen 127.0.0.1:%%PORT_plain%%; auth_jwt api; auth_jwt_key_file hs.json; location / { empty_gif; } }
END
my $claims = { iss => 'me', aud => 'us', exp => $now + 600 };
my $unsigned = encode_base64url('{"alg":"none"}') . '.' . encode_base64url('{}') . '.';
my $head = sub ($text) { Weir::Jose->signed($good, $text, '{}') };
my @rows = (
    [ '/', undef, 'missing' ],
    [ '/', '', 'missing' ],
    [ '/', 'abc', 'malformed' ],
    [ '/', 'a.b.c', 'malformed' ],
    [ '/', $head->('[]'), 'malformed' ],
    [ '/', $head->('{"alg":"HS256","alg":"HS256"}'), 'duplicate' ],
    [ '/plain', Weir::Jose->signed($good, '{"alg":"HS256"}', '{"sub":"a","sub":"b"}'), 'duplicate' ],
    [ '/plain', Weir::Jose->signed($good, '{"alg":"HS256"}', 'not json'), 'malformed' ],
    [ '/plain', $good->token({ exp => 'never' }), 'malformed' ],
    [ '/', 'x' x 4097, 'too_large' ],
    [ '/', $unsigned, 'none' ],
    [ '/', $unsigned =~ s/^[^.]+/encode_base64url('{"alg":"NoNe"}')/er, 'none' ],
    [ '/', $head->('{"alg":"XS256"}'), 'algorithm' ],
    [ '/', $head->('{"alg":"HS384"}'), 'algorithm' ],
    [ '/', $head->('{"alg":"HS256","crit":["x"],"x":1}'), 'crit' ],
    [ '/', $enc->encrypted('{}'), 'type' ],
    [ '/sealed', $good->token($claims), 'type' ],
    [ '/sealed', $enc->encrypted('{}', header => { zip => 'DEF' }), 'zip' ],
    [ '/sealed', $enc->encrypted('{}') =~ s/.$/_/r, 'malformed' ],
    [ '/sealed', Weir::Jose->secret('x' x 32, dir => $w->dir)->encrypted('{}'), 'decrypt' ],
    [ '/', $good->token($claims, header => { kid => 'other' }), 'key.unknown' ],
    [ '/', $good->token($claims, header => { kid => 'rsa' }), 'key.mismatch' ],
    [ '/', $head->('{"alg":"RS256","kid":"good"}'), 'key.mismatch' ],
    [ '/sets', $weak->token($claims), 'key.weak' ],
    [ '/sets', $rsa->token($claims, header => { kid => 'twin' }), 'key.broken' ],
    [ '/sets', $rsa->token($claims, header => { kid => 'enc' }), 'key.mismatch' ],
    [ '/', $good->token($claims) =~ s/\.[^.]*$/'.' . encode_base64url('x' x 32)/er, 'signature' ],
    [ '/', $good->token({ %$claims, exp => $now - 1 }), 'expired' ],
    [ '/', $good->token({ %$claims, nbf => $now + 60 }), 'not_yet' ],
    [ '/', $good->token({ %$claims, iss => 'you' }), 'issuer' ],
    [ '/', $good->token({ %$claims, aud => ['them'] }), 'audience' ],
    [ '/need', $good->token($claims), 'require' ],
    [ '/need403', $good->token($claims), 'require', 403 ],
    [ '/broken', $good->token($claims, header => { kid => 'x' }), 'keys', 500 ],
    [ '/fails', $good->token($claims, header => { kid => 'x' }), 'keys', 500 ],
    [ '/dead', $good->token($claims, header => { kid => 'x' }), 'keys', 500 ],
    [ '/', $good->token($claims), '' ],
    [ '/sets', $rsa->token($claims), '' ],
);
my @tokens;
for my $row (@rows) {
    my ($path, $token, $cause, $status) = @$row;
    $status //= 401;
    for my $time (1 .. 2) {
        my $answer = $w->get($path, defined $token ? (Authorization => "Bearer $token") : ());
        is $answer->status, $cause eq '' ? 200 : $status, "$path: " . ($cause || 'good') . ", time $time";
        is $answer->header('X-Cause') // '', $cause eq '' ? '' : "auth.jwt.$cause", '… its cause';
        my $want = $answer->status != 401 ? '' : $cause eq 'missing' ? '' : $cause eq 'require' ? ', error="insufficient_scope"' : ', error="invalid_token"';
        is $answer->header('WWW-Authenticate') // '', $answer->status == 401 ? qq(Bearer realm="an \\"api\\""$want) : '', '… and what the client is told';
    }
    push @tokens, grep { length > 20 } split /\./, $token // '';
}
my $log = $w->error_log;
is join(' ', grep { index($log, $_) >= 0 } @tokens), '', 'nothing of a token is in the log';
like $log, qr/cause: auth\.jwt\.expired/, 'causes are';

my %wrong = (
    'auth_jwt api;' => qr/"auth_jwt" has no "auth_jwt_key_file" or "auth_jwt_key_request" here/,
    'auth_jwt api token=x; auth_jwt_key_file hs.json;' => qr/expected token=\$variable/,
    'auth_jwt_key_file none.json;' => qr/none\.json/,
    'auth_jwt_key_file bad.json;' => qr/bad\.json" is no JSON Web Key Set: it is not JSON in .*:\d+/,
    'auth_jwt_key_file weak.json;' => qr/key 1 of ".*weak\.json" \(kid "weak"\) cannot be used: it has less than 2048 bits/,
    'auth_jwt_key_file mixed.json;' => qr/it is a secret among public keys/,
    'auth_jwt_key_file $arg_x;' => qr/without variables/,
    'auth_jwt_key_request keys;' => qr/the URI of a location, or an http:/,
    'auth_jwt_key_request http://;' => qr/with a host/,
    'auth_jwt_algorithms RS257;' => qr/expected an algorithm of RFC 7518/,
    'auth_jwt_require admin;' => qr/a value that begins with a variable/,
    'auth_jwt_require $arg_a error=402;' => qr/error=401 or error=403/,
    'auth_jwt_type sealed;' => qr/sealed/,
    'auth_jwt_max_size 65k;' => qr/65k/,
);
$write->('bad.json', '{');
$write->('weak.json', Weir::Jose->set($weak));
$write->('mixed.json', Weir::Jose->set($good, $rsa));
for my $text (sort keys %wrong) {
    my ($code, $said) = $w->check_conf("server { location / { $text empty_gif; } }");
    like $said, $wrong{$text}, "refused: $text";
}
done_testing;
