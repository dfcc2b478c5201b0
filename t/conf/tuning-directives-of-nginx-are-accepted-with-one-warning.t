# Directives of nginx that only tune it, and those of protocols and of a cache that are not there, are accepted with one warning for each name.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('tuning directives of nginx are accepted with one warning');
$w->needs_weir;
$w->allow_log(qr/./);

my %main   = map { $_->[0] => "@$_" } [qw(timer_resolution 100ms)], [qw(thread_pool default threads=32)], [qw(debug_points stop)], [qw(lock_file logs/x.lock)];
my %events = map { $_->[0] => "@$_" } [qw(accept_mutex on)], [qw(accept_mutex_delay 100ms)], [qw(worker_aio_requests 64)], [qw(debug_connection 127.0.0.1)];
my %http   = map { $_->[0] => "@$_" } [qw(types_hash_max_size 2048)], [qw(variables_hash_bucket_size 128)], [qw(server_names_hash_bucket_size 64)],
    [qw(map_hash_max_size 4096)], [qw(connection_pool_size 512)], [qw(request_pool_size 4k)], [qw(fastcgi_temp_path /tmp/f)], [qw(uwsgi_temp_path /tmp/u)],
    [qw(scgi_temp_path /tmp/s)], [qw(fastcgi_buffers 16 16k)], [qw(open_file_cache max=1000 inactive=20s)], [qw(open_file_cache_valid 30s)],
    [qw(keepalive_disable msie6)], [qw(proxy_headers_hash_max_size 1024)];
my %any = map { $_->[0] => "@$_" } [qw(aio threads)], [qw(directio 4m)], [qw(directio_alignment 512)], [qw(output_buffers 2 32k)], [qw(postpone_output 1460)],
    [qw(client_body_in_single_buffer on)], [qw(read_ahead 32k)], [qw(proxy_cache_bypass $http_upgrade)], [qw(proxy_no_cache $cookie_s)],
    [qw(proxy_busy_buffers_size 256k)], [qw(proxy_temp_file_write_size 64k)], [qw(send_lowat 1)], [qw(proxy_cache_valid 200 1h)];
my $lines = sub (%rows) { join '', map { "$_;\n" } @rows{ sort keys %rows } };
my $check = sub ($main, $events, $http, $any) {
    $w->conf_main("daemon off; pid logs/p.pid; error_log logs/error.log;\n$main events { $events }\n"
            . "http { access_log off; $http $any server { listen 127.0.0.1:1; $any location / { $any return 204; } } }\n");
    return $w->run('-t', '-p', $w->dir . '/', '-c', 'conf/weir.conf');
};

my ($code, $output) = $check->(map { $lines->(%$_) } \%main, \%events, \%http, \%any);
is $code, 0, 'the file is accepted' or diag $output;
for my $name (sort keys %main, keys %events, keys %http, keys %any) {
    is scalar(() = $output =~ /\[warn\] directive "$name" of nginx is accepted and has no effect \([^)]+\) in \S+:\d+$/mg), 1, "one warning of $name";
}

($code, $output) = $check->('', '', "upstream u { zone u 64k; server 127.0.0.1:2; }", '');
is $code, 0, 'the zone of an upstream is taken';
unlike $output, qr/\[warn\]/, 'without a warning: its effect is there for every group';

($code, $output) = $check->('', '', 'proxy_cache off; proxy_store off; ssi off; gunzip off;', '');
is $code, 0, 'what is turned off is accepted';
unlike $output, qr/\[warn\].*accepted and/, 'without a warning';

for ([ 'fastcgi_pass 127.0.0.1:9000;', 'is not supported by this version' ], [ 'proxy_cache zone;', 'is not supported by this version' ],
    [ 'accept_mutex on;', 'is not allowed here' ], [ 'aio;', 'invalid number of arguments' ], [ 'aio threads { }', 'is not supported' ], [ 'aioo on;', 'unknown directive' ])
{
    ($code, $output) = $check->('', '', '', $_->[0]);
    is $code, 1, "refused: $_->[0]";
    like $output, qr/\Q$_->[1]\E/, 'and why';
}
done_testing;
