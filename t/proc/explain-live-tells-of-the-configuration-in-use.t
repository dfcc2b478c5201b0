# `weir explain --live`: what is served is explained, whatever the file says by now: before and after a reload, after one that
# failed; of a master, and of one process that is all.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('explain --live tells of the configuration in use')->needs_weir->allow_log(qr/unknown directive "nonsense"/);
my $text = sub ($name) { "server { listen 127.0.0.1:" . $w->port('main') . "; server_name a.example; include sub.conf; location /$name { return 200 $name; } }" };
my $url = sub ($path) { 'GET http://a.example:' . $w->port('main') . "/$path" };
my $ask = sub ($path, @option) {
    my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', $url->($path), '--json', @option);
    return ($code, $said =~ /^\{/ ? Weir::Json::decode($said) : $said);
};
for my $master ('', "master_process off;\n") {
    my $how = $master ? 'one process: ' : 'master: ';
    $w->write_file('conf/sub.conf', 'location = /sub { return 200 sub; }');
    $w->conf($text->('one'), main => $master, workers => $master ? 1 : 2);
    my ($code, $f) = $ask->('one', '--live');
    is $code, 1, $how . 'nothing runs';
    like $f, qr/nothing runs with this configuration|has ended/, 'which is told';
    $w->start;
    (undef, $f) = $ask->('one');
    my (undef, $live) = $ask->('one', '--live');
    is_deeply $live, $f, 'the same answer as of the file';
    is $live->{location}{name}, '/one', 'a location';
    is +($ask->('sub', '--live'))[1]{location}{name}, '= /sub', 'one of a file that is included';

    $w->conf($text->('two'), main => $master, workers => $master ? 1 : 2);
    $w->write_file('conf/sub.conf', '');
    is +($ask->('two'))[1]{outcome}, 'answered', 'the file has changed';
    is +($ask->('two', '--live'))[1]{outcome}, 'unrouted', 'what is served has not';
    is +($ask->('sub', '--live'))[1]{location}{name}, '= /sub', 'nor what it includes';
    $w->reload;
    is +($ask->('two', '--live'))[1]{location}{name}, '/two', 'a reload changes it';
    is +($ask->('one', '--live'))[0], 2, 'and what was is gone';
    $w->reload_refused($text->('three') . ' nonsense;', qr/unknown directive "nonsense"/);
    is +($ask->('two', '--live'))[1]{location}{name}, '/two', 'a reload that fails changes nothing';
    my $pid = $w->pid;
    my @kept = grep { (readlink($_) // '') =~ /memfd:weir configuration/ } glob "/proc/$pid/fd/*";
    is scalar @kept, 1, 'the process keeps one configuration';
    if (!$master) {
        my @workers = $w->workers;
        is scalar(grep { (readlink($_) // '') =~ /memfd:weir configuration/ } map { glob "/proc/$_/fd/*" } @workers), 0, 'and its workers none';
    }
    $w->stop;
}
done_testing;
