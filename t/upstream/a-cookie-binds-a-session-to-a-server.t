# sticky cookie: the first answer sets a cookie, requests that bring it go to the same server, from every worker, after
# a reload and a restart; it is set anew when the server had to be another one.  It does not show the address.
use v5.36;
use lib 't/lib';
use JSON::PP;
use MIME::Base64;
use Weir::Test;

my $w      = Weir::Test->new('a cookie binds a session to a server')->needs_weir->allow_log(qr/upstream server temporarily disabled|connect\(\) failed/);
my @origin = map { my $name = $_; $w->origin(sub ($c) {
    $c->wait_for('held') if $c->request->target =~ /held/;
    $c->reply(-e $w->dir . "/sick.$name" ? 503 : 200, $name, $c->request->target =~ /own/ ? ('Set-Cookie' => 'own=1') : ());
}) } 'a' .. 'd';
my ($a, $b, $c, $d) = @origin;
$w->write_file('conf/secrets', "# of the gateway\n" . 'x' x 40 . "\n" . 'y' x 40 . "\n");
my $conf = <<"END";
    upstream all { sticky cookie srv-id secret=secrets; server $a; server $b; server $c; server $d max_fails=0; }
    upstream plain { sticky cookie srv expires=1h domain=.example.com path=/p samesite=strict httponly secure; least_conn; server $a; server $b; }
    upstream odd { sticky cookie srv domain=\$arg_d samesite=\$arg_s expires=max; server $a; server $b; }
    upstream few { sticky cookie srv; server $a max_conns=1; server $b; }
    server {
        add_header X-Pid \$pid;
        proxy_next_upstream http_503 error;
        location /all { proxy_pass http://all; }
        location /plain { proxy_pass http://plain; }
        location /odd { proxy_pass http://odd; }
        location /few { proxy_pass http://few; }
        location /status { status; }
    }
END
$w->conf($conf, workers => 2);
my $set = sub ($answer, $name) { my ($one) = grep { /^\Q$name\E=/ } $answer->header('Set-Cookie'); $one };
my $value = sub ($cookie) { $cookie =~ /^[^=]+=([^;]*)/ ? $1 : undef };

my (%cookie, %pids);
for (1 .. 8) {
    my $answer = $w->get('/all');
    my $cookie = $set->($answer, 'srv-id');
    $cookie{ $answer->body } //= $cookie;
    is $cookie, $cookie{ $answer->body }, 'the first answer of a session sets the cookie of its server' or last;
}
is join(' ', sort keys %cookie), 'a b c d', 'sessions are spread by the balancer';
like $cookie{a}, qr/^srv-id=[\w-]{22}$/, 'it is a cookie of its name alone';
my %addresses = map { ("$_" => 1, (split /:/, "$_")[1] => 1) } @origin;
ok !(grep { my $text = $_; grep { index($text, $_) >= 0 } keys %addresses } map { ($_, decode_base64($value->($_) =~ tr{-_}{+/}r . '==')) } values %cookie),
    'and does not show the address';
my $ask = sub ($path, $name, %arg) {
    my $answer = $w->request('GET', $path, headers => [ Cookie => join '; ', 'other=1', $arg{cookie} // $cookie{$name} ]);
    $pids{ $answer->header('X-Pid') } = 1;
    return $answer;
};
for my $name ('a' .. 'd') {
    is join(' ', map { $ask->('/all', $name)->body } 1 .. 10), join(' ', ($name) x 10), "requests with the cookie of $name go to $name";
}
is $set->($ask->('/all', 'a'), 'srv-id'), undef, 'the cookie is not set again';
is join(',', $ask->('/all/own', 'a')->header('Set-Cookie')), 'own=1', 'cookies of the server pass';
is scalar keys %pids, 2, 'both workers were asked';

$w->reload($conf =~ s/least_conn;/least_conn; keepalive 3;/r);
is join(' ', map { $ask->('/all', $_)->body } 'a' .. 'd'), 'a b c d', 'a reload changes nothing';

# Its server fails.
$w->write_file('sick.b', '');
my $answer = $ask->('/all', 'b');
isnt $answer->body, 'b', 'when its server fails, another one answers';
is $set->($answer, 'srv-id'), $cookie{ $answer->body }, 'and the cookie is that one\'s';
$answer = $ask->('/all', 'b');
isnt $answer->body, 'b', 'a server that is marked as failed is passed over';
unlink $w->dir . '/sick.b';

# What clients make up.
for my $text ('srv-id=', 'srv-id=x', 'srv-id=' . 'A' x 22, 'srv-id=' . 'A' x 3000, "srv-id=" . $value->($cookie{a}) . 'x', 'srv-id="' . $value->($cookie{a}) . '"') {
    my $answer = $ask->('/all', '', cookie => $text);
    is $set->($answer, 'srv-id'), $cookie{ $answer->body }, 'a cookie that names no server is replaced: ' . substr $text, 0, 40;
}
my $told = decode_json($w->get('/status')->body)->{upstreams}{all}{sticky}{requests};
cmp_ok $told->{$_}, '>', 0, "statistics count requests: $_" for qw(new bound moved unknown);

# Attributes.
like $set->($w->get('/plain'), 'srv'),
    qr{^srv=[\w-]{22}; expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT; max-age=3600; domain=\.example\.com; path=/p; SameSite=Strict; Secure; HttpOnly$},
    'attributes are written';
like $set->($w->get('/odd?d=www.example.org&s=Lax'), 'srv'),
    qr{^srv=[\w-]{22}; expires=Thu, 31 Dec 2037 23:55:55 GMT; max-age=315360000; domain=www\.example\.org; SameSite=Lax$}, 'those with variables, too';
like $set->($w->get('/odd?d=a;secure&s=%0d%0aX:1'), 'srv'), qr{^srv=[\w-]{22}; expires=Thu, 31 Dec 2037 23:55:55 GMT; max-age=315360000$},
    'values that would say more are left out';

# max_conns of its server.
my $few = sub () { $w->get('/few') };
my $at_a = $few->();
$at_a = $few->() until $at_a->body eq 'a';
my $cookie = $set->($at_a, 'srv');
my $held = $w->client->send_request('GET', '/few/held', headers => [ Cookie => $cookie ]);
$w->wait_until('it is held', sub { decode_json($w->get('/status')->body)->{upstreams}{few}{peers}{"$a"}{active} == 1 });
is $w->request('GET', '/few', headers => [ Cookie => $cookie ])->body, 'b', 'when its server is full, another one answers';
$w->pass('held');
is $held->read_response->body, 'a', 'and the one that held it is answered';

$w->stop;
$w->start;
is join(' ', map { $ask->('/all', $_)->body } 'a', 'c', 'd'), 'a c d', 'after a restart the cookies are good';
$w->write_file('conf/secrets', 'z' x 40 . "\n" . 'x' x 40 . "\n");
$w->reload;
$answer = $ask->('/all', 'c');
is $answer->body, 'c', 'with a new secret in front of it the cookies of the old one are understood';
isnt $set->($answer, 'srv-id') // $cookie{c}, $cookie{c}, 'and replaced';
done_testing;
