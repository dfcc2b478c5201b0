# In the Gateway API's order, whatever the order of the file; a line that does not hold leaves the next best its chance.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('the more specific match line wins')->needs_weir;
my @routes = (
    'all'         => 'path_prefix=/',
    'a'           => 'path_prefix=/a',
    'ab'          => 'path_prefix=/a/b',
    'a-query'     => 'path_prefix=/a query:q',
    'a-two'       => 'path_prefix=/a query:q query:r',
    'a-header'    => 'path_prefix=/a header:X-A',
    'a-cookie'    => 'path_prefix=/a header:X-A cookie:c',
    'a-method'    => 'path_prefix=/a method=PUT',
    'a-same'      => 'path_prefix=/a header:X-B',
    're-second'   => 'path_regex=/a/[a-z]+',
    're-third'    => 'path_regex=/a/[a-z0-9]+',
    're-digits'   => 'path_regex=/a/[a-z0-9]+ header:X-A',
    'tm-late'     => 'path_template=/{x}/c/{y}',
    'tm-later'    => 'path_template=/{x}/{y}/d',
    'tm-early'    => 'path_template=/a/{x}/{y}',
    'tm-put'      => 'path_template=/a/c/{x} method=PUT',
    'exact'       => 'path=/a/x',
    'exact-put'   => 'path=/a/y method=PUT',
    'host'        => 'host=a.example path_prefix=/a',
    'host-all'    => 'host=a.example',
    'wild'        => 'host=*.example path=/a/x',
    'longer'      => 'host=*.b.example path_prefix=/',
);
sub table ($by, @routes) {
    my $text = '';
    while (my ($name, $match) = splice @routes, 0, 2) {
        $text .= "    route $name { match $match; return 200 \$route; }\n";
    }
    return "server { listen 127.0.0.1:%%PORT_$by%%; $text location / { return 200 none; } }\n";
}
my @turned;
for (my $i = $#routes - 1; $i >= 0; $i -= 2) { push @turned, @routes[ $i, $i + 1 ] }
$w->conf(table('as', @routes) . table('turned', @turned));

my @cases = (
    [ '/',            'all' ],       [ '/x', 'all' ],         [ '/a', 'a' ],           [ '/a/', 'a' ],  [ '/ab', 'all' ],
    [ '/a/b/c/d',     'ab' ],        [ '/a?q', 'a-query' ],   [ '/a?r&q', 'a-two' ],
    [ '/a?r&q',       'a-header',  'X-A', 1 ],
    [ '/a?r&q',       'a-cookie',  'X-A', 1, 'Cookie', 'c=1' ],
    [ 'PUT /a?q',     'a-method',  'X-A', 1, 'Cookie', 'c=1' ],
    [ '/a/q',         're-second' ], [ '/a/1', 're-third' ],  [ '/a/b', 're-second' ],
    [ '/a/q',         're-second', 'X-A', 1 ],
    [ '/a/1',         're-digits', 'X-A', 1 ],
    [ '/x/c/y',       'tm-late' ],   [ '/x/y/d', 'tm-later' ], [ '/x/c/d', 'tm-late' ],
    [ '/a/c/1',       'tm-early' ],  [ 'PUT /a/c/1', 'tm-put' ], [ '/a/1/d', 'tm-early' ],
    [ '/a/x',         'exact' ],     [ '/a/y', 're-second' ],  [ 'PUT /a/y', 'exact-put' ],
    [ '/a/x',         'host', 'Host', 'a.example' ],           [ '/b', 'host-all', 'Host', 'a.example' ],
    [ '/a/x',         'wild', 'Host', 'c.example' ],           [ '/a/y', 'none', 'Host', 'c.example' ],
    [ '/a/x',         'longer', 'Host', 'x.b.example' ],       [ '/a/x', 'wild', 'Host', 'b.example' ],
);
for my $case (@cases) {
    my ($line, $want, @fields) = @$case;
    my ($method, $target) = $line =~ /^(?:(\w+) )?(.*)/;
    my %host = @fields && $fields[0] eq 'Host' ? (host => (splice @fields, 0, 2)[1]) : ();
    for my $by (qw(as turned)) {
        # what the order of the file decides
        my $wanted = $by eq 'turned' && $want eq 're-second' ? (grep { $_ ne 'Cookie' } @fields) && $fields[0] eq 'X-A' ? 're-digits' : 're-third' : $want;
        is $w->request($method // 'GET', $target, port => $w->port($by), headers => [@fields], %host)->body, $wanted,
            "$line @fields @{[ %host ]}: $wanted";
    }
}
for my $by ([ 'as', 'a-header' ], [ 'turned', 'a-same' ]) {
    is $w->request('GET', '/a', port => $w->port($by->[0]), headers => [ 'X-A', 1, 'X-B', 1 ])->body, $by->[1],
        'of two with as many conditions the first';
}
done_testing;
