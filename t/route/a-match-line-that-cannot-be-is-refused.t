# Each error names file and line, what was read and what was expected; of two lines that ask for the same, both places.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a match line that cannot be is refused')->needs_weir;
$w->allow_log(qr/\[emerg\]/);

# The text of a server from its second line on; what is said, and in which line of the configuration.
my @cases = (
    [ 'route r { match pathh=/a; }',                     qr/invalid condition "pathh=\/a": unknown, did you mean "path="\?/ ],
    [ 'route r { match nonsense; }',                     qr/invalid condition "nonsense": unknown, expected path=, .*cookie:NAME/ ],
    [ 'route r { match path=a; }',                       qr/"a" is no path: it begins with "\/"/ ],
    [ 'route r { match path=/a?b; }',                    qr/a query is matched by query:NAME=value/ ],
    [ 'route r { match path_prefix=/a//; }',             qr/ends with an empty segment/ ],
    [ 'route r { match path=/a path_prefix=/b; }',       qr/"path_prefix=\/b": a second condition of the path/ ],
    [ 'route r { match path_template=/a/{id}/{id}; }',   qr/the capture "\{id\}" stands there twice/ ],
    [ 'route r { match "path_template=/a/x{id}"; }',       qr/"x\{id\}" is a part of a segment/ ],
    [ 'route r { match "path_template=/a/{1d}"; }',      qr/"\{1d\}" is no capture: expected \{name\}/ ],
    [ 'route r { match "path_template=/a/{}"; }',        qr/a capture without a name/ ],
    [ 'route r { match "path_template=/a/{b"; }',        qr/"\{b" is a part of a segment/ ],
    [ 'route r { match path_template=/a//{b}; }',        qr/an empty segment/ ],
    [ 'route r { match path_template=/' . join('/', map { "{a$_}" } 1 .. 20) . '; }', qr/more than 19 captures/ ],
    [ 'route r { match path_template=/' . join('/', 1 .. 64) . '; }', qr/more than 63 segments/ ],
    [ 'route r { match path_regex=/a(; }',               qr/regular expression "\/a\(" is not valid: .* at offset/ ],
    [ 'route r { match path_regex=; }',                  qr/empty regular expression/ ],
    [ 'route r { match header:X~; }',                    qr/empty regular expression/ ],
    [ 'route r { match header:X~(; }',                   qr/regular expression "\(" is not valid/ ],
    [ 'route r { match header:=1; }',                    qr/"" is no name of a field/ ],
    [ 'route r { match header:X@Y=1; }',                 qr/"X\@Y" is no name of a field/ ],
    [ 'route r { match query:=1; }',                     qr/"" is no name of an argument/ ],
    [ 'route r { match method=; }',                      qr/"" is no method/ ],
    [ 'route r { match method=GET|; }',                  qr/"" is no method/ ],
    [ 'route r { match method=get; }',                   qr/"get" is no method, did you mean "GET"\?/ ],
    [ 'route r { match method=GET|GET; }',               qr/the method "GET" stands there twice/ ],
    [ 'route r { match method=GET method=PUT; }',        qr/a second condition of the method/ ],
    [ 'route r { match host=a.b host=c.d; }',            qr/a second host/ ],
    [ 'route r { match host=a.b:80; }',                  qr/it has a port/ ],
    [ 'route r { match host=a.*; }',                     qr/"a\.\*" is no host: expected a name, \*\.name or \.name/ ],
    [ 'route r { match host=; }',                        qr/"" is no host/ ],
    [ 'route r { match host=a..b; }',                    qr/a\.\.b/ ],
    [ 'route r { match grpc=/M; }',                      qr/"\/M" is no call: expected service, service\/method or \*\/method/ ],
    [ 'route r { match grpc=*; }',                       qr/"\*" is no call/ ],
    [ 'route r { match grpc=a/b/c; }',                   qr/"a\/b\/c" is no call/ ],
    [ 'route r { match !path=/a; }',                     qr/"path=" cannot be turned round by "!"/ ],
    [ 'route r { match header:X header:X; }',            qr/"header:X": it stands there twice/ ],
    [ 'route r { match; }',                              qr/invalid number of arguments in "match" directive/ ],
    [ 'route { }',                                       qr/invalid number of arguments in "route" directive/ ],
    [ 'route "" { }',                                    qr/a route has a name/ ],
    [ 'route r { location /x { } }',                     qr/"location" directive is not allowed here .*\(allowed in server, location\)/ ],
    [ 'route r { route s { } }',                         qr/"route" directive is not allowed here/ ],
    [ 'location / { match path=/a; }',                   qr/"match" directive is not allowed here .*\(allowed in http, route\)/ ],
    [ 'route r { if ($arg_a) { match path=/a; } }',      qr/"match" directive is not allowed here/ ],
    [ 'route r { return 200 $route_id; }',               qr/unknown "?\$?route_id"? variable/ ],
    [ 'route r { match path_template=/a/{id}; proxy_pass http://127.0.0.1:1/b/; }',
        qr/"proxy_pass" cannot have a URI part in route "r", which this line matches by a template or a regular expression: "http:/ ],
    [ 'route r { match path=/a; if ($arg_a) { proxy_pass http://127.0.0.1:1/b/; } }', qr/"proxy_pass" cannot have a URI part/ ],
);
for my $case (@cases) {
    my ($text, $want) = @$case;
    my ($code, $said) = $w->check_conf("server {\n$text\n}\n");
    my ($line) = grep { /\[emerg\]/ } split /\n/, $said;
    ok $code != 0 && ($line // '') =~ $want && $line =~ m{conf/weir\.conf:\d+}, $text or diag $said;
}

# Two that ask for the same: the second line is refused, and the first is named.
my @same = (
    [ 'path=/a',               'path=/a' ],
    [ 'path_prefix=/a',        'path_prefix=/a/' ],
    [ 'method=GET',            'path_prefix=/ method=GET' ],
    [ 'path_template=/a/{b}',  'path_template=/a/{c}' ],
    [ 'path=/S/M',             'grpc=S/M' ],
    [ 'header:X=1 query:q',    'query:q header:x=1' ],
    [ 'method=GET|PUT',        'method=PUT|GET' ],
    [ 'host=.A.example',       'host=*.a.example' ],
    [ 'header:X~a',            'header:x~a' ],
    [ 'path_template=/a',      'path=/a' ],
);
for my $pair (@same) {
    my ($code, $said) = $w->check_conf("server {\n route first { match $pair->[0]; }\n\n route second { match $pair->[1]; }\n}\n");
    my @lines = $said =~ /route "second" asks for the same as route "first" in \S+?weir\.conf:(\d+).*?weir\.conf:(\d+)/;
    ok $code != 0 && @lines == 2 && $lines[0] + 2 == $lines[1], "$pair->[0] and $pair->[1]" or diag $said;
}
for my $pair ([ 'header:X=1', 'cookie:X=1' ], [ 'header:X', 'header:X=' ], [ 'query:a=b', 'query:A=b' ], [ '!header:X', 'header:X' ],
    [ 'header:X~a', 'header:X~*a' ], [ 'host=a.b', 'host=*.a.b' ], [ 'path=/a', 'path_prefix=/a' ])
{
    my ($code, $said) = $w->check_conf("server {\n route first { match $pair->[0]; }\n route second { match $pair->[1]; }\n}\n");
    is $code, 0, "$pair->[0] and $pair->[1] are not the same" or diag $said;
}
my ($code, $said) = $w->check_conf("server {\n route a { match path=/a; match path=/a header:X; match path=/a; }\n}\n");
like $said, qr/route "a" asks for the same in \S+weir\.conf:\d+ already/, 'in one route, too';
($code, $said) = $w->check_conf("server {\n route a { match path=/a; }\n route a { match path=/b; }\n}\n");
like $said, qr/duplicate route "a": the first is in \S+weir\.conf:(\d+) in \S+:(\d+)/, 'a name stands once in a server';
($code, $said) = $w->check_conf("server { listen 127.0.0.1:%%PORT%%; route a { } }\nserver { listen 127.0.0.1:%%PORT_b%%; route a { } }\n");
is $code, 0, '… and again in another' or diag $said;
done_testing;
