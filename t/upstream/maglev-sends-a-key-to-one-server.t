# maglev: a key goes to the same server in every worker, after a reload, and whatever the order of the servers; when one
# server is taken out, little more than its own keys move.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('maglev sends a key to one server')->needs_weir;
my $port   = $w->port('origins');
my %origin = map { $_ => $w->origin(sub ($c) { $c->reply(200, $c->{fh}->sockhost) }, host => "127.0.0.$_", port => $port) } 1 .. 8;
my $conf = sub (@servers) {
    my $servers = join ' ', map { "server 127.0.0.$_:$port;" } @servers;
    return "upstream m { maglev \$arg_k table=10007; $servers } server { add_header X-Pid \$pid; location / { proxy_pass http://m; } }";
};
my %pids;
my $where = sub () {
    my $client = $w->client;
    return map {
        my $answer = $client->send_request('GET', "/?k=key-$_")->read_response;
        $pids{ $answer->header('X-Pid') } = 1;
        $answer->body =~ s/.*\.//r;
    } 1 .. 400;
};
$w->conf($conf->(1 .. 8), workers => 4);
my @first = $where->();
my %seen;
$seen{$_}++ for @first;
is join(' ', sort keys %seen), '1 2 3 4 5 6 7 8', 'each server has keys';
for (1 .. 40) {
    is join(' ', $where->()), "@first", "connection $_: each key goes where it went before" or last;
    last if keys %pids > 1;
}
cmp_ok scalar keys %pids, '>', 1, 'more than one worker was asked';
$w->reload($conf->(reverse 1 .. 8));
is join(' ', $where->()), "@first", 'also with the servers in another order';

$w->reload($conf->(1 .. 4, 6 .. 8));
my @less   = $where->();
my @stayed = grep { $first[$_] ne '5' } 0 .. $#first;
my @moved  = grep { $first[$_] ne $less[$_] } @stayed;
is scalar(grep { $_ eq '5' } @less), 0, 'the server that was taken out gets nothing';
cmp_ok scalar @moved, '<', 20, sprintf 'of the %d keys of others hardly any moves (%d did)', scalar @stayed, scalar @moved;
done_testing;
