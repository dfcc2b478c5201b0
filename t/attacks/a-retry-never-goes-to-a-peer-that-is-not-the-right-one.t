# TLS toward peers together with retry: a peer whose certificate is not to be trusted, is for another name, or that speaks no TLS, is given up before a byte of the
# request has left, another is asked, and nobody is asked who must not be; a connection that broke behind the request is not retried for what is not safe.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;
use Weir::TlsPeer;

my $w     = Weir::Test->new('a retry never goes to a peer that is not the right one')->needs_weir;
my $root  = Weir::Pki->authority($w, 'root');
my $rogue = Weir::Pki->authority($w, 'rogue');
my %cert  = (good => $root->server('peer.example'), rogue => $rogue->server('peer.example'), other => $root->server('other.example'), old => $root->server('peer.example', days => [ -10, -1 ]));
my $serve = sub ($cert, $answer) {
    $w->peer(sub ($c) {
        eval { Weir::TlsPeer::secure($c, cert => $cert) } or return;
        while (my $r = eval { $c->read_request }) { $c->note($r->method . ' ' . $r->body); $answer->($c, $r) // last }
    });
};
my $fine  = sub ($c, $r) { $c->reply(200, 'good'); 1 };
my $cuts  = sub ($c, $r) { undef };
my %peer  = ((map { $_ => $serve->($cert{$_}, $fine) } keys %cert), cuts => $serve->($cert{good}, $cuts), plain => $w->peer(sub ($c) { $c->fill; $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain") }));
$w->allow_log(qr/upstream/);
my $ssl = 'proxy_ssl_verify on; proxy_ssl_name peer.example; proxy_ssl_trusted_certificate ' . $root->file . ';';
my $group = sub ($name, @peers) { "upstream $name { " . join(' ', map { "server $peer{$_} max_fails=0" . ($_ eq 'good' ? ' backup' : '') . ';' } @peers) . ' keepalive 2; }' };
$w->conf(join("\n", (map { $group->("g_$_", $_, 'good') } qw(rogue other old plain cuts)), $group->('none', qw(rogue other old plain)), "server { $ssl retry 4 on=connect,reset,timeout,503;",
    (map { "location /$_ { proxy_pass https://g_$_; }" } qw(rogue other old plain cuts)), "location /none { proxy_pass https://none; }",
    "location /unsafe { retry 4 on=connect,reset,non_idempotent; proxy_pass https://g_cuts; } }"), workers => 1);

for my $kind (qw(rogue other old plain)) {
    for my $method ('GET', 'POST') {
        my $r = $w->request($method, "/$kind", body => $method eq 'POST' ? 'secret' : undef);
        is $r->status . ' ' . $r->body, '200 good', "$kind: a $method goes to another peer, for nothing of it had left";
    }
    is_deeply [ grep { /^(?:GET|POST)/ } $peer{$kind}->notes ], [], "$kind: it was told nothing" if $kind ne 'plain';
}
cmp_ok $peer{plain}->connections, '>', 0, 'plain: it was asked for TLS';
unlike $peer{plain}->received, qr/secret|POST/, 'and saw nothing of a request';
is $w->request('POST', '/none', body => 'secret')->status, 502, 'nobody who may be asked: all tries end';
is_deeply [ grep { /^(?:GET|POST)/ } map { $peer{$_}->notes } qw(rogue other old) ], [], 'none was told';
is $w->request('GET', '/cuts')->body, 'good', 'a connection that broke behind a GET: it is sent again';
is $w->request('POST', '/cuts', body => 'once')->status, 502, 'a POST is not';
is scalar(grep { /^POST once/ } $peer{cuts}->notes, $peer{good}->notes), 1, 'it was sent once';
is $w->request('POST', '/unsafe', body => 'twice')->body, 'good', 'unless the configuration says that it may';
is scalar(grep { /^POST twice/ } $peer{cuts}->notes, $peer{good}->notes), 2, 'then twice';
done_testing;
