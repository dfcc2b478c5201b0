# gzip: which answers are compressed, for whom, and that what arrives is what was sent, whoever made it and however it came.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Compress::Raw::Zlib;
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);

my $w    = Weir::Test->new('gzip compresses for clients that take it');
my $long = join '', map { "line $_ of a text that repeats itself\n" } 1 .. 20_000;
srand 7;
my $noise = join '', map { chr int rand 256 } 1 .. 200_000;
my $origin = $w->origin(sub ($c) {
    my $r    = $c->request;
    my %said = $r->target =~ /([a-z_]+)=([^&]*)/g;
    s/%20/ /g for values %said;
    my $body = $said{body} eq 'noise' ? $noise : $said{body} eq 'long' ? $long : $said{body};
    my %names = (type => 'Content-Type', encoding => 'Content-Encoding', control => 'Cache-Control', expires => 'Expires', etag => 'ETag', modified => 'Last-Modified');
    $c->reply($said{status} // 200, $body, map { exists $said{$_} ? ($names{$_} => $said{$_}) : () } sort keys %names);
});
my $slow = $w->peer(sub ($c) {
    $c->read_request;
    $c->raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n");
    for my $part (1 .. 3) {
        $c->raw("7\r\npart $part\n\r\n");
        $c->wait_for("part$part");
    }
    $c->raw("0\r\n\r\n");
});
my $dir = $w->dir;
chmod 0755, $dir;
mkdir "$dir/html" or die $!;
chmod 0755, "$dir/html";
$w->write_file('html/long.html', $long);
$w->conf(<<"END");
    log_format z '\$uri \$gzip_ratio';
    access_log logs/z.log z;
    gzip on;
    gzip_types text/plain application/json;
    server {
        root $dir/html;
        location /px/ { proxy_pass http://$origin; proxy_set_header Accept-Encoding ""; }
        location /vary/ { gzip_vary on; proxy_pass http://$origin; }
        location /all/ { gzip_types *; gzip_comp_level 9; gzip_buffers 2 1k; proxy_pass http://$origin; }
        location /min/ { gzip_min_length 100; proxy_pass http://$origin; }
        location /old/ { gzip_http_version 1.0; proxy_pass http://$origin; }
        location /off/ { gzip off; proxy_pass http://$origin; }
        location /any/ { gzip_proxied any; proxy_pass http://$origin; }
        location /some/ { gzip_proxied expired no-cache no-store private no_last_modified auth; proxy_pass http://$origin; }
        location /ie/ { gzip_disable msie6 "Bad/[0-9]"; proxy_pass http://$origin; }
        location /live { proxy_pass http://$slow; }
        location /text { default_type text/html; return 200 "a text of our own that is longer than twenty bytes"; }
        location /rate { limit_rate 40k; limit_rate_after 1k; gzip_types *; proxy_pass http://$origin; }
    }
END
$w->allow_log(qr/\[emerg\]/, qr/\[warn\] .*duplicate MIME type/);
my @take = ('Accept-Encoding' => 'deflate, gzip');
my $plain = sub ($answer) {
    my $body = $answer->body;
    return $body unless ($answer->header('Content-Encoding') // '') eq 'gzip';
    my $out = '';
    gunzip(\$body => \$out) or return "broken: $GunzipError";
    return $out;
};
my $how = sub ($path, @fields) { $w->get($path, @fields ? @fields : @take)->header('Content-Encoding') // 'plain' };

my $answer = $w->get('/long.html', @take);
is $answer->header('Content-Encoding'), 'gzip', 'a file';
is $answer->framing, 'chunked', 'of unknown length';
is $answer->header('Accept-Ranges'), undef, 'without parts';
like $answer->header('ETag'), qr{^W/"}, 'with a weak tag';
ok length($answer->body) < length($long) / 4, 'is smaller';
ok $plain->($answer) eq $long, 'and the same';
is $w->get('/long.html')->header('Content-Encoding'), undef, 'plain for others';
is $w->get('/long.html', @take, Range => 'bytes=0-9')->status, 200, 'no parts of what is made on the way';
is $w->get('/long.html', Range => 'bytes=0-9')->status, 206, 'parts of what is not';
ok $plain->($w->get("/all/?body=$_->[0]&type=x/y", @take)) eq $_->[1], "$_->[0] arrives" for [ 'long', $long ], [ 'noise', $noise ];
is $w->request('HEAD', '/long.html', headers => \@take)->body, '', 'HEAD has no body';
is $plain->($w->get('/text', @take)), 'a text of our own that is longer than twenty bytes', 'an answer of our own';
my $page = $w->get('/nothing.html', @take);
is $page->status, 404, 'a page for an error';
like $plain->($page), qr/404 Not Found/, 'is compressed, and is read';

my @cases = (
    [ '/px/?body=long&type=text/html', 'gzip' ], [ '/px/?body=long&type=text/plain;%20charset=x', 'gzip' ], [ '/px/?body=long&type=TEXT/Plain', 'gzip' ],
    [ '/px/?body=long&type=image/png', 'plain' ], [ '/px/?body=long', 'gzip' ], [ '/px/?body=long&type=text/html&status=201', 'plain' ],
    [ '/px/?body=long&type=text/html&status=404', 'gzip' ], [ '/px/?body=long&type=text/html&encoding=br', 'br' ], [ '/px/?body=short&type=text/html', 'plain' ],
    [ '/min/?body=' . 'x' x 99 . '&type=text/html', 'plain' ], [ '/min/?body=' . 'x' x 100 . '&type=text/html', 'gzip' ], [ '/off/?body=long&type=text/html', 'plain' ],
);
is $how->($_->[0]), $_->[1], substr("$_->[0]: $_->[1]", 0, 70) for grep { $_->[0] ne '/px/?body=long' } @cases;
is $how->('/long.html', 'Accept-Encoding' => $_->[0]), $_->[1], "Accept-Encoding: $_->[0]" for [ 'gzip', 'gzip' ], [ 'gzip;q=1', 'gzip' ], [ 'br;q=1.0, gzip;q=0.5', 'gzip' ],
    [ 'gzip;q=0', 'plain' ], [ 'gzip;q=0.000', 'plain' ], [ 'br', 'plain' ], [ 'notgzip', 'plain' ], [ 'GZIP', 'gzip' ];
is $w->get('/vary/?body=long&type=text/html')->header('Vary'), 'Accept-Encoding', 'Vary is said to those who take nothing too';
is $w->get('/vary/?body=long&type=image/png', @take)->header('Vary'), undef, 'not of what is never compressed';
is $how->('/px/?body=long&type=text/html', @take, Via => '1.1 a'), 'plain', 'through a proxy: plain';
is $how->("/any/?body=long&type=text/html", @take, Via => '1.1 a'), 'gzip', 'unless told';
my @via = (@take, Via => '1.1 a');
is $how->("/some/?body=long&type=text/html$_->[0]", @via), $_->[1], "proxied, $_->[0]: $_->[1]" for
    [ '&expires=Thu,%2001%20Jan%201970%2000:00:01%20GMT', 'gzip' ], [ '&expires=Thu,%2001%20Jan%202037%2000:00:01%20GMT', 'plain' ], [ '&control=no-cache', 'gzip' ],
    [ '&control=private,%20max-age=5', 'gzip' ], [ '&control=public', 'plain' ], [ '&modified=Sun,%2006%20Nov%201994%2008:49:37%20GMT', 'plain' ], [ '', 'gzip' ];
is $how->('/some/?body=long&type=text/html&control=public', @via, Authorization => 'Basic eDp5'), 'gzip', 'auth';
is $how->('/ie/?body=long&type=text/html', @take, 'User-Agent' => $_->[0]), $_->[1], "$_->[0]: $_->[1]" for [ 'Mozilla/4.0 (compatible; MSIE 6.0; x)', 'plain' ],
    [ 'Mozilla/4.0 (compatible; MSIE 6.0; SV1)', 'gzip' ], [ 'xbad/7', 'plain' ], [ 'good/7', 'gzip' ];
my $old = $w->client->send("GET /long.html HTTP/1.0\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")->read_response;
is $old->header('Content-Encoding'), undef, 'HTTP/1.0 gets it plain';
$old = $w->client->send("GET /old/?body=long&type=text/html HTTP/1.0\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")->read_response;
is $old->header('Content-Encoding'), 'gzip', 'unless told';
ok $plain->($old) eq $long, 'and it is whole';
my $client = $w->client;
ok $plain->($client->get('/long.html', @take)) eq $long, "one after another on a connection: $_" for 1 .. 5;
$w->wait_for_access(qr{^/text \d\.\d\d$}m, 'z.log');
like $w->access_log('z.log'), qr{^/long\.html -$}m, 'no ratio of what is plain';
ok $plain->($w->get('/rate?body=long&type=text/html', @take)) eq $long, 'with a rate';

my $reader = $w->client->send("GET /live HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
unless ($w->is_nginx) {
    $reader->take_until(qr/\r\n\r\n/);
    my ($inflate) = Compress::Raw::Zlib::Inflate->new(-WindowBits => Compress::Raw::Zlib::WANT_GZIP(), -ConsumeInput => 0, -AppendOutput => 1);
    my ($compressed, $text) = ('', '');
    while ($text eq '') {                                           # the chunks so far: the first piece is read before the second is sent
        my $size = hex $reader->take_until(qr/\r\n/) =~ s/\r\n//r;
        $compressed = $reader->take($size);
        $reader->take(2);
        $inflate->inflate($compressed, $text);
    }
    is $text, "part 1\n", 'what is sent as it is made is read as it is made';
    is $w->get('/px/?body=long&type=text/html&control=no-transform', @take)->header('Content-Encoding'), undef, 'no-transform is heeded (RFC 9110 7.7)';
}
$w->pass("part$_") for 1 .. 3;
is $plain->($reader->read_response), "part 1\npart 2\npart 3\n", 'what comes in pieces arrives whole' if $w->is_nginx;

for my $bad ([ 'gzip_comp_level 0;', qr/gzip_comp_level/ ], [ 'gzip_comp_level 10;', qr/gzip_comp_level/ ], [ 'gzip_http_version 2;', qr/"2"/ ], [ 'gzip_proxied some;', qr/"some"/ ],
    [ 'gzip_disable "(";', qr/missing|parenthes/ ], [ 'gzip maybe;', qr/"maybe"/ ])
{
    my ($code, $said) = $w->check_conf("server { $bad->[0] }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told' unless $w->is_nginx;
}
done_testing;
