# A subrequest or an internal redirect is the same request of the client's for a limit that has counted it, whatever else its place says.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a limit counts a client\'s request once');
my $origin = $w->origin;
$w->conf(<<"END");
    limit_req_zone \$arg_k zone=a:1m rate=1r/m;
    limit_req_zone \$arg_k zone=in:1m rate=1r/m;
    limit_conn_zone \$arg_k zone=c:1m;
    server {
        limit_req zone=a;
        limit_conn c 1;
        location / { auth_request /auth; empty_gif; }
        location = /auth { limit_req_status 429; limit_conn_status 429; empty_gif; }
        location /within/ { limit_req zone=in; auth_request /within/auth; empty_gif; }
        location = /within/auth { limit_req zone=in; limit_req_status 429; empty_gif; }
        location /sent { error_page 404 = /auth; }
        location /own { limit_req zone=in; auth_request /auth; empty_gif; }
    }
END
is $w->get('/?k=1')->status, 200, 'a subrequest whose place has a directive of the limits is not counted again';
is $w->get('/?k=1')->status, 503, 'the next request is';
is $w->get('/within/?k=2')->status, 200, 'nor one whose place has the same limit';
is $w->get('/sent?k=3')->status, 200, 'nor a redirect inside';
is $w->get('/own?k=4')->status, 200, 'a limit of the server, which the location does not have, counts no subrequest';
is $w->get('/?k=4')->status, 200, 'so that it counts the next';
done_testing;
