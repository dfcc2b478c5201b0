# `weir -s upgrade`: the program at its path takes over, with sockets and shared memory; what is under way is finished by the one before.
use v5.36;
use lib 't/lib';
use File::Copy ();
use JSON::PP;
use Weir::Test;

my $w      = Weir::Test->new('another program takes over')->needs_weir->workers_may_change;
my $origin = $w->origin(sub ($c) { my ($name) = $c->request->target =~ /wait=(\w+)/; $c->wait_for($name) if $name; $c->reply(200, 'ok') });
my $dir    = $w->dir;
File::Copy::copy($w->bin, "$dir/weir") or die $!;
chmod 0755, "$dir/weir";
$w->{bin} = "$dir/weir";
$w->conf(<<"END", workers => 2, control => 0);
    limit_req_zone \$arg_k zone=rate:1m rate=1r/m;
    limit_conn_zone \$arg_k zone=conn:1m;
    server {
        status_zone main;
        listen 127.0.0.1:%%PORT%%;
        listen unix:$dir/socket;
        location / { limit_req zone=rate burst=1 nodelay; limit_conn conn 1; proxy_pass http://$origin; }
        location /status { status; }
        location /own { return 200 own; }
    }
END
$w->start;
my $gone    = sub { $w->wait_until('the one before has gone', sub { !-e "$dir/logs/weir.pid.oldbin" }) };
my $upgrade = sub { $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-s', 'upgrade') };
# An answer reaches its client before its request is counted as ended, and another worker may be asked between the two.
my $processing_is = sub ($n, $what) {
    $w->wait_until($what, sub { decode_json($w->get('/status')->body)->{server_zones}{main}{processing} == $n });
    pass $what;
};
my $first   = $w->pid;
is $w->get('/?k=a')->status, 200, 'before';
my $kept = $w->client;
is $kept->get('/own')->body, 'own', 'a kept connection';
my $busy = $w->client->send_request('GET', '/?k=b&wait=end');
$origin->wait_requests(2);

my ($code, $said) = $upgrade->();
is "$code $said", '0 ', 'weir -s upgrade';
my $second = $w->taken_over;
isnt $second, $first, 'another master';
is scalar(() = $w->workers), 2, 'with workers of its own';
is $w->get('/own')->body, 'own', 'it serves';
is $w->get('/?k=a')->status, 200, 'what was counted is counted on: the second';
is $w->get('/?k=a')->status, 503, 'and no third';
is $w->get('/?k=b')->status, 503, 'what the old one holds is held';
my $unix = $w->client(unix => "$dir/socket");
is $unix->get('/own')->body, 'own', 'unix sockets are there';
$processing_is->(2, 'as statistics tell');
$w->pass('end');
is $busy->read_response->body, 'ok', 'what was under way is finished by the one before';
$gone->();
$w->wait_until('the first master has gone', sub { !grep { $_ == $first } $w->{guard}->members($first) });
pass 'and that one goes, with its pid file';
is $w->client(unix => "$dir/socket")->get('/own')->body, 'own', 'but not the unix socket';
my $status = decode_json($w->get('/status')->body)->{server_zones}{main};
cmp_ok $status->{requests}, '>=', 9, 'nothing that was counted is lost';
$processing_is->(1, 'nobody is under way but who asks');
my ($again) = $upgrade->();
is $again, 0, 'and once more';
$w->taken_over;
is $w->get('/own')->body, 'own', 'it serves';

$gone->();

# Programs that do not come up: the one before serves on, as if nothing had been.
my $pid = $w->pid;
my $fds = sub { scalar(() = glob "/proc/$pid/fd/*") };
my $fds_before = $fds->();
my %bad = ("ends at once" => "#!/bin/sh\nexit 3\n", "cannot be executed" => 'nonsense', "crashes" => "#!/bin/sh\nkill -SEGV \$\$\n");
for my $how (sort keys %bad) {
    unlink "$dir/weir" or die $!;
    $w->write_file('weir', $bad{$how});
    chmod 0755, "$dir/weir";
    $w->{bin} = $ENV{WEIR_BIN} // 'objs/weir';
    ($code, $said) = $upgrade->();
    is $code, 1, "one that $how: refused";
    like $said, qr/the new program did not come up, the old one serves on/, 'which is told';
    is Weir::Server::slurp("$dir/logs/weir.pid"), "$pid\n", 'the pid file is as it was';
    ok !-e "$dir/logs/weir.pid.oldbin", 'with no other';
    is $w->get('/own')->body, 'own', 'and it serves';
    is $fds->(), $fds_before, 'with no descriptor more';
}
$w->allow_log(qr/the new program \(process \d+\) ended|execve\(\) of the new program failed/);
unlink "$dir/weir" or die $!;
File::Copy::copy($w->bin, "$dir/weir") or die $!;
chmod 0755, "$dir/weir";
is +($upgrade->())[0], 0, 'a good one takes over again';
$w->taken_over;
is $w->get('/own')->body, 'own', 'and serves';
$kept->close;

done_testing;
