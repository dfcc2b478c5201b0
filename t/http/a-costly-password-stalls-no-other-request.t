# auth_basic with a hash that takes long: it is computed beside the loop while its request waits; others are served meanwhile, who was right lately
# does not wait again, so many wait and no more, and who waits may go, or be reloaded, at any moment.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(time);
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('a costly password stalls no other request')->needs_weir;
$w->write_file('conf/users', join '', map { "$_->[0]:" . crypt('secret', $_->[1]) . "\n" } [ slow => '$2y$12$abcdefghijklmnopqrstuu' ], [ sha => '$6$rounds=300000$abcdefgh$' ],
    [ brief => '$2y$08$abcdefghijklmnopqrstuu' ]);
$w->allow_log(qr/\[error\].*auth\.basic/);
my $conf = sub ($n) { "server { http2 on; location / { auth_basic Here; auth_basic_user_file users; add_header X-Conf $n; empty_gif; }
                       location /any { satisfy any; allow 192.0.2.1; deny all; auth_basic Here; auth_basic_user_file users; empty_gif; }
                       location /open { return 200 open; } }" };
$w->conf($conf->(1), workers => 1);
my $login = sub ($name, $password = 'secret') { ('authorization', 'Basic ' . encode_base64("$name:$password", '')) };
my $begin = sub ($path, @login) { $w->client->send_request('GET', $path, headers => [ $login->(@login) ]) };
is $w->get('/open')->body, 'open', 'it serves';

for my $name (qw(slow sha)) {
    my $from   = time;
    my $client = $begin->('/', $name);
    is $w->get('/open')->body, 'open', "$name: somebody else is served";
    ok !length $client->buffered && $client->is_quiet(0), 'while the hash is computed';
    is $client->read_response->status, 200, 'then the one who waited';
    my $took = time - $from;
    $from = time;
    is $w->get('/', $login->($name))->header('X-Conf'), 1, 'the next request with the same';
    cmp_ok time - $from, '<', $took, 'does not wait again';
    is $w->get('/', $login->($name, 'other'))->status, 401, 'another password is refused';
    is $w->get('/any', $login->($name))->status, 200, 'satisfy any: the right one is enough';
    is $w->get('/any', $login->($name, 'wrong'))->status, 401, 'a wrong one is not';
}
is $w->get('/', $login->('nobody'))->status, 401, 'a name that is not there';
my $h2 = Weir::Http2::client($w);
is $h2->ask(':path' => '/', $login->('slow', 'third')), '401', 'over HTTP/2';
my $stream = $h2->{next_stream};
$h2->{next_stream} += 2;
$h2->request($stream, ':path' => '/', 'authorization' => ($login->('slow', 'fourth'))[1])->write(rst($stream));
is $h2->ask(':path' => '/open'), '200', 'a stream that is given up while it waits';
$h2->close;

$begin->('/', 'slow', "gone $_")->reset for 1 .. 3;
is $w->get('/open')->body, 'open', 'clients that go while they wait';
my $client = $begin->('/', 'slow', 'reloaded');
$w->reload($conf->(2));
is $w->get('/', $login->('slow'))->header('X-Conf'), 2, 'a reload meanwhile';
is $client->read_response->status, 401, 'the one who waited is answered';

my @all = map { $begin->('/', 'brief', "guess $_") } 1 .. 200;
my %status;
$status{ $_->read_response->status }++ for @all;
$_->close for @all;
is join(' ', sort keys %status), '401 503', 'so many wait, the rest is told 503';
cmp_ok $status{401}, '>=', 32, 'those who wait are judged: one client has half of the places';
like $w->error_log, qr/cause: auth\.basic\.busy/, 'which has its cause';
is $w->get('/', $login->('slow'))->header('X-Conf'), 2, 'and who was right lately comes in';

$client = $begin->('/', 'slow', 'at the end');
is $w->get('/open')->body, 'open', 'one waits';
done_testing;
