# A field or a path in Huffman code has the limit of large_client_header_buffers, whatever that is, on each
# connection; so has one that is not coded.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('a coded field may be as large as the directive says');
my $origin = $w->origin(sub ($c) { $c->reply(200, length($c->request->header('x-a') // '')) });
$w->conf(<<"END", workers => 1);
    server { http2 on; location / { return 200 small; } }
    server {
        listen 127.0.0.1:%%PORT_wide%%; http2 on; large_client_header_buffers 4 128k;
        location / { proxy_pass http://$origin; }
        location /a { return 200 \$uri; }
    }
END

# 'a' is 00011, '/' is 011000; what is left of the last byte is ones.
sub coded ($text) {
    my $bits = $text =~ s{a}{00011}gr =~ s{/}{011000}gr;
    $bits .= '1' x (-length($bits) % 8);
    return integer(7, length($bits) / 8, 128) . pack 'B*', $bits;
}

sub ask ($c, %arg) {
    my $id    = $c->{next_stream} += 2;
    my $block = Weir::Http2::fields(':method' => 'GET', ':scheme' => 'http', ':authority' => 'localhost')
        . "\0" . literal(':path') . coded($arg{path} // '/')
        . "\0" . literal('x-a') . ($arg{plain} ? literal($arg{value}) : coded($arg{value} // 'a'));
    my @piece = unpack '(a16384)*', $block;
    my $last  = $#piece;
    $c->write(join '', map {
        frame($_ ? 'CONTINUATION' : 'HEADERS', ($_ ? '' : 'END_STREAM ') . ($_ == $last ? 'END_HEADERS' : ''), $id,
            $piece[$_])
    } 0 .. $last);
    return $c->verdict($id, waits => 1);
}

my $early = Weir::Http2::client($w);           # its server allows 8k: what others are allowed is not for it
my $c     = Weir::Http2::client($w, port => 'wide');
$_->{next_stream} = 1 for $early, $c;
is ask($c, value => 'a' x 100_000), '200', 'a field of 100,000 bytes in code';
is $c->body, '100000', 'arrives whole at a peer';
is ask($c, value => 'a' x 100_000, plain => 1), '200', 'as it does without';
is ask($c, path => '/' . 'a' x 99_999), '200', 'so does a path';
is length $c->body, 100_000, 'of as many';
is ask($c, value => 'a' x (128 * 1024)), '431', 'one beyond the limit is refused';
is ask($c, path => '/' . 'a' x (128 * 1024)), '431', 'and such a path, with what it is in code';
is ask($early, value => 'a' x 8000), '200', 'elsewhere the limit is another';
is ask($early, value => 'a' x 9000), '431', 'and holds';
is ask($c, value => 'a' x 100_000), '200', 'the first connection serves on';
$_->close for $early, $c;

done_testing;
