# nginx's limit_conn: how many of a key are under way, whatever they come over; several limits, status, level, dry run, and their ends.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('limit_conn counts requests under way');
my $origin = $w->origin(sub ($c) { my ($name) = $c->request->target =~ /wait=(\w+)/; $c->wait_for($name) if $name; $c->reply(200, 'ok') });
my $pass   = "proxy_pass http://$origin;";
$w->conf(<<"END", workers => 2);
    log_format judged '\$uri \$arg_k \$status \$weir_cause \$limit_conn_status'; access_log logs/judged.log judged;
    limit_conn_zone \$arg_k zone=keys:1m;
    limit_conn_zone \$server_port zone=all:1m;
    server {
        http2 on;
        location / { limit_conn keys 2; $pass }
        location /both { limit_conn keys 9; limit_conn all 3; limit_conn_status 429; limit_conn_log_level info; $pass }
        location /dry { limit_conn keys 1; limit_conn_dry_run on; $pass }
    }
END
my $open = sub ($target) { my $n = $origin->requests; my $c = $w->client->send_request('GET', $target); $origin->wait_requests($n + 1); $c };

my @held = map { $open->("/?k=a&wait=one") } 1 .. 2;
is $w->get('/?k=a')->status, 503, 'a third of a key is one too many';
is $w->wait_for_access(qr{^/ a 503 (.+)$}m, 'judged.log'), 'limit.connections REJECTED', 'and why';
like $w->wait_for_log(qr/\[error\].*limiting connections.*/), qr/limiting connections by zone "keys", client: 127\.0\.0\.1/, "in nginx's words";
is $w->get('/?k=b')->status, 200, 'another key is another';
is $w->get('/?k=')->status, 200, 'an empty key is not counted';
my $h2 = Weir::Http2::client($w);
is $h2->ask(':path' => '/?k=a'), '503', 'over HTTP/2 too';
$w->pass('one');
is $_->read_response->status, 200, 'those that were in are served' for @held;
is $w->get('/?k=a')->status, 200, 'and when they have ended there is room';

# Streams count one by one; a client that leaves, and a stream that is reset, give back what they held.
$h2->request($_, ':path' => '/?k=s&wait=two') for 2001, 2003;
$origin->wait_requests(7);
is $w->get('/?k=s')->status, 503, 'two streams of one connection are two';
$h2->write(rst(2001));
$w->wait_until('room', sub { $w->get('/?k=s')->status == 200 });
pass 'one that is reset is no more';
$h2->close;
my $gone = $open->('/?k=g&wait=two');
my $stay = $open->('/?k=g&wait=two');
$gone->close;
$w->wait_until('room', sub { $w->get('/?k=g')->status == 200 });
pass 'nor is a client that left';
$w->pass('two');
is $stay->read_response->status, 200, 'the other one stays';

@held = map { $open->("/both?k=m$_&wait=three") } 1 .. 3;
is $w->get('/both?k=m9')->status, 429, 'two limits: the second refuses, with a status of its own';
is $w->get("/?k=m9")->status, 200, 'and nothing stays held in the first' for 1 .. 3;
$w->pass('three');
$_->read_response for @held;

my $one = $open->('/dry?k=d&wait=four');
is $w->get('/dry?k=d')->status, 200, 'a rehearsal lets everyone pass';
is $w->wait_for_access(qr{^/dry d 200 - (\S+)$}m, 'judged.log'), 'REJECTED_DRY_RUN', 'and tells';
$w->pass('four');
$one->read_response;

done_testing;
