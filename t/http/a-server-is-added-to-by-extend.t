use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a server is added to by extend')->needs_weir;
$w->allow_log(qr/directive|server|location/);
mkdir $w->dir . '/parts' or die $!;
$w->write_file('parts/a.conf', "extend server b.test { location /a { return 200 added; } }\n");
$w->conf(<<'END');
    extend server B.test {
        location ~ ^/both { return 200 late; }
        location /mine { return 200 late; }
    }
    include %%DIR%%/parts/*.conf;
    server { server_name a.test; location / { return 200 a; } }
    server { server_name b.test b2.test; location ~ ^/both { return 200 early; } location / { return 200 b; } }
END
my $get = sub ($host, $path) { $w->request('GET', $path, host => $host)->body };
is $get->('b.test', '/mine'), 'late', 'a location is added to the server of that name';
is $get->('b2.test', '/a'), 'added', 'from another file too';
is $get->('b.test', '/both'), 'early', 'behind what the server has itself';
is $get->('b.test', '/'), 'b', 'which stays as it is';
is $get->('a.test', '/mine'), 'a', 'no other server has it';

my $servers = "server { server_name www.example.org; client_max_body_size 2m; location /x { } }\n";
for my $case (
    ['extend server ww.example.org { }', qr{no server has the first name "ww\.example\.org", did you mean "www\.example\.org"\? in \S+:\d+}, 'an unknown one'],
    ['extend server other { }', qr{no server has the first name "other" in \S+:\d+}, 'one that is not near'],
    ['extend server "" { }', qr{no server has the first name "" in}, 'none'],
    ['extend location / { }', qr{invalid value "location" in "extend" directive: expected "server"}, 'what cannot be added to'],
    ['extend server { }', qr{invalid number of arguments in "extend" directive in \S+ \(usage: extend server name \{}, 'no name'],
    ['extend server www.example.org;', qr{directive "extend" has no opening "\{"}, 'no block'],
    ['extend server www.example.org { client_max_body_size 3m; }', qr{"client_max_body_size" directive is duplicate}, 'what the server says already'],
    ['extend server www.example.org { location /x { } }', qr{duplicate location "/x"}, 'a location that it has'],
    ["server { server_name www.example.org; }\nextend server www.example.org { }",
        qr{"www\.example\.org" is the first name of two servers \(\S+:\d+, \S+:\d+\) in \S+:\d+}, 'a name of two'],
    ['server { extend server www.example.org { } }', qr{"extend" directive is not allowed here in \S+ \(allowed in http\)}, 'elsewhere than in http'],
) {
    my ($code, $said) = $w->check_conf("$servers$case->[0]");
    is $code, 1, "refused: $case->[2]";
    like $said, $case->[1], 'with words';
}
done_testing;
