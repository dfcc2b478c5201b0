# hedge beside sticky: what a session has with its server another server does not know.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(sleep);
use Weir::Test;

my $w  = Weir::Test->new('a request that is bound is not sent to a second server')->needs_weir;
my @at = map { my $name = $_; $w->origin(sub ($c) { sleep 0.3; $c->reply(200, $name) }) } 'one', 'two';
$w->conf(<<"END", workers => 1);
    upstream stuck { sticky cookie s; server $at[0]; server $at[1]; }
    server {
        add_header X-Tries \$upstream_status always;
        location / { hedge after=50ms budget=100%; proxy_pass http://stuck; }
    }
END
my $answer = $w->get('/');
like $answer->header('X-Tries'), qr/^(?:200, -|-, 200)$/, 'a new session goes to whoever answers first';
my ($cookie) = $answer->header('Set-Cookie') =~ /^(s=[^;]+)/;
for (1 .. 3) {
    my $again = $w->request('GET', '/', headers => [ Cookie => $cookie ]);
    is $again->header('X-Tries') . ' ' . $again->body, '200 ' . $answer->body, 'and stays there, however long it takes';
}
done_testing;
