use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('an access log can be buffered or conditional')->needs_weir;
$w->conf(<<'END', workers => 1);
log_format line '$uri';
access_log logs/http.log line;
server {
    location / { return 200; }
    location /two {
        access_log logs/one.log line;
        access_log logs/two.log line if=$arg_log;
        return 200;
    }
    location /full  { access_log logs/full.log line buffer=64; return 200; }
    location /timed { access_log logs/timed.log line buffer=64k flush=100ms; return 200; }
    location /off   { access_log off; return 200; }
}
END

$w->get('/');
ok $w->wait_for_access(qr{^/$}m, 'http.log'), 'inherited from http';

$w->get($_) for '/two?log=0', '/two?log=', '/two', '/two?log=1';
ok $w->wait_for_access(qr{^(?:/two\n){4}\z}, 'one.log'), 'each record in the one';
ok $w->wait_for_access(qr{^/two\n\z}, 'two.log'), 'those that are wanted in the other';

$w->get('/timed') for 1 .. 3;
ok $w->wait_for_access(qr{^(?:/timed\n){3}\z}, 'timed.log'), 'flush= says how long records may wait';

$w->get("/full/$_") for 10 .. 17;
is $w->access_log('full.log'), join('', map { "/full/$_\n" } 10 .. 16), 'without it they wait until the buffer is full';
$w->signal('USR1');
ok $w->wait_for_access(qr{/full/17\n\z}, 'full.log'), 'or the log is reopened';
$w->get('/full/18');
$w->get('/off');
$w->stop;
like $w->access_log('full.log'), qr{/full/18\n\z}, 'or Weir ends';
unlike join('', map { $w->access_log("$_.log") } qw(http one two full timed)), qr{/off}, 'off is off';

my $wrong = Weir::Test->new('what is wrong is refused')->allow_log(qr{\[emerg\]});
for my $bad ('access_log logs/x.log nothing', 'access_log logs/x.log combined flush=1s', 'access_log logs/x.log combined buffer=0',
    'access_log logs/x.log combined gzip=0', 'access_log off combined', 'access_log nowhere/x.log', 'access_log logs/$no_such.log',
    'access_log syslog:facility=local7', 'log_format combined x', 'log_format a x; log_format a y', 'log_format a escape=xml x',
    'log_format a $nothing') {
    my ($code, $said) = $wrong->check_conf("$bad; server { }");
    is $code, 1, "refused: $bad";
    like $said, qr/weir\.conf:\d+/, 'with its place';
}
done_testing;
