# Under load, programs that are no use are upgraded to - missing, not to be executed, ending at once, crashing, hanging, with a configuration
# that is wrong, dying after they came up: each time the old one carries on, and no request fails.
use v5.36;
use lib 't/lib';
use File::Copy ();
use File::Spec;
use Time::HiRes qw(time);
use Weir::Load;
use Weir::Store;
use Weir::Test;

my $w   = Weir::Test->new('upgrades that fail cost nothing')->workers_may_change->descriptors_may_stay;
my $dir = $w->dir;
$w->time_limit(180);
Weir::Store::not_at_the_end_of_a_month();
my $real = File::Spec->rel2abs($w->bin);
my $good = sub { unlink "$dir/weir"; File::Copy::copy($real, "$dir/weir") or die $!; chmod 0755, "$dir/weir" };
my $put  = sub ($text, $mode = 0755) { unlink "$dir/weir"; $w->write_file('weir', $text); chmod $mode, "$dir/weir" };
$good->();
$w->{bin} = "$dir/weir";
my $origin = $w->origin(sub ($c) { my $request = $c->request; $c->reply(200, $request->body . $request->target) });
my $conf   = sub ($more) { <<"END" };
    upstream api { server $origin; keepalive 16; keepalive_requests 100000; }
    keepalive_requests 100000;
    access_log off;
    quota_zone \$arg_k zone=month:1m per=month;
    server {
        location / { proxy_pass http://api; }
        location /here { return 200 "generation 1 of \$request_uri"; }
        location /quota { quota zone=month limit=1000; quota_headers on; proxy_pass http://api; }
        $more
    }
END
$w->conf($conf->(''), main => "store_path store;\nupgrade_timeout 1s;\nupgrade_trial 2s;\n");
$w->allow_log(qr/the new program \(process \d+\)/, qr/execve\(\) of the new program failed/, qr/\[emerg\] .*unknown directive "nonsense"/);
$w->start;
my $stop    = "$dir/barrier.stop";
my @loaders = map { my $number = $_; $w->child(sub { Weir::Load::run($w, $stop, $number) }) } 1 .. 2;
my $pid     = $w->pid;
my $upgrade = sub { $w->{bin} = $real; my @said = $w->tool(qw(-s upgrade)); $w->{bin} = "$dir/weir"; return @said };
my $text    = Weir::Server::slurp("$dir/conf/weir.conf");

my $taken = 0;
my @cases = (
    [ 'is missing',             sub { unlink "$dir/weir" } ],
    [ 'may not be executed',    sub { $put->("#!/bin/sh\nexit 0\n", 0644) } ],
    [ 'is no program',          sub { $put->('nonsense') } ],
    [ 'ends at once',           sub { $put->("#!/bin/sh\nexit 3\n") } ],
    [ 'crashes',                sub { $put->("#!/bin/sh\nkill -SEGV \$\$\n") } ],
    [ 'hangs',                  sub { $put->("#!/bin/sh\nexec sleep 30\n") } ],
    [ 'finds its file wrong',   sub { $put->("#!/bin/sh\nexec $real -p $dir/ -c conf/wrong.conf\n") } ],
    [ 'dies after it came up',  sub { $put->("#!/bin/sh\n( sleep 0.7; kill -9 \$\$ ) &\nexec $real -p $dir/ -c conf/weir.conf -e logs/error.log\n") } ],
);
$w->write_file('conf/wrong.conf', "nonsense;\n$text");
for my $case (@cases) {
    my ($how, $prepare) = @$case;
    for my $time (1 .. 2) {
        $prepare->();
        my ($code, $said) = $upgrade->();
        is $code, 1, "one that $how: refused";
        like $said, qr/the old one serves on/, 'which is told';
        $w->wait_until('the pid file is as it was', sub { Weir::Server::slurp("$dir/logs/weir.pid") eq "$pid\n" && !-e "$dir/logs/weir.pid.oldbin" });
        my ($left) = $w->get('/quota?k=a')->header('RateLimit') =~ /;r=(\d+);/;
        is $left, 1000 - ++$taken, 'and the old one counts on';
    }
}
$good->();
is +($upgrade->())[0], 0, 'a good one takes over';
$w->wait_until('another master', sub { eval { $w->taken_over } });
my ($left) = $w->get('/quota?k=a')->header('RateLimit') =~ /;r=(\d+);/;
is $left, 1000 - ++$taken, 'and counts on';
$w->pass('stop');
for my $loader (@loaders) {
    my (undef, $said) = $loader->(30);
    my ($requests) = $said =~ /^requests (\d+) reconnects \d+$/m;
    ok $requests, 'a loader made ' . ($requests // 'no') . ' requests, none failed' or diag $said;
}

done_testing;
