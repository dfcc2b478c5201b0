# Whatever a request or a connection still looks at belongs to a configuration that lives as long: a limit that is given back when the request
# ends, a request of an old HTTP/2 stream, a handshake that begins after the reload that came between accept and PROXY header.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Pki;
use Weir::Test;
use Weir::TlsClient;

my $w = Weir::Test->new('what is under way outlives its configuration');
$w->needs_weir;
my $cert   = Weir::Pki->authority($w, 'root')->server([ 'localhost' ]);
my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    $c->wait_for('reloaded') if $request->target eq '/limited';
    $c->reply(200, $request->body . $request->target);
});
my $conf = sub ($n) { <<"END" };
    limit_conn_zone \$binary_remote_addr zone=c:1m;
    server {
        http2 on;
        location /limited { limit_conn c 1$n; proxy_pass http://$origin; }
        location /mirrored { mirror /copy; proxy_pass http://$origin; }
        location = /copy { internal; proxy_pass http://$origin; }
        location / { return 200 "$n \$server_addr:\$server_port"; }
    }
    server {
        listen 127.0.0.1:%%PORT_tls%% ssl proxy_protocol; server_name tls$n;
        @{[ $cert->conf ]}
        location / { return 200 "\$server_name \$proxy_protocol_addr"; }
    }
END
$w->conf($conf->(0), workers => 1);

my @limited = map { $w->client->send_request('GET', '/limited') } 1 .. 3;
$origin->wait_requests(3);
my $h2 = Weir::Http2::client($w);
$h2->write(headers(1, 'END_HEADERS', Weir::Http2::request_fields(':method' => 'POST', ':path' => '/mirrored', 'content-length' => 10)));
is $h2->ask(':path' => '/'), '200', 'a stream that is open, and one behind it' or diag $h2->body;
my $proxied = $w->client(port => $w->port('tls'));
is $w->get('/')->status, 200, 'the worker has accepted';

for my $n (1 .. 3) {
    $w->reload($conf->($n));
    is $w->get('/')->body, "$n 127.0.0.1:" . $w->port, "configuration $n";
    is $h2->ask(':path' => '/'), '200', 'a new stream of the old connection';
    like $h2->body, qr/^$n 127/, 'has it, too';
}
$w->pass('reloaded');
is $_->read_response->status, 200, 'a limited request of the first configuration ends' for @limited;
$h2->write(data(1, '0123456789', 'END_STREAM'));
is $h2->verdict(1, waits => 1), '200', 'so does its stream, whose copy begins only now';
is $h2->body, '0123456789/mirrored', 'with its body';
$h2->close;
$proxied->send("PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n");
my $tls = bless($proxied, 'Weir::TlsClient')->secure;
$tls->handshake;
is $tls->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")->read_response->body, 'tls3 192.0.2.1', 'a connection of before speaks as the newest says';
is $w->get('/')->status, 200, "nobody is lost: $_" for 1 .. 5;

done_testing;
