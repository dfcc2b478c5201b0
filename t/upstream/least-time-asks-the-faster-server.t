# least_time: the server that answers faster is asked, by what all workers have seen, also after a reload and from new
# workers; statistics tell the averages.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w     = Weir::Test->new('least_time asks the faster server')->needs_weir->workers_may_change;
my $head  = $w->origin(sub ($c) { select undef, undef, undef, 0.5; $c->reply(200, 'slow') });
my $body  = $w->origin(sub ($c) { $c->raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"); select undef, undef, undef, 0.5; $c->raw('slow body') });
my $quick = $w->origin(sub ($c) { $c->reply(200, 'quick') });
my $conf  = <<"END";
    upstream heads { least_time header; server $head; server $quick; }
    upstream ends { least_time last_byte inflight; server $body; server $quick; }
    upstream pairs { random two least_time=last_byte; server $body; server $quick; }
    server {
        add_header X-Pid \$pid;
        location /heads { proxy_pass http://heads; }
        location /ends { proxy_pass http://ends; }
        location /pairs { proxy_pass http://pairs; }
        location /status { status; }
    }
END
$w->conf($conf, workers => 2);
$w->allow_log(qr/worker process \d+ exited on signal 9/);
my %pids;
my $ask = sub ($path, $n) {
    my %seen;
    for (1 .. $n) {
        my $answer = $w->get($path);
        $pids{ $answer->header('X-Pid') } = 1;
        $seen{ $answer->body }++;
    }
    return join ' ', map { "$_ $seen{$_}" } sort keys %seen;
};
for my $path (qw(heads ends pairs)) {
    like $ask->("/$path", 8), qr/slow/, "$path: the slow one is asked when nothing is known";
    is $ask->("/$path", 20), 'quick 20', 'then the other one';
}
is scalar keys %pids, 2, 'by both workers';
my $peers = decode_json($w->get('/status')->body)->{upstreams}{heads}{peers};
cmp_ok $peers->{"$head"}{least_time}{average_seconds}, '>=', 0.5, 'statistics tell the average';
cmp_ok $peers->{"$quick"}{least_time}{average_seconds}, '<', 0.4, 'of each';

$w->reload($conf =~ s/least_time header;/least_time header; keepalive 3;/r);
is $ask->('/heads', 20), 'quick 20', 'a reload forgets nothing';
my %before = map { $_ => 1 } $w->workers;
kill KILL => $_ for keys %before;
$w->wait_until('others are there', sub { 2 == grep { !$before{$_} } $w->workers });
is $ask->('/heads', 20), 'quick 20', 'nor do workers that are new';
done_testing;
