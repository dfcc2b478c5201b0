# A browser may use one HTTP/2 connection for every name of its certificate; a server whose TLS policy is another says 421.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Pki;
use Weir::Test;

my $w    = Weir::Test->new('a coalesced request for another policy is misdirected');
my $root = Weir::Pki->authority($w, 'root');
my $site = $root->server('*.example.com');
my $alice = $root->client('alice');
my $server = sub ($name, $more = '') { "server { listen 127.0.0.1:%%PORT%% ssl; server_name $name.example.com; @{[ $site->conf ]} http2 on; $more location / { return 200 $name; } }" };
my $verify = 'ssl_verify_client on; ssl_client_certificate ' . $root->file . ';';
$w->conf(join("\n", $server->('a'), $server->('b'), $server->('private', $verify), $server->('vault', $verify)), workers => 1);

my $c = Weir::Http2::over_tls($w, name => 'a.example.com');
is $c->ask(':authority' => "$_.example.com"), '200', "$_ shares the policy of a" for qw(a b);
is $c->body, 'b', 'and answers for itself';
is $c->ask(':authority' => 'private.example.com'), '421', 'one that asks for a certificate does not';
is $c->ask(':authority' => 'a.example.com'), '200', 'the connection serves on';
$c->close;
$c = Weir::Http2::over_tls($w, name => 'private.example.com', cert => $alice);
is $c->ask(':authority' => 'private.example.com'), '200', 'with a certificate it does';
is $c->ask(':authority' => 'vault.example.com'), '200', 'one that asks for the same is no other policy';
is $c->ask(':authority' => 'a.example.com'), '421', 'and what was begun there is no connection for the open one';
$c->close;

done_testing;
