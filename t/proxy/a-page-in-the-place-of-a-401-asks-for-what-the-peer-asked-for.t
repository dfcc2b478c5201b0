# proxy_intercept_errors: every WWW-Authenticate of a 401 and every Proxy-Authenticate of a 407 goes with the page.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a page in the place of a 401 asks for what the peer asked for')->needs_weir;
my $origin = $w->origin(sub ($c) {
    my ($status) = $c->request->target =~ m{/(\d+)};
    my $name = $status == 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    $c->reply($status, 'from the peer', $name => 'Negotiate', $name => 'Basic realm="x"', 'X-Other' => 1);
});
my $second = $w->origin(sub ($c) { $c->reply(401, 'the other', 'WWW-Authenticate' => 'Other') });
$w->conf(<<"END");
    proxy_intercept_errors on;
    server {
        location / { error_page 401 407 404 /page; proxy_pass http://$origin; }
        location /built-in { error_page 401 /no-such; proxy_pass http://$origin/401; }
        location /asks { error_page 401 = \@other; proxy_pass http://$origin/401; }
        location \@other { proxy_pass http://$second; }
        location /page { return 200 'a page'; }
        location /no-such { internal; deny all; }
    }
END
$w->allow_log(qr/./);

my @challenges = ('Negotiate', 'Basic realm="x"');
for ([ 401, 'WWW-Authenticate' ], [ 407, 'Proxy-Authenticate' ]) {
    my $answer = $w->get("/$_->[0]");
    is $answer->status, $_->[0], "a $_->[0]";
    is $answer->body, 'a page', 'a page of ours';
    is_deeply [ $answer->header($_->[1]) ], \@challenges, "with every $_->[1]";
    is $answer->header('X-Other'), undef, 'and nothing else';
}
is_deeply [ $w->get('/404')->header('WWW-Authenticate') ], [], 'not of a 404';
is_deeply [ $w->get('/built-in')->header('WWW-Authenticate') ], \@challenges, 'also when the page fails';
is_deeply [ $w->get('/asks')->header('WWW-Authenticate') ], ['Other'], 'another peer asks for its own';

done_testing;
