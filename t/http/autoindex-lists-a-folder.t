# autoindex: HTML, XML, JSON, JSONP; sizes and times; names are escaped for where they stand; empty_gif.
use v5.36;
use lib 't/lib';
use Weir::Test;
use JSON::PP;

my $w   = Weir::Test->new('autoindex lists a folder');
my $dir = $w->dir;
chmod 0755, $dir;
mkdir "$dir/$_" or die $! for qw(html html/list html/list/zdir html/empty html/many);
chmod 0755, "$dir/$_" for qw(html html/list html/list/zdir html/empty html/many);
$w->write_file("html/list/$_->[0]", $_->[1]) for [ 'b.txt', 'b' ], [ 'a.txt', 'x' x 12_345 ], [ '.hidden', '' ], [ 'with space & <tag>"', 'q' ], [ 'n' x 70, 'long' ], [ "\xc3\xa4.txt", 'umlaut' ];
$w->write_file("html/many/f$_", '') for 1 .. 1500;
utime 784111777, 784111777, glob("$dir/html/list/*"), "$dir/html/list/with space & <tag>\"", "$dir/html/list/zdir";
$w->conf(<<"END", main => 'env TZ;');
    server {
        root $dir/html;
        autoindex on;
        location /off/ { autoindex off; alias $dir/html/list/; }
        location /round/ { autoindex_exact_size off; alias $dir/html/list/; }
        location /xml/ { autoindex_format xml; alias $dir/html/list/; }
        location /json/ { autoindex_format json; alias $dir/html/list/; }
        location /jsonp/ { autoindex_format jsonp; alias $dir/html/list/; }
        location /local/ { autoindex_localtime on; alias $dir/html/list/; }
        location = /pixel.gif { empty_gif; }
    }
END
$w->allow_log(qr/\[emerg\]/, qr/No such file|is forbidden|cause: file/);
my $answer = $w->get('/list/');
is $answer->status, 200, 'a folder';
is $answer->header('Content-Type'), 'text/html', 'as HTML';
my $body = $answer->body;
like $body, qr{<title>Index of /list/</title>}, 'says of what';
like $body, qr{<a href="\.\./">\.\./</a>}, 'leads up';
like $body, qr{<a href="zdir/">zdir/</a>\s+06-Nov-1994 08:49\s+-\r?\n}, 'a folder';
like $body, qr{<a href="a\.txt">a\.txt</a>\s+06-Nov-1994 08:49\s+12345\r?\n}, 'a file, its time and size';
unlike $body, qr/hidden/, 'what begins with a dot is not told';
like $body, qr{&lt;tag&gt;}, 'a name is escaped as HTML';
unlike $body, qr{<tag>}, 'all of it';
like $body, qr{href="with%20space%20(?:%26|&amp;|&)%20%3Ctag%3E%22"}, 'and as a reference';
like $body, qr{>n{47}\.\.&gt;</a> }, 'a long name is cut';
like $body, qr{href="n{70}"}, 'not in the reference';
like $body, qr{href="%C3%A4\.txt"}, 'other letters';
ok index($body, 'zdir/') < index($body, 'a.txt') && index($body, 'a.txt') < index($body, 'b.txt'), 'folders first, then by name';
like $w->get('/round/')->body, qr{a\.txt</a>.*\s12K\r?\n}, 'a rounded size';
is $w->get('/off/')->status, 403, 'off';
is $w->get('/nothing/')->status, 404, 'no folder';
is $w->get('/empty/')->status, 200, 'an empty one';
is scalar(() = $w->get('/many/')->body =~ /href="f/g), 1500, 'many';
is $w->request('HEAD', '/list/')->body, '', 'HEAD';

my $list = decode_json($w->get('/json/')->body);
is scalar @$list, 6, 'JSON has all';
is_deeply $list->[0], { name => 'zdir', type => 'directory', mtime => 'Sun, 06 Nov 1994 08:49:37 GMT', ($list->[0]{size} ? (size => $list->[0]{size}) : ()) }, 'a folder in JSON';
is_deeply $list->[1], { name => 'a.txt', type => 'file', mtime => 'Sun, 06 Nov 1994 08:49:37 GMT', size => 12_345 }, 'a file in JSON';
is $w->get('/json/')->header('Content-Type'), 'application/json', 'its type';
is_deeply decode_json($w->get('/jsonp/')->body), $list, 'JSONP without a name is JSON';
like $w->get('/jsonp/?callback=f.n_1')->body, qr{^/\* callback \*/\s*f\.n_1\(\[.*\]\s*\);\s*$}s, 'with one it is called';
is $w->get('/jsonp/?callback=alert(1)')->status, 400, 'with more than a name it is refused';
my $xml = $w->get('/xml/');
is $xml->header('Content-Type'), 'text/xml; charset=utf-8', 'XML';
like $xml->body, qr{<directory mtime="1994-11-06T08:49:37Z">zdir</directory>}, 'a folder in XML';
like $xml->body, qr{<file mtime="1994-11-06T08:49:37Z" size="12345">a\.txt</file>}, 'a file in XML';
unlike $xml->body, qr/<tag>/, 'escaped';

my $gif = $w->get('/pixel.gif');
is $gif->header('Content-Type'), 'image/gif', 'empty_gif';
is length $gif->body, 43, 'is small';
is substr($gif->body, 0, 10), "GIF89a\1\0\1\0", 'and a picture of one pixel';
is $w->request('POST', '/pixel.gif')->status, 405, 'that is asked for';

for my $bad ([ 'autoindex yes;', qr/"yes"/ ], [ 'autoindex_format yaml;', qr/"yaml"/ ], [ 'empty_gif on;', qr/invalid number of arguments/ ]) {
    my ($code, $said) = $w->check_conf("server { location / { $bad->[0] } }");
    like $said, $bad->[1], "refused: $bad->[0]";
}
done_testing;
