use v5.36;
use lib 't/lib';
use Weir::Fault;
use Weir::Test;

# Everything fails from some call on, until it no longer does: who is served meanwhile is served rightly, and then all is well again.
my $w      = Weir::Fault->test('a worker recovers from what fails for long');
my $fault  = $w->{fault};
my $origin = $fault->telling_origin;

$w->conf(<<"CONF", workers => 1, control => 0);
client_body_buffer_size 8k;
client_body_temp_path %%DIR%%/client-body;
proxy_temp_path %%DIR%%/proxy;
upstream fresh { server $origin; keepalive 0; }
server {
    location /ordinary { return 200 "fine"; }
    location /fresh/   { proxy_pass http://fresh; }
}
CONF

sub afresh () {
    $w->stop if $w->{pid};
    $w->start;
    $fault->baseline;
}

# A client may wait in vain now.
sub ask ($n) {
    local $Weir::Wire::DEADLINE = 0.3;
    return eval { $fault->ask('POST', "/fresh/$n", body => "$n " x 8000) } // ($@ =~ /^deadline/ ? 'unserved' : die $@);
}

$fault->sweep('without memory', before => \&afresh, arm => { mode => 'from', kinds => 'allocations' }, flow => \&ask);
$fault->sweep('without system calls', arm => { mode => 'from', kinds => 'calls' }, flow => \&ask);

done_testing;
