# RFC 9113 §8.7: REFUSED_STREAM, and what a GOAWAY leaves out, was surely not worked on: any request may be sent again. After another
# reset only what is idempotent may.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w  = Weir::Test->new('http2 requests are retried only when the peer did not process them');
my $ok = sub ($s, $text = 'good') { headers($s, 'END_HEADERS', ':status' => 200) . data($s, $text, 'END_STREAM') };
my $peer = sub ($how) {
    $w->peer(sub ($c) {
        my $h2 = Weir::Http2::serve($c);
        while (my $r = $h2->next_request) {
            my $s = $r->{stream};
            $c->note("$r->{fields}{':method'} $r->{fields}{':path'}");
            $h2->write($how->($c, $s, $r));
        }
    });
};
my $good   = $peer->(sub ($c, $s, $r) { $ok->($s) });
my $refuse = $peer->(sub ($c, $s, $r) { rst($s, 'REFUSED_STREAM') });
my $reset  = $peer->(sub ($c, $s, $r) { rst($s, 'INTERNAL_ERROR') });
my $leaves = $peer->(sub ($c, $s, $r) { $r->{fields}{':path'} =~ /first/ ? $ok->($s) : goaway($s - 2 < 0 ? 0 : $s - 2, 'NO_ERROR') });
my $group  = sub ($name, $first) { "upstream $name { server $first max_fails=0; server $good backup; keepalive 4; }" };
$w->conf(join("\n", map { $group->(@$_) } [ refuse => $refuse ], [ reset => $reset ], [ leaves => $leaves ])
        . 'proxy_http_version 2; server { ' . join(' ', map { "location /$_ { proxy_pass http://$_; }" } qw(refuse reset leaves)) . ' }', workers => 1);
my $client = $w->client;
my $post = sub ($path) { $client->send_request('POST', $path, body => 'x=1')->read_response };

is $client->get('/refuse/get')->body, 'good', 'a GET that was refused is sent again';
is $post->('/refuse/post')->body, 'good', 'a POST too';
is $client->get('/reset/get')->body, 'good', 'a GET that was reset is sent to the next peer';
is $post->('/reset/post')->status, 502, 'a POST is not';
is scalar(grep { /POST/ } $reset->notes), 1, 'and was sent once';
is $client->get('/leaves/first')->body, 'good', 'a connection that is good';
is $client->get('/leaves/get')->body, 'good', 'a GET that GOAWAY leaves out is sent again';
is $post->('/leaves/post')->body, 'good', 'a POST too';

done_testing;
