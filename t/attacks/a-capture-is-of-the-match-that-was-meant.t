# Groups of patterns in rewrite, if, map, location and server_name: what is written is of the last match, as long as it is, and nothing of another
# request's or of a match that failed; a map that matches while a replacement is made changes no length of it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a capture is of the match that was meant')->needs_weir;
my $long   = 'x' x 3000;
$w->conf(<<'END', workers => 1);
    map $arg_m $grows { "~^(?<letter>.)(.*)$" "$2$2$2$2"; default none; }
    map $arg_m $named { "~^(?<first>[a-z]+)-(?<second>[a-z]+)" "$second-$first"; default none; }
    map $uri $part { "~^/map/([^/]*)/(.*)$" "[$2][$1]"; default none; }
    server {
        server_name ~^(?<site>[a-z]+)\.test$;
        location ~ ^/overlap/((.)(.))(.*)$ { return 200 "$1,$2,$3,$4"; }
        location ~ ^/missing/(a)?(b)?(c)?$ { return 200 "[$1][$2][$3]"; }
        location ~ ^/map/ { return 200 "$part|$1|$2"; }
        location ~ ^/inside/(.*)$ { set $whole "<$1|$grows|$1>"; return 200 $whole; }
        location ~ ^/twice/(.*)$ { if ($arg_m ~ ^(q)(.*)$) { set $got "$1+$2"; } return 200 "$got-$1"; }
        location ~ ^/failed/(.*)$ { if ($arg_m ~ ^never(.*)(.)$) { return 500; } return 200 "[$1][$2]"; }
        location ~ ^/named/(?<second>.*)$ { return 200 "$second|$named|$second"; }
        location /rewrite/ { rewrite ^/rewrite/(.)(.*)$ /to/$2/$1/$2?a=$1&g=$grows&b=$2 last; }
        location /again/ { rewrite ^/again/(.*)$ /again2/$1/$1 ; rewrite ^/again2/([^/]*)/(.*)$ /to/$2-$1 last; }
        location /to/ { return 200 "$uri?$args"; }
        location ~ ^/host/(.*)$ { return 200 "$site $1"; }
        location /empty { return 200 "[$1][$9]"; }
    }
END
my $get = sub ($path) { $w->client->send_request('GET', $path, host => 'name.test')->read_response };
my @cases = (
    [ '/overlap/abcd' => 'ab,a,b,cd' ], [ '/missing/ac' => '[a][][c]' ], [ '/missing/' => '[][][]' ], [ '/missing/b' => '[][b][]' ],
    [ '/map/one/two/three' => '[two/three][one]|one|two/three' ], [ '/map/alone' => 'none||' ],
    [ '/inside/abc?m=zabc' => '<abc|abcabcabcabc|z>' ], [ '/inside/abc' => '<abc|none|abc>' ],
    [ '/twice/abc?m=qrs' => 'q+rs-q' ], [ '/twice/abc?m=r' => '-abc' ],
    [ '/failed/abc?m=nev' => '[abc][]' ], [ '/named/zz?m=one-two' => 'zz|two-one|two' ], [ '/named/zz' => 'zz|none|zz' ],
    [ '/rewrite/abc?m=zq' => '/to/bc/a/bc?a=a&g=qqqq&b=q' ], [ '/rewrite/abc' => '/to/bc/a/bc?a=a&g=none&b=bc' ], [ '/again/abc' => '/to/abc-abc?' ],
    [ '/host/abc' => 'name abc' ], [ '/empty' => '[name][]' ],
);
for my $round (1 .. 2) {
    is $get->($_->[0])->body =~ s/\?m=.*?&/?/r =~ s/&m=.*//r, $_->[1], "$round: $_->[0]" for @cases;
}
# What is long stands between short ones: a piece of it left over would show.
for my $path ("/overlap/$long", "/map/$long/$long", "/inside/$long?m=$long", "/rewrite/$long?m=$long", "/again/$long") {
    my $answer = $get->($path);
    like $answer->status, qr/^(?:200|400|414|500)$/, substr($path, 0, 12) . '… is answered';
    is $get->($_->[0])->body =~ s/\?m=.*?&/?/r =~ s/&m=.*//r, $_->[1], "… and $_->[0] has nothing of it" for @cases[ 1, 2, 5, 7, 9, 17 ];
}
is $get->("/overlap/$long")->body, 'xx,x,x,' . 'x' x 2998, 'all of a long one is there';
is $get->("/inside/a?m=$long")->body, '<a|' . 'x' x (4 * 2999) . '|x>', 'and of one that a map made four times as long';
done_testing;
