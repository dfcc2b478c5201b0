use v5.36;
use lib 't/lib';
use Time::HiRes 'sleep';
use Weir::Fault;
use Weir::Test;

my $w     = Weir::Fault->test('each failure of a log is survived');
my $fault = $w->{fault};

$w->conf(<<"CONF", workers => 1, control => 0);
log_format short '\$request_uri \$status';
server {
    access_log off;
    location /ordinary { return 200 "fine"; }
    location /logged/  { return 200 "fine"; access_log logs/logged.log short; }
}
CONF

sub logged () { $w->access_log('logged.log') }

sub ask ($n) {
    my $client = $w->client;
    $client->send_request('GET', "/logged/$n");
    my $word = $fault->judge($client, sub ($answer) { $answer->body eq 'fine' });
    $client->close;
    return $word;
}

# Records are written a moment after the request: whole ones or none.
sub ask_logged ($n) {
    my $mark = length logged();
    my $word = ask($n);
    for (1 .. 30) {
        last if length logged() > $mark;
        sleep 0.005;
    }
    my $new = substr logged(), $mark;
    die "a torn record: $new\n" unless $new eq '' || $new eq "/logged/$n 200\n";
    return $word;
}

# A new descriptor where there can be one; either way what comes then is logged.
sub reopen ($n) {
    $w->signal('USR1');
    $fault->settle;
    sleep 0.02;
    return ask($n);
}

sub still_logged ($n) {
    ask($n);
    $w->wait_for_access(qr{/logged/$n 200\n}, 'logged.log');
}

is ask('warm'), 'right', 'it works';
$w->wait_for_access(qr{/logged/warm 200\n}, 'logged.log');
$fault->baseline;
my $after = 0;
my $check = sub { still_logged('after' . $after++) };
$fault->sweep('an access log', flow => \&ask_logged, after => $check);
$fault->sweep('logs that are opened anew by the worker', flow => \&reopen, after => $check);
$fault->sweep('logs that are opened anew by the master', flow => \&reopen, after => $check, arm => { target => $w->pid });

done_testing;
