use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w      = Weir::Test->new('large bodies pass unchanged through TLS');
my $cert   = Weir::Cert->ca($w, 'root')->issue('localhost');
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->body, 'Content-Type', 'application/octet-stream') });
$w->conf("client_max_body_size 0; server { listen 127.0.0.1:%%PORT%% ssl; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key};
    location / { proxy_pass http://$origin; } location /small { proxy_pass http://$origin; } }
    server { listen 127.0.0.1:%%PORT_512%% ssl; ssl_buffer_size 512; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; location / { proxy_pass http://$origin; } }
    server { listen 127.0.0.1:%%PORT_up%% ; location / { proxy_pass https://127.0.0.1:%%PORT%%; } location /stream { proxy_buffering off; proxy_request_buffering off; proxy_pass https://127.0.0.1:%%PORT%%; } }");
my $body = join '', map { pack 'N', $_ * 2654435761 % 4294967296 } 1 .. 1_000_000;
for my $version (qw(TLSv1_2 TLSv1_3)) {
    my $c = Weir::Tls::client($w, version => $version);
    is $c->send_request('POST', '/', body => $body)->read_response->body eq $body, 1, "$version: four megabytes both ways";
    is $c->send_request('POST', '/', body => 'x')->read_response->body, 'x', 'and the connection goes on';
}
is Weir::Tls::client($w, port => 512)->send_request('POST', '/', body => $body)->read_response->body eq $body, 1, 'in records of 512 bytes';
for my $path ('/', '/stream') {
    is $w->request('POST', $path, port => 'up', body => $body)->body eq $body, 1, "$path: through TLS toward the peer as well";
}
# A reader that is slow: what the socket does not take waits, and comes whole.
my $c = Weir::Tls::client($w);
setsockopt $c->tls, 1, 8, 65536;
$c->send_request('POST', '/', body => $body);
$w->wait_until('the origin has answered', sub { $origin->requests >= 7 });
select undef, undef, undef, 0.2;             # the answer runs into a full socket
is $c->read_response->body eq $body, 1, 'to a slow reader';

done_testing;
