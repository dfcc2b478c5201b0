# `weir -s reload --wait` returns when the configuration is in use, or says why it is not and exits with 1; so does `weir -s upgrade`.
use v5.36;
use lib 't/lib';
use File::Copy ();
use Weir::Test;

my $w   = Weir::Test->new('a reload can be waited for')->needs_weir->workers_may_change->descriptors_may_stay;
my $dir = $w->dir;
File::Copy::copy($w->bin, "$dir/weir") or die $!;
chmod 0755, "$dir/weir";
$w->{bin} = "$dir/weir";
my $conf = sub ($word, $more = '') { "server { location / { return 200 '$word'; } }\n$more" };
my $use  = sub (@text) { $w->{conf}{text} = $conf->(@text); $w->write_file('conf/weir.conf', $w->_whole_text) };
my $tell = sub (@words) { $w->tool('-s', @words, '--wait') };
$w->conf($conf->('one'), workers => 2, control => 0);
$w->start;
is $w->get('/')->body, 'one', 'before';

for my $n (2 .. 4) {
    $use->("number $n");
    my ($code, $said) = $tell->('reload');
    is $code, 0, 'a good configuration: exit code 0' or diag $said;
    like $said, qr/^weir: configuration $n is in use$/m, 'it is told when it is in use';
    is $w->get('/')->body, "number $n", 'and it is, from then on';
}

# What workers are made of has changed: others are started, and their start is waited for.
for my $n (3, 2) {
    $w->{conf}{workers} = $n;
    $use->("$n workers");
    my ($code, $said) = $tell->('reload');
    is $code, 0, "$n new workers: the reload is good";
    like $said, qr/^weir: configuration \d+ is in use$/m, 'they are waited for';
    is $w->get('/')->body, "$n workers", 'and they do';
}

# A port that somebody else has: only the master can know.
my $other = $w->listener('taken');
$use->('taken', 'server { listen 127.0.0.1:' . $other->sockport . '; }');
my ($code, $said) = $tell->('reload');
is $code, 1, 'a port that is taken: exit code 1';
like $said, qr/^weir: bind\(\) to 127\.0\.0\.1:\d+ failed \(98: Address already in use\)$/m, 'and why';
$w->allow_log(qr/Address already in use/);
is $w->get('/')->body, '2 workers', 'nothing has changed';
is +($w->tool('-s', 'reload'))[0], 0, 'without --wait it is only asked for';
$other->close;
($code, $said) = $tell->('reload');
is "$code " . $w->get('/')->body, '0 taken', 'as soon as the port is free it is good';

# An upgrade tells why the new program did not come up.
$other = $w->listener('later');
$use->('later', 'server { listen 127.0.0.1:' . $other->sockport . '; }');
($code, $said) = $tell->('upgrade');
is $code, 1, 'an upgrade onto a taken port: exit code 1';
like $said, qr/the new program did not come up, the old one serves on$/m, 'who serves';
my $address = '127.0.0.1:' . $w->port('later');
like $said, qr/^weir: still could not bind\(\) to \Q$address\E \(98: Address already in use\)$/m, 'and why';
$other->close;
my @unopenable = (
    ['listen 192.0.2.1:8080;', qr/bind\(\) to 192\.0\.2\.1:8080 failed \(99: /],
    ["listen unix:$dir/nowhere/socket;", qr/bind\(\) to unix:\Q$dir\E\/nowhere\/socket failed \(2: /],
);
for my $case (@unopenable) {
    my ($listen, $why) = @$case;
    $use->('later', "server { $listen }");
    for my $what (qw(reload upgrade)) {
        ($code, $said) = $tell->($what);
        is $code, 1, "$what: $listen cannot be opened";
        like $said, qr/^weir: $why/m, 'its address and why';
    }
    $w->allow_log($why);
}
$use->('later');
$w->{conf}{main} = "store_path store;\n";
$use->('later');
$w->write_file('store/weir.mdb', 'no store' x 10000) if mkdir "$dir/store";
($code, $said) = $tell->('upgrade');
is $code, 1, 'a new program whose store process does not come up';
like $said, qr/^weir: the store process could not open the store/m, 'and why';
$w->allow_log(qr/store process could not open|store in ".*" cannot be opened/);
delete $w->{conf}{main};
$use->('later');
my %bad = ("exit 3" => qr/ended with code 3 before it was ready/, 'kill -SEGV $$' => qr/ended on signal 11/);
for my $how (sort keys %bad) {
    unlink "$dir/weir" or die $!;
    $w->write_file('weir', "#!/bin/sh\n$how\n");
    chmod 0755, "$dir/weir";
    $w->{bin} = $ENV{WEIR_BIN} // 'objs/weir';
    ($code, $said) = $tell->('upgrade');
    is $code, 1, "a program that does \"$how\"";
    like $said, $bad{$how}, 'is told of';
}
$w->allow_log(qr/the new program \(process \d+\) ended|still could not bind/);
unlink "$dir/weir" or die $!;
File::Copy::copy($w->bin, "$dir/weir") or die $!;
chmod 0755, "$dir/weir";
my $before = $w->pid;
is +($tell->('upgrade'))[0], 0, 'a good one takes over';
$w->taken_over;
$w->wait_for_log(qr/ $before#$before: exit\n/);         # its workers answer until they have left
is $w->get('/')->body, 'later', 'and serves';
($code, $said) = $tell->('reload');
is $code, 0, 'it can be reloaded and waited for' or diag $said;

for my $words (['-s', 'stop', '--wait'], ['--wait']) {
    ($code, $said) = $w->tool(@$words);
    is $code, 1, "@$words: refused";
    like $said, qr/"--wait" goes with -s reload or -s upgrade/, 'and why';
}
done_testing;
