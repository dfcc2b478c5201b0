# $upstream_addr and its sisters after error_page, as nginx writes them.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a colon tells that a redirect led to another peer');
my $dead   = $w->refused_peer;
my $closes = $w->origin(sub ($c) { $c->close });
my $good   = $w->origin(sub ($c) { $c->reply(200, 'good') });
my $down   = $w->origin;
$w->conf(<<"END", workers => 1);
    log_format tell '\$request_uri|\$upstream_addr|\$upstream_status';
    access_log logs/tell.log tell;
    upstream bad  { server $dead max_fails=0; server $closes max_fails=0; keepalive 0; }
    upstream good { server $good; }
    upstream none { server $down down; }
    server {
        error_page 502 = \@again;
        location /bad  { proxy_pass http://bad; }
        location /none { proxy_pass http://none; }
        location \@again { proxy_pass http://good; }
    }
END

is $w->get('/bad')->body, 'good', 'two failed, then another location answered';
is $w->wait_for_access(qr{^/bad\|(.*)}m, 'tell.log'), "$dead, $closes : $good|502, 502 : 200", 'commas inside a location, a colon between two';
is $w->get('/none')->body, 'good', 'nobody was there, then another location answered';
is $w->wait_for_access(qr{^/none\|(.*)}m, 'tell.log'), "none : $good|502 : 200", 'the group stands for nobody';

done_testing;
