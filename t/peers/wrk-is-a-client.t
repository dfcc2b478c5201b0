use v5.36;
use lib 't/lib';
use Weir::Test;

needs('wrk');

my $w      = Weir::Test->new('wrk is a client');
$w->time_limit(60);
my $nginx_there = -x '/usr/sbin/nginx';
$w->conf(<<'END');
    access_log off;
    upstream back { server 127.0.0.1:%%PORT_back%%; keepalive 32; }
    server { location / { proxy_pass http://back; } }
    server { listen 127.0.0.1:%%PORT_back%%; return 200 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\n"; }
END
$w->descriptors_may_stay;      # Weir is its own peer here: kept connections are on a port it listens on
$w->start;

my ($code, $output) = $w->command(20, 'wrk', '-t', 1, '-c', 32, '-d', '1s', 'http://' . $w . '/');
is $code, 0, 'wrk';
unlike $output, qr/Socket errors|Non-2xx/, 'no error' or diag $output;
like $output, qr/(\d+) requests in/, 'it asked';
my ($n) = $output =~ /(\d+) requests in/;
cmp_ok $n, '>', 500, "$n requests";

done_testing;
