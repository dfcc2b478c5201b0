# The new program takes over, drops an address and fails in its trial: the old one, whose configuration has the address, goes on listening there,
# before and after.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time);
use Weir::Test;

my $w    = Weir::Test->new('an upgrade that is turned back from has all its addresses')->needs_weir->workers_may_change->descriptors_may_stay;
my $text = "server { location / { return 200 'default'; } }";
my $more = "server { listen 127.0.0.1:%%PORT_more%%; location / { return 200 'more'; } }";
$w->allow_log(qr/the new program \(process \d+\)/, qr/exited on signal 9/);
$w->conf("$text $more", main => "upgrade_trial 30s;\n", workers => 2);
$w->start;
my $old = $w->pid;
my $ask = sub ($what) {
    my $since = time;
    is $w->request('GET', '/', port => 'more')->body, 'more', $what for 1 .. 10;
    cmp_ok time - $since, '<', 0.9, 'at once';
};
$ask->('the address is served');
my $tool = $w->background($w->arguments, '-s', 'upgrade');
my $new;
$w->wait_until('the new program is ready', sub { ($new) = $w->error_log =~ /the new program \(process (\d+)\) is ready/ });
$w->{control_generation} = undef;
$w->write_file('conf/weir.conf', Weir::Server::slurp($w->conf_file) =~ s/server \{ listen [^;]+; location \/ \{ return 200 'more'; \} \}//r);
my $mark = length $w->error_log;
kill HUP => $new;
$w->wait_for_log(qr/\Q$new#$new\E: no longer listening on 127/, from => $mark);
$ask->('the new program has dropped it, the old one has it');
kill KILL => $new;
my ($code) = $tool->(10);
is $code, 1, 'it is turned back from';
is $w->pid, $old, 'the old one serves';
$ask->('also that address');

done_testing;
