# proxy_redirect and proxy_cookie_domain, _path, _flags: what becomes of a peer's Location, Refresh and Set-Cookie; defaults, patterns, order,
# inheritance, off.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('addresses and cookies of peers are made the client\'s');
# The answer has the field and the value that the request's X-Field and X-Value say.
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(302, 'x', $r->header('X-Field') => $r->header('X-Value')) });
my $port   = $origin->port;
$w->allow_log(qr/\[emerg\]/);
$w->conf(<<"END");
    upstream group { server $origin; }
    server {
        location /plain/ { proxy_pass http://group; }
        location /uri/ { proxy_pass http://group/base/; }
        location /off/ { proxy_redirect off; proxy_pass http://group/base/; }
        location /told/ {
            proxy_pass http://group/base/;
            proxy_redirect default;
            proxy_redirect http://elsewhere/ /else/;
            proxy_redirect http://\$arg_host/ http://\$host/there/;
            proxy_redirect ~^http://([a-z]+)\\.internal:8080/(.*)\$ https://\$1.example.org/\$2;
            proxy_redirect ~*^HTTPS://Upper/ /upper/;
            proxy_redirect / /rooted/;
        }
        location /relative/ { absolute_redirect off; proxy_pass http://group/base/; }
        location /cookies/ {
            proxy_pass http://group;
            proxy_cookie_domain localhost example.org;
            proxy_cookie_domain .dotted.org .other.org;
            proxy_cookie_domain ~\\.([a-z]+)\\.internal\$ \$1.example.org;
            proxy_cookie_path /two/ /;
            proxy_cookie_path ~^/app-([0-9]+)/ /a\$1/;
            proxy_cookie_flags one httponly samesite=strict;
            proxy_cookie_flags ~^s secure nohttponly;
            proxy_cookie_flags bare nosecure nohttponly nosamesite;
            location /cookies/off/ { proxy_pass http://group; proxy_cookie_domain off; proxy_cookie_path off; proxy_cookie_flags off; }
            location /cookies/inner/ { proxy_pass http://group; proxy_cookie_path / /inner/; }
        }
    }
END
my $here = 'http://localhost:' . $w->port;
my $says = sub ($path, $field, $value) { $w->get($path, 'X-Field', $field, 'X-Value', $value)->header($field) };

my @locations = (
    [ '/plain/', 'http://group/x?y=1', "$here/x?y=1" ], [ '/plain/', 'http://groups/x', 'http://groups/x' ], [ '/plain/', '/x', '/x' ],
    [ '/plain/', 'http://group', 'http://group' ],
    [ '/uri/', 'http://group/base/x', "$here/uri/x" ], [ '/uri/', 'http://group/other/x', 'http://group/other/x' ],
    [ '/off/', 'http://group/base/x', 'http://group/base/x' ],
    [ '/told/', 'http://group/base/x', "$here/told/x" ], [ '/told/', 'http://elsewhere/a/b', "$here/else/a/b" ],
    [ '/told/?host=var', 'http://var/a', 'http://localhost/there/a' ], [ '/told/', 'http://app.internal:8080/a?b', 'https://app.example.org/a?b' ],
    [ '/told/', 'https://upper/x', "$here/upper/" ], [ '/told/', '/x', "$here/rooted/x" ], [ '/told/', 'ftp://x/', 'ftp://x/' ],
    [ '/relative/', 'http://group/base/x', '/relative/x' ],
);
is $says->($_->[0], 'Location', $_->[1]), $_->[2], "$_->[0]: $_->[1]" for @locations;
is $says->('/uri/', 'Refresh', '5; url=http://group/base/x'), '5; url=/uri/x', 'Refresh';
is $says->('/uri/', 'Refresh', '5'), '5', 'Refresh without an address';
is $says->('/told/', 'Refresh', '0; URL=http://elsewhere/x'), '0; URL=/else/x', 'Refresh in capitals';

my @cookies = (
    [ '/cookies/', 'a=b; domain=localhost; Secure', 'a=b; domain=example.org; Secure' ], [ '/cookies/', 'a=b; Domain=LOCALHOST', 'a=b; Domain=example.org' ],
    [ '/cookies/', 'a=b; domain=notlocalhost', 'a=b; domain=notlocalhost' ], [ '/cookies/', 'a=b; domain=dotted.org', 'a=b; domain=other.org' ],
    [ '/cookies/', 'a=b; domain=x.shop.internal', 'a=b; domain=shop.example.org' ],
    [ '/cookies/', 'a=b; path=/two/x; Max-Age=5', 'a=b; path=/x; Max-Age=5' ], [ '/cookies/', 'a=b; path=/two', 'a=b; path=/two' ],
    [ '/cookies/', 'a=b; path=/app-12/', 'a=b; path=/a12/' ], [ '/cookies/', 'a=b; path=/two/; domain=localhost', 'a=b; path=/; domain=example.org' ],
    [ '/cookies/', 'one=b', 'one=b; HttpOnly; SameSite=Strict' ], [ '/cookies/', 'sid=b; HttpOnly', 'sid=b; Secure' ],
    [ '/cookies/', 'bare=b; Secure; HttpOnly; SameSite=None; path=/x', 'bare=b; path=/x' ], [ '/cookies/', 'other=b; Secure', 'other=b; Secure' ],
    [ '/cookies/off/', 'one=b; path=/two/; domain=localhost', 'one=b; path=/two/; domain=localhost' ],
    [ '/cookies/inner/', 'one=b; path=/two/; domain=localhost', 'one=b; path=/inner/two/; domain=example.org; HttpOnly; SameSite=Strict' ],
);
my $norm = sub ($text) { join '; ', map { s/^(domain|path|samesite)=/lc($1) . '='/rie } map { lc eq 'secure' || lc eq 'httponly' ? lc : $_ } split /; */, $text };
is $norm->($says->($_->[0], 'Set-Cookie', $_->[1])), $norm->($_->[2]), "$_->[0]: $_->[1]" for @cookies;

unless ($w->is_nginx) {
    is $says->('/cookies/', 'Set-Cookie', 'a=b; domain=.localhost'), 'a=b; domain=example.org', 'a dot before the domain';
    my %bad = (
        'proxy_redirect on;' => qr/"off", "default" or two texts/, 'proxy_redirect off; proxy_redirect a b;' => qr/"proxy_redirect off" cannot stand beside/,
        'proxy_redirect a b; proxy_redirect off;' => qr/cannot stand beside/, 'proxy_cookie_domain default;' => qr/"off" or two texts/,
        'proxy_cookie_path ~( /;' => qr/\(/, 'proxy_cookie_flags a sticky;' => qr/secure, httponly/, 'proxy_redirect "" x;' => qr/a text to replace/,
        'proxy_redirect $nothing x;' => qr/unknown "nothing" variable/,
    );
    for my $text (sort keys %bad) {
        my ($code, $said) = $w->check_conf("server { location / { $text proxy_pass http://127.0.0.1:1; } }");
        is $code, 1, "refused: $text";
        like $said, $bad{$text}, 'and says why';
    }
}

done_testing;
