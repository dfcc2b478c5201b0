# Range, If-Range, max_ranges: one part, several, in any order; 416 when there is none; all of it when that is better.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w   = Weir::Test->new('parts of an answer may be asked for');
my $dir = $w->dir;
chmod 0755, $dir;
my $bytes = join '', map { sprintf '%05d', $_ } 0 .. 19_999;         # 100,000
my $short = substr $bytes, 0, 1000;
mkdir "$dir/html" or die $!;
chmod 0755, "$dir/html";
$w->write_file('html/big.txt', $bytes);
$w->write_file('html/short.txt', $short);
$w->write_file('html/empty.txt', '');
$w->write_file('html/page.html', 'a page for an error');
utime 784111777, 784111777, glob "$dir/html/*";
$w->conf(<<"END");
    server {
        root $dir/html; types { text/x-digits txt; }
        location /send/ { alias $dir/html/; sendfile on; sendfile_max_chunk 8k; tcp_nopush on; }
        location /two/ { alias $dir/html/; max_ranges 2; }
        location /none/ { alias $dir/html/; max_ranges 0; }
        location /error { error_page 404 /page.html; return 404; }
        location /page { error_page 416 /page.html; alias $dir/html; }
        location = /page.html { add_header X-Page yes always; }
    }
END
$w->allow_log(qr/\[emerg\]/);
my $date = 'Sun, 06 Nov 1994 08:49:37 GMT';
my $range = sub ($path, $range, @more) { $w->get($path, Range => $range, @more) };

for my $path ('/big.txt', '/send/big.txt') {
    for my $case ([ 'bytes=0-0', 0, 0 ], [ 'bytes=0-99', 0, 99 ], [ 'bytes=99999-', 99_999, 99_999 ], [ 'bytes=-1', 99_999, 99_999 ], [ 'bytes=50000-', 50_000, 99_999 ],
        [ 'bytes=20000-79999', 20_000, 79_999 ], [ 'bytes=99990-200000', 99_990, 99_999 ], [ 'bytes=-200000', 0, 99_999 ], [ 'Bytes= 5 - 9 ', 5, 9 ],
        [ 'bytes=200000-,0-4', 0, 4 ])
    {
        my ($text, $from, $to) = @$case;
        my $answer = $range->($path, $text);
        is $answer->status, 206, "$path $text";
        is $answer->header('Content-Range'), "bytes $from-$to/100000", 'says which';
        ok $answer->body eq substr($bytes, $from, $to - $from + 1), 'and is that';
        is $answer->header('Content-Length'), $to - $from + 1, 'of that length';
    }
    for my $text ('bytes=0-4,10-14', 'bytes=10-14, 0-4', 'bytes=-5,0-4,50-', 'bytes=0-19,10-29', 'bytes=0-0,200000-,-1') {
        next if $text eq 'bytes=-5,0-4,50-';                          # together more than all of it
        my $answer = $range->($path, $text);
        is $answer->status, 206, "$path $text";
        my ($boundary) = ($answer->header('Content-Type') // '') =~ m{^multipart/byteranges; boundary=(\S+)$};
        ok defined $boundary, 'in several parts';
        my @parts = split /\r\n--\Q$boundary\E(?:--)?\r\n/, $answer->body;
        shift @parts;
        my @want = grep { defined } map { /(\d*)-(\d*)/; length $1 ? $1 < 100_000 ? [ $1, $2 ] : undef : [ 100_000 - $2, 99_999 ] } split /,/, $text;
        is scalar @parts, scalar @want, 'as many as there are';
        for my $i (0 .. $#want) {
            my ($from, $to) = $want[$i]->@*;
            my ($head, $body) = split /\r\n\r\n/, $parts[$i], 2;
            like $head, qr{^Content-Type: text/x-digits\r\nContent-Range: bytes $from-$to/100000}, 'a part says what it is';
            ok $body eq substr($bytes, $from, $to - $from + 1), 'and is it';
        }
    }
    is $range->($path, 'bytes=0-99,0-99999')->status, 200, "$path all of it, when the parts are more";
    is $range->($path, 'bytes=' . join ',', map { "0-" } 1 .. 1000)->status, 200, 'a thousand times all of it';
    for my $text ('bytes=100000-', 'bytes=200000-300000', 'bytes=-0', 'bytes=5-4', 'bytes=a-b', 'bytes=1', 'bytes=1-2,x') {
        my $answer = $range->($path, $text);
        is $answer->status, 416, "$path $text";
        is $answer->header('Content-Range'), 'bytes */100000', 'says how long it is';
    }
    is $range->($path, $_)->body, $bytes, "not understood: $_" for 'lines=1-2', 'bytes';
    is $range->($path, 'bytes=0-4', 'If-Range' => $_)->status, 206, "If-Range: $_" for '"2ebc98a1-186a0"', $date;
    is $range->($path, 'bytes=0-4', 'If-Range' => $_)->status, 200, "If-Range: $_" for '"other"', 'W/"2ebc98a1-186a0"', 'Sun, 06 Nov 1994 08:49:38 GMT', 'nonsense';
}
is $range->('/empty.txt', 'bytes=0-')->status, 200, 'of nothing there is no part';
is $range->('/two/big.txt', 'bytes=0-1,3-4')->status, 206, 'max_ranges: two';
is $range->('/two/big.txt', 'bytes=0-1,3-4,6-7')->status, 200, 'are not three';
is $range->('/none/big.txt', 'bytes=0-1')->status, 200, 'max_ranges 0: none';
is $w->get('/none/big.txt')->header('Accept-Ranges'), undef, 'and they are not offered';
is $range->('/error', 'bytes=0-1')->status, 404, 'a page for an error comes whole';
is $range->('/error', 'bytes=0-1')->body, 'a page for an error', 'all of it';
my $answer = $range->('/page/big.txt', 'bytes=100000-');
is $answer->status, 416, 'a 416 may have a page';
is $answer->header('X-Page'), 'yes', 'of our own';
unless ($w->is_nginx) {
    is $w->request('HEAD', '/big.txt', headers => [ Range => 'bytes=0-1' ])->status, 200, 'HEAD has no parts (RFC 9110 14.2)';
    is $range->('/big.txt', 'bytes=')->status, 416, 'a Range that asks for none';
    is $range->('/big.txt', 'bytes=7-99999999999999999999999')->header('Content-Range'), 'bytes 7-99999/100000', 'a number larger than any';
    is $range->('/big.txt', 'bytes=0-1', Range => 'bytes=3-4')->status, 400, 'two Range fields are refused';
    is $range->('/short.txt', 'bytes=' . join ',', map { "$_-$_" } map { $_ * 9 } 0 .. 99)->status, 200, 'many small parts of a small file: all of it';
    is $range->('/big.txt', 'bytes=' . join ',', map { "$_-$_" } map { $_ * 9 } 0 .. 99)->status, 206, 'of a large one: the parts';
}
my ($code, $said) = $w->check_conf('server { max_ranges -1; }');
isnt $code, 0, 'a number of them';

done_testing;
