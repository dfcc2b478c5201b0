# A reload swaps the configuration inside the processes: no worker is replaced, and a kept connection lives on.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w = Weir::Test->new('a reload keeps processes and connections')->needs_weir;
$w->conf("server { location / { return 200 'one \$pid'; } }");
my $kept    = $w->client;
my $answer  = $kept->send_request('GET', '/')->read_response;
my ($pid)   = $answer->body =~ /^one (\d+)$/;
ok $pid, 'a connection is kept after its first answer';
my @before = $w->workers;

for my $n (2 .. 5) {
    $w->reload("server { location / { return 200 'number $n \$pid'; } }");
    is $kept->send_request('GET', '/')->read_response->body, "number $n $pid", "its next request sees configuration $n";
}
is_deeply [ $w->workers ], \@before, 'the workers are the same';
$kept->close;
done_testing;
