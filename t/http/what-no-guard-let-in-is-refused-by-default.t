# default_deny: a place whose guards have not let a request in refuses it, wherever the request is redirected.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('what no guard let in is refused by default');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
my $dead   = $w->refused_peer;
$w->allow_log(qr/ cause: (?:access|auth|upstream)\.|refused/);
$w->write_file('users', "ann:{PLAIN}secret\n");
$w->conf(<<"END");
    default_deny on;
    add_header X-Cause \$weir_cause always;
    auth_basic_user_file %%DIR%%/users;
    server {
        location / { proxy_pass http://$origin; }
        location /off { default_deny off; proxy_pass http://$origin; }
        location /all { allow all; proxy_pass http://$origin; }
        location /net { allow 10.0.0.0/8; proxy_pass http://$origin; }
        location /basic { auth_basic a; proxy_pass http://$origin; }
        location /require { require \$arg_a = 1; proxy_pass http://$origin; }
        location /dry { require \$arg_a = 1 dry_run; proxy_pass http://$origin; }
        location /asked { auth_request /ask; proxy_pass http://$origin; }
        location = /ask { internal; proxy_pass http://$origin; }
        location /any { satisfy any; deny all; auth_basic a; proxy_pass http://$origin; }
        location /return { return 200 said; }
        location /fall { allow all; error_page 502 = \@named; proxy_pass http://$dead; }
        location \@named { proxy_pass http://$origin; }
        location /inside { allow all; error_page 502 = /kept; proxy_pass http://$dead; }
        location = /kept { internal; proxy_pass http://$origin; }
        route forgotten { match path=/forgotten; proxy_pass http://$origin; }
        route open { match path=/open; allow all; proxy_pass http://$origin; }
    }
END
my $ask = sub ($path, @headers) { my $a = $w->request('GET', $path, headers => \@headers); join ' ', $a->status, $a->header('X-Cause') // '-' };
my @ann = ('Authorization', 'Basic YW5uOnNlY3JldA==');
is $ask->($_), '403 access.default', "$_ has no guard" for '/', '/forgotten', '/dry', '/dry?a=1';
is $ask->($_), '200 -', "$_ lets in" for '/off', '/all', '/open', '/asked', '/require?a=1';
is $ask->('/inside'), '200 upstream.connect.refused', 'a place that is internal is where the configuration sends';
is $ask->('/net'), '403 access.default', 'another address than the one that is allowed';
is $ask->('/basic'), '401 auth.basic.missing', 'a guard refuses by itself';
is $ask->('/require?a=2'), '403 access.require', '… so does a condition';
is $ask->($_, @ann), '200 -', "$_ with the password" for '/basic', '/any';
is $ask->('/any'), '401 auth.basic.missing', 'satisfy any: nobody lets in';
is $ask->('/return'), '200 -', 'what is answered before guards are asked';
is $ask->('/fall'), '403 access.default', 'a place that the request is redirected to has no guard';
is $ask->('/ask'), '404 route.internal', 'an internal place is none for clients';
done_testing;
