use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a place that is closed says for how long')->needs_weir;
$w->conf(<<'END');
log_format cause '$uri $status $weir_cause';
server {
    access_log logs/access.log cause;
    location / {
        return 200 open;
    }
    location /closed {
        maintenance on;
        proxy_pass http://127.0.0.1:%%PORT_nobody%%;
        location /closed/annex { maintenance off; return 200 open; }
    }
    location /long {
        maintenance on;
        maintenance_retry_after 2m;
        error_page 503 /sorry.html;
        proxy_pass http://127.0.0.1:%%PORT_nobody%%;
    }
    location = /sorry.html {
        maintenance on;
        internal;
        proxy_pass http://127.0.0.1:%%PORT%%/page;
    }
    location /away { error_page 404 = @closed; }
    location @closed { maintenance on; proxy_pass http://127.0.0.1:%%PORT%%; }
    location /further {
        maintenance on;
        error_page 503 = /pages/;
    }
    location /pages/ { maintenance on; try_files /none /further/more; }
    location = /page { return 200 'closed for now'; }
}
END

my $answer = $w->get('/closed');
is $answer->status, 503, 'a closed place';
is $answer->header('Retry-After'), 60, 'comes back after the default';
like $answer->body, qr/503 Service Unavailable/, 'with the page of the house';

is $w->get('/')->status, 200, 'another place is open';
is $w->get('/')->header('Retry-After'), undef, 'and promises nothing';
is $w->get('/closed/annex')->body, 'open', 'a place inside may be open';

$answer = $w->get('/long');
is $answer->status, 503, 'with a page of its own';
is $answer->body, 'closed for now', 'which is shown although it is in a closed place';
is $answer->header('Retry-After'), 60, 'the delay is that of where the page is';

$answer = $w->get('/away');
is $answer->status, 503, 'a place that an error_page leads to is closed, too';
is $answer->header('Retry-After'), 60, 'and says for how long';
$answer = $w->get('/further');
is $answer->status, 503, 'a refusal opens the place of its page, not one that the page leads to';

ok $w->wait_for_access(qr{^/closed 503 access\.maintenance$}m), 'the cause is in the log';

my $wrong = Weir::Test->new("what is wrong is refused")->allow_log(qr{\[emerg\]});
for my $bad ('maintenance maybe', 'maintenance_retry_after 500ms', 'maintenance_retry_after 2d') {
    my ($code, $said) = $wrong->check_conf("server { $bad; }");
    is $code, 1, "refused: $bad";
    like $said, qr/weir\.conf:\d+/, 'with its place';
}
done_testing;
