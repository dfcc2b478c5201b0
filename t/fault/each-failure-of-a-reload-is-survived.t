use v5.36;
use lib 't/lib';
use Time::HiRes qw(sleep time);
use Weir::Fault;
use Weir::Test;

my $w      = Weir::Fault->test('each failure of a reload is survived');
my $fault  = $w->{fault};
$w->workers_may_change;
$w->allow_log(qr/exited on signal 9/);      # what a broken channel says is not trusted
my $origin = $fault->telling_origin;

sub conf ($n) {
    $w->conf(<<"CONF", workers => 1, control => 0);
proxy_temp_path %%DIR%%/proxy;
upstream kept { server $origin; keepalive 1; }
server {
    location /ordinary   { return 200 "fine"; }
    location /generation { return 200 "$n"; }
    location /kept/      { proxy_pass http://kept; }
}
CONF
}

sub generation () { (eval { $w->get('/generation')->body }) // '' }

# The new generation is used at last, or the master says why not; a connection from before goes on either way.
sub reload ($n, $may_refuse) {
    my $before = $w->client;
    my $word   = $fault->judge($before, sub ($answer) { $answer->body eq 'fine' }) if $before->send_request('GET', '/ordinary');
    my $mark   = length $w->error_log;
    conf($n);
    $w->signal('HUP');
    my $until = time + $Weir::Fault::DEADLINE;
    until (generation() eq $n) {
        my $log = substr $w->error_log, $mark;
        if ($may_refuse && $log =~ /\[emerg\]/) {
            $word = 'refused';
            last;
        }
        die "generation $n is not there\n" if time > $until;
        sleep 0.005;
    }
    $before->send_request('GET', '/ordinary') if $word ne 'closed';
    my $then = $word eq 'closed' ? $word : $fault->judge($before, sub ($answer) { $answer->body eq 'fine' });
    $before->close;
    return $then eq 'right' ? $word : $then;
}

conf(0);
is generation(), 0, 'it works';
is reload(1, 0), 'right', 'and reloads';
is $fault->ask('GET', '/kept/before'), 'right', 'and keeps a connection';
$fault->baseline;

$fault->sweep('a reload in the worker', kept => 1, may_replace => 1, flow => sub ($n) { reload("w$n", 0) });

my $master = $w->pid;
$fault->sweep('a reload in the master', kept => 1, may_replace => 1, arm => { target => $master },
    cause => qr/\[emerg\]/, flow => sub ($n) { reload("m$n", 1) });

done_testing;
