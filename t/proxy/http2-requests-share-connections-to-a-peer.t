use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('HTTP/2 requests share connections to a peer');
my $ok = sub ($s) { headers($s, 'END_HEADERS', ':status' => 200) . data($s, 'good', 'END_STREAM') };
# Answers a round of as many requests as its path says at once, in reverse: all of them must have come before the first is answered.
my $serve = sub ($streams) {
    return sub ($c) {
        my $h2 = Weir::Http2::serve($c, settings => [ 3 => $streams ]);
        my @waiting;
        while (my $r = $h2->next_request) {
            my ($n) = $r->{fields}{':path'} =~ /(\d+)/;
            push @waiting, $r->{stream};
            $c->note(scalar @waiting);
            next if @waiting < $n;
            $h2->write(join '', map { $ok->($_) } reverse @waiting);
            @waiting = ();
        }
    };
};
my $wide   = $w->peer($serve->(100));
my $narrow = $w->peer($serve->(2));
$w->conf(<<"END", workers => 1);
    proxy_http_version 2;
    upstream wide { server $wide; keepalive 4; }
    upstream narrow { server $narrow; keepalive 4; }
    server { location /wide { proxy_pass http://wide; } location /narrow { proxy_pass http://narrow; } location /alone { proxy_pass http://$wide/; } }
END

is $w->get('/wide/1')->body, 'good', 'one request';
my @clients = map { $w->client } 1 .. 20;
$_->send_request('GET', '/wide/20') for @clients;
is join(' ', map { $_->read_response->status } @clients), join(' ', (200) x 20), 'twenty at once, each answered when all had come';
is $wide->connections, 1, 'over one connection';

is $w->get('/narrow/1')->body, 'good', 'a peer that takes two at a time';
my @held = map { my $c = $w->client->send_request('GET', '/narrow/3'); $c } 1 .. 2;
$narrow->wait_note('2');
is $w->get('/narrow/1')->body, 'good', 'when two are under way a third';
is $narrow->connections, 2, 'goes by another connection';
$_->close for @held;

# One after the other they use what is there.
my $made = $wide->connections;
is $w->get('/wide/1')->status, 200, "request $_" for 1 .. 10;
is $wide->connections, $made, 'on the same connection';

done_testing;
