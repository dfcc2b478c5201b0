# satisfy any: auth_basic asks who it is, and auth_request answers 401 without a WWW-Authenticate.  The 401 to the client still asks (RFC 9110 §11.6.1).
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a challenge stands when auth_request brings none');
$w->write_file('conf/users', "plain:{PLAIN}secret\n");
$w->allow_log(qr/\[error\]/);
$w->conf(<<'END');
    server {
        location /none { satisfy any; auth_basic here; auth_basic_user_file users; auth_request /no; empty_gif; }
        location /own { satisfy any; auth_basic here; auth_basic_user_file users; auth_request /says; empty_gif; }
        location = /no { internal; return 401; }
        location = /says { internal; add_header WWW-Authenticate 'Bearer realm="there"' always; return 401; }
    }
END
for my $login ([], [ Authorization => 'Basic eDp5' ]) {
    my $answer = $w->get('/none', @$login);
    is $answer->status, 401, 'a 401';
    is $answer->header('WWW-Authenticate'), 'Basic realm="here"', 'with the challenge of auth_basic';
}
is $w->get('/none', Authorization => 'Basic cGxhaW46c2VjcmV0')->status, 200, 'which can be met';
is $w->get('/own')->status, 401, 'one of its own';
done_testing;
