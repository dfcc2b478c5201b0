# ssl_stapling: a status_request is answered with what a file or the responder says of the server's certificate; a responder that fails
# fails no handshake.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;

my $w      = Weir::Test->new('OCSP answers are stapled');
my $root   = Weir::Pki->authority($w, 'root');
my $asked  = $w->origin($root->ocsp_responder);
my $broken = $w->origin(sub ($c) { $c->reply(500, 'broken') });
my $other  = $root->server('other.example.com');
my $site   = $root->server('localhost', ocsp => "http://$asked/");
my $sad    = $root->server('localhost', ocsp => "http://$broken/");
my $file   = $root->ocsp_answer($site);
my $stapled = 'ssl_stapling on; ssl_trusted_certificate ' . $root->file . ';';
$w->conf(<<"END", workers => 1);
    server { listen 127.0.0.1:%%PORT_file%% ssl; @{[ $site->conf ]} $stapled ssl_stapling_file $file; location / { return 200 ok; } }
    server { listen 127.0.0.1:%%PORT_asked%% ssl; @{[ $site->conf ]} $stapled ssl_stapling_verify on; location / { return 200 ok; } }
    server { listen 127.0.0.1:%%PORT_said%% ssl; @{[ $sad->conf ]} $stapled ssl_stapling_responder http://$asked/; location / { return 200 ok; } }
    server { listen 127.0.0.1:%%PORT_broken%% ssl; @{[ $sad->conf ]} $stapled location / { return 200 ok; } }
    server { listen 127.0.0.1:%%PORT_off%% ssl; @{[ $site->conf ]} location / { return 200 ok; } }
END
my $staple = sub ($port, $status = 1) {
    my $c = $w->tls(port => $port, name => 'localhost', status => $status);
    is $c->get('/')->body, 'ok', "$port: served";
    my $staple = $c->staple;
    $c->close;
    return $staple ? 1 : 0;
};
is $staple->('file'), 1, 'a file is stapled';
is $staple->('file', 0), 0, 'for who asks';
is $staple->('off'), 0, 'not where it is off';
for my $port (qw(asked said)) {
    my $got = 0;
    $w->wait_until("a staple at $port", sub { $got = $staple->($port) });
    is $got, 1, "$port: what the responder says is stapled";
}
my $requests = $asked->requests;
$staple->('asked') for 1 .. 5;
is $asked->requests, $requests, 'and kept';
is $staple->('broken'), 0, 'the same certificate with another responder has its own';
$broken->wait_requests(1);
is $staple->('broken'), 0, 'a responder that fails fails no handshake';

$w->reload($w->{conf}{text} =~ s/ssl_stapling on;//gr, workers => 1);
is $staple->($_), 0, "$_: not after a reload that turns it off" for qw(file asked said);

done_testing;
