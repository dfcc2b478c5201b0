# oauth2_introspection_cache: what was said of a token is known to all workers until max, negative or the token's end, over reloads; requests with
# one token wait for one question; who leaves disturbs nobody.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::OAuth2;
use Weir::Test;

my $w = Weir::Test->new('oauth2 asks once for all requests that wait and remembers')->needs_weir;
my $server = Weir::OAuth2->server($w);
my $other = Weir::OAuth2->server($w);
$w->write_file('conf/secret', 'a secret');
my %token = (active => \1, sub => 'alice', exp => time + 600);
$server->tokens(good => \%token, short => { %token, exp => time + 4 }, short2 => { %token, exp => time + 4 }, brief => \%token);
$other->tokens(good => { %token, sub => 'bob' });
$w->allow_log(qr/auth\.oauth2/);
my $conf = sub ($more) { <<"END" };
    log_format ends '\$request_uri \$status \$weir_cause';
    server {
        http2 on;
        access_log logs/ends.log ends;
        oauth2 api; oauth2_introspection http://$server/; oauth2_introspection_client weir secret_file=secret;
        oauth2_introspection_cache zone=tokens:1m max=1h negative=1h;
        add_header X-Seen "\$oauth2_claim_sub" always;
        $more
        location / { empty_gif; }
        location /scope { oauth2_scope admin; empty_gif; }
        location /other { oauth2_introspection http://$other/; empty_gif; }
        location /brief { oauth2_introspection_cache zone=tokens:1m max=300ms negative=300ms; empty_gif; }
        location /never { oauth2_introspection_cache off; empty_gif; }
        location /again { auth_request /judge; oauth2 off; empty_gif; }
        location /judge { internal; empty_gif; }
        location /mirrored { mirror /copy; empty_gif; }
        location /copy { internal; return 204; }
        location /open { oauth2 off; return 200 open; }
    }
END
$w->conf($conf->(''), workers => 2);
my $get = sub ($path, $token) { $w->get($path, Authorization => "Bearer $token") };
my $asked = sub ($token) { scalar grep { $_ eq $token } $server->asked };

is $get->('/', 'good')->header('X-Seen'), 'alice', "good $_" for 1 .. 6;
is $asked->('good'), 1, 'all workers know it from one question';
is $get->('/scope', 'good')->status, 403, 'what a place asks of it is judged each time';
is $asked->('good'), 1, '… without a question';
is $get->('/other', 'good')->header('X-Seen'), 'bob', 'another server has an answer of its own';
is $get->('/', 'bad')->status, 401, "bad $_" for 1 .. 6;
is $asked->('bad'), 1, 'that a token is not active is known, too';
$server->tokens(good => \%token, bad => \%token, brief => \%token, short => { %token, exp => time + 4 }, short2 => { %token, exp => time + 2 });
$w->reload($conf->('add_header X-New yes always;'));
is $get->('/', 'good')->header('X-New'), 'yes', 'a reload';
is $get->('/', 'bad')->status, 401, 'keeps what is known';
is $asked->('good') + $asked->('bad'), 2, '… so that nobody is asked';
is $get->('/mirrored', 'good')->status, 200, 'copies ask nothing';
is $get->('/again', 'good')->status, 200, 'guards are not asked about a subrequest of a guard';
is $get->('/never', 'good')->status, 200, 'without a cache' for 1 .. 2;
is $asked->('good'), 3, '… each request asks';

# Times: max, and the end of the token.
is $get->('/brief', 'brief')->status, 200, 'kept for a short time';
$w->wait_until('and asked for again then', sub { $get->('/brief', 'brief'); $asked->('brief') > 1 });
is $get->('/', 'short2')->status, 200, 'a token that ends soon';
$w->wait_until('is refused when it has ended', sub { $get->('/?ends', 'short2')->status == 401 });
like $w->wait_for_access(qr/^\/\?ends 401 .*\n/m, 'ends.log'), qr/auth\.oauth2\.(expired|inactive)/, '… whoever says so';

# One question for all who wait.  One worker, so that there is one place to wait.
$w->reload($conf->('add_header X-New one always;'), workers => 1);
$server->tokens(flock => \%token, leaves => \%token, alone => \%token);
my $before = $server->asked;
$server->close_gate;
my @clients = map { $w->client->send_request('GET', "/?flock$_", headers => [ Authorization => 'Bearer flock' ]) } 1 .. 5;
my $h2 = Weir::Http2::client($w);
$h2->request($_, ':path' => "/?flock-h2-$_", authorization => 'Bearer flock') for 1, 3;
$w->wait_until('the question is there', sub { $asked->('flock') >= 1 });
is $w->get('/open')->body, 'open', 'others are served meanwhile';
$clients[0]->close;
$clients[1]->reset;
$h2->write(rst(1));
like $w->wait_for_access(qr/^\Q$_\E 499 .*\n/m, 'ends.log'), qr/client\.(closed|h2)/, "$_ leaves" for '/?flock1', '/?flock2', '/?flock-h2-1';
$w->reload($conf->('add_header X-New two always;'));
push @clients, $w->client->send_request('GET', '/?flock-new', headers => [ Authorization => 'Bearer flock' ]);
is $w->get('/open')->body, 'open', 'after a reload, too';
$server->open_gate;
is $_->read_response(method => 'GET')->status, 200, 'who stayed is answered' for @clients[ 2 .. 5 ];
is $h2->verdict(3, patient => 1), 200, '… over HTTP/2';
is $asked->('flock'), 1, '… from one question';

# Who asked leaves: the answer is kept.
$server->close_gate;
my $client = $w->client->send_request('GET', '/?leaves', headers => [ Authorization => 'Bearer leaves' ]);
$w->wait_until('asked', sub { $asked->('leaves') == 1 });
$client->close;
$w->wait_for_access(qr/^\/\?leaves 499 .*\n/m, 'ends.log');
$server->open_gate;
$w->wait_until('the answer is there for the next', sub { $get->('/', 'leaves')->status == 200 });
is $asked->('leaves'), 1, '… without another question';

# Without a cache nobody wants it.
$server->close_gate;
$client = $w->client->send_request('GET', '/never?alone', headers => [ Authorization => 'Bearer alone' ]);
$w->wait_until('asked', sub { $asked->('alone') == 1 });
$client->close;
$w->wait_for_access(qr/^\/never\?alone 499 .*\n/m, 'ends.log');
$server->open_gate;
is $get->('/never', 'alone')->status, 200, 'the next one asks for itself';
is $asked->('alone'), 2, '… and was answered';

# A server that does not answer.
$w->reload($conf->("oauth2_introspection http://$server/ timeout=200ms;") =~ s{oauth2_introspection http://$server/; }{}r);
$server->close_gate;
is $get->('/?late', 'late')->status, 503, 'a server that is late lets nobody in';
like $w->wait_for_access(qr/^\/\?late 503 .*\n/m, 'ends.log'), qr/auth\.oauth2\.unavailable/, '… with a cause';
$client = $w->client->send_request('GET', '/?quits', headers => [ Authorization => 'Bearer quits' ]);
$w->wait_until('asked', sub { $asked->('quits') == 1 });
$server->open_gate;
$w->stop('QUIT');
is $client->read_response(method => 'GET')->status, 401, 'a worker that quits answers who waits';
is_deeply [ $server->wrong ], [], 'all questions were right';
done_testing;
