# A whole path, or a prefix by segments; each match line has its own.  Location and the rewrites of prefixes go by the same.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a uri of proxy_pass replaces what the line matched')->needs_weir;
my $o = $w->origin(sub ($c) {
    my ($to) = $c->request->target =~ /to=(\S+)/;
    return $c->reply(302, '', Location => "http://" . $c->request->header('Host') . $to) if $to;
    $c->reply(200, $c->request->target);
});
$w->conf(<<"END");
    server {
        absolute_redirect off;
        route slash   { match path_prefix=/a; proxy_pass http://$o/b/; }
        route bare    { match path_prefix=/c/; proxy_pass http://$o/d; }
        route exact   { match path=/e/f; proxy_pass http://$o/g; }
        route lines   { match path_prefix=/h; match path_prefix=/h/i; match path=/h/j; proxy_pass http://$o/k/; }
        route none    { match header:X-All; proxy_pass http://$o/all/; }
        route same    { match path_template=/t/{id}; proxy_pass http://$o; }
        route prefix  { match path_prefix=/p/q; rewrite_prefix /r; proxy_pass http://$o; }
        route away    { match path_prefix=/w; redirect prefix=/v; }
        route host    { match host=x.example path_prefix=/a/b; proxy_pass http://$o/; }
        location /    { return 200 location; }
    }
END
my %want = (
    '/a' => '/b/', '/a/' => '/b/', '/a/x' => '/b/x', '/a/x/?q' => '/b/x/?q', '/ax' => 'location', '/a%2520/x' => 'location',
    '/a/%3F%20x' => '/b/%3F%20x', '/c' => '/d', '/c/' => '/d/', '/c/x' => '/d/x', '/e/f' => '/g', '/e/f?x' => '/g?x',
    '/h' => '/k/', '/h/x' => '/k/x', '/h/i/x' => '/k/x', '/h/j' => '/k/', '/t/7' => '/t/7', '/p/q/s' => '/r/s', '/p/q' => '/r',
);
is $w->get($_)->body, $want{$_}, "$_ -> $want{$_}" for sort keys %want;
is $w->get('/x/y', 'X-All', 1)->body, '/all/x/y', 'a line without a path: all of it stands behind';
like $w->get('/w/x')->header('Location'), qr{^http://localhost:\d+/v/x$}, 'redirect replaces the prefix of the line';
like $w->get('/w')->header('Location'), qr{^http://localhost:\d+/v$}, '… all of it';
is $w->request('GET', '/a/b/c', host => 'x.example')->body, '/c', 'a line of a host';

sub moved ($target) { $w->get($target)->header('Location') }
is moved('/a/x?to=/b/y'), '/a/y', 'a peer that redirects below: the other way round';
is moved('/c/x?to=/d/y'), '/c/y', '… without a slash';
is moved('/e/f?to=/g'), '/e/f', '… of a path';
like moved('/h/x?to=/k/y'), qr{^http://127.0.0.1:\d+/k/y$}, 'where lines name different paths, Location stays';
is moved('/t/1?to=/t/2'), '/t/2', 'without a URI it is the address that goes';
done_testing;
