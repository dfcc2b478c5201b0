# Files, parts of them and limit_rate over HTTP/2 and TLS, where no sendfile is: every byte, at its pace, beside others.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Time::HiRes qw(time);

my $w = Weir::Test->new('files and rates hold over streams');
$w->needs_weir;
Weir::Test::needs 'curl';
my $dir   = $w->dir;
my $bytes = join '', map { sprintf '%07d ', $_ } 1 .. 125_000;            # 1,000,000
mkdir "$dir/html" or die $!;
$w->write_file('html/f', $bytes);
$w->write_file('html/small', 'small');
$w->conf(<<"END");
    server {
        http2 on;
        root $dir/html;
        sendfile on;
        location /slow { alias $dir/html/f; limit_rate 500k; }
    }
END
my $port = $w->port;
$w->start;
my $curl = sub ($path, @more) {
    my ($code, $body) = $w->command(30, 'curl', '-sS', '--http2-prior-knowledge', @more, "http://127.0.0.1:$port$path");
    is $code, 0, "$path @more";
    return $body;
};
ok $curl->('/f') eq $bytes, 'a file';
is $curl->('/small'), 'small', 'a small one';
is $curl->('/f', '-r', '999990-'), substr($bytes, -10), 'a part';
my $from = time;
ok $curl->('/slow') eq $bytes, 'at a pace';
my $took = time - $from;
ok $took > 0.7 && $took < 8, "that takes its time ($took)";
my $parts = $curl->('/f', '-r', '0-9,100-109');
like $parts, qr{0000001 00.*013 000001}s, 'several parts';
is $curl->('/f', '-I') =~ /content-length: 1000000/ ? 1 : 0, 1, 'HEAD';

done_testing;
