# ssl_stapling: a responder that sends a byte now and then holds nobody for long: its time is that of the whole answer.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time sleep);
use Weir::Pki;
use Weir::Test;

my $w         = Weir::Test->new('an ocsp responder that is slow is given up');
my $root      = Weir::Pki->authority($w, 'root');
my $site      = $root->server('localhost');
my $responder = $w->origin(sub ($c) {
    $c->raw("HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: 5000\r\n\r\n");
    $c->note('answers');
    for (1 .. 100) { $c->raw('x') or last; sleep 0.3 }
});
$w->needs_weir;
$w->conf(<<"END", workers => 1);
    server {
        listen 127.0.0.1:%%PORT_tls%% ssl; @{[ $site->conf ]}
        ssl_stapling on; ssl_stapling_responder http://$responder/; ssl_trusted_certificate @{[ $root->file ]};
        location / { return 200 ok; }
    }
END
is $w->tls(port => 'tls', name => 'localhost')->get('/')->status, 200, 'clients are served meanwhile';
$responder->wait_note('answers');
my $began = time;
$w->wait_for_log(qr/the OCSP responder did not answer in time.*\n/, seconds => 25);
cmp_ok time - $began, '<', 20, 'it is given up';

done_testing;
