use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w    = Weir::Test->new("a certificate's name is made of the connection only");
$w->allow_log(qr/\[emerg\]/);
my $cert = Weir::Cert->ca($w, 'root')->issue('localhost');
for my $name (qw(crt key)) {
    $w->write_file("localhost.$name", Weir::Server::slurp($cert->{ { crt => 'cert', key => 'key' }->{$name} }));
}

# The handshake comes before any request: what tells of one cannot name a file then.
my $check = sub ($name, $http = '', $server = '') {
    return $w->check_conf("$http server { listen 127.0.0.1:%%PORT%% ssl; server_name localhost; $server"
        . " ssl_certificate %%DIR%%/$name.crt; ssl_certificate_key %%DIR%%/$name.key;"
        . ' location / { return 200 x; } }');
};
my $said = sub ($variable) { qr/the variable "$variable" tells of the request; only variables of the connection can be used here/ };
my ($code, $output);

($code, $output) = $check->('$uri');
is $code, 1, 'a path is refused';
like $output, $said->('uri'), 'and the message says why';
like $output, qr/in \S+:\d+/, 'and where';

($code, $output) = $check->('$arg_file');
is $code, 1, 'so is an argument of the query';
like $output, $said->('arg_file'), 'with its name';

($code, $output) = $check->('$file', 'map $uri $file { default x; }');
is $code, 1, 'so is a map of a path';
like $output, $said->('file'), 'with the name of the map';

($code, $output) = $check->('$outer', 'map $inner $outer { default x; } map $http_host $inner { default $outer; }');
is $code, 1, 'so is a map of a map of a field, defined further down';
like $output, $said->('outer'), 'with the name of the first';

($code, $output) = $check->('$value', 'map $ssl_server_name $value { default x; y $uri; }');
is $code, 1, 'so is a map with a path among its values';

($code, $output) = $check->('$set', '', 'set $set x;');
is $code, 1, 'so is what is set in the rewrite phase';

for my $case (
    [ '$ssl_server_name' ], [ '$server_name' ], [ '$remote_addr-$server_port' ], [ '$hostname' ],
    [ '$file', 'map $ssl_server_name $file { default $remote_addr; }' ],
    [ '$part', 'split_clients $remote_addr $part { 50% a; * b; }' ],
    [ '$where', 'geo $where { default a; }' ],
    [ '$group', '', 'server_name ~^(?<group>.+)$;' ], [ '$1', '', 'server_name ~^(.+)$;' ],
) {
    ($code, $output) = $check->(@$case);
    is $code, 0, "of $case->[0] it is made" or diag $output;
}

# Toward a peer there is a request.
($code, $output) = $w->check_conf('server { listen 127.0.0.1:%%PORT%%; location / { proxy_pass https://127.0.0.1:1;'
    . ' proxy_ssl_certificate %%DIR%%/$uri.crt; proxy_ssl_certificate_key %%DIR%%/$uri.key; } }');
is $code, 0, 'a certificate for a peer may be named by the request' or diag $output;

# And it works: a map of the name in the hello names the file.
$w->conf(<<'END', workers => 1);
    map $ssl_server_name $stem { default nothing; localhost localhost; }
    server {
        listen 127.0.0.1:%%PORT%% ssl;
        ssl_certificate %%DIR%%/$stem.crt;
        ssl_certificate_key %%DIR%%/$stem.key;
        location / { return 200 "$stem $server_name $remote_addr"; }
    }
END
chmod 0644, $w->dir . '/localhost.key';
my $c = Weir::Tls::client($w, sni => 'localhost');
is $c->tls->peer_certificate('cn'), 'localhost', 'the map chose the certificate';
like $c->get('/')->body, qr/^localhost \S* ?127\.0\.0\.1$/, 'and a request reads the same variables';

done_testing;
