# What a check sends: its uri, the Host and the fields of the location that are the same for all requests, over the
# connection that is said: another port, one that is kept, HTTP/2.  In an upstream block it asks as the first location.
# It is no request of the group, and comes in spite of max_conns.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('a health check asks as its location does')->needs_weir;
my $ok   = sub ($c) { $c->note("$c->{number}: " . join ' ', map { join(',', $c->request->header($_)) || '-' } qw(Host X-Key X-Client Authorization Connection)); $c->reply(200, 'ok') };
my %o    = map { $_ => $w->origin($ok) } qw(fields block kept closed port_a port_b address);
my $from = $w->peer(sub ($c) { $c->note('from ' . $c->{fh}->peerhost); $c->read_request and $c->reply(200, 'ok') });
$o{busy} = $w->origin(sub ($c) { $w->wait_for('checked') if $c->request->target eq '/check'; $c->reply(200, 'ok') });
my $h2   = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $r = $h2->next_request) {
        $c->note("h2 $r->{fields}{':method'} $r->{fields}{':path'}");
        $h2->write(headers($r->{stream}, 'END_HEADERS', ':status' => 200) . data($r->{stream}, 'ok', 'END_STREAM'));
    }
});
my $port = $o{port_b}->port;
$w->conf(<<"END", workers => 1);
    upstream fields { server $o{fields}; }
    upstream block { server $o{block}; health_check uri=/in?a=b interval=50ms; }
    upstream kept { server $o{kept}; }
    upstream closed { server $o{closed}; }
    upstream busy { server $o{busy} max_conns=1; }
    upstream port { server $o{port_a}; }
    upstream from { server $from; }
    upstream from_tcp { server $from; }
    upstream h2 { server $h2; }
    server {
        proxy_set_header X-Key secret;
        proxy_set_header X-Client \$remote_addr;
        proxy_set_header Authorization "Basic \${arg_x}";
        location /fields { proxy_pass http://fields; proxy_set_header X-Key secret; proxy_set_header Host api.example; health_check uri=/at/this%20path interval=50ms; }
        location /block { proxy_pass http://block; proxy_set_header Host from.block; proxy_set_header X-Key block; }
        location /kept { proxy_pass http://kept; health_check interval=50ms keepalive_time=10s; }
        location /closed { proxy_pass http://closed; health_check interval=50ms; }
        location /busy { proxy_pass http://busy; health_check uri=/check interval=50ms; }
        location /port { proxy_pass http://port; health_check interval=50ms port=$port; }
        location /from { proxy_pass http://from; proxy_bind 127.0.0.7; health_check interval=1h; }
        location /from_tcp { proxy_pass http://from_tcp; proxy_bind 127.0.0.9; health_check interval=1h type=tcp; }
        location /h2 { proxy_pass http://h2; proxy_http_version 2; health_check uri=/seven interval=50ms; }
        location /address { proxy_pass http://$o{address}; health_check interval=50ms; }
        location /status { status; }
    }
END
my $peer   = sub ($group, $at) { decode_json($w->get('/status')->body)->{upstreams}{$group}{peers}{"$at"} };
my $checks = sub ($group, $at, $n) { $w->wait_until("$n checks of $group", sub { $peer->($group, $at)->{health_checks}{checks} >= $n }) };

$checks->('fields', $o{fields}, 2);
is(($o{fields}->lines)[0], 'GET /at/this%20path', 'the uri');
like(($o{fields}->notes)[0], qr/: api\.example secret - - /, 'Host and fields without variables');
is $peer->('fields', $o{fields})->{requests}, 0, 'it is no request of the group';
is $peer->('fields', $o{fields})->{connected}, 0, 'nor a connection of it';

$checks->('block', $o{block}, 2);
is(($o{block}->lines)[0], 'GET /in?a=b', 'of an upstream block');
like(($o{block}->notes)[0], qr/: from\.block block - - /, 'asked as the first location asks');

$checks->('kept', $o{kept}, 6);
is $o{kept}->connections, 1, 'keepalive_time: one connection for many checks';
$checks->('closed', $o{closed}, 6);
cmp_ok $o{closed}->connections, '>=', 6, 'else each has its own';
like(($o{closed}->notes)[0], qr/: closed secret - - .*close$/, 'and says so');

$checks->('port', $o{port_a}, 3);
cmp_ok $o{port_b}->requests, '>=', 3, 'port= asks there';
is $o{port_a}->connections, 0, 'and not at the address of the server';

$checks->('h2', $h2, 2);
is(($h2->notes)[0], 'h2 GET /seven', 'HTTP/2 as the location says');

$checks->($_, $from, 1) for qw(from from_tcp);
is join(' ', sort $from->notes), 'from 127.0.0.7 from 127.0.0.9', 'proxy_bind says from where';
$checks->("$o{address}", $o{address}, 2);
pass 'an address without an upstream block is checked, too';

$o{busy}->wait_requests(1);
is $peer->('busy', $o{busy})->{active}, 0, 'a check that is under way is no request of the peer';
is $w->get('/busy/x')->status, 200, 'nor is it in the way of max_conns';
$w->pass('checked');
$checks->('busy', $o{busy}, 2);

$w->end_checks;
done_testing;
