# One route for each condition, behind a location that says that none took the request.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('each condition of a match line is asked')->needs_weir;

# Each: the line, then requests that it takes and ones that it does not: [method, target, fields…] or a target.
my @lines = (
    ['path=/a'                         => ['/a', '/a?x=1', '/%61', '/x/../a'], ['/a/', '/A', '/ab', '/a/b', '/']],
    ['path_prefix=/a/b'                => ['/a/b', '/a/b/', '/a/b/c', '/a//b'], ['/a/bc', '/a', '/a/B', '/']],
    ['path_prefix=/a/b/'               => ['/a/b', '/a/b/', '/a/b/c'], ['/a/bc', '/a']],
    ['path_prefix=/'                   => ['/', '/a'], []],
    ['path_template=/u/{id}'           => ['/u/1', '/u/a%20b'], ['/u/', '/u', '/u/1/', '/u/1/2', '/v/1']],
    ['path_template=/u/{id}/o/{n}/'    => ['/u/1/o/2/'], ['/u/1/o/2', '/u/1/o//', '/u//o/2/', '/u/1/o/2/3']],
    ['path_template=/u/v'              => ['/u/v'], ['/u/w']],
    ['path_regex=/f/\d+|/g'            => ['/f/12', '/g'], ['/f/12a', '/x/f/1', '/g/', '/f/']],
    ['path_regex=(?i)/F'               => ['/f', '/F'], ['/ff']],
    ['grpc=s.v1.S/Get'                 => ['/s.v1.S/Get'], ['/s.v1.S/Put', '/s.v1.S']],
    ['grpc=s.v1.S'                     => ['/s.v1.S/Get', '/s.v1.S/Put'], ['/s.v1.Service/Get']],
    ['grpc=*/Check'                    => ['/a.Health/Check', '/b/Check'], ['/a/b/Check', '/a/Watch']],
    ['method=GET|POST'                 => [['GET', '/'], ['POST', '/']], [['HEAD', '/'], ['DELETE', '/']]],
    ['!method=GET|POST'                => [['PUT', '/'], ['HEAD', '/']], [['GET', '/'], ['POST', '/']]],
    ['method=PURGE'                    => [['PURGE', '/']], [['GET', '/']]],
    ['header:X-A=1'                    => [['GET', '/', 'x-a', '1']], ['/', ['GET', '/', 'X-A', '2'], ['GET', '/', 'X-A', '1', 'X-A', '1']]],
    ['"header:X-A=1, 2"'               => [['GET', '/', 'X-A', '1', 'X-A', '2'], ['GET', '/', 'X-A', '1, 2']], [['GET', '/', 'X-A', '2', 'X-A', '1']]],
    ['header:X-A='                     => [['GET', '/', 'X-A', '']], ['/', ['GET', '/', 'X-A', 'a']]],
    ['header:X-A'                      => [['GET', '/', 'X-A', ''], ['GET', '/', 'X-A', 'a']], ['/']],
    ['!header:X-A'                     => ['/'], [['GET', '/', 'X-A', ''], ['GET', '/', 'X-A', 'a']]],
    ['header:X-A~b'                    => [['GET', '/', 'X-A', 'abc']], ['/', ['GET', '/', 'X-A', 'aBc']]],
    ['header:X-A~*^b'                  => [['GET', '/', 'X-A', 'Bc']], ['/', ['GET', '/', 'X-A', 'aBc']]],
    ['!header:X-A~b'                   => ['/', ['GET', '/', 'X-A', 'c']], [['GET', '/', 'X-A', 'abc']]],
    ['header:accept~json'              => [['GET', '/', 'Accept', 'application/json']], ['/']],
    ['query:q=1'                       => ['/?q=1', '/?a=2&q=1&q=2', '/?%71=%31'], ['/', '/?q=2&q=1', '/?Q=1', '/?q', '/?q=11']],
    ['"query:q=a b"'                   => ['/?q=a+b', '/?q=a%20b'], ['/?q=ab', '/?q=a%2Bb']],
    ['query:q='                        => ['/?q=', '/?q', '/?q&q=1'], ['/', '/?q=1']],
    ['query:q'                         => ['/?q', '/?a&q=1'], ['/', '/?qq']],
    ['!query:q=1'                      => ['/', '/?q=2'], ['/?q=1']],
    ['query:q~^\d+$'                   => ['/?q=12'], ['/', '/?q=1a']],
    ['cookie:c=1'                      => [['GET', '/', 'Cookie', 'a=2; c=1'], ['GET', '/', 'Cookie', 'a=2', 'Cookie', 'c=1']],
                                          ['/', ['GET', '/', 'Cookie', 'C=1'], ['GET', '/', 'Cookie', 'c=2; c=1'], ['GET', '/', 'Cookie', 'cc=1']]],
    ['cookie:c'                        => [['GET', '/', 'Cookie', 'c=']], ['/', ['GET', '/', 'Cookie', 'd=1']]],
    ['!cookie:c'                       => ['/', ['GET', '/', 'Cookie', 'd=1']], [['GET', '/', 'Cookie', 'c=1']]],
    ['cookie:c~*^A'                    => [['GET', '/', 'Cookie', 'c=ab']], [['GET', '/', 'Cookie', 'c=ba']]],
    ['host=a.example'                  => [['GET', '/', 'Host', 'a.example'], ['GET', '/', 'Host', 'A.Example:80']],
                                          ['/', ['GET', '/', 'Host', 'x.a.example'], ['GET', '/', 'Host', 'aa.example']]],
    ['host=*.A.example'                => [['GET', '/', 'Host', 'b.a.example'], ['GET', '/', 'Host', 'c.b.a.example']],
                                          ['/', ['GET', '/', 'Host', 'a.example'], ['GET', '/', 'Host', 'ba.example']]],
    ['host=.a.example'                 => [['GET', '/', 'Host', 'a.example'], ['GET', '/', 'Host', 'c.b.a.example']],
                                          ['/', ['GET', '/', 'Host', 'ba.example']]],
    ['path_prefix=/a method=GET header:X-A query:q' => [['GET', '/a/b?q', 'X-A', '1']],
        [['GET', '/b?q', 'X-A', '1'], ['PUT', '/a?q', 'X-A', '1'], ['GET', '/a', 'X-A', '1'], '/a?q']],
    ["path=/a;\nmatch path=/b method=PUT" => ['/a', ['PUT', '/b'], ['PUT', '/a']], ['/b', '/c']],
);

