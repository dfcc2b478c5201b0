# Directives of signed requests: what is wrong with one is said with its line and what would be right.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Jose;
use Weir::Test;

my $w = Weir::Test->new('signature is checked when it is read')->needs_weir;
$w->allow_log(qr/\[emerg\]/);
my $key = Weir::Jose->key($w, 'HS256', kid => 'a');
$w->write_file('conf/keys.json', Weir::Jose->set($key));
$w->write_file('conf/same.json', Weir::Jose->set(Weir::Jose->key($w, 'ES256', kid => 'a')));
$w->write_file('conf/public.json', Weir::Jose->set(Weir::Jose->key($w, 'ES256', kid => 'b')));
$w->write_file('conf/nameless.json', Weir::Jose->set(Weir::Jose->key($w, 'HS256')));
$w->write_file('conf/weak.json', Weir::Jose->set(Weir::Jose->key($w, 'HS256', kid => 'a', secret => 'short')));
$w->write_file('conf/other.json', Weir::Jose->set(Weir::Jose->key($w, 'HS512', kid => 'a')));
$w->write_file('conf/none.json', '{"keys":[]}');
$w->write_file('conf/text.json', 'text');
my $check = sub ($text) { $w->check_conf("server { location / { $text empty_gif; } }") };
is +($check->('signature keys=keys.json;'))[0], 0, 'it is right';
is +($check->('signature keys=keys.json keys=public.json label=a "tag=b c" realm=r; signature_require @method @target-uri X-A; signature_max_age 1m; signature_skew 0; signature_nonce zone=n:1m; signature_max_body 1k;'))[0], 0, 'with all there is';
for my $case (
    [ 'signature label=a;', qr/must have "keys=file"/ ],
    [ 'signature keys=nothing.json;', qr/nothing\.json/ ],
    [ 'signature keys=text.json;', qr/is no JSON Web Key Set: it is not JSON/ ],
    [ 'signature keys=none.json;', qr/has no key/ ],
    [ 'signature keys=nameless.json;', qr/it has no "kid"/ ],
    [ 'signature keys=weak.json;', qr/key 1 of .* cannot be used: / ],
    [ 'signature keys=other.json;', qr/no algorithm of RFC 9421 is for it/ ],
    [ 'signature keys=keys.json keys=same.json;', qr/two keys have the kid "a"/ ],
    [ 'signature keys=keys.json keys=keys.json;', qr/two keys have the kid "a"/ ],
    [ 'signature keys=keys.json age=5;', qr/keys=file, label=name, tag=text or realm=text/ ],
    [ 'signature keys=keys.json "realm=a\"b";', qr/keys=file, label=name/ ],
    [ 'signature keys=$a;', qr/without variables/ ],
    [ 'signature_require @status;', qr/the name of a field, \@method/ ],
    [ 'signature_require @query-param;', qr/the name of a field, \@method/ ],
    [ 'signature_require "a b";', qr/the name of a field, \@method/ ],
    [ 'signature_nonce zone=n;', qr/zone=name:size, the size 32k or more/ ],
    [ 'signature_nonce zone=n:1k;', qr/zone=name:size, the size 32k or more/ ],
    [ 'signature keys=keys.json; signature_nonce zone=n:1m; signature_max_age 0;', qr/needs a "signature_max_age"/ ],
    [ 'signature keys=keys.json; signature_nonce zone=n:1m; } location /b { signature keys=keys.json; signature_nonce zone=n:2m;', qr/the zone "n" has another size in another line/ ],
) {
    my ($text, $complaint) = @$case;
    my ($code, $said) = $check->($text);
    isnt $code, 0, $text;
    like $said, $complaint, '… and why';
    like $said, qr/\.conf:\d+/, '… and where';
}
done_testing;
