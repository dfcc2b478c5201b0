# retry_budget: with four workers, of which one is killed all the time, no more than the part is sent again; a refused retry leaves the client what
# the last try gave, and is told.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Time::HiRes qw(sleep time);
use Weir::Test;

my $w    = Weir::Test->new('retries of all workers keep to their budget')->needs_weir;
my $sick = $w->origin(sub ($c) { $c->close });
my $ill  = $w->origin(sub ($c) { $c->reply(503, 'no') });
my $dead = $w->refused_peer;
$w->allow_log(qr/upstream|not sent again/);
$w->conf(<<"END", workers => 4);
    upstream fifth { retry_budget 20%; server $sick max_fails=0; server $dead max_fails=0; }
    upstream ill   { retry_budget 50%; server $ill max_fails=0; server $ill max_fails=0; }
    upstream few   { retry_budget 0% min=10/s; server $sick max_fails=0; server $dead max_fails=0; }
    upstream all   { retry_budget 100%; server $sick max_fails=0; server $dead max_fails=0; }
    upstream none  { server $sick max_fails=0; server $dead max_fails=0; }
    server {
        proxy_set_header Connection close;
        location / {
            add_header X-Tries \$upstream_status always; add_header X-Cause \$weir_cause always;
            location /next/  { proxy_next_upstream error http_503; proxy_pass http://\$arg_g; }
            location /retry/ { retry 1 on=connect,reset,503; proxy_pass http://\$arg_g; }
            location /more/  { retry 3 on=connect,reset,503; proxy_pass http://\$arg_g; }
        }
        location /status { status; }
        location /metrics { prometheus; }
    }
END
my $tries = sub ($path, $n) {
    my ($all, %seen) = (0);
    for (1 .. $n) {
        my $answer = $w->get($path);
        my @tries = split /, /, $answer->header('X-Tries');
        $all += @tries - 1;
        $seen{ join ' ', $answer->status, $answer->header('X-Cause') }++;
    }
    return ($all, \%seen);
};
my $group = sub ($name) { decode_json($w->get('/status')->body)->{upstreams}{$name} };

my ($n, $seen) = $tries->('/next/?g=fifth', 50);
is $n, 10, 'of fifty requests ten are sent again';
is_deeply [ grep { !/^502 upstream\.(?:closed|connect\.refused)$/ } keys %$seen ], [], 'the others get what their only try gave';
is_deeply [ map { $group->('fifth')->{$_} } qw(retries retries_refused) ], [ 10, 40 ], 'both are counted';
like $w->get('/metrics')->body, qr/^weir_upstream_retries_refused_total\{upstream="fifth"\} 40$/m, '… for Prometheus, too';
$w->wait_for_log(qr/not sent again: retry_budget of upstream "fifth"/);
my $id = ($w->error_log =~ /closed before it had answered: retry_budget.*request_id: (\w+)/)[0] // ($w->error_log =~ /retry_budget.*cause: upstream\.closed, request_id: (\w+)/)[0];
ok $id, 'the detail of the cause says so' or diag $w->error_log;
like +($w->tool('why', $id))[1], qr/retry_budget fifth no retry\n/, 'and so does weir why';

($n) = $tries->('/retry/?g=ill', 20);
is $n, 10, 'answers that are retried, half of them';
($n) = $tries->('/more/?g=all', 10);
is $n, 10, 'as many as requests';
($n) = $tries->('/more/?g=none', 5);
is $n, 15, 'without a budget all that retry says';
my $from = time;
($n) = $tries->('/more/?g=few', 10);
cmp_ok $n, '>=', 10, 'min: ten a second';
cmp_ok $n, '<=', 10 * (1 + time - $from), 'and no more';

# under load, with workers that are killed
$w->workers_may_change;
$w->allow_log(qr/worker process|signal|alert/, qr/\[emerg\]/);
my $dir = $w->dir;
my @load = map {
    my $i = $_;
    $w->child(sub {
        my $end = time + 3;
        open my $out, '>', "$dir/load.$i" or die;
        while (time < $end) {
            my $answer = eval { $w->get('/next/?g=fifth') };                # none: its worker was killed
            syswrite $out, ($answer ? $answer->header('X-Tries') =~ tr/,// : 0) . "\n";
        }
    });
} 1 .. 3;
for (1 .. 20) {
    my @workers = $w->workers;
    kill KILL => $workers[ rand @workers ] if @workers;
    sleep 0.1;
}
$_->(60) for @load;
sleep 0.3;
my ($all, $again) = (0, 0);
for my $i (1 .. 3) { open my $in, '<', "$dir/load.$i" or die; while (<$in>) { $all++; $again += $_ } }
cmp_ok $all, '>', 100, 'under load, while workers are killed';
cmp_ok $again * 5, '<=', $all, 'no more than a fifth';
cmp_ok $again * 5, '>=', $all * 0.5, 'and not none';

for my $bad ([ 'retry_budget 20', qr/from 0% to 100%/ ], [ 'retry_budget 101%', qr/from 0% to 100%/ ], [ 'retry_budget %', qr/from 0% to 100%/ ],
    [ 'retry_budget 20% min=10', qr/min=10\/s/ ], [ 'retry_budget 20% min=/s', qr/min=10\/s/ ], [ 'retry_budget 20% max=1', qr/min=10\/s/ ])
{
    my ($code, $said) = $w->check_conf("upstream u { server $dead; $bad->[0]; }");
    isnt $code, 0, "$bad->[0]: refused";
    like $said, $bad->[1], 'and told why';
}
done_testing;
