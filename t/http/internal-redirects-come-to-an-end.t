use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('internal redirects come to an end');
$w->needs_weir;
$w->conf(<<'END');
    log_format c '$status $weir_cause';
    access_log logs/c.log c;
    server {
        error_page 404 @a;
        location / { return 404; }
        location @a { error_page 410 @b; return 410; }
        location @b { error_page 411 @a; return 411; }
    }
END
my $answer = $w->get('/');
cmp_ok $answer->status, '>=', 400, 'an end is found: ' . $answer->status;

done_testing;
