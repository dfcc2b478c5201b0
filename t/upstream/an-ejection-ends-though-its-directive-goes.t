# What a worker of the configuration before finds out, after a reload has taken outlier_detection away, keeps no server from requests:
# nobody would let it come back.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('an ejection ends though its directive goes')->needs_weir->workers_may_change;
my $bad  = $w->origin(sub ($c) {
    my $is_held = $c->request->{target} =~ /hold/;
    $c->wait_for('answer') if $is_held;
    $c->reply($is_held ? 500 : 200, 'one');
});
my $good = $w->origin(sub ($c) { $c->reply(200, 'two') });
my $conf = sub ($judge) {
    return <<"END";
    upstream up { server $bad max_fails=0; server $good backup; $judge }
    server {
        location / { proxy_pass http://up; }
        location /status { status; }
    }
END
};
$w->conf($conf->('outlier_detection consecutive_5xx=1 base_ejection_time=1h max_ejection=100%;'), workers => 2);
$w->allow_log(qr/ejected/);

my $held = $w->client->send_request('GET', '/hold');
$bad->wait_requests(1);
$w->reload($conf->(''));
is $w->get('/')->body, 'one', 'after the reload the server is asked';
$w->pass('answer');
is $held->read_response->status, 500, 'the request of before has failed';
$w->wait_until('its worker has gone', sub { $w->workers == 2 });
is $w->get("/$_")->body, 'one', "request $_: the server is asked" or last for 1 .. 10;
$w->wait_until('and statistics say nothing else', sub {
    decode_json($w->get('/status')->body)->{upstreams}{up}{peers}{"$bad"}{state} eq 'up';
});

done_testing;
