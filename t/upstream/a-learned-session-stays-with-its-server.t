# sticky learn: what an answer names as a session binds the requests that name it to that server, in all workers, over a
# reload and the death of workers, until the session has timed out; a session whose server fails moves.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w = Weir::Test->new('a learned session stays with its server')->needs_weir->workers_may_change;
$w->allow_log(qr/upstream server temporarily disabled|exited on signal 9/);
my @origin = map { my $name = $_; $w->origin(sub ($c) {
    my $target = $c->request->target;
    my @fields = $target =~ /login=(\w+)/ ? ('Set-Cookie' => "sid=$1; path=/") : $target =~ /token=(\w+)/ ? ('X-Token' => $1) : ();
    return $c->reply(503, $name) if -e $w->dir . "/sick.$name";
    return $c->reply(200, $name, @fields) unless $target =~ /slow/;
    $c->raw("HTTP/1.1 200 OK\r\nSet-Cookie: sid=$1\r\nContent-Length: 1\r\n\r\n") if $target =~ /slow=(\w+)/;
    $c->wait_for('rest');
    $c->raw($name);
}) } 'a' .. 'c';
my $servers = join ' ', map { "server $_;" } @origin;
my $conf = <<"END";
    upstream end { sticky learn create=\$upstream_cookie_sid create=\$upstream_http_x_token lookup=\$cookie_sid lookup=\$arg_t zone=sessions:64k timeout=1h; $servers }
    upstream head { sticky learn create=\$upstream_cookie_sid lookup=\$cookie_sid zone=heads:64k header; $servers }
    upstream short { sticky learn create=\$upstream_cookie_sid lookup=\$cookie_sid zone=short:64k timeout=3s; $servers }
    server {
        add_header X-Pid \$pid;
        proxy_next_upstream http_503 error;
        location /end { proxy_pass http://end; }
        location /head { proxy_pass http://head; proxy_buffering off; }
        location /short { proxy_pass http://short; }
        location /status { status; }
    }
END
$w->conf($conf, workers => 2);
my %pids;
my $ask = sub ($path, $sid) {
    my $answer = $w->request('GET', $path, headers => [ Cookie => "sid=$sid" ]);
    $pids{ $answer->header('X-Pid') } = 1;
    return $answer->body;
};
my %at = map { $_ => $w->get("/end?login=$_")->body } 'user1' .. 'user9';
my %used = map { $_ => 1 } values %at;
is join(' ', sort keys %used), 'a b c', 'sessions are spread by the balancer';
my $where = sub () { join ' ', map { my $sid = $_; map { $ask->('/end', $sid) } 1 .. 4 } sort keys %at };
my $want  = join ' ', map { ($at{$_}) x 4 } sort keys %at;
is $where->(), $want, 'requests of a session go to the server that began it';
is scalar keys %pids, 2, 'from both workers';
my $token = $w->get('/end?token=tok')->body;
is join(' ', map { $w->get('/end?t=tok')->body } 1 .. 4), join(' ', ($token) x 4), 'the first value that is not empty counts';
my %others = map { $ask->('/end', 'nobody') => 1 } 1 .. 6;
is scalar keys %others, 3, 'a session that nobody began has turns';

$w->reload($conf =~ s/timeout=1h; /timeout=1h; keepalive 3; /r);
is $where->(), $want, 'a reload forgets no session';
my %before = map { $_ => 1 } $w->workers;
kill KILL => $_ for keys %before;
$w->wait_until('others are there', sub { 2 == grep { !$before{$_} } $w->workers });
is $where->(), $want, 'nor do workers that are new';

# Its server fails: the session moves, and stays where it has moved to.
$w->write_file("sick.$at{user1}", '');
my $next = $ask->('/end', 'user1');
isnt $next, $at{user1}, 'when its server fails, another one answers';
unlink $w->dir . "/sick.$at{user1}";
is join(' ', map { $ask->('/end', 'user1') } 1 .. 4), join(' ', ($next) x 4), 'and has the session from then on';
cmp_ok decode_json($w->get('/status')->body)->{upstreams}{end}{sticky}{requests}{moved}, '>', 0, 'it is counted';

# The end of the answer, or its head.
for my $case (['/end', ''], ['/head', 'at the head']) {
    my ($path, $at_head) = @$case;
    my $client = $w->client->send_request('GET', "$path?slow=early");
    $w->wait_until('a server has it', sub { grep { $_->received =~ m{$path\?slow=early} } @origin });
    my ($home) = map { ('a' .. 'c')[$_] } grep { $origin[$_]->received =~ m{$path\?slow=early} } 0 .. 2;
    my $binds = sub () { my %seen = map { $ask->($path, 'early') => 1 } 1 .. 6; join(' ', keys %seen) eq $home };
    if ($at_head) {
        ok $w->wait_until('it binds', $binds), 'header: a session begins with the head of the answer';
    } else {
        ok !$binds->(), 'a session does not begin before the end of the answer';
    }
    $w->pass('rest');
    $client->read_response;
    ok $w->wait_until('it binds', $binds), 'then it is there';
    unlink $w->dir . '/barrier.rest';
}

# Its time.
my $home = $w->get('/short?login=brief')->body;
is $ask->('/short', 'brief'), $home, 'a session of three seconds';
select undef, undef, undef, 4.1;               # (whole seconds are counted)
my %seen = map { $ask->('/short', 'brief') => 1 } 1 .. 6;
is scalar keys %seen, 3, 'is forgotten when nobody has asked for it that long';
done_testing;
