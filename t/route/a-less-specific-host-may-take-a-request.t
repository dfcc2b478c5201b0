# Only with host_fallthrough; without it the best host that a line of the server names has the only say.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a less specific host may take a request')->needs_weir;
my $routes = <<'END';
        route exact  { match host=a.b.example path=/1; return 200 exact; }
        route near   { match host=*.b.example path=/2; match host=*.b.example path=/1; return 200 near; }
        route far    { match host=*.example path=/3; match host=*.example path=/2 header:X; return 200 far; }
        route any    { match path=/4; match path=/3; return 200 any; }
        location / { return 200 location; }
END
$w->conf("server { listen 127.0.0.1:%%PORT_off%%; $routes }\nserver { listen 127.0.0.1:%%PORT_on%%; host_fallthrough on; $routes }\n");
my @cases = (                         # host, path: off, on
    [ 'a.b.example', '/1', 'exact',    'exact' ],
    [ 'a.b.example', '/2', 'location', 'near' ],
    [ 'a.b.example', '/3', 'location', 'far' ],
    [ 'a.b.example', '/4', 'location', 'any' ],
    [ 'a.b.example', '/5', 'location', 'location' ],
    [ 'c.b.example', '/1', 'near',     'near' ],
    [ 'c.b.example', '/3', 'location', 'far' ],
    [ 'b.example',   '/2', 'location', 'location' ],
    [ 'b.example',   '/3', 'far',      'far' ],
    [ 'b.example',   '/4', 'location', 'any' ],
    [ 'else',        '/3', 'any',      'any' ],
    [ 'else',        '/4', 'any',      'any' ],
    [ 'else',        '/1', 'location', 'location' ],
);
for my $case (@cases) {
    my ($host, $path, %want) = ($case->@[0, 1], off => $case->[2], on => $case->[3]);
    is $w->request('GET', $path, host => $host, port => $w->port($_))->body, $want{$_}, "$host$path, $_" for qw(off on);
}
done_testing;
