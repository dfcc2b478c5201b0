# bounded=: a server has at most so many times its share of all requests that are under way, in all workers together;
# what is more goes to the next server of the key, and comes back when there is room.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a bounded hash spills over what is too much')->needs_weir;
my @origin = map { my $name = $_; $w->origin(sub ($c) { $c->wait_for($1) if $c->request->target =~ m{^/(\w+)/wait}; $c->reply(200, $name) }) } 'a' .. 'd';
my $servers = join ' ', map { "server $_;" } @origin;
$w->conf(<<"END", workers => 4);
    upstream ring { hash \$arg_k consistent bounded=1; $servers }
    upstream table { maglev \$arg_k bounded=1.5; $servers }
    server {
        location /ring { proxy_pass http://ring; }
        location /table { proxy_pass http://table; }
    }
END
for my $case (['/ring', 12, '3 3 3 3'], ['/table', 8, '3 3 2']) {
    my ($path, $n, $want) = @$case;
    my %before = map { $_ => $_->requests } @origin;
    my $now    = sub () { map { $_->requests - $before{$_} } @origin };
    my $home   = $w->get("$path?k=one")->body;
    is $w->get("$path?k=one")->body, $home, "$path: one at a time go to one server" for 1 .. 5;
    %before = map { $_ => $_->requests } @origin;
    my @waiting;
    for my $i (1 .. $n) {
        push @waiting, $w->client->send_request('GET', "$path/wait?k=one");
        $w->wait_until("$i are under way", sub { my $sum = 0; $sum += $_ for $now->(); $sum == $i });
    }
    my @spread = sort { $b <=> $a } grep { $_ } $now->();
    is "@spread", $want, "$path: $n under way for one key are spread as the bound says";
    $w->pass($path =~ s{/}{}r);
    is $_->read_response->status, 200, 'a request that waited is answered' for @waiting;
    is $w->get("$path?k=one")->body, $home, 'then the key is at home again';
}
done_testing;
