# For files: no path, and nothing that a variable brings, names a file outside root or alias; ETag, size or an error do not tell of one either.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w   = Weir::Test->new('a file outside its folder is never served')->needs_weir;
my $dir = $w->dir;
mkdir "$dir/$_" or die $! for qw(srv srv/files srv/files/in srv/files-private srv/other);
$w->write_file("srv/$_", "SECRET of $_") for qw(secret files-private/secret other/secret);
$w->write_file("srv/files/$_", "public $_") for qw(a in/b);
$w->allow_log(qr/\[(?:error|crit)\] .*cause: file\./);
$w->conf(<<"END");
    server {
        root $dir/srv/files;
        location /alias { alias $dir/srv/files/; }
        location /slash/ { alias $dir/srv/files/; }
        location ~ ^/pattern/(.*) { alias $dir/srv/files/\$1; }
        location /try/ { try_files /\$arg_f \$arg_f =404; }
        location /tryalias/ { alias $dir/srv/files/; try_files \$arg_f =404; }
        location /variable/ { root $dir/srv/files/\$arg_f; }
        location /index/ { index \$arg_f =404; alias $dir/srv/files/; }
        location /list/ { alias $dir/srv/files/; autoindex on; }
        location /rewritten/ { rewrite ^/rewritten/(.*) /\$1 break; }
        location /jump/ { error_page 404 /\$arg_f; return 404; }
    }
END
my @up = ('../secret', '..%2fsecret', '%2e%2e/secret', '%2e%2e%2fsecret', '..;/secret', '..%5csecret', '....//secret', './../secret', 'in/../../secret', 'in/%2e%2e/%2e%2e/secret',
    '..%00/secret', '..%c0%afsecret', '%252e%252e/secret', '../files-private/secret', '..//secret', '../../../../../../../../etc/passwd', '/etc/passwd', "..\t/secret" =~ s/\t/%09/r);
my $n = 0;
for my $prefix (qw(/ /alias /alias/ /slash/ /pattern/ /list/ /rewritten/)) {
    for my $up (@up) {
        my $answer = $w->client->send("GET $prefix$up HTTP/1.1\r\nHost: a\r\n\r\n")->read_response;
        $n++;
        next if $answer->body !~ /SECRET|root:/ && $answer->status != 200;
        fail "GET $prefix$up: " . $answer->status . ' ' . substr $answer->body, 0, 40;
    }
}
for my $place (qw(/try/ /tryalias/ /variable/secret /variable/ /index/ /jump/x)) {
    for my $up (@up, map { s/%2f/\//gir } @up) {
        my $answer = $w->client->send("GET $place?f=$up HTTP/1.1\r\nHost: a\r\n\r\n")->read_response;
        $n++;
        next if $answer->body !~ /SECRET|root:/;
        fail "GET $place?f=$up: " . $answer->status . ' ' . substr $answer->body, 0, 40;
    }
}
is $w->get("$_->[0]")->body, $_->[1], "what is inside is served: $_->[0]" for [ '/a', 'public a' ], [ '/slash/in/../a', 'public a' ], [ '/try/?f=in/b', 'public in/b' ], [ '/pattern/in/b', 'public in/b' ],
    [ '/tryalias/?f=a', 'public a' ];
cmp_ok $n, '>', 200, 'all were tried';
done_testing;
