use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('sizes and times are read as nginx reads them');
$w->allow_log(qr/./);

my $check = sub ($line) { my ($code) = $w->check_conf("server { $line }"); return $code };
is $check->($_), 0, $_
    for 'client_max_body_size 8192;', 'client_max_body_size 8k;', 'client_max_body_size 8K;',
        'client_max_body_size 1m;', 'client_max_body_size 1M;', 'client_max_body_size 10g;', 'client_max_body_size 0;',
    'keepalive_timeout 10;', 'keepalive_timeout 10s;', 'keepalive_timeout 500ms;', 'keepalive_timeout 1m;',
    'keepalive_timeout 1h;', 'keepalive_timeout 1d;', 'keepalive_timeout "1h 30m";', 'keepalive_timeout 1h30m;',
    'keepalive_timeout 1y;', 'keepalive_timeout 1M;', 'keepalive_timeout 1w;', 'large_client_header_buffers 4 8k;';
is $check->($_), 1, $_
    for 'client_max_body_size 1t;', 'client_max_body_size -1;', 'client_max_body_size 1.5m;',
        'client_max_body_size k;', 'client_max_body_size 99999999999999999999;',
        'client_max_body_size 9223372036854775807k;',
    'keepalive_timeout -1;', 'keepalive_timeout s;', 'keepalive_timeout 1x;', 'keepalive_timeout 30m1h;',
    'keepalive_timeout 1s1s;', 'keepalive_timeout 99999999999999999999;', 'large_client_header_buffers 4;',
    'large_client_header_buffers x 8k;', 'keepalive_timeout 1.5s;';

done_testing;
