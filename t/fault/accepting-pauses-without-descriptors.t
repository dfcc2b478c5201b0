use v5.36;
use lib 't/lib';
use Time::HiRes qw(sleep time);
use Weir::Fault;
use Weir::Test;

# Out of descriptors for a while, a worker neither spins nor forgets who waits.
my $w     = Weir::Fault->test('accepting pauses without descriptors');
my $fault = $w->{fault};

$w->conf('server { location / { return 200 "fine"; } }', workers => 1, control => 0);
is $w->get('/')->body, 'fine', 'it works';
$fault->baseline;
my $kept = $w->client;
is $kept->get('/')->body, 'fine', 'on a kept connection';

sub cpu () {
    my @stat = split ' ', Weir::Server::slurp('/proc/' . $fault->worker . '/stat') =~ s/^.*\) //sr;
    return $stat[11] + $stat[12];      # ticks
}

for my $which (1, 4, 5) {                  # EMFILE, ENOMEM, EPERM
    my $ticks = cpu();
    $fault->arm(mode => 'from', only => 'weir_sys_accept', which => $which);
    my $waiting = $w->client->send_request('GET', '/');
    my $until   = time + 1.2;
    while (time < $until) {
        is $kept->get('/')->body, 'fine', 'a kept connection is served' or last;
        sleep 0.2;
    }
    my $state = $fault->disarm;
    cmp_ok $state->{hits}, '<', 10, "few attempts with error $state->{error}";
    cmp_ok cpu() - $ticks, '<', 20, 'and little work';
    is $waiting->read_response->body, 'fine', 'then who waited is served';
    $waiting->close;
}

done_testing;
