# The threads that compute costly hashes are shared: one address that asks for many has half of the places and no more, and another one's login is next in
# turn, not behind them all.  One that goes away leaves its place.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Weir::Test;

my $w = Weir::Test->new('auth basic gives no client all places')->needs_weir;
$w->write_file('conf/users', 'root:' . crypt('secret', '$2y$08$abcdefghijklmnopqrstuu') . "\n");
$w->allow_log(qr/password mismatch/, qr/cause: auth\.basic/);
$w->conf('server { set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP; auth_basic x; auth_basic_user_file users; location / { empty_gif; } }', workers => 1);
my $ask = sub ($from, $password) {
    my $client = $w->client;
    $client->send("GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: $from\r\nAuthorization: Basic " . encode_base64("root:$password", '') . "\r\n\r\n");
    return $client;
};
my $is_answered = sub ($client) { my $bits = ""; vec($bits, fileno $client->fh, 1) = 1; return select $bits, undef, undef, 0 };

my @many = map { $ask->('192.0.2.1', "guess $_") } 1 .. 80;
my @also = map { $ask->("2001:db8::$_", "guess $_") } 1 .. 40;
$w->wait_until('the last was refused a place', sub { $is_answered->($also[-1]) });
my $honest = $ask->('192.0.2.2', 'secret')->read_response;
my $left   = grep { !$is_answered->($_) } @many, @also;
is $honest->status, 200, 'another address gets in';
cmp_ok $left, '>', 20, "while others still wait for theirs ($left)";
my %many;
$many{ $_->read_response->status }++ for @many;
is join(' ', sort keys %many), '401 503', 'of many at once some have a place, the others are told to come again';
cmp_ok $many{401}, '>=', 30, "half of the places, and what the threads took ($many{401})";
cmp_ok $many{401}, '<', 50, 'and no more';
my %also;
$also{ $_->read_response->status }++ for @also;
cmp_ok $also{401}, '>=', 10, "a network of IPv6 is one address ($also{401})";
cmp_ok $also{401}, '<', 25, 'which has half of what is left';

my @gone = map { $ask->('192.0.2.3', "other $_") } 1 .. 60;
$w->wait_until('one was refused a place', sub { grep { $is_answered->($_) } @gone });
$_->close for @gone;
my @next = map { $ask->('192.0.2.3', "again $_") } 1 .. 3;
my $waiting = $ask->('192.0.2.4', 'secret again');
is $waiting->read_response->status, 401, 'those who have gone leave their places';
is $_->read_response->status, 401, 'to those who come' for @next;
done_testing;
