# The table of verified tokens is full: a client with thousands of good tokens of its own, and one with as many bad ones, push entries out all the
# time; whoever has a good token is let in, and whoever has not is refused, each time.
use v5.36;
use lib 't/lib';
use Weir::Jose;
use Weir::Test;

my $w = Weir::Test->new('a full table of verified tokens changes no verdict')->needs_weir;
$w->time_limit(300);
my $key = Weir::Jose->key($w, 'HS256', kid => 'k');
my $foreign = Weir::Jose->key($w, 'HS256', kid => 'k');
$w->write_file('conf/jwks', Weir::Jose->set($key));
$w->conf(<<'END', workers => 2, main => "error_log logs/error.log crit;\n");
    auth_jwt_cache_size 64k;
    keepalive_requests 1000000;
    server { auth_jwt api; auth_jwt_key_file jwks; location / { add_header X-Out $jwt_claim_sub; empty_gif; } }
END
$w->start;

my $ASKS = 6_000;
my $now = time;
my @good = map { { token => $key->token({ sub => "u$_", exp => $now + 3600 }), sub => "u$_" } } 1 .. 4000;        # far more than there is room for
my @bad = map {
    my $i = $_;
    my $token = $good[$i]{token};
    $i % 4 == 0 ? $foreign->token({ sub => "u$i", exp => $now + 3600 })                    # of another key
        : $i % 4 == 1 ? $key->token({ sub => "u$i", exp => $now - 3600 })                  # expired
        : $i % 4 == 2 ? join '.', (split /\./, $token)[0, 1], (split /\./, $good[$i - 1]{token})[2]       # with the signature of another one
        : $token =~ s/(.)\z/$1 eq 'A' ? 'Q' : 'A'/er;                                      # with a signature that is a little wrong
} 0 .. 999;

srand($ENV{WEIR_SEED} // 6);
my @clients = map { $w->client } 1 .. 4;
my ($asked, @wrong) = (0);
while ($asked < $ASKS) {
    my @sent;
    for my $client (@clients) {
        for (1 .. 25) {
            my $dice = rand;
            my ($token, $status, $sub) = $dice < 0.3 ? ($bad[ rand @bad ], 401, undef)
                : do { my $g = $dice < 0.5 ? $good[ rand 5 ] : $good[ rand @good ]; ($g->{token}, 200, $g->{sub}) };       # some come again and again
            push @sent, [ $client, $status, $sub ];
            $client->send("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer $token\r\n\r\n");
        }
    }
    for my $each (@sent) {
        my ($client, $status, $sub) = @$each;
        my $answer = $client->read_response(method => 'GET');
        $asked++;
        push @wrong, $answer->status . ' ' . ($answer->header('X-Out') // '') . " is not $status " . ($sub // '')
            if $answer->status != $status || ($status == 200 && $answer->header('X-Out') ne $sub);
    }
}
is scalar @wrong, 0, "each of $asked requests was judged by its own token" or diag join "\n", @wrong[ 0 .. ($#wrong < 5 ? $#wrong : 5) ];
my ($code, $said) = $w->tool('zones');
my ($zone) = $said =~ /^(.*jwt-verified.*)$/m;
note $zone;
like $zone, qr/evicted=[1-9]\d*/, 'entries were pushed out' or diag $said;
done_testing;
