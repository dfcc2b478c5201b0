# anonymous: who is no consumer's has the plan that it names; one that is not in the store lets nobody in.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('strangers have the plan of anonymous')->needs_weir;
$w->conf(<<'END', main => "store_path store;\n", workers => 1);
    log_format who '$uri|$consumer|$consumer_method|$consumer_plan|$consumer_quota_hour|$weir_cause';
    access_log logs/access.log who;
    server {
        api_key $arg_key;
        api_key_optional on;
        location / { anonymous plan=free; try_files /no @ok; }
        location /off { anonymous off; try_files /no @off; }
        location /lost { anonymous plan=lost; try_files /no @lost; }
        location /any { anonymous plan=free; satisfy any; allow all; try_files /no @ok; }
        location /page { anonymous plan=free; error_page 404 = @page; try_files /no =404; }
        location @ok { return 200 ok; }
        location @page { return 200 "$consumer_plan"; }
        location @off { anonymous off; return 200 ok; }
        location @lost { return 200 ok; }
    }
END
$w->tool(qw(plan add free hour=10));
$w->tool(qw(plan add gold hour=99));
$w->tool(qw(consumer add acme plan=gold));
$w->tool(qw(consumer add bob));
my %key = map { $_ => ($w->tool(qw(key create), $_))[1] =~ /^(weir_\S+)/m } qw(acme bob);
$w->start;
is $w->get('/a')->status, 200, 'nobody';
$w->wait_for_access(qr{^/a\|-\|anonymous\|free\|10\|-$}m);
is $w->get("/b?key=$key{acme}")->status, 200, 'a consumer with a plan';
$w->wait_for_access(qr{^/b\|acme\|api_key\|gold\|99\|-$}m);
is $w->get("/c?key=$key{bob}")->status, 200, 'a consumer without one';
$w->wait_for_access(qr{^/c\|bob\|api_key\|-\|-\|-$}m);
is $w->get('/off')->status, 200, 'where there is no such plan';
$w->wait_for_access(qr{^/off\|-\|-\|-\|-\|-$}m);
is $w->get('/page')->body, 'free', 'an internal redirect takes it along';
is $w->get('/any?key=wrong')->status, 200, 'a wrong key that somebody else lets in';
$w->wait_for_access(qr{^/any\|-\|anonymous\|free\|10\|-$}m);
is $w->get('/lost')->status, 503, 'a plan that is not there';
$w->wait_for_access(qr{^/lost\|-\|-\|-\|-\|auth\.consumer\.plan$}m);
is $w->get("/lost?key=$key{acme}")->status, 200, '… is nothing to a consumer';
is +($w->tool(qw(plan add lost)))[0], 0, 'it is added';
is $w->get('/lost')->status, 200, 'and known at once';

done_testing;
