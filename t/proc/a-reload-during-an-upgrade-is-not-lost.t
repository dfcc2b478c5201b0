# A program that is just starting may have read the files of before; a reload or a reopening that comes meanwhile is for it too.
use v5.36;
use lib 't/lib';
use File::Copy ();
use File::Spec;
use Weir::Test;

my $w    = Weir::Test->new('a reload during an upgrade is not lost')->needs_weir->workers_may_change;
my $dir  = $w->dir;
my $real = File::Spec->rel2abs($w->bin);
my $good = sub { unlink "$dir/weir"; File::Copy::copy($real, "$dir/weir") or die $!; chmod 0755, "$dir/weir" };
my $conf = sub ($n) { "server { access_log logs/access.log; location / { return 200 $n; } }" };
$good->();
$w->{bin} = "$dir/weir";
$w->conf($conf->(1), main => "upgrade_timeout 20s;\n");
is $w->get('/')->body, 1, 'the first configuration';

# The new program takes its time.
my $first = $w->pid;
my $text  = Weir::Server::slurp("$dir/conf/weir.conf");
unlink "$dir/weir";
$w->write_file('weir', <<"END");
#!/bin/sh
: > $dir/begun
while [ ! -e $dir/go ]; do sleep 0.01; done
exec $dir/real -p $dir/ -c conf/weir.conf -e logs/error.log
END
chmod 0755, "$dir/weir";
File::Copy::copy($real, "$dir/real") or die $!;
chmod 0755, "$dir/real";
$w->{bin} = $real;
my $end = $w->background($real, '-p', "$dir/", '-c', 'conf/weir.conf', '-s', 'upgrade');
$w->wait_until('the new one is starting', sub { -e "$dir/begun" });
$w->write_file('conf/weir.conf', $text =~ s/return 200 1/return 200 2/r);
is +($w->tool(qw(-s reload)))[0], 0, 'weir -s reload finds who serves';
$w->wait_until('who serves has it', sub { $w->get('/')->body eq '2' });
rename "$dir/logs/access.log", "$dir/logs/old.log" or die $!;
is +($w->tool(qw(-s reopen)))[0], 0, 'weir -s reopen too';
$w->wait_until('the logs are new', sub { -e "$dir/logs/access.log" });
is +($w->tool(qw(-s quit)))[0], 1, 'but not who is told to leave, for then the other would stay';
is +($w->tool('zones'))[0], 0, 'tools look at who serves';
$w->write_file('go', '');
my ($code, $said) = $end->(30);
is $code, 0, 'the new program takes over' or diag $said;
$w->taken_over;
$w->wait_for_log(qr/signal 1 \(SIGHUP\) received from $first/);
$w->wait_for_log(qr/signal 10 \(SIGUSR1\) received from $first/);
is $w->get('/')->body, 2, 'and has what was reloaded';
$w->allow_log(qr/open\(\) ".*weir\.pid" failed/);

done_testing;
