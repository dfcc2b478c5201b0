# proxy_ssl_certificate "": none, also where a block around has one; and where variables make an empty name.
use v5.36;
use lib 't/lib';
use Weir::Cert;
use Weir::Test;

my $w    = Weir::Test->new('no certificate is shown where its name is empty')->needs_weir;
my $root = Weir::Cert->ca($w, 'root');
my ($site, $alice) = ($root->issue('localhost'), $root->issue('alice', for => 'client'));
my ($code, $said) = $w->check_conf('server { ssl_certificate ""; ssl_certificate_key ""; }');
like $said, qr/invalid value "" in "ssl_certificate"/, 'a server needs one';
$w->conf(<<"END", workers => 1);
    server {
        listen 127.0.0.1:%%PORT_tls%% ssl; ssl_certificate $site->{cert}; ssl_certificate_key $site->{key}; ssl_verify_client optional;
        ssl_trusted_certificate $root->{cert};
        location / { return 200 '\$ssl_client_verify \$ssl_client_s_dn'; }
    }
    server {
        listen 127.0.0.1:%%PORT%%;
        proxy_ssl_certificate $alice->{cert}; proxy_ssl_certificate_key $alice->{key};
        location / { proxy_pass https://127.0.0.1:%%PORT_tls%%; }
        location /none { proxy_pass https://127.0.0.1:%%PORT_tls%%; proxy_ssl_certificate ""; }
        location /neither { proxy_pass https://127.0.0.1:%%PORT_tls%%; proxy_ssl_certificate ""; proxy_ssl_certificate_key ""; }
        location /vars { proxy_pass https://127.0.0.1:%%PORT_tls%%; proxy_ssl_certificate \$arg_c; proxy_ssl_certificate_key \$arg_k; }
        location /kept { proxy_pass https://127.0.0.1:%%PORT_tls%%; proxy_ssl_certificate \$arg_c; proxy_ssl_certificate_key \$arg_k; proxy_ssl_certificate_cache max=1; }
    }
END
$w->allow_log(qr/\[emerg\]|cannot load certificate|upstream\.tls/);

my $own = "c=$alice->{cert}&k=$alice->{key}";
my $no  = "NONE ";
like $w->get('/')->body, qr/^SUCCESS .*CN=alice/, 'one is shown';
is $w->get($_)->body, $no, "none: $_" for '/none', '/neither', '/vars', '/vars?c=&k=', '/kept', "/vars?k=$alice->{key}";
like $w->get("$_?$own")->body, qr/^SUCCESS .*CN=alice/, "by variables: $_" for '/vars', '/kept';
is $w->get('/kept')->body, $no, 'and again none';
is $w->get('/vars?c=/no/such&k=/no/such')->status, 502, 'one that is not there is an error';

done_testing;
