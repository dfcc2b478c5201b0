use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('an access log may be conditional');
$w->conf('log_format f "$uri"; server { access_log logs/if.log f if=$arg_log; access_log logs/all.log f; location / { return 200 x; } }', workers => 1);

$w->get($_) for '/a', '/b?log=1', '/c?log=0', '/d?log=', '/e?log=yes';
$w->wait_for_access(qr{/e}, 'if.log');
is $w->access_log('if.log'), "/b\n/e\n", 'neither empty nor 0';
$w->wait_for_access(qr{/e}, 'all.log');
is $w->access_log('all.log'), "/a\n/b\n/c\n/d\n/e\n", 'another log of the same place has all';

done_testing;
