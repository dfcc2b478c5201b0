# form_body: urlencoded and multipart/form-data, whole and cut anywhere; limits, names of files, types; encoded bodies; what goes on is what came.
use v5.36;
use lib 't/lib';
use IO::Compress::Gzip qw(gzip);
use IO::Compress::Deflate qw(deflate);
use Weir::Http2;
use Weir::Test;

my $w = Weir::Test->new('a body that must be a form is refused when it is not');
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, length($r->body) . ' ' . unpack('%32C*', $r->body)) });
$w->allow_log(qr/form\./);
my $limits = 'form_max_fields 4; form_max_files 2; form_max_name 8; form_max_value 20; form_max_file_size 30; form_max_part_header 200;';
$w->conf(<<"END", workers => 1);
    server {
        http2 on;
        form_encoded on;
        add_header X-Cause \$weir_cause always;
        client_max_body_size 64m;
        location / { form_body on; $limits proxy_pass http://$origin; }
        location /url { form_body urlencoded; proxy_pass http://$origin; }
        location /multi { form_body multipart; form_file_types image/* +json; proxy_pass http://$origin; }
        location /big { form_body on; form_max_size 64m; form_max_value 64m; proxy_pass http://$origin; }
        location /small { form_body on; form_max_size 100; proxy_pass http://$origin; }
        location /dry { form_body on; dry_run on; proxy_pass http://$origin; }
        location /page { form_body on; error_page 400 413 415 = \@page; proxy_pass http://$origin; }
        location \@page { return 422 "\$form_error"; }
    }
END

my $client = $w->client;
sub post ($target, $type, $body, @more) {
    my $r = $client->send_request('POST', $target, body => $body, headers => [ 'Content-Type' => $type, @more ])->read_response(method => 'POST');
    $client = $w->client unless $r->is_kept;
    return $r;
}
my $url = 'application/x-www-form-urlencoded';
sub goes ($name, $type, $body, $target = '/', @more) {
    my $r = post($target, $type, $body, @more);
    is $r->status . ' ' . $r->body, '200 ' . length($body) . ' ' . unpack('%32C*', $body), "goes on as it came: $name";
}
sub refused ($name, $status, $cause, $type, $body, $target = '/', @more) {
    my $r = post($target, $type, $body, @more);
    is $r->status . ' ' . ($r->header('X-Cause') // '-'), "$status $cause", "refused: $name";
}

# -- application/x-www-form-urlencoded --
goes $_, $url, $_ for 'a=1', '', 'a', 'a=', '=a', 'a=1&b=2&c=3&d=4', 'a=1&&b', 'a%3D=%26', 'a+b=c+d', 'a=%c3%a4%F0%9F%98%80', "a=\xc3\xa4", 'a=@/:!', 'a=b=c', 'a=%0d%0a', 'abcdefgh=' . 'x' x 20,
    'a=' . '%41' x 20;
refused @$_ for [ 'five fields', 413, 'form.limit', $url, 'a&b&c&d&e' ], [ 'a long name', 413, 'form.limit', $url, 'abcdefghi=1' ], [ 'a long name, encoded', 413, 'form.limit', $url, '%61' x 9 ],
    [ 'a long value', 413, 'form.limit', $url, 'a=' . 'x' x 21 ], [ 'a percent sign', 400, 'form.malformed', $url, 'a=%' ], [ 'one digit', 400, 'form.malformed', $url, 'a=%4' ],
    [ 'no digits', 400, 'form.malformed', $url, 'a=%zz' ], [ 'a percent sign before &', 400, 'form.malformed', $url, 'a=%4&b' ], [ 'a NUL', 400, 'form.malformed', $url, 'a=%00' ],
    [ 'a control', 400, 'form.malformed', $url, "a=\n" ], [ 'a semicolon', 400, 'form.malformed', $url, 'a=1;b=2' ], [ 'not UTF-8', 400, 'form.malformed', $url, 'a=%ff' ],
    [ 'overlong', 400, 'form.malformed', $url, 'a=%c0%af' ], [ 'a surrogate', 400, 'form.malformed', $url, 'a=%ed%a0%80' ], [ 'cut UTF-8', 400, 'form.malformed', $url, 'a=%c3&b' ],
    [ 'cut at the end', 400, 'form.malformed', $url, 'a=%e2%82' ], [ 'another type', 415, 'form.type', 'text/plain', 'a=1' ], [ 'another charset', 415, 'form.type', "$url; charset=iso-8859-1", 'a=1' ],
    [ 'multipart where it may not be', 415, 'form.type', 'multipart/form-data; boundary=x', '--x--', '/url' ];
goes 'UTF-8', "$url; charset=UTF-8", 'a=1';

# -- multipart/form-data --
my $form = 'multipart/form-data; boundary=AbC';
sub part ($name, $body, %arg) {
    return "--AbC\r\nContent-Disposition: form-data; name=\"$name\"" . (defined $arg{file} ? "; filename=\"$arg{file}\"" : '') . "\r\n" . join('', map { "$_\r\n" } ($arg{fields} // [])->@*) . "\r\n$body\r\n";
}
my $end = "--AbC--\r\n";
my $good = part('a', 'one') . part('f', "x\0\r\n-\r\n--\r\n--Ab\n", file => 'a b.png', fields => ['Content-Type: image/png; x=y']) . part('e', '') . $end;
goes 'a form', $form, $good;
goes 'without the last line end', $form, $good =~ s/\r\n\z//r;
goes 'a boundary in quotes', 'Multipart/Form-Data; Boundary="AbC"', $good;
goes 'a boundary with odd characters', q{multipart/form-data; boundary="a'()+_,-./:=? b"}, "--a'()+_,-./:=? b--";
goes 'nothing in it', $form, $end;
goes 'a file that was not chosen', $form, part('f', '', file => '', fields => ['Content-Type: application/octet-stream']) . $end;
goes 'a name without quotes', $form, "--AbC\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n$end";
goes 'other fields', $form, part('a', 'x', fields => [ 'X-A: b', 'Content-Transfer-Encoding: 8bit' ]) . $end;
goes 'as long as may be', $form, part('abcdefgh', 'x' x 20) . part('f', 'x' x 30, file => 'a') . $end;
goes 'line ends only', $form, part('a', "\r\n" x 8) . $end;

my @malformed = (
    [ 'a preamble', "hello\r\n$good" ], [ 'an empty line before', "\r\n$good" ], [ 'an epilogue', $good . 'x' ], [ 'two line ends at its end', "$good\r\n" ], [ 'nothing', 'x' ],
    [ 'no end', part('a', 'x') ], [ 'half an end', part('a', 'x') . '--AbC-' ], [ 'blanks behind a boundary', part('a', 'x') =~ s/AbC\r/AbC \r/r . $end ],
    [ 'more behind a boundary', part('a', "x\r\n--AbCd") . $end ], [ 'a boundary behind a bare LF', part('a', "x\n--AbC\r\n") . $end ], [ 'a boundary behind a bare CR', part('a', "x\r--AbC\r\n") . $end ], [ 'a boundary at once', "--AbC\r\nContent-Disposition: form-data; name=a\r\n\r\n--AbC--" ],
    [ 'a bare LF behind a boundary', $good =~ s/AbC\r\n/AbC\n/r ], [ 'bare LFs in a head', part('a', 'x') =~ s/\r\n/\n/gr . $end ], [ 'a bare CR in a head', part('a', 'x', fields => ["X: a\rb"]) . $end ],
    [ 'a folded line', part('a', 'x', fields => [ 'X: a', ' b' ]) . $end ], [ 'a NUL in a head', part('a', 'x', fields => ["X: a\0"]) . $end ], [ 'a line that is no field', part('a', 'x', fields => ['hello']) . $end ],
    [ 'a blank before the colon', part('a', 'x', fields => ['X : a']) . $end ], [ 'no head', "--AbC\r\n\r\nx\r\n$end" ], [ 'no disposition', "--AbC\r\nContent-Type: a/b\r\n\r\nx\r\n$end" ],
    [ 'two dispositions', part('a', 'x', fields => ['Content-Disposition: form-data; name="b"']) . $end ], [ 'two names', part('a"; name="b', 'x') . $end ], [ 'no name', "--AbC\r\nContent-Disposition: form-data\r\n\r\nx\r\n$end" ],
    [ 'an empty name', part('', 'x') . $end ], [ 'a name that is not UTF-8', part("\xff", 'x') . $end ], [ 'a backslash in a name', part('a\\"b', 'x') . $end ], [ 'a name that does not end', part('a', 'x') =~ s/"a"/"a/r . $end ],
    [ 'attachment', part('a', 'x') =~ s/form-data/attachment/r . $end ], [ 'filename*', part("a\"; filename*=UTF-8''b; x=\"", 'x') . $end ], [ 'two files', part('a"; filename="c', 'x', file => 'b') . $end ],
    [ 'parts in a part', part('a', 'x', fields => ['Content-Type: multipart/mixed; boundary=y']) . $end ], [ 'two types', part('a', 'x', fields => [ 'Content-Type: a/b', 'Content-Type: a/b' ]) . $end ],
    [ 'base64', part('a', 'x', fields => ['Content-Transfer-Encoding: base64']) . $end ],
);
refused($_->[0], 400, 'form.malformed', $form, $_->[1]) for @malformed;
refused("a boundary that is none: $_", 400, 'form.malformed', "multipart/form-data$_", $good) for '', '; boundary=""', '; boundary="a "', '; boundary=' . 'a' x 71, '; boundary="a@b"';
refused("a parameter that is none: $_", 415, 'form.type', "multipart/form-data$_", $good) for '; boundary=', '; boundary="a\\"b"', '; boundary="a';
refused('two boundaries', 415, 'form.type', "$form; boundary=x", $good);
refused(@$_) for [ 'five parts', 413, 'form.limit', $form, part('a', 'x') x 5 . $end ], [ 'three files', 413, 'form.limit', $form, part('a', 'x', file => 'f') x 3 . $end ],
    [ 'a long name', 413, 'form.limit', $form, part('abcdefghi', 'x') . $end ], [ 'a long value', 413, 'form.limit', $form, part('a', 'x' x 21) . $end ], [ 'a long file', 413, 'form.limit', $form, part('a', 'x' x 31, file => 'f') . $end ],
    [ 'a long head', 413, 'form.limit', $form, part('a', 'x', fields => [ 'X: ' . 'y' x 200 ]) . $end ], [ 'a head of many lines', 413, 'form.limit', $form, part('a', 'x', fields => [ ('X: y') x 100 ]) . $end ];
refused("a file called $_", 400, 'form.filename', $form, part('a', 'x', file => $_) . $end) for '../a', '/etc/passwd', 'a/b', '..', '.', 'a%2Fb', 'a%2fb', '%5c', 'a%00.png', "\xff";
refused('a file with a long name', 400, 'form.filename', $form, part('a', 'x', file => 'x' x 256) . $end, '/multi');
refused('a file with a backslash', 400, 'form.malformed', $form, part('a', 'x', file => 'C:\\a') . $end);
goes "a file called $_", $form, part('a', 'x', file => $_) . $end for 'a.b.c', '...', '%41', "\xc3\xa4", 'a b';

# -- types of files --
goes 'a type that is listed', $form, part('a', 'x', file => 'f', fields => ["Content-Type: $_"]) . $end, '/multi' for 'image/png', 'IMAGE/x', 'application/ld+json; a=b';
goes 'a field has any type', $form, part('a', 'x', fields => ['Content-Type: text/html']) . $end, '/multi';
refused('another type', 415, 'form.file_type', $form, part('a', 'x', file => 'f', fields => ['Content-Type: text/html']) . $end, '/multi');
refused('no type, which is text', 415, 'form.file_type', $form, part('a', 'x', file => 'f') . $end, '/multi');

# -- cut anywhere: pieces of a chunked body --
my $split = 0;
for my $n (1 .. length($good) - 1) {
    my @piece = (substr($good, 0, $n), substr $good, $n);
    my $r = $client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: $form\r\nTransfer-Encoding: chunked\r\n\r\n" . join('', map { sprintf("%x\r\n", length) . "$_\r\n" } @piece) . "0\r\n\r\n")->read_response(method => 'POST');
    $split++ if $r->status != 200;
}
is $split, 0, 'a form cut into two pieces anywhere is the same form';

# -- encoded, large --
gzip(\$good, \my $zipped);
deflate(\$good, \my $deflated);
goes 'gzip', $form, $zipped, '/', 'Content-Encoding' => 'gzip';
goes 'deflate', $form, $deflated, '/', 'Content-Encoding' => 'deflate';
refused('broken gzip', 400, 'form.malformed', $form, substr($zipped, 0, -9), '/', 'Content-Encoding' => 'gzip');
refused('gzip and more', 400, 'form.malformed', $form, "$zipped$zipped", '/', 'Content-Encoding' => 'gzip');
refused('another encoding', 415, 'form.encoding', $form, $good, '/', 'Content-Encoding' => 'br');
my $bomb = 'a=' . 'x' x (8 << 20);
gzip(\$bomb, \my $small);
refused('a bomb', 413, 'form.limit', $url, $small, '/url', 'Content-Encoding' => 'gzip');
goes 'no bomb where it may be', $url, $small, '/big', 'Content-Encoding' => 'gzip';
my $large = part('f', join('', map { chr(rand 256) } 1 .. 100000) x 80, file => 'f') . $end;
goes 'a large file', $form, $large, '/big';
refused('a large file cut', 400, 'form.malformed', $form, substr($large, 0, -10), '/big');
refused('too large', 413, 'form.limit', $url, 'a=' . 'x' x 100, '/small');
my $r = $client->send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Type: $url\r\nTransfer-Encoding: chunked\r\n\r\n" . "32\r\n" . 'x' x 50 . "\r\n" x 1 . "33\r\n" . 'x' x 51 . "\r\n0\r\n\r\n")->read_response(method => 'POST');
is $r->status, 413, 'too large, without a length';

# -- HTTP/2: a body without a length --
my $c = Weir::Http2::client($w);
is $c->ask(':method' => 'POST', 'content-type' => $form, body => $good), '200', 'HTTP/2';
is $c->ask(':method' => 'POST', 'content-type' => $form, body => part('a', 'x', file => '../a') . $end), '400', 'HTTP/2: a path';
is $c->head->{'x-cause'}, 'form.filename', 'HTTP/2: its cause';
is $c->ask(':method' => 'POST', 'content-type' => 'text/plain', body => 'x'), '415', 'HTTP/2: another type';
is $c->ask(':method' => 'POST', body => 'x'), '415', 'HTTP/2: no type';
is $c->ask(':path' => '/'), '200', 'HTTP/2: no body';
$c->close;

# -- beside it --
$client = $w->client;
is $client->get('/')->status, 200, 'a request without a body';
is post('/dry', 'text/plain', 'x')->status, 200, 'a rehearsal';
is post('/page', $url, 'a=%')->body, 'a "%" without two hexadecimal digits', '$form_error';
my $leaves = $w->client->send("POST /big HTTP/1.1\r\nHost: a\r\nContent-Type: $form\r\nContent-Length: " . length($large) . "\r\n\r\n" . $large);
$leaves->close;
is $client->get('/')->status, 200, 'a client that leaves';
done_testing;
