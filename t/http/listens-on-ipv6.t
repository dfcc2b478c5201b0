use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('listens on IPv6');
plan skip_all => 'no IPv6 here' unless IO::Socket::IP->new(LocalHost => '::1', Listen => 1);
$w->conf('server { listen [::1]:%%PORT%%; return 200 "$remote_addr $server_addr"; } server { listen 127.0.0.1:%%PORT%%; return 200 "$remote_addr $server_addr"; }');

is $w->client(host => '::1')->get('/')->body, '::1 ::1', 'IPv6';
is $w->get('/')->body, '127.0.0.1 127.0.0.1', 'IPv4 on the same port';

done_testing;
