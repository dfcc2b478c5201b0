# signature: a field that the client has signed reaches the upstream or the request is refused. Connection, which nobody signs, names fields that end
# here (RFC 9110 §7.6.1): with it whoever is in between could take away what was signed.
use v5.36;
use lib 't/lib';
use Weir::Jose;
use Weir::Signature;
use Weir::Test;

my $w = Weir::Test->new('Connection takes no signed field away')->needs_weir;
my $key = Weir::Jose->key($w, 'HS256', kid => 'hmac');
my $origin = $w->echo_origin;
$w->write_file('conf/keys.json', Weir::Jose->set($key));
$w->allow_log(qr/auth\.signature/);
$w->conf(<<"END", workers => 1);
    server {
        signature keys=keys.json;
        signature_require \@method \@path x-role;
        add_header X-Cause \$weir_cause always;
        location / { proxy_pass http://$origin; }
    }
END
my $ask = sub ($connection, $covers, @fields) {
    my @signed = Weir::Signature::sign($key, method => 'GET', target => '/', authority => 'localhost', covers => [ '@method', '@path', @$covers ], fields => \@fields);
    return $w->request('GET', '/', headers => [ @signed, Connection => $connection ]);
};
my @role = ('X-Role' => 'limited');
my $answer = $ask->('close', ['x-role'], @role);
is $answer->status, 200, 'what is signed';
is $w->seen($answer)->header('X-Role'), 'limited', 'is sent on';
for my $connection ('close, x-role', 'X-Role, close', 'close, X-ROLE, x-other') {
    $answer = $ask->($connection, ['x-role'], @role);
    is $answer->status . ' ' . ($answer->header('X-Cause') // '-'), '401 auth.signature.component', "Connection: $connection";
}
is $ask->('close, accept', [ 'x-role', 'accept' ], @role, Accept => 'text/html', Accept => 'text/plain')->status, 401, 'a list of several lines';
is $ask->('close, x-other', ['x-role'], @role, 'X-Other' => 'x')->status, 200, 'a field that nobody has signed may end here';
$answer = $ask->('close, cookie', [ 'x-role', 'cookie' ], @role, Cookie => 'a=b');
is $answer->status, 200, 'one that Connection cannot take away';
is $w->seen($answer)->header('Cookie'), 'a=b', 'is sent on';
done_testing;
