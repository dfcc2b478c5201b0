# ext_authz on the ways that are not plain: a service behind TLS, clients of HTTP/2 and gRPC, certificates of clients, a client that leaves while the
# service is asked, a reload meanwhile, peers that refuse connections, a GOAWAY on the kept connection.
use v5.36;
use lib 't/lib';
use Weir::Authz;
use Weir::Pki;
use Weir::Http2 ':all';
use Weir::Test;

Weir::Authz::needs();
my $w    = Weir::Test->new('ext_authz holds over HTTP/2, TLS, reload and a client that leaves');
my $ca   = Weir::Pki->authority($w, 'root');
my $mine = $ca->server('localhost');
my $site = $ca->server('www.example');
my $ann  = $ca->client('ann');
my $rogue = Weir::Pki->authority($w, 'rogue')->client('ann');
my $authz = Weir::Authz->new($w);
my $tls   = Weir::Authz->new($w, key => $mine->key_file, certificate => $mine->file);
my $goes  = Weir::Authz::scripted($w, sub ($h2, $s, $case, $message) { Weir::Authz::answer($s, $Weir::Authz::ok) . goaway($s, 'NO_ERROR') });
my $dead  = $w->refused_peer;
my $origin = $w->echo_origin;
my $grpc   = $w->peer(sub ($c) { my $h2 = Weir::Http2::serve($c); $h2->{deadline} = 60; while (my $r = $h2->next_request) {
    $c->note($r->{fields}{'x-user'} // '-');
    $h2->write(headers($r->{stream}, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 0)) } });
$w->allow_log(qr/auth\.ext\.|upstream\.|refused/);
my $conf = <<"END";
    upstream authz { server ${\ $authz->address}; keepalive 4; }
    upstream mixed { server $dead; server ${\ $authz->address}; }
    upstream goes { server $goes max_fails=0; keepalive 4; }
    upstream dead { server $dead; }
    server {
        http2 on;
        ext_authz grpc://authz;
        ext_authz_timeout 20s;
        location / { proxy_pass http://$origin; }
        location /tls { ext_authz grpcs://localhost:$tls->{port}; ext_authz_trusted_certificate ${\ $ca->file }; proxy_pass http://$origin; }
        location /untrusted { ext_authz grpcs://localhost:$tls->{port}; ext_authz_trusted_certificate ${\ $site->file }; proxy_pass http://$origin; }
        location /mixed { ext_authz grpc://mixed; proxy_pass http://$origin; }
        location /dead { ext_authz grpc://dead; proxy_pass http://$origin; }
        location /goes { ext_authz grpc://goes; proxy_pass http://$origin; }
        location /weir.Echo { grpc_pass $grpc; }
    }
    server {
        listen 127.0.0.1:%%PORT_tls%% ssl;
        http2 on;
        ${\ $site->conf }
        ssl_client_certificate ${\ $ca->file }; ssl_verify_client optional_no_ca;
        ext_authz grpc://authz; ext_authz_certificate on;
        location / { proxy_pass http://$origin; }
    }
END
$w->conf($conf, workers => 1);

is $w->get('/tls')->status, 200, 'a service behind TLS';
is scalar($tls->asked), 1, 'is asked';
is $w->get('/untrusted')->status, 503, 'one whose certificate is not to be trusted is not';
is scalar($tls->asked), 1, 'it was told nothing';
is $w->get('/mixed')->status, 200, 'a peer that refuses is followed by another' for 1 .. 3;
is $w->get('/dead')->status, 503, 'nobody there';
my $client = $w->client;
is $client->get('/goes')->status, 200, "a connection that goes away, $_" for 1 .. 4;

# -- HTTP/2 and gRPC --
my $c = Weir::Http2::client($w);
is $c->ask(':path' => '/h2?a', 'x-answer' => Weir::Authz::allowed(headers => [ Weir::Authz::option('x-user', 'alice') ]), 'x-user' => 'admin'), '200', 'HTTP/2';
my $http = ($authz->asked)[-1]{request}{http};
is "$http->{protocol} $http->{path} $http->{host}", 'HTTP/2 /h2?a localhost', 'is told as such';
is $w->seen(Weir::Message->new(body => $c->body))->header('X-User'), 'alice', 'and changed';
is $c->ask(':path' => '/h2', 'x-answer' => Weir::Authz::denied(451, body => 'no')), '451', 'or refused';
is $c->body, 'no', 'with the body';
my @call = (':method' => 'POST', ':path' => '/weir.Echo/Unary', 'content-type' => 'application/grpc', te => 'trailers', body => "\0\0\0\0\0");
is $c->ask(@call, 'x-answer' => Weir::Authz::allowed(headers => [ Weir::Authz::option('x-user', 'alice') ]), 'x-user' => 'root'), '200', 'a gRPC call';
is { $c->head->%*, $c->trailers->%* }->{'grpc-status'}, 0, 'is let in';
is_deeply [ $grpc->notes ], ['alice'], 'and changed';
is $c->ask(@call, 'x-answer' => Weir::Authz::denied(403, headers => [ Weir::Authz::option('x-why', 'plan') ], body => 'a page')), '200', 'a refused one';
my %said = ($c->head->%*, $c->trailers->%*);
is join(' ', @said{qw(grpc-status grpc-message x-why)}), '7 auth.ext.denied plan', 'is told in the words of gRPC';
is $c->body, '', 'without a body';

# -- certificates --
my $by = sub ($who, %arg) { my $t = $w->tls(port => $w->port('tls'), name => 'www.example', ($who ? (cert => $who) : ()), %arg);
    is $t->get('/')->status, 200, 'over TLS'; ($authz->asked)[-1] };
my $as = $by->($ann);
is $as->{source}{principal}, 'CN=ann', 'the name in a certificate';
like $as->{source}{certificate}, qr/^-----BEGIN%20CERTIFICATE-----%0A/, 'the certificate';
is $as->{request}{http}{scheme}, 'https', 'the scheme';
is $by->($ca->server('spy', san => 'DNS:spy.example,URI:spiffe://a/b', usage => 'clientAuth'))->{source}{principal}, 'spiffe://a/b', 'a URI before it';
is $by->($ca->server('spy', san => 'DNS:spy.example', usage => 'clientAuth'))->{source}{principal}, 'spy.example', 'or a DNS name';
$as = $by->($rogue);
is $as->{source}{principal}, undef, 'of nobody, if it was not verified';
is $as->{source}{certificate}, undef, 'nor the certificate';
$as = $by->(undef);
is $as->{source}{principal}, undef, 'no certificate';

# -- waiting --
my $gone = $w->client;
$gone->send_request('GET', '/gone', headers => [ 'X-Answer', 'slow 15' ]);
$w->wait_until('the service is asked', sub { grep { $_->{request}{http}{path} eq '/gone' } $authz->asked });
$gone->close;
$w->wait_until('the call is cancelled', sub { grep { ($_->{cancelled} // '') eq '/gone' } $authz->lines });
pass 'a client that leaves takes its call with it';
my $c2 = Weir::Http2::client($w);
$c2->request(1, ':path' => '/reset', 'x-answer' => 'slow 15');
$w->wait_until('the service is asked', sub { grep { $_->{request}{http}{path} eq '/reset' } $authz->asked });
$c2->write(rst(1));
$w->wait_until('the call is cancelled', sub { grep { ($_->{cancelled} // '') eq '/reset' } $authz->lines });
is $c2->ask(':path' => '/after'), '200', 'a stream that is reset, too';

my $waits = $w->client;
$waits->send_request('GET', '/waits', headers => [ 'X-Answer', 'slow 1' ]);
$w->wait_until('the service is asked', sub { grep { $_->{request}{http}{path} eq '/waits' } $authz->asked });
$w->reload($conf =~ s/upstream authz \{ server [^;]+/upstream authz { server $dead/r);
is $w->get('/new')->status, 503, 'the new configuration has another service';
is $waits->read_response(method => 'GET')->status, 200, 'what waits for the old one gets its answer';
$_->close for $c, $c2;
done_testing;
