# server … resolve: the addresses of a name change all the time while requests come, over TCP and UDP, A and AAAA records, with servers that fail in between:
# no request fails, and what the group has at the end is what the name has.
use v5.36;
use lib 't/lib';
use Weir::Dns;
use Weir::Test;

my $w    = Weir::Test->new('a name that moves fails no request')->needs_weir;
my $port = $w->port('origins');
my @origins = map { my $host = "127.0.0.$_"; $w->origin(sub ($c) { $c->reply(200, $host) }, host => $host, port => $port) } 1 .. 4;
my $dir  = $w->dir;
my $say  = sub (@text) { $w->write_file('answer.new', "@text"); rename "$dir/answer.new", "$dir/answer" or die };
my $dns  = Weir::Dns->new($w, sub ($name, $type) {
    open my $in, '<', "$dir/answer" or return 'servfail';
    chomp(my $text = <$in> // '');
    return () if $type eq 'AAAA' && $text !~ /fail|silent/;
    return split / /, $text;
});
$w->allow_log(qr/could not be resolved/);
$say->('127.0.0.1/1');
$w->conf(<<"END", workers => 2);
    resolver $dns;
    upstream moving { server origin.test:$port resolve max_fails=0; keepalive 8; }
    upstream hashed { hash \$arg_k consistent; server origin.test:$port resolve max_fails=0; }
    server {
        location / { proxy_pass http://moving; }
        location /hashed { proxy_pass http://hashed; }
    }
END
$w->wait_until("$_ is known", sub { $w->get($_)->status == 200 }) for '/', '/hashed';
my ($asked, %status, $round) = (0);
my @answers = (['127.0.0.2/1'], [ 'truncate', '127.0.0.3/1', '127.0.0.1/1' ], ['servfail'], [ map { "127.0.0.$_/1" } 4, 2, 1 ], ['nxdomain'], ['silent'], [ 'forged', '127.0.0.4/1' ]);
for my $answer (@answers) {
    $say->(@$answer);
    $asked = $dns->questions;
    $w->wait_until("it was asked for: @$answer", sub {
        for my $client (map { $w->client } 1 .. 4) {
            $status{ $client->send_request('GET', $_)->read_response->status }++ for '/', '/hashed?k=' . ++$round;
        }
        return $dns->questions >= $asked + 4;
    });
}
is join(' ', sort keys %status), '200', 'no request has failed (' . ($status{200} // 0) . ' requests)';
$w->wait_until('the last answer is known', sub { my %seen = map { $w->get($_)->body => 1 } ('/', '/hashed?k=' . ++$round) x 4; join(' ', keys %seen) eq '127.0.0.4' });
pass 'the group has the addresses of the last answer';
done_testing;
