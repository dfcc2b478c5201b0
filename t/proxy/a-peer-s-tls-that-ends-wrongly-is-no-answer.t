# Bytes in the clear before the handshake, a stream cut without close_notify, handshakes that never end or break off.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;
use Weir::TlsPeer;

my $w    = Weir::Test->new("a peer's TLS that ends wrongly is no answer");
my $site = Weir::Pki->authority($w, 'root')->server('peer.example.com');
my $tls  = sub ($work) { $w->peer(sub ($c) { Weir::TlsPeer::secure($c, cert => $site) or return; $c->read_request or return; $work->($c); }) };
my %peer = (
    injected  => $w->peer(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected"); eval { $c->take_all } }),
    plain     => $w->peer(sub ($c) { $c->take(5); $c->raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"); eval { $c->take_all } }),
    closes    => $w->peer(sub ($c) { $c->take(5) }),
    silent    => $w->peer(sub ($c) { eval { $c->take_all } }),
    rest      => $tls->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it"); $c->close }),
    cut_close => $tls->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nsome of it"); Weir::TlsPeer::cut($c) }),
    cut_len   => $tls->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome of it"); Weir::TlsPeer::cut($c) }),
    cut_whole => $tls->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall of it"); Weir::TlsPeer::cut($c) }),
    cut_chunk => $tls->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nsome of it\r\n"); Weir::TlsPeer::cut($c) }),
    cut_ended => $tls->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n"); Weir::TlsPeer::cut($c) }),
    cut_head  => $tls->(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nContent-"); Weir::TlsPeer::cut($c) }),
);
$w->conf("log_format judged '\$uri \$status \$weir_cause'; access_log logs/judged.log judged; proxy_buffering off;
    server { " . join(' ', map { "location /$_ { proxy_pass https://$peer{$_}; " . ($_ eq 'silent' ? 'proxy_connect_timeout 300ms;' : '') . ' }' } sort keys %peer) . ' }', workers => 1);
my $check = sub ($place, $want, $cause) {
    my $answer = eval { $w->get("/$place") };
    my $is = $answer ? $answer->status : 'cut';
    is $is, $want, "$place: $want";
    unlike $answer->body, qr/injected/, "$place: nothing of what was injected" if $answer && $place eq 'injected';
    is $w->wait_for_access(qr{^/$place \d+ (\S+)$}m, 'judged.log'), $cause, "$place: $cause";
};
$check->('injected',  502,   'upstream.tls.handshake');
$check->('plain',     502,   'upstream.tls.handshake');
$check->('closes',    502,   'upstream.tls.handshake');
$check->('silent',    504,   'upstream.connect.timeout');
$check->('rest',      200,   '-');
$check->('cut_close', 'cut', 'upstream.body.incomplete');
$check->('cut_len',   'cut', 'upstream.body.incomplete');
$check->('cut_whole', 200,   '-');
$check->('cut_chunk', 'cut', 'upstream.body.incomplete');
$check->('cut_ended', 200,   '-');
$check->('cut_head',  502,   'upstream.reset');

done_testing;
