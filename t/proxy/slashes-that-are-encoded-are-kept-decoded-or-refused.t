# encoded_slash: %2F and %5C in a path are parts of names (keep), slashes (decode) or refused; a guard sees what the peer sees.  proxy_path as_sent: as the client spelled it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('slashes that are encoded are kept, decoded or refused')->needs_weir;
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, $r->target . ' ' . ($r->header('X-Uri') // '')) });
my $dir    = $w->dir;
mkdir "$dir/$_" or die $! for qw(html html/a);
$w->write_file('html/a/b', 'a file below a folder');
$w->allow_log(qr/cause: (?:client|route|file)\./, qr/cause=client\.target/);
my $pass = "proxy_set_header X-Uri \$uri; proxy_pass http://$origin";
$w->conf(<<"END", workers => 1);
    server {
        location / { $pass; }
        location /admin/ { return 403; }
        location = /one { return 403; }
        location ~ ^/api/v[0-9]+/projects/[^/]+\$ { $pass; }
        location /p/ { $pass/q/; }
        location /refuse/ { encoded_slash refuse; $pass; }
        location /decode/ { encoded_slash decode; $pass; }
        location /decode/admin { return 403; }
        location /files/ { alias $dir/html/; }
        location /rewrite/ { rewrite ^/rewrite(/.*)\$ /to\$1 break; $pass; }
        location /sent/ { proxy_path as_sent; $pass; }
        location /sent/rewrite/ { proxy_path as_sent; rewrite ^ /other break; $pass; }
    }
    server {
        listen 127.0.0.1:%%PORT_decode%%; encoded_slash decode;
        rewrite ^/x/y\$ /rewritten last;
        location / { $pass; }
        location /admin/ { return 403; }
        location /sent/ { proxy_path as_sent; $pass; }
        location /files/ { alias $dir/html/; }
    }
    server { listen 127.0.0.1:%%PORT_refuse%%; encoded_slash refuse; location / { $pass; } location /keep/ { encoded_slash keep; $pass; } }
    server { listen 127.0.0.1:%%PORT_two%%; http2 on; location / { $pass; } }
    server { listen 127.0.0.1:%%PORT_slashes%%; merge_slashes off; location / { proxy_path as_sent; $pass; } }
END
my $ask = sub ($path, %arg) {
    my $answer = $w->client(%arg)->send("GET $path HTTP/1.1\r\nHost: a\r\n\r\n")->read_response;
    return $answer->status == 200 ? $answer->body : $answer->status;
};
# keep: the default
is $ask->('/a%2fb'), '/a%2Fb /a%2Fb', 'a slash stays encoded';
is $ask->('/a%5Cb'), '/a%5Cb /a%5Cb', 'a backslash, too';
is $ask->('/@scope%2fname'), '/@scope%2Fname /@scope%2Fname', "npm's scopes";
is $ask->('/api/v4/projects/group%2Fname'), 400, 'a pattern that would not match a slash';
is $ask->('/a%252fb'), '/a%252fb /a%252fb', 'a percent sign before its digits stays encoded';
is $ask->('/p/x%2Fy'), '/q/x%2Fy /p/x%2Fy', 'where proxy_pass has a path';
is $ask->('/rewrite/x%2Fy%252F'), '/to/x%2Fy%252F /to/x%2Fy%252F', 'it stays what it is through rewrite';
is $ask->($_), 400, "$_ would be another location's" for '/admin%2Fx', '/%2fadmin/x', '/%2f%2fadmin%5cx', '/p%2fx', '/one%2f..', '/%2Fone';
is $ask->($_), 400, "$_ hides dots" for '/x%2F..%2Fadmin%2Fx', '/x/..%2fy', '/x/y%5c..', '/x/.%2fy';
is $ask->('/files/a%2Fb'), 404, 'it is a part of a file\'s name';
is $ask->("/\xc3\xa9?\xc3\xa9=\xe2\x82\xac"), "/%C3%A9?%C3%A9=%E2%82%AC /\xc3\xa9", 'bytes of UTF-8 are encoded';
is $ask->("/%c3%a9"), "/%C3%A9 /\xc3\xa9", 'as if they had been';
is $ask->("/\xc0\xaf"), 400, 'but for overlong ones';
# refuse, decode
is $ask->('/refuse/a%2Fb'), 400, 'refuse';
is $ask->('/refuse/a%20b'), '/refuse/a%20b /refuse/a b', 'other bytes go on';
is $ask->('/decode/a%2Fb'), '/decode/a/b /decode/a/b', 'decode';
is $ask->('/decode/a%2F..%2Fb'), 400, 'dots beside them are refused' ;
is $ask->('/decode/x%2f%2fy'), '/decode/x/y /decode/x/y', 'slashes are merged';
is $ask->('/decode/a%5Cb'), '/decode/a%5Cb /decode/a%5Cb', 'a backslash stays';
is $ask->('/decode%2Fa'), 400, 'a path that only then is in that location';
is $ask->('/decode/%2fadmin'), 400, 'or goes to one that does not decode';
my @decode = (port => 'decode');
is $ask->('/a%2Fb', @decode), '/a/b /a/b', 'decode of a server';
is $ask->('/admin%2Fb', @decode), 403, 'a location of it';
is $ask->('/x%2Fy', @decode), '/rewritten /rewritten', 'its rewrite';
is $ask->('/files/a%2Fb', @decode), 'a file below a folder', 'a file';
is $ask->('/sent/a%2Fb', @decode), 400, 'what was decoded is not sent as it came';
is $ask->('/a%2Fb', port => 'refuse'), 400, 'refuse of a server';
is $ask->('/keep/a%2Fb', port => 'refuse'), '/keep/a%2Fb /keep/a%2Fb', 'but for a location of it';
# as it was sent
is $ask->('/sent/%41%2fb%7e?x=%41'), '/sent/%41%2fb%7e?x=%41 /sent/A%2Fb~', 'the spelling of the client';
is $ask->("/sent/\xc3\xa9"), "/sent/%C3%A9 /sent/\xc3\xa9", 'but bytes of UTF-8 are encoded';
is $ask->($_), 400, "$_ is another path than the one that was matched" for '/sent/x/../y', '/sent/./y', '/x/../sent/y', '/sent//y';
is $ask->('/a//b', port => 'slashes'), '/a//b /a//b', 'without merge_slashes they are the same';
is $ask->('/sent/rewrite/%41'), '/other /other', 'a path that was rewritten is not the client\'s';
done_testing;
