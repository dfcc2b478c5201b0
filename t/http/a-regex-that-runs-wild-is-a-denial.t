# A pattern that backtracks without end runs into its limit, which denies the request.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a regex that runs wild is a denial');
$w->needs_weir;
$w->allow_log(qr/pattern|match limit/);
$w->conf('log_format c "$status $weir_cause"; access_log logs/c.log c; server { location / { return 200 root; } location ~ ^/(a+)+$ { return 200 regex; } }', workers => 1);

is $w->get('/aaa')->body, 'regex', 'it matches';
my $started = Time::HiRes::time();
my $answer  = $w->get('/' . 'a' x 60 . 'b');
cmp_ok Time::HiRes::time() - $started, '<', 2, 'the time is bounded';
is $answer->status, 403, 'and the request denied';
like $w->wait_for_access(qr/^403 .*/m, 'c.log'), qr/route\.pattern_limit/, 'for this cause';

done_testing;
