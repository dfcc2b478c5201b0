# A reload of a file that is wrong says why and leaves everything as it is; the next good one is taken.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Weir::Test;

my $w = Weir::Test->new('a broken file changes nothing')->needs_weir;
$w->conf("server { location / { return 200 'old'; } }");
$w->start;
$w->allow_log(qr/\[emerg\]/);
my @before = $w->workers;

for my $case (
    [ "server { location / { return 200 'new'; } } bogus on;", qr/\[emerg\].* unknown directive "bogus" in \S+weir\.conf:\d+/ ],
    [ "server { location / { return 200 'new'; }",             qr/\[emerg\].* in \S+weir\.conf:\d+/ ],
    [ "include missing/file.conf; server { location / { return 200 'new'; } }", qr/\[emerg\].* open\(\) \S+missing\/file\.conf" failed/ ],
    [ "server { listen 192.0.2.1:%%PORT%%; location / { return 200 'new'; } }",
      qr/\[emerg\].* bind\(\) to 192\.0\.2\.1:\d+ failed \(99: Cannot assign requested address\)/ ],
) {
    my ($text, $complaint) = @$case;
    ok $w->reload_refused($text, $complaint), "it says $complaint";
    is $w->get('/')->body, 'old', 'and answers as before';
}
is_deeply [ $w->workers ], \@before, 'no process was replaced';
my ($code) = $w->run('-s', 'reload', '-p', '%%DIR%%/', '-c', 'conf/weir.conf');
is $code, 0, 'sending the signal is a success';
$w->wait_until('it was heard', sub { $w->error_log =~ /configuration 2 is in use/ });

$w->reload("server { location / { return 200 'new'; } }");
is $w->get('/')->body, 'new', 'a good file is taken';
is_deeply [ $w->workers ], \@before, 'by the same processes';
done_testing;
