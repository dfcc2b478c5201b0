# expires in all its forms, charset with its types, add_trailer: what they add to an answer, and to which.
use v5.36;
use lib 't/lib';
use Weir::Test;
use POSIX 'strftime';

my $w      = Weir::Test->new('expires charset and add trailer add to answers');
my $origin = $w->origin(sub ($c) {
    my %said = $c->request->target =~ /([a-z]+)=([^&]*)/g;
    my %names = (type => 'Content-Type', control => 'Cache-Control', expires => 'Expires', accel => 'X-Accel-Charset');
    $c->reply($said{status} // 200, 'body', map { exists $said{$_} ? ($names{$_} => $said{$_} =~ s/%20/ /gr) : () } sort keys %names);
});
my $dir = $w->dir;
chmod 0755, $dir;
mkdir "$dir/html" or die $!;
chmod 0755, "$dir/html";
$w->write_file('html/a.html', 'A page');
utime 784111777, 784111777, "$dir/html/a.html";
$w->conf(<<"END");
    map \$arg_e \$when { 1 1h; 2 max; 3 off; 4 epoch; 5 nonsense; default -1; }
    server {
        root $dir/html;
        charset utf-8;
        location /hour { expires 1h; return 200 x; }
        location /days { expires 30d; return 200 x; }
        location /past { expires -1; return 200 x; }
        location /zero { expires 0; return 200 x; }
        location /epoch { expires epoch; return 200 x; }
        location /max { expires max; return 200 x; }
        location /off { expires off; return 200 x; }
        location /map { expires \$when; return 200 x; }
        location /at { expires \@12h30m; return 200 x; }
        location /404 { expires 1h; return 404; }
        location /modified/ { expires modified +24h; alias $dir/html/; }
        location /over { expires 1h; proxy_pass http://$origin; }
        location /px { proxy_pass http://$origin; }
        location /force { override_charset on; proxy_pass http://$origin; }
        location /types { charset_types application/json; proxy_pass http://$origin; }
        location /every { charset_types *; proxy_pass http://$origin; }
        location /nocharset { charset off; proxy_pass http://$origin; }
        location /variable { charset \$arg_cs; return 200 x; }
        location /trailed { add_trailer X-Sent \$body_bytes_sent; add_trailer X-None \$arg_none; return 200 "0123456789"; }
        location /trailedfile { alias $dir/html/a.html; add_trailer X-T yes; }
        location /trailed404 { add_trailer X-T yes; add_trailer X-A yes always; return 404; }
        location /trailed500 { add_trailer X-T yes; return 500; }
        location /trailedpx { add_trailer X-Up \$upstream_status; proxy_pass http://$origin; }
    }
END
$w->allow_log(qr/\[emerg\]/, qr/\[warn\] .*duplicate MIME/);
my $date = sub ($at) { strftime '%a, %d %b %Y %H:%M:%S GMT', gmtime $at };
my $near = sub ($path, $offset, $control) {
    my ($before, $answer, $after) = (time, $w->get($path), time);
    ok((grep { ($answer->header('Expires') // '') eq $date->($_ + $offset) } $before - 1 .. $after + 1), "$path expires in $offset");
    is $answer->header('Cache-Control'), $control, "$path: Cache-Control";
};
$near->('/hour', 3600, 'max-age=3600');
$near->('/days', 2_592_000, 'max-age=2592000');
$near->('/past', -1, 'no-cache');
$near->('/zero', 0, 'max-age=0');
$near->('/map?e=1', 3600, 'max-age=3600');
$near->('/map', -1, 'no-cache');
is $w->get('/epoch')->header('Expires'), 'Thu, 01 Jan 1970 00:00:01 GMT', 'epoch';
is $w->get('/epoch')->header('Cache-Control'), 'no-cache', 'is not kept';
is $w->get($_)->header('Expires'), 'Thu, 31 Dec 2037 23:55:55 GMT', "$_: max" for '/max', '/map?e=2';
is $w->get('/max')->header('Cache-Control'), 'max-age=315360000', 'is ten years';
is $w->get('/map?e=4')->header('Cache-Control'), 'no-cache', 'epoch by a variable';
is $w->get($_)->header('Expires'), undef, "$_ says nothing" for '/off', '/map?e=3', '/map?e=5', '/404';
like $w->get('/at')->header('Expires'), qr/ \d\d:30:00 GMT$/, 'a time of the day';
my ($age) = ($w->get('/at')->header('Cache-Control') // '') =~ /^max-age=(\d+)$/;
ok defined $age && $age > 0 && $age <= 86_400, 'that comes within a day';
is $w->get('/modified/a.html')->header('Expires'), 'Mon, 07 Nov 1994 08:49:37 GMT', 'a day after the file was made';
is $w->get('/modified/a.html')->header('Cache-Control'), 'no-cache', 'is past';
my $over = $w->get('/over?control=private&expires=never');
is_deeply [ $over->header('Cache-Control') ], ['max-age=3600'], 'a peer\'s Cache-Control is replaced';
is scalar(my @all = $over->header('Expires')), 1, 'and its Expires';

my @types = ([ '/a.html', 'text/html; charset=utf-8' ], [ '/hour', 'text/plain; charset=utf-8' ], [ '/px?type=text/html', 'text/html; charset=utf-8' ],
    [ '/px?type=image/png', 'image/png' ], [ '/px?type=application/json', 'application/json' ], [ '/types?type=application/json', 'application/json; charset=utf-8' ],
    [ '/types?type=text/plain', 'text/plain' ], [ '/types?type=text/html', 'text/html; charset=utf-8' ], [ '/every?type=image/png', 'image/png; charset=utf-8' ],
    [ '/px?type=text/html;%20charset=koi8-r', 'text/html; charset=koi8-r' ], [ '/nocharset?type=text/html', 'text/html' ],
    [ '/px', undef ], [ '/variable?cs=x-1', 'text/plain; charset=x-1' ], $w->is_nginx ? () : [ '/variable', 'text/plain' ], $w->is_nginx ? () : [ '/px?type=text/html&accel=koi8-u', 'text/html; charset=koi8-u' ],
    [ '/nowhere', 'text/html; charset=utf-8' ]);
is scalar($w->get($_->[0])->header('Content-Type')), $_->[1], "$_->[0] is " . ($_->[1] // 'of no type') for @types;
unless ($w->is_nginx) {
    is scalar($w->get('/force?type=text/html;%20charset=koi8-r')->header('Content-Type')), 'text/html; charset=utf-8', 'override_charset';
    is scalar($w->get('/variable?cs=a%0d%0ab:c')->header('Content-Type')), 'text/plain', 'what is no name is not said';
}

my $answer = $w->get('/trailed');
is $answer->body, '0123456789', 'a body';
is $answer->framing, 'chunked', 'in chunks';
is $answer->trailer('X-None'), undef, 'an empty trailer is none';
is $answer->trailer('X-Sent'), 10, 'a trailer knows what was sent' unless $w->is_nginx;
is $w->get('/trailedfile')->trailer('X-T'), 'yes', 'behind a file';
is $w->get('/trailed404')->trailer('X-A'), 'yes', 'always';
is $w->get('/trailed404')->trailer('X-T'), undef, 'not otherwise';
is $w->get('/trailed500')->framing, 'length', 'where there are none there are no chunks';
is $w->get('/trailedpx?type=a/b')->trailer('X-Up'), 200, 'behind a peer\'s answer';
is $w->request('HEAD', '/trailed')->body, '', 'HEAD has none';
is $w->client->send("GET /trailed HTTP/1.0\r\nHost: a\r\n\r\n")->read_response->body, '0123456789', 'nor has HTTP/1.0';

for my $bad ([ 'expires;', qr/invalid number of arguments/ ], [ 'expires soon;', qr/"soon"/ ], [ 'expires modified max;', qr/"max"|invalid value/ ], [ 'expires later 1h;', qr/"later"|invalid value/ ],
    [ 'add_trailer A;', qr/invalid number of arguments/ ], [ 'add_trailer A b sometimes;', qr/"sometimes"|invalid parameter/ ], [ 'charset;', qr/invalid number of arguments/ ])
{
    my ($code, $said) = $w->check_conf("server { $bad->[0] }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told' unless $w->is_nginx;
}
done_testing;
