# auth_jwt_key_request https://…: the certificate and its name are verified; keys that are too old are not used any more.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Jose;
use Weir::Pki;
use Weir::TlsPeer;

my $w = Weir::Test->new('auth_jwt trusts an issuer by its certificate');
$w->needs_weir;
my ($root, $other) = map { Weir::Pki->authority($w, $_) } qw(root other);
my $key = Weir::Jose->key($w, 'ES256', kid => 'a');
my $down = $w->dir . '/down';
my $issuer = sub ($site) {
    $w->peer(sub ($c) {
        Weir::TlsPeer::secure($c, cert => $site) or return;
        $c->read_request or return;
        my $set = Weir::Jose->set($key);
        $c->raw(-e $down ? "HTTP/1.1 503 Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            : "HTTP/1.1 200 OK\r\nContent-Length: " . length($set) . "\r\nConnection: close\r\n\r\n$set");
    });
};
my ($good, $named, $alien) = map { $issuer->($_) } $root->server('id.test'), $root->server('other.test'), $other->server('id.test');
$w->allow_log(qr/the keys of|auth\.jwt|upstream\.tls|certificate|too old|\[emerg\]/);
my $port = sub ($peer) { "$peer" =~ s/.*://r };
my $text = join '', map { "upstream $_->[0] { server $_->[1]; }\n" } [ 'id.test' => $good ];
$w->conf(<<"END");
    upstream id.test { server $good; }
    upstream alien.test { server $alien; }
    upstream named.test { server $named; }
    auth_jwt_key_trusted_certificate @{[ $root->file ]};
    server {
        auth_jwt api;
        location /good { auth_jwt_key_request https://id.test/keys; empty_gif; }
        location /alien { auth_jwt_key_request https://alien.test/keys; empty_gif; }
        location /named { auth_jwt_key_request https://named.test/keys; empty_gif; }
        location /short { auth_jwt_key_cache 100ms; auth_jwt_key_stale 2s; auth_jwt_key_request https://id.test/short; empty_gif; }
        location /long { auth_jwt_key_cache 100ms; auth_jwt_key_stale 1h; auth_jwt_key_request https://id.test/long; empty_gif; }
    }
END
my $token = $key->token({ exp => time + 600 });
my $get = sub ($path) { $w->get($path, Authorization => "Bearer $token")->status };
is $get->('/good'), 200, 'a certificate of the authority, with the name';
is $get->('/named'), 500, 'another name';
is $get->('/alien'), 500, 'another authority';
is join(' ', map { $get->($_) } qw(/short /long)), '200 200', 'keys that hold for a short time';
$w->wait_until('they are renewed in the background', sub { $good->connections > 6 });
open my $flag, '>', $down;
is $get->('/long'), 200, 'while the issuer is down they are used further on';
$w->wait_until('until auth_jwt_key_stale is over', sub { $get->('/short') == 500 });
is $get->('/long'), 200, 'others longer';
unlink $down;
$w->wait_until('the issuer is back', sub { $get->('/short') == 200 });
$w->reload('server { return 204; }');                # keys are renewed each 100 ms: what is left of it is looked at when nobody does
my $trusts = sub ($path, $authority) { "location $path { auth_jwt api; auth_jwt_key_trusted_certificate @{[ $authority->file ]}; empty_gif; }" };
for my $case ([ 'inherited', "auth_jwt_key_request https://127.0.0.1/k; " . $trusts->('/a', $root) . $trusts->('/b', $other) ],
    [ 'named twice', join '', map { $trusts->(@$_) =~ s/empty_gif/auth_jwt_key_request https:\/\/127.0.0.1\/k; empty_gif/r } [ '/a', $root ], [ '/b', $other ] ])
{
    my ($code, $said) = $w->check_conf("server { $case->[1] }");
    isnt $code, 0, "one address and two whom it is trusted by, $case->[0]";
    like $said, qr/"https:\/\/127\.0\.0\.1\/k" has another "auth_jwt_key_trusted_certificate" in another place in .*weir\.conf:\d+/, 'which is told';
}
done_testing;
