use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new("the grammar is nginx's");
$w->write_file('conf/inc-a.conf', "location /inc-a { return 200 a; }\n");
$w->write_file('conf/inc-b.conf', "location /inc-b { return 200 b; } # at the end, no newline");
mkdir $w->dir . '/conf/sub';
$w->write_file('conf/sub/one.conf', "location /one { return 200 one; }\n");
$w->conf(<<'END');
# a comment; { with } anything "in' it
server {#comment right behind
    location /plain{return 200 plain;}
    location /double { return 200 "a b;{}#c 'd'"; }
    location /single { return 200 'a b;{}#c "d"'; }
    location /escaped { return 200 "q\"q \\ \'"; }
    location /outside { return 200 a\;b\ c\"; }
    location /braced { return 200 "${uri}x${arg_a}"; }
    location /unbraced { return 200 $uri-$arg_a.; }
    location /newline { return 200 "two
lines"; }
    location /hash { return 200 a#b; }
    location /many
    {
        return
            200
            "spread";
    }
    location ~ ^/re/[a-z]+$ { return 200 regex; }
    location ~ "^/quoted/\d{2}$" { return 200 quoted; }
    location ~* ^/FOLD/(.+)\.x$ { return 200 "$1"; }
    location /tab	{	return	200	tab	;	}
    include inc-*.conf;
    include sub/*.conf;
    include nothing-*.conf;
    location /empty { return 200 ""; }
}
END

my %want = (
    '/plain' => 'plain', '/double' => q(a b;{}#c 'd'), '/single' => q(a b;{}#c "d"), '/escaped' => q(q"q \ '),
    '/outside' => 'a\\;b\\ c"', '/braced?a=1' => '/bracedx1', '/unbraced?a=1' => '/unbraced-1.',
    '/newline' => "two\nlines", '/hash' => 'a#b', '/many' => 'spread', '/re/abc' => 'regex', '/quoted/42' => 'quoted',
    '/fold/y.X' => 'y', '/tab' => 'tab', '/inc-a' => 'a', '/inc-b' => 'b', '/one' => 'one',
    '/empty' => '',
);
is $w->get($_)->body, $want{$_}, $_ for sort keys %want;
is $w->get('/quoted/421')->status, 404, 'braces in a quoted pattern are its own';

done_testing;
