# A file of users whose hashes are of several kinds: how long the answer to a name takes tells nobody whether it is there.  Of names that are not, as many are
# answered at once and as many take long as the file has names of each kind, each name always the same, in all workers.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Weir::Test;

my $w = Weir::Test->new('a name that is not there takes as long as one that is')->needs_weir;
# Half of them are computed in an instant, half (2^31 rounds) do not end while the test runs.
$w->write_file('conf/users', join '', map { ("quick$_:{PLAIN}q$_\n", "slow$_:\$2y\$31\$" . substr("$_$_" . 'abcdefghijklmnopqrstuv', 0, 21) . "u\n") } 1 .. 9);
$w->allow_log(qr/was not found in/, qr/password mismatch/);
$w->conf('server { auth_basic x; auth_basic_user_file users; location / { empty_gif; } }', workers => 2);
my $ask = sub ($name) { $w->client->send("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic " . encode_base64("$name:x", '') . "\r\n\r\n") };
my $is_answered = sub ($client) { my $bits = ''; vec($bits, fileno $client->fh, 1) = 1; return select $bits, undef, undef, 0 };

# Who was not drawn by a slow one is answered in the turn that takes its request; a later request on each worker tells that this turn is over.
my $which = sub () {
    my %asked = map { ("nobody$_" => $ask->("nobody$_")) } 1 .. 24;
    for (1 .. 40) {
        $w->get('/', 'Authorization', 'Basic ' . encode_base64('quick1:q1', ''))->status == 200 or die;
    }
    my $quick = join ' ', sort grep { $is_answered->($asked{$_}) } keys %asked;
    $_->close for values %asked;
    return $quick;
};
my $quick = $which->();
my $n     = () = $quick =~ /nobody/g;
cmp_ok $n, '>=', 5, "some names that are not there are answered at once ($n of 24)";
cmp_ok $n, '<=', 19, 'others take as long as a slow one';
is $which->(), $quick, 'the same ones each time' for 1 .. 3;
done_testing;
