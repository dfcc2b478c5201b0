use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::WebSocket;

needs('chromium', 'openssl');

my $w    = Weir::Test->new('a browser loads a page and a WebSocket over HTTP/2');
my $page = <<'END';
<!doctype html><title>page</title><link rel="stylesheet" href="/style.css"><body><p id="said">nothing</p>
<script>
const socket = new WebSocket(location.origin.replace('https', 'wss') + '/socket');
socket.onopen = () => socket.send('through the gateway');
socket.onmessage = (message) => { document.getElementById('said').textContent = 'echo: ' + message.data; fetch('/done', { method: 'POST', body: message.data }); };
socket.onerror = () => { document.getElementById('said').textContent = 'failed'; fetch('/done', { method: 'POST', body: 'failed' }); };
</script><img src="/wait.png">
END
my $origin = $w->origin(sub ($c) {
    my $target = $c->request->target;
    if ($target eq '/wait.png') {                      # the page is complete when its socket has spoken
        $c->wait_for('done');
        return $c->reply(200, '', 'Content-Type', 'image/png');
    }
    $w->pass('done') if $target eq '/done';
    $c->reply(200, $target eq '/page' ? $page : 'p { color: green }', 'Content-Type', $target eq '/page' ? 'text/html' : 'text/css');
});
my $sockets = $w->peer(\&Weir::WebSocket::echo_peer);
my $dir     = $w->dir;
my ($made)  = $w->command(20, qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout),
    "$dir/key.pem", '-out', "$dir/cert.pem");
is $made, 0, 'a certificate';
my $port = $w->port('tls');
$w->conf(<<"END");
    log_format protocol '\$server_protocol \$request_method \$uri \$status';
    access_log $dir/access.log protocol;
    server {
        listen 127.0.0.1:$port ssl;
        http2 on;
        ssl_certificate $dir/cert.pem;
        ssl_certificate_key $dir/key.pem;
        location / { proxy_pass http://$origin; }
        location /socket { proxy_pass http://$sockets; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; }
    }
END
$w->start;

my ($code, $dom) = $w->command(60, 'chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
    "--user-data-dir=$dir/profile", '--ignore-certificate-errors', '--no-first-run', '--no-proxy-server', '--dump-dom',
    "https://127.0.0.1:$port/page");
is $code, 0, 'the browser ends well';
like $dom, qr/echo: through the gateway/, 'the WebSocket said what it was told';
$w->wait_until('the log', sub { Weir::Server::slurp("$dir/access.log") =~ m{/socket} });
my $log = Weir::Server::slurp("$dir/access.log");
like $log, qr{^HTTP/2\.0 GET /page 200$}m,      'the page came over HTTP/2';
like $log, qr{^HTTP/2\.0 GET /style\.css 200$}m, 'its style too';
like $log, qr{^HTTP/2\.0 GET /socket 101$}m,     'and the WebSocket (RFC 8441)';
like $log, qr{^HTTP/2\.0 POST /done 200$}m,      'and what it posted';

done_testing;