$w->conf(join '', map {
    "server { listen 127.0.0.1:%%PORT_$_%%; route r { match $lines[$_][0]; add_header X-By route; return 204; } location / { return 204; } }\n"
} 0 .. $#lines);

# Does the route take it?
sub takes ($n, $request) {
    my ($method, $target, @fields) = ref $request ? @$request : ('GET', $request);
    my ($host) = grep { lc $fields[ 2 * $_ ] eq 'host' } 0 .. @fields / 2 - 1;
    my %host   = defined $host ? (host => (splice @fields, 2 * $host, 2)[1]) : ();
    my $client = $w->client(port => $w->port($n));
    my $answer = $client->send_request($method, $target, headers => [ @fields, Connection => 'close' ], %host)->read_response(method => $method);
    $client->close;
    is $answer->status, 204, "match $lines[$n][0]: $method $target" if $answer->status != 204;
    return defined $answer->header('X-By');
}

for my $n (0 .. $#lines) {
    my ($line, $takes, $leaves) = $lines[$n]->@*;
    my @wrong = ((map { takes($n, $_) ? () : [ 'left', $_ ] } @$takes), map { takes($n, $_) ? [ 'took', $_ ] : () } @$leaves);
    is_deeply \@wrong, [], "match $line";
}
done_testing;
