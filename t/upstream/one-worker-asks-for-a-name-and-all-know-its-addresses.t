# server … resolve: one of four workers asks; the others have its answer at once.  When it dies another one asks, and a worker that starts while the name
# server is silent begins with what was known, as does a reload.
use v5.36;
use lib 't/lib';
use Weir::Dns;
use Weir::Test;

my $w    = Weir::Test->new('one worker asks for a name, and all know its addresses')->needs_weir;
my $port = $w->port('origins');
my $one  = $w->origin(sub ($c) { $c->reply(200, 'one') }, port => $port);
my $two  = $w->origin(sub ($c) { $c->reply(200, 'two') }, host => '127.0.0.2', port => $port);
my $dir  = $w->dir;
my $say  = sub ($text) { $w->write_file('answer.new', $text); rename "$dir/answer.new", "$dir/answer" or die };
my $dns  = Weir::Dns->new($w, sub ($name, $type) { open my $in, '<', "$dir/answer" or return 'servfail'; chomp(my $text = <$in> // ''); return split / /, $text });
$say->('127.0.0.1');
$w->allow_log(qr/could not be resolved/, qr/exited on signal 9/);
$w->workers_may_change;
$w->conf(<<"END", workers => 4);
    resolver $dns valid=1s ipv6=off;
    resolver_timeout 1s;
    upstream moving { server origin.test:$port resolve; }
    server {
        location / { proxy_pass http://moving; }
        location /worker { return 200 "\$pid"; }
    }
END
# Every worker is asked: a connection each, until four have answered.
my $each = sub ($path) {
    my %seen;
    $w->wait_until('each worker has answered', sub {
        my $client = $w->client;
        my $pid    = $client->send_request('GET', '/worker')->read_response->body;
        $seen{$pid} //= $client->send_request('GET', $path)->read_response;
        keys %seen == 4;
    });
    return map { $_->status . ' ' . $_->body } values %seen;
};
my $all = sub ($want) { $w->wait_until("all workers say $want", sub { !grep { $_ ne "200 $want" } $each->('/') }); pass "all workers say $want" };
my $asked = sub { scalar grep { /origin\.test A$/ } $dns->questions };

$all->('one');
$say->('127.0.0.2');
$all->('two');
my ($before, $began) = ($asked->(), time);
$w->wait_until('it was asked again', sub { $asked->() >= $before + 4 });
cmp_ok $asked->() - $before, '<=', 2 + time - $began, 'one question each second, not four';

$say->('silent');
$w->reload;
is join(' | ', sort { $a cmp $b } keys %{ { map { $_ => 1 } $each->('/') } }), '200 two', 'a reload begins with what was known';
for my $pid (map { s/^200 //r } $each->('/worker')) {
    kill 'KILL', $pid;
    $w->wait_until("worker $pid is gone", sub { !kill 0, $pid });
}
is join(' | ', keys %{ { map { $_ => 1 } $each->('/') } }), '200 two', 'so do workers that start while nobody answers';
$say->('127.0.0.1');
$all->('one');
done_testing;
