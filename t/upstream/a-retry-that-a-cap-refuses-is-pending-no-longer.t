# A request that is not sent again, because max_retries or retry_budget does not let it, is not pending while it goes on with what it has:
# neither with the answer that its client reads slowly, nor with the server that a second try was to stand beside.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('a retry that a cap refuses is pending no longer')->needs_weir;
my $slow = $w->origin(sub ($c) { $c->wait_for($c->request->{target} =~ m{/(\w+)}); $c->reply(200, 'slow') });
my $also = $w->origin(sub ($c) { $c->wait_for($c->request->{target} =~ m{/(\w+)}); $c->reply(200, 'slow') });
$w->conf(<<"END", workers => 1);
    upstream caps { server $slow; server $also; max_pending 20; max_retries 1; }
    upstream budget { server $slow; server $also; max_pending 20; max_retries 9; retry_budget 0.01%; }
    server {
        location /caps { proxy_pass http://caps; hedge after=50ms budget=100%; }
        location /budget { proxy_pass http://budget; hedge after=50ms budget=100%; }
        location /status { status; }
    }
END
my $told = sub ($name) { decode_json($w->get('/status')->body)->{upstreams}{$name} };

for my $what (qw(caps budget)) {
    my @clients = map { $w->client->send_request('GET', "/$what/$_") } 1 .. 4;
    my $refused = $what eq 'caps' ? 3 : 4;
    $w->wait_until("$what: second tries are refused", sub { ($told->($what)->{hedges_refused} // 0) == $refused });
    my $now = $told->($what)->{caps}{now};
    is $now->{pending}, 0, "$what: none is pending";
    is $now->{retries}, 4 - $refused, "$what: as many retries as there are";
    $w->pass($what) for 1 .. 8;
    is $_->read_response->body, 'slow', "$what: answered" for @clients;
    $w->wait_until("$what: none is under way", sub { $told->($what)->{caps}{now}{retries} == 0 });
}

done_testing;
