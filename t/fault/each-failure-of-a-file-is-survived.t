# Files (copied, by sendfile, in parts, compressed, listed), subrequests and names that are resolved: each allocation and each call of theirs fails once.
use v5.36;
use lib 't/lib';
use IO::Uncompress::Gunzip 'gunzip';
use Weir::Dns;
use Weir::Fault;
use Weir::Test;

my $w     = Weir::Fault->test('each failure of a file is survived');
my $fault = $w->{fault};
my $dir   = $w->dir;
my $large = join '', map { sprintf "%07d\n", $_ } 1 .. 12_500;            # 100,000
mkdir "$dir/html" or die $!;
$w->write_file("html/$_->[0]", $_->[1]) for [ 'small.html', 'small' x 10 ], [ 'large.html', $large ];
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok', 'X-User' => 'me') });
my ($port) = "$origin" =~ /:(\d+)$/;
my $dns    = Weir::Dns->new($w, sub ($name, $type) { '127.0.0.1/1' });
$w->conf(<<"CONF", workers => 1, control => 0);
client_body_temp_path %%DIR%%/body;
server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k;
    root $dir/html;
    location /ordinary { return 200 "fine"; }
    location /copied/  { alias $dir/html/; }
    location /sent/    { alias $dir/html/; sendfile on; tcp_nopush on; }
    location /packed/  { alias $dir/html/; gzip on; gzip_buffers 1 1k; }
    location /list/    { alias $dir/html/; autoindex on; }
    location /let      { auth_request /ask; auth_request_set \$who \$upstream_http_x_user; try_files /small.html =404; }
    location /ask      { proxy_pass http://$origin; }
    location /mirrored { mirror /ask; mirror_request_body on; proxy_pass http://$origin; }
    location /named    { resolver $dns ipv6=off; proxy_pass http://\$arg_n:$port; }
}
CONF

sub fetch ($target, $want, %arg) {
    my $client = $w->client($arg{slow} ? (rcvbuf => 4096) : ());
    $client->send_request($arg{body} ? 'POST' : 'GET', $target, headers => $arg{headers} // [], $arg{body} ? (body => $arg{body}) : ());
    $fault->settle if $arg{slow};
    my $word = $fault->judge($client, sub ($answer) {
        my $body = $answer->body;
        if (($answer->header('Content-Encoding') // '') eq 'gzip') { my $out; gunzip(\$body => \$out) or return 0; $body = $out }
        return ref $want ? $body =~ $want : $body eq $want;
    });
    $client->close;
    return $word;
}

my @gzip  = ('Accept-Encoding' => 'gzip');
my @flows = (
    [ 'a small file',                   '/copied/small.html', 'small' x 10 ],
    [ 'a large file for a slow client', '/copied/large.html', $large, slow => 1 ],
    [ 'one by sendfile',                '/sent/large.html',   $large, slow => 1 ],
    [ 'parts of one',                   '/sent/large.html',   qr/\r\n0000001\n.*\r\n0000002\n/s, headers => [ Range => 'bytes=0-7,8-15' ] ],
    [ 'one compressed',                 '/packed/large.html', $large, headers => \@gzip ],
    [ 'a list',                         '/list/',             qr/large\.html/ ],
    [ 'a subrequest that lets in',      '/let',               'small' x 10 ],
    [ 'a mirror with a body',           '/mirrored',          'ok', body => 'x' x 30_000 ],
    [ 'a name that is resolved',        '/named?n=host.test', 'ok' ],
);
is fetch($_->[1], $_->[2], @$_[ 3 .. $#$_ ]), 'right', "$_->[0] works" for @flows;
$fault->baseline;
for my $flow (@flows) {
    my ($name, $target, $want, %arg) = @$flow;
    $fault->sweep($name, kept => 1, flow => sub ($n) { fetch($target, $want, %arg) });
}

done_testing;
