# root, alias, types, default_type, etag: which file answers, as what, and what happens when it does not.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w   = Weir::Test->new('files are served from root and alias');
my $dir = $w->dir;
chmod 0755, $dir;
mkdir "$dir/$_" or die $! for qw(html html/sub other other/deep secret);
$w->write_file("html/$_->[0]", $_->[1]) for [ 'a.html', 'A page' ], [ 'b.GIF', 'gif' ], [ 'none', 'no suffix' ], [ 'c.tar.weird', 'weird' ], [ '.html', 'dot' ],
    [ 'sub/x.txt', 'x' ], [ 'with space.html', 'space' ], [ 'closed.html', 'closed' ];
$w->write_file("other/$_", "other $_") for qw(a.html deep/y.html);
$w->write_file('secret/s.html', 'secret');
$w->write_file('empty', '') && rename "$dir/empty", "$dir/html/empty.html";
my $is_root = $> == 0;
chmod $is_root ? 0600 : 0, "$dir/html/closed.html";
utime 784111777, 784111777, "$dir/html/a.html";
symlink "$dir/secret/s.html", "$dir/html/link.html" or die $!;
$w->conf(<<"END");
    root $dir/html;
    log_not_found on;
    server {
        location /al/ { alias $dir/other/; }
        location /as { alias $dir/other/a.html; }
        location ~ ^/re/(.*)\$ { alias $dir/other/\$1; }
        location ~ ^/out(/.*)\$ { alias $dir/html\$1; }
        location /own/ { root $dir/other/deep/..; }
        location /var/ { root $dir/\$arg_r; }
        location /typed/ { alias $dir/html/; types { text/x-own html; application/x-Weird weird; } default_type x/y; }
        location /untyped/ { alias $dir/html/; types { } default_type ""; }
        location /noetag/ { alias $dir/html/; etag off; }
        location /vars { return 200 "\$document_root|\$realpath_root|\$request_filename"; }
        location /al/vars { alias $dir/other; return 200 "\$document_root|\$realpath_root|\$request_filename"; }
    }
END
$w->allow_log(qr/\[emerg\]/, qr/\[(?:error|crit)\] .*(?:No such file|Permission denied|Not a directory|is forbidden|The file does not exist|may not be read|path is not the name|is a folder)/, qr/\[error\] .*cause: file\./);
chmod 0755, "$dir/$_" for qw(html html/sub other other/deep);

my $answer = $w->get('/a.html');
is $answer->status, 200, 'a file';
is $answer->body, 'A page', 'is its bytes';
is $answer->header('Content-Type'), 'text/html', 'html is known';
is $answer->header('Content-Length'), 6, 'its length';
is $answer->header('Last-Modified'), 'Sun, 06 Nov 1994 08:49:37 GMT', 'its time';
is $answer->header('ETag'), '"2ebc98a1-6"', 'its tag, as nginx makes it';
is $answer->header('Accept-Ranges'), 'bytes', 'parts of it may be asked for';
is $w->request('HEAD', '/a.html')->header('Content-Length'), 6, 'HEAD';
my @types = ([ '/b.GIF', 'image/gif' ], [ '/none', 'text/plain' ], [ '/c.tar.weird', 'text/plain' ], [ '/.html', 'text/plain' ], [ '/typed/a.html', 'text/x-own' ],
    [ '/typed/c.tar.weird', 'application/x-Weird' ], [ '/typed/b.GIF', 'x/y' ], [ '/untyped/a.html', undef ]);
is scalar($w->get($_->[0])->header('Content-Type')), $_->[1], "the type of $_->[0]" for @types;
my @bodies = ([ '/sub/x.txt', 'x' ], [ '/with%20space.html', 'space' ], [ '/empty.html', '' ], [ '/link.html', 'secret' ], [ '/al/a.html', 'other a.html' ], [ '/as', 'other a.html' ],
    [ '/re/deep/y.html', 'other deep/y.html' ], [ '/sub/./../a.html', 'A page' ]);
is $w->get($_->[0])->body, $_->[1], "$_->[0]" for @bodies;
is $w->get('/noetag/a.html')->header('ETag'), undef, 'no tag when there shall be none';
is $w->get('/vars')->body, "$dir/html|$dir/html|$dir/html/vars", 'the variables of root';
is $w->get('/al/vars')->body, "$dir/other|$dir/other|$dir/other", 'and of alias';

my %statuses = ('/nothing' => 404, '/sub/nothing' => 404, '/a.html/b' => 404, '/sub/' => 403, '/as/x' => 404, '/closed.html' => ($is_root && $w->is_nginx ? 403 : 403),
    '/al/../secret/s.html' => 404, '/al/%2e%2e/secret/s.html' => 404, '/var/x?r=none' => 404, '/' . 'x' x 300 => 404);
is $w->get($_)->status, $statuses{$_}, "$_ is $statuses{$_}" for sort keys %statuses;
$answer = $w->get('/sub');
is $answer->status, 301, 'a folder without its slash';
like $answer->header('Location'), qr{^http://[^/]+/sub/$}, 'gets it';
like $w->get('/sub?a=b')->header('Location'), qr{/sub/\?a=b$}, 'and keeps its query';
is $w->request('POST', '/a.html')->status, 405, 'POST is not for files';
is $w->request('POST', '/nothing')->status, 404, 'of those that are there';
is $w->request($_, '/a.html')->status, 405, "$_ is not at all" for qw(PUT DELETE);
unless ($w->is_nginx) {
    is $w->get("/re/../secret/s.html")->status, 404, 'a dot segment is gone before a pattern sees it';
    is $w->get("/out/x?r=../secret")->status, 404, 'and a variable';
    is $w->get("/var/s.html?r=../secret")->status, 404, 'cannot add one' ;
    $w->wait_for_log(qr/file\.none/);
}

for my $bad ([ 'root a; root b;', qr/"root" directive is duplicate/ ], [ 'alias a; root b;', qr/"root" directive is duplicate/ ], [ 'root;', qr/invalid number of arguments/ ],
    [ 'root $document_root;', qr/\$document_root/ ], [ 'alias $realpath_root/x;', qr/\$realpath_root/ ], [ 'types x { }', qr/invalid number of arguments/ ],
    [ 'types { text/html html', qr/unexpected (?:end of file|"}")/ ], [ 'etag maybe;', qr/"maybe"/ ], [ 'root $unknown_thing;', qr/unknown "unknown_thing" variable/ ])
{
    my ($code, $said) = $w->check_conf("server { location / { $bad->[0] } }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told';
}
my ($code, $said) = $w->check_conf('server { location @a { alias x; } }');
like $said, qr/"alias" directive cannot be used inside the named location/, 'no alias for a name';
($code, $said) = $w->check_conf('server { alias x; }');
like $said, qr/"alias" directive is not allowed here/, 'nor for a server';

done_testing;
