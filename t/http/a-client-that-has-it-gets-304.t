# Preconditions (RFC 9110 13): If-None-Match, If-Modified-Since, If-Match, If-Unmodified-Since; if_modified_since.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w   = Weir::Test->new('a client that has it gets 304');
my $dir = $w->dir;
chmod 0755, $dir;
mkdir "$dir/html" or die $!;
chmod 0755, "$dir/html";
$w->write_file('html/a.html', 'A page');
$w->write_file('html/page.html', 'a page');
utime 784111777, 784111777, "$dir/html/a.html";
$w->conf(<<"END");
    server {
        root $dir/html;
        add_header X-Kept yes;
        location /before/ { alias $dir/html/; if_modified_since before; }
        location /off/ { alias $dir/html/; if_modified_since off; }
        location /no/ { alias $dir/html/; etag off; }
        location /error { error_page 404 /a.html; return 404; }
        location /page/ { error_page 412 /page.html; alias $dir/html/; }
    }
END
$w->allow_log(qr/\[emerg\]/);
my ($tag, $at, $later, $earlier) = ('"2ebc98a1-6"', map { "Sun, 06 Nov 1994 08:49:$_ GMT" } 37, 38, 36);
my @cases = (
    [ '/a.html', [ 'If-None-Match' => $tag ], 304 ], [ '/a.html', [ 'If-None-Match' => "W/$tag" ], 304 ], [ '/a.html', [ 'If-None-Match' => qq{"x", $tag , "y"} ], 304 ],
    [ '/a.html', [ 'If-None-Match' => '*' ], 304 ], [ '/a.html', [ 'If-None-Match' => '"x"' ], 200 ], [ '/a.html', [ 'If-None-Match' => '2ebc98a1-6' ], 200 ],
    [ '/no/a.html', [ 'If-None-Match' => $tag ], 200 ],
    [ '/a.html', [ 'If-Modified-Since' => $at ], 304 ], [ '/a.html', [ 'If-Modified-Since' => $later ], 200 ], [ '/a.html', [ 'If-Modified-Since' => $earlier ], 200 ],
    [ '/a.html', [ 'If-Modified-Since' => 'Sunday, 06-Nov-94 08:49:37 GMT' ], 304 ], [ '/a.html', [ 'If-Modified-Since' => 'Sun Nov  6 08:49:37 1994' ], 304 ],
    [ '/a.html', [ 'If-Modified-Since' => 'yesterday' ], 200 ],
    [ '/before/a.html', [ 'If-Modified-Since' => $later ], 304 ], [ '/before/a.html', [ 'If-Modified-Since' => $earlier ], 200 ],
    [ '/off/a.html', [ 'If-Modified-Since' => $at ], 200 ], [ '/off/a.html', [ 'If-None-Match' => $tag ], 304 ],
    [ '/a.html', [ 'If-Match' => $tag ], 200 ], [ '/a.html', [ 'If-Match' => '*' ], 200 ], [ '/a.html', [ 'If-Match' => '"x"' ], 412 ], [ '/a.html', [ 'If-Match' => "W/$tag" ], 412 ],
    [ '/a.html', [ 'If-Unmodified-Since' => $at ], 200 ], [ '/a.html', [ 'If-Unmodified-Since' => $later ], 200 ], [ '/a.html', [ 'If-Unmodified-Since' => $earlier ], 412 ],
    [ '/a.html', [ 'If-Match' => $tag, 'If-None-Match' => $tag ], 304 ], [ '/a.html', [ 'If-None-Match' => '"x"', 'If-Modified-Since' => $at ], 200 ],
    [ '/error', [ 'If-None-Match' => '*' ], 404 ], [ '/page/a.html', [ 'If-Match' => '"x"' ], 412 ],
);
for my $case (@cases) {
    my ($path, $fields, $status) = @$case;
    is $w->get($path, @$fields)->status, $status, "$path @$fields";
}
my $answer = $w->get('/a.html', 'If-None-Match' => $tag);
is $answer->body, '', 'a 304 has no body';
is $answer->framing, 'none', 'and no length';
is $answer->header($_->[0]), $_->[1], "of $_->[0]: " . ($_->[1] // 'none') for [ 'ETag', $tag ], [ 'Last-Modified', $at ], [ 'Content-Type', undef ], [ 'X-Kept', 'yes' ];
is $w->request('HEAD', '/a.html', headers => [ 'If-None-Match' => $tag ])->status, 304, 'HEAD too';
is $w->get('/page/a.html', 'If-Match' => '"x"')->body, 'a page', 'a 412 may have a page';
my $client = $w->client;
is $client->get('/a.html', 'If-None-Match' => $tag)->status, 304, 'the connection';
is $client->get('/a.html')->body, 'A page', 'is kept';
unless ($w->is_nginx) {
    is $w->get('/a.html', 'If-None-Match' => $tag, 'If-Modified-Since' => $earlier)->status, 304, 'a tag says more than a time (RFC 9110 13.2.2)';
    is $w->get('/a.html', 'If-Match' => $tag, 'If-Unmodified-Since' => $earlier)->status, 200, 'both ways';
    is $w->get('/a.html', 'If-None-Match' => '"x"', 'If-None-Match' => $tag)->status, 400, 'a list in several fields is refused, as by nginx';
}
my ($code, $said) = $w->check_conf('server { if_modified_since never; }');
like $said, qr/"never"/, 'one of three';

done_testing;
