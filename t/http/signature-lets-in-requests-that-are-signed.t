# signature: requests that are signed with a known key are let in, and what is signed is what the upstream gets; each other one is refused with a
# cause, and variables say nothing of it.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Jose;
use Weir::Signature;
use Weir::Test;

my $w = Weir::Test->new('signature lets in requests that are signed')->needs_weir;
my %key = (
    hmac => Weir::Jose->key($w, 'HS256', kid => 'hmac'), p256 => Weir::Jose->key($w, 'ES256', kid => 'p256'), p384 => Weir::Jose->key($w, 'ES384', kid => 'p384'),
    ed => Weir::Jose->key($w, 'EdDSA', kid => 'ed'), pss => Weir::Jose->key($w, 'PS512', kid => 'pss'), rsa => Weir::Jose->key($w, 'RS256', kid => 'rsa'),
);
my $open = Weir::Jose->key($w, 'PS512', kid => 'open', silent => 1);
my $stranger = Weir::Jose->key($w, 'HS256', kid => 'hmac');
my $unknown = Weir::Jose->key($w, 'HS256', kid => 'unknown');
$w->write_file('conf/secrets.json', Weir::Jose->set($key{hmac}));
$w->write_file('conf/public.json', Weir::Jose->set(@key{qw(p256 p384 ed pss rsa)}, $open));
my $origin = $w->echo_origin;
$w->allow_log(qr/auth\.signature|access forbidden/);
$w->conf(<<"END", workers => 1);
    log_format cause '\$uri \$args \$status \$weir_cause';
    server {
        http2 on;
        access_log logs/access.log cause;
        signature keys=secrets.json keys=public.json realm=orders;
        add_header X-Key "\$signature_key_id|\$signature_label|" always;
        location / { proxy_set_header X-Key "\$signature_key_id"; proxy_pass http://$origin; }
        location /uri { signature_require \@method \@target-uri X-Account; proxy_pass http://$origin; }
        location /named { signature keys=secrets.json label=mine realm=orders; proxy_pass http://$origin; }
        location /tagged { signature keys=secrets.json tag=app realm=orders; proxy_pass http://$origin; }
        location /old { signature_max_age 0; proxy_pass http://$origin; }
        location /any { satisfy any; deny all; proxy_pass http://$origin; }
        location /any-ip { satisfy any; allow 127.0.0.1; proxy_pass http://$origin; }
        location /small { signature_max_body 10; proxy_pass http://$origin; }
        location /file { client_body_buffer_size 1k; client_max_body_size 10m; proxy_pass http://$origin; }
        location /off { signature off; proxy_pass http://$origin; }
        location /rewritten { rewrite_path /elsewhere; request_header set X-Account other; signature_require \@method \@path x-account; proxy_pass http://$origin; }
        location /page { error_page 401 = /sorry; proxy_pass http://$origin; }
        location = /sorry { internal; return 200 "sorry \$signature_key_id."; }
        location /judged { auth_request /judge; proxy_pass http://$origin; }
        location /judge { internal; return 204; }
        location /mirrored { mirror /copy; proxy_pass http://$origin; }
        location /copy { internal; proxy_pass http://$origin/copy; }
        location /again { try_files /nothing /; }
    }
END
my $authority = 'localhost';
my $ask = sub ($key, $target, %arg) {
    my %sent = (method => 'GET', target => $target, authority => $authority, %arg);
    my @fields = Weir::Signature::sign($key, %sent);
    @fields = $arg{change}->(@fields) if $arg{change};
    return $w->request($arg{sent_method} // $sent{method}, $arg{sent_target} // $target, headers => \@fields, (exists $arg{sent_body} ? (body => $arg{sent_body}) : exists $arg{body} ? (body => $arg{body}) : ()));
};
my $n = 0;
my $refused = sub ($what, $cause, $key, $target, %arg) {
    my $number = ++$n;
    my $full = $target . ($target =~ /\?/ ? '&' : '?') . "n=$number";
    $arg{sent_target} .= ($arg{sent_target} =~ /\?/ ? '&' : '?') . "n=$number" if defined $arg{sent_target};
    my $answer = $ask->($key, $full, %arg);
    my ($line) = $w->wait_for_access(qr/^\S+ (?:\S*&)?n=$number (\d+ \S+)\n/m) =~ /(\d+ \S+)$/;
    is $line =~ s/^\d+ //r, "auth.signature.$cause", "$what: its cause";
    is $answer->header('X-Key'), '||', '… and nobody is named';
    is $answer->header('WWW-Authenticate'), $answer->status == 401 ? 'Signature realm="orders"' : undef, '… how to come in' if $answer->status < 403 && $answer->status > 400;
    return $answer;
};
# -- good ones --
for my $name (sort keys %key) {
    my $answer = $ask->($key{$name}, '/a/b?c=d&e', method => 'POST', body => "body of $name", fields => [ 'X-More' => 'yes' ]);
    is $answer->status, 200, "a key of $key{$name}{alg}";
    is $answer->header('X-Key'), "$name|sig1|", '… is named';
    is $w->seen($answer)->header('X-Key'), $name, '… to the upstream, too';
    is $w->seen($answer)->body, "body of $name", '… which gets the body';
}
is $ask->($key{hmac}, '/', method => 'POST', body => 'x', alg => 'sha-512')->status, 200, 'a digest by SHA-512';
is $ask->($key{hmac}, '/', method => 'POST', body => 'x', digest => 0, fields => [ 'Content-Digest' => Weir::Signature::digest('x') . ', md5=:AAAA:', 'Content-Digest' => Weir::Signature::digest('x', 'sha-512') ])->status, 200, 'several digests, one not known';
is $ask->($key{hmac}, '/file', method => 'POST', body => 'x' x 300_000)->status, 200, 'a body that lies in a file';
is $ask->($open, '/', params => ';alg="rsa-pss-sha512"')->status, 200, 'a key that leaves the choice of an algorithm';
is $ask->($key{hmac}, '/', params => ';alg="hmac-sha256";expires=' . (time + 60))->status, 200, 'alg and expires';
is $ask->($key{hmac}, '/', created => time + 3)->status, 200, 'a clock that is a little fast';
is $ask->($key{hmac}, '/', created => time - 200)->status, 200, 'a signature of a while ago';
is $ask->($key{hmac}, '/old', created => undef)->status, 200, 'one that does not say when, where nobody asks';
is $ask->($key{hmac}, '/uri?a=%20b', fields => [ 'X-Account' => 'a, b' ], covers => [ '@method', '@target-uri', 'x-account' ])->status, 200, 'the whole address, and a field';
is $ask->($key{hmac}, '/?a=b', covers => [ '@method', '@authority', '@request-target' ])->status, 200, 'a target says its path and query';
is $ask->($key{hmac}, '/?a=b', covers => [ '@method', '@target-uri', '@scheme' ])->status, 200, 'an address says its host';
is $ask->($key{hmac}, '/?x=1&q+r=a%2bb+c*~&x=2', covers => [ '@method', '@authority', '@path', '@query', '"@query-param";name="q%20r"' ], values => { '@query-param' => 'a%2Bb%20c*%7E' })->status, 200, 'an argument';
is $ask->($key{hmac}, '/', covers => [ '@method', '@authority', '@path', '@query', 'x-empty' ], fields => [ 'X-Empty' => '' ])->status, 200, 'a field without a value';
is $ask->($key{hmac}, '/named', label => 'mine')->status, 200, 'a label that is asked for';
is $ask->($key{hmac}, '/tagged', params => ';tag="app"')->status, 200, 'a tag that is asked for';
is $ask->($key{hmac}, '/any')->status, 200, 'satisfy any: the signature';
is $ask->($stranger, '/any-ip')->header('X-Key'), '||', 'satisfy any: the address, which makes no signature good';
is $ask->($key{hmac}, '/any-ip/a//b')->status, 200, '… nor refuses for its path';
is $ask->($key{hmac}, '/?a=1&a%20b=%7E', covers => [ '@method', '@target-uri', map { qq("\@query-param";name="$_") } 'a', 'a%20b' ], values => { '"@query-param";name="a"' => '1', '"@query-param";name="a%20b"' => '%7E' })->status, 200, 'two arguments';
is $ask->($key{hmac}, '/off')->header('X-Key'), '||', 'off: nobody is asked';
my $answer = $ask->($key{hmac}, '/rewritten', fields => [ 'X-Account' => 'mine' ], covers => [ '@method', '@path', 'x-account' ]);
is $w->seen($answer)->target . ' ' . $w->seen($answer)->header('X-Account'), '/elsewhere other', 'what the place changes is changed afterwards';
is $ask->($key{hmac}, '/judged', method => 'POST', body => 'b')->status, 200, 'a subrequest is not asked for a signature of its own';
is $ask->($key{hmac}, '/mirrored', method => 'POST', body => 'b')->status, 200, 'nor is a copy';
is $w->seen($ask->($key{hmac}, '/again', method => 'POST', body => 'b'))->body, 'b', 'an internal redirect does not forget it';
my $two = $ask->($key{hmac}, '/', change => sub (@f) { (@f, 'Signature-Input' => 'proxy=("@status");created=1;keyid="other"', Signature => 'proxy=:AAAA:') });
is $two->header('X-Key'), 'hmac|sig1|', 'a signature of somebody else beside it';

# -- bad ones --
$answer = $refused->('no signature', 'missing', $key{hmac}, '/', change => sub (@f) { () });
is $answer->status, 401, 'refused';
$refused->('only one of the two fields', 'missing', $key{hmac}, '/', change => sub (@f) { @f[ 0, 1 ] });
$refused->('another label', 'missing', $key{hmac}, '/named');
$refused->('another tag', 'missing', $key{hmac}, '/tagged', params => ';tag="other"');
$refused->('no tag', 'missing', $key{hmac}, '/tagged');
$refused->('an unknown key', 'key', $unknown, '/');
$refused->('no key', 'malformed', $key{hmac}, '/', keyid => '');
$refused->('another secret', 'bad', $stranger, '/');
$refused->('another algorithm than the key\'s', 'algorithm', $key{hmac}, '/', params => ';alg="ed25519"');
$refused->('an algorithm that is not known', 'algorithm', $key{hmac}, '/', params => ';alg="hmac-sha1"');
$refused->('a key of two algorithms and no choice', 'algorithm', $open, '/');
$refused->('a key\'s own algorithm against the one that is said', 'algorithm', $key{pss}, '/', params => ';alg="rsa-v1_5-sha256"');
$refused->('a public key as a secret', 'bad', Weir::Jose->key($w, 'HS256', kid => 'ed', secret => 'x' x 32), '/');
$refused->('expired', 'expired', $key{hmac}, '/', params => ';expires=' . (time - 6));
$refused->('expired before it was made', 'expired', $key{hmac}, '/', created => time + 4, params => ';expires=' . (time + 2));
$refused->('too old', 'expired', $key{hmac}, '/', created => time - 310);
$refused->('no time', 'expired', $key{hmac}, '/', created => undef);
$refused->('of the future', 'not_yet', $key{hmac}, '/', created => time + 60);
$refused->('a path that is not covered', 'uncovered', $key{hmac}, '/', covers => [ '@method', '@authority', '@query' ]);
$refused->('a field that is not covered', 'uncovered', $key{hmac}, '/uri', covers => [ '@method', '@target-uri' ], fields => [ 'X-Account' => 1 ]);
$refused->('a body that is not covered', 'uncovered', $key{hmac}, '/', method => 'POST', body => 'x', covers => [ '@method', '@authority', '@path', '@query' ]);
$refused->('a body that somebody put in', 'uncovered', $key{hmac}, '/', method => 'POST', sent_body => 'x');
$refused->('another method', 'bad', $key{hmac}, '/', sent_method => 'DELETE');
$refused->('another path', 'bad', $key{hmac}, '/a', sent_target => '/b');
$refused->('another argument', 'bad', $key{hmac}, '/?a=b', sent_target => '/?a=c');
$refused->('another field', 'bad', $key{hmac}, '/uri', fields => [ 'X-Account' => 1 ], covers => [ '@method', '@target-uri', 'x-account' ], change => sub (@f) { $f[1] = 2; @f });
$refused->('a parameter that somebody took out', 'bad', $key{hmac}, '/', params => ';expires=9999999999', change => sub (@f) { $f[1] =~ s/;expires=\d+//; @f });

# What two readers may read differently.
$refused->('a covered field twice', 'component', $key{hmac}, '/uri', fields => [ 'X-Account' => 1, 'X-Account' => 2 ], covers => [ '@method', '@target-uri', 'x-account' ]);
$refused->('a covered value in two lines', 'component', $key{hmac}, '/uri', fields => [ 'X-Account' => '1, 2' ], covers => [ '@method', '@target-uri', 'x-account' ], change => sub (@f) { ('X-Account' => 1, 'x-account' => 2, @f[ 2 .. $#f ]) });
$refused->('a covered argument twice', 'component', $key{hmac}, '/?a=1&%61=2', covers => [ '@method', '@target-uri', 'x-account', '"@query-param";name="a"' ], fields => [ 'X-Account' => 1 ]) for 1;
$refused->($_, 'target', $key{hmac}, $_) for '/a/../b', '/a//b', '/a/%62', '/a/./b', '/%7e', '/a%2fb%2f', '/a|b';
$refused->('a label twice', 'malformed', $key{hmac}, '/', change => sub (@f) { (@f, 'Signature-Input' => $f[-3], Signature => 'sig1=:AAAA:') });
$refused->('a label twice in one field', 'malformed', $key{hmac}, '/', change => sub (@f) { $f[-1] .= ', sig1=:AAAA:'; @f });
$refused->('a component twice', 'component', $key{hmac}, '/', covers => [ '@method', '@method', '@target-uri' ]);
$refused->('too many components', 'component', $key{hmac}, '/', covers => [ '@method', '@target-uri', map { "x-$_" } 1 .. 63 ], fields => [ map { ("X-$_" => 1) } 1 .. 63 ]);
$refused->('too many arguments', 'component', $key{hmac}, '/?' . join('&', map { "a$_=" } 1 .. 17), covers => [ '@method', '@target-uri', map { qq("\@query-param";name="a$_") } 1 .. 17 ], values => { map { (qq("\@query-param";name="a$_") => '') } 1 .. 17 });
$refused->('a component that is not there', 'component', $key{hmac}, '/', covers => [ '@method', '@target-uri', 'x-none' ]);
$refused->('a component of answers', 'component', $key{hmac}, '/', covers => [ '@method', '@target-uri', '@status' ]);
$refused->('a component that is not known', 'component', $key{hmac}, '/', covers => [ '@method', '@target-uri', '@new' ]);
$refused->("a component with ;$_", 'component', $key{hmac}, '/', fields => [ 'X-A' => 'a=1' ], covers => [ '@method', '@target-uri', qq("x-a";$_) ]) for 'sf', 'bs', 'tr', 'req', 'key="a"', 'x';
$refused->('a required component with a parameter', 'uncovered', $key{hmac}, '/', covers => [ '"@method";req', '@target-uri' ]);
$refused->('a name in capitals', 'component', $key{hmac}, '/', fields => [ 'X-A' => 1 ], covers => [ '@method', '@target-uri', 'X-A' ], values => { 'X-A' => 1 });
$refused->("Signature-Input: $_", 'malformed', $key{hmac}, '/', change => sub (@f) { $f[-3] = $_; @f }) for 'sig1', 'sig1=1', 'sig1=("@method"', 'sig1=("@method");created="1";keyid="hmac"', 'sig1=("@method");new=1;keyid="hmac"', 'sig1=("@method");keyid=hmac', 'x' x 7000, join ',', map { "a$_" } 1 .. 300;
$refused->("Signature: $_", 'malformed', $key{hmac}, '/', change => sub (@f) { $f[-1] = $_; @f }) for 'sig1', 'sig1="AAAA"', 'sig1=:AAA:', 'sig1=(:AAAA:)', 'sig1=:AAAA:;x', 'sig2=:AAAA:', 'sig1=:AAAA';
$refused->('a signature of nothing', 'bad', $key{hmac}, '/', change => sub (@f) { $f[-1] = 'sig1=::'; @f });
$refused->('a signature that is longer', 'bad', $key{hmac}, '/', change => sub (@f) { $f[-1] =~ s/=:$/A:/; $f[-1] =~ s/:(?=[^:]*:$)/:AAAA/; $f[-1] =~ s/A:$/=:/; @f });
$refused->('too many signatures', 'malformed', $key{hmac}, '/', change => sub (@f) { my $i = $f[-3] =~ s/^sig1//r; ('Signature-Input' => join(', ', map { "s$_$i" } 1 .. 5), Signature => join(', ', map { "s$_=:AAAA:" } 1 .. 5)) });

# The body.
my @digest = (method => 'POST', body => 'right');
is $refused->('another body', 'digest', $key{hmac}, '/', @digest, sent_body => 'wrong')->status, 400, 'refused';
$refused->('a body that is gone', 'digest', $key{hmac}, '/', @digest, sent_body => '');
$refused->('a longer body', 'digest', $key{hmac}, '/file', @digest, sent_body => 'right' x 100_000);
$refused->("Content-Digest: $_", 'digest', $key{hmac}, '/', @digest, digest => 0, fields => [ 'Content-Digest' => $_ ]) for 'md5=:AAAA:', '', 'x', 'sha-256="x"', 'sha-256=:AAAA:', Weir::Signature::digest('right') . ', sha-512=:AAAA:', Weir::Signature::digest('right') . ', ' . Weir::Signature::digest('wrong', 'sha-512'), Weir::Signature::digest('right') . ', ' . Weir::Signature::digest('right');
is $refused->('a body that is not looked at', 'body', $key{hmac}, '/small', method => 'POST', body => 'x' x 11)->status, 413, 'refused';
my $before = $origin->requests;
$refused->('satisfy any does not help a wrong body', 'digest', $key{hmac}, '/any', @digest, sent_body => 'wrong');
$refused->('nor does an address', 'digest', $key{hmac}, '/any-ip', @digest, sent_body => 'wrong');
$refused->('nor a copy', 'digest', $key{hmac}, '/mirrored', @digest, sent_body => 'wrong');
is $origin->requests, $before, '… and nobody gets it';
is $ask->($stranger, '/page')->body, 'sorry .', 'error_page, which names nobody';

# Chunked, HTTP/2, and a kept connection.
my @chunked = Weir::Signature::sign($key{hmac}, method => 'POST', target => '/', authority => $authority, body => 'chunked');
my $client = $w->client;
for my $body ('chunked', 'chunkes') {
    my $text = Weir::Client::request_text('POST', '/', headers => [ @chunked, 'Transfer-Encoding' => 'chunked' ]) . sprintf("%x\r\n%s\r\n0\r\n\r\n", length $body, $body);
    is $client->send($text)->read_response(method => 'POST')->status, $body eq 'chunked' ? 200 : 400, "a chunked body: $body";
}
my $h2 = Weir::Http2::client($w);
my @h2 = Weir::Signature::sign($key{ed}, method => 'GET', target => '/x?y', authority => $authority, covers => [ '@method', '@target-uri', '@authority', '@path', '@query', '@request-target', 'x-a' ], fields => [ 'x-a' => 1 ]);
my %lower = map { lc($h2[ 2 * $_ ]) => $h2[ 2 * $_ + 1 ] } 0 .. @h2 / 2 - 1;
$h2->request(1, ':path' => '/x?y', ':authority' => $authority, %lower);
is $h2->verdict(1, patient => 1), 200, 'HTTP/2';
$h2->request(3, ':path' => '/x?z', ':authority' => $authority, %lower);
is $h2->verdict(3, patient => 1), 401, '… and another path there';
my @h2_body = Weir::Signature::sign($key{hmac}, method => 'POST', target => '/x', authority => $authority, body => 'h2');
my %h2_body = map { lc($h2_body[ 2 * $_ ]) => $h2_body[ 2 * $_ + 1 ] } 0 .. @h2_body / 2 - 1;
for my $try ([ 5, 'h2', 200 ], [ 7, 'h3', 400 ]) {
    my ($stream, $body, $status) = @$try;
    $h2->request($stream, ':method' => 'POST', ':path' => '/x', ':authority' => $authority, %h2_body, open => 1);
    $h2->write(data($stream, $body, 'END_STREAM'));
    is $h2->verdict($stream, patient => 1), $status, "a body over HTTP/2: $body";
}
my @h2_get = Weir::Signature::sign($key{hmac}, method => 'POST', target => '/x', authority => $authority);
my %h2_get = map { lc($h2_get[ 2 * $_ ]) => $h2_get[ 2 * $_ + 1 ] } 0 .. @h2_get / 2 - 1;
$h2->request(9, ':method' => 'POST', ':path' => '/x', ':authority' => $authority, %h2_get);
is $h2->verdict(9, patient => 1), 200, 'no body, and no digest, over HTTP/2';
$h2->request(11, ':method' => 'POST', ':path' => '/x', ':authority' => $authority, %h2_get, open => 1);
$h2->write(data(11, 'x', 'END_STREAM'));
is $h2->verdict(11, patient => 1), 401, '… and a body that somebody put in';
done_testing;
