# Two hosts of one certificate on one HTTP/2 connection, each with tokens of its own issuer and keys: what one has let in, and what it remembers of a token, is
# nothing to the other; streams that run at once are judged each by its own host.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Jose;
use Weir::Pki;
use Weir::Test;

my $w    = Weir::Test->new('a token holds for the host that asks for it on a shared connection')->needs_weir;
my $site = Weir::Pki->authority($w, 'root')->server('*.example.com');
my %key  = map { $_ => Weir::Jose->key($w, 'ES256', kid => 'k') } qw(a b);
$w->write_file("conf/$_.json", Weir::Jose->set($key{$_})) for qw(a b);
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join ' ', $r->header('Host'), $r->header('X-User') // '-') });
my $server = sub ($name, $keys, $more) {
    "server { listen 127.0.0.1:%%PORT%% ssl; server_name $name.example.com; @{[ $site->conf ]} http2 on; auth_jwt $name; auth_jwt_key_file $keys.json; $more
      location / { proxy_set_header Host \$host; proxy_set_header X-User \$jwt_claim_sub; proxy_pass http://$origin; } location /open { auth_jwt off; return 200 open; } }";
};
$w->conf(join("\n", $server->('a', 'a', 'auth_jwt_issuer https://a;'), $server->('b', 'b', 'auth_jwt_issuer https://b;'), $server->('other', 'a', 'auth_jwt_issuer https://other;')), workers => 1);

my %token = map { $_ => $key{$_}->token({ iss => "https://$_", sub => "user of $_" }) } qw(a b);
my $forged = $key{a}->token({ iss => 'https://b', sub => 'forged' });
my $c = Weir::Http2::over_tls($w, name => 'a.example.com');
my $ask = sub ($host, $token, $path = '/') { my $said = $c->ask(':authority' => "$host.example.com", ':path' => $path, (defined $token ? (authorization => "Bearer $token") : ())); "$said " . ($said == 200 ? $c->body : '') };
for my $round (1 .. 3) {
    is $ask->('a', $token{a}), '200 a.example.com user of a', "$round: the token of a lets in at a";
    is $ask->('b', $token{a}), '401 ', "$round: not at b, on the same connection";
    is $ask->('b', $token{b}), '200 b.example.com user of b', "$round: that of b does";
    is $ask->('a', $token{b}), '401 ', "$round: not at a";
    is $ask->('other', $token{a}), '401 ', "$round: nor at one with the same keys and another issuer, which has seen it verified";
    is $ask->('b', $forged), '401 ', "$round: a token of the keys of a in the name of b";
    is $ask->('b', undef), '401 ', "$round: no token after one that was good";
    is $ask->('b', undef, '/open'), '200 open', "$round: what asks for none is open";
}

# many at once, in one burst
my ($burst, $s, %want) = ('', 2001);
for my $n (1 .. 40) {
    my ($host, $of) = ($n % 2 ? 'a' : 'b', $n % 3 ? 'a' : 'b');
    $burst .= headers($s, 'END_HEADERS END_STREAM', ':method' => 'GET', ':scheme' => 'https', ':authority' => "$host.example.com", ':path' => '/', authorization => "Bearer $token{$of}");
    $want{$s} = $host eq $of ? 200 : 401;
    $s += 2;
}
$c->write($burst);
my %got;
while (keys %got < 40 and my $f = $c->next_frame) { $got{ $f->{stream} } = { map { @$_ } $f->{fields}->@* }->{':status'} if $f->{type} eq 'HEADERS' }
is_deeply \%got, \%want, 'forty streams at once are judged each by its own host';
$c->close;
done_testing;
