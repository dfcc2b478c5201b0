use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('the URI of proxy_pass replaces the location');
my $origin = $w->echo_origin;
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server {
        location /plain/         { proxy_pass http://api; }
        location /slash/         { proxy_pass http://api/; }
        location /path/          { proxy_pass http://api/v1/; }
        location /cut            { proxy_pass http://api/v2; }
        location = /exact        { proxy_pass http://api/only/this; }
        location ^~ /preferred/  { proxy_pass http://api/p/; }
        location ~ ^/regex/(.*)  { proxy_pass http://api; }
        location /outer/ {
            location /outer/inner/ { proxy_pass http://api/in/; }
        }
        location /named/         { error_page 418 = \@named; return 418; }
        location \@named         { proxy_pass http://api; }
    }
END

my $client = $w->client;
my @cases = (
    [ '/plain/a/b?x=1&y'      => '/plain/a/b?x=1&y',   'without a URI the target is kept' ],
    [ '/plain/%41b%20c%7e'    => '/plain/Ab%20c~',     'in its normal form' ],
    [ '/plain/a/../b/./c'     => '/plain/b/c',         'dot segments are resolved' ],
    [ '/slash/a/b'            => '/a/b',               'a slash' ],
    [ '/slash/'               => '/',                  'nothing behind the location' ],
    [ '/slash/?q'             => '/?q',                'and a query' ],
    [ '/slash/a%20b%3Fc%25'   => '/a%20b%3Fc%25',      'what needs escapes keeps them' ],
    [ '/path/a?b=/path/'      => '/v1/a?b=/path/',     'a path' ],
    [ '/pa%74h/a'             => '/v1/a',              'a location that was escaped is replaced all the same' ],
    [ '/cut'                  => '/v2',                'without slashes' ],
    [ '/cut/x'                => '/v2/x',              'what follows is appended' ],
    [ '/cutter'               => '/v2ter',             'to the byte' ],
    [ '/exact?q=1'            => '/only/this?q=1',     'an exact location' ],
    [ '/preferred/x'          => '/p/x',               'a location with ^~' ],
    [ '/regex/a%20b?c'        => '/regex/a%20b?c',     'a regular expression' ],
    [ '/outer/inner/x'        => '/in/x',              'a nested location' ],
    [ '/named/x?y'            => '/named/x?y',         'a named location' ],
    [ '/plain/?'              => qr{^/plain/\??$},     'an empty query' ],
);
for my $case (@cases) {
    my ($target, $expected, $what) = @$case;
    my $seen = $w->seen($client->get($target))->target;
    ref $expected ? like $seen, $expected, "$what: $target" : is $seen, $expected, "$what: $target";
}

done_testing;
