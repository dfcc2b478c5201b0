# proxy_buffering off, X-Accel-Buffering: no, proxy_max_temp_file_size 0: memory does not follow the answer's size.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a peer waits for the client when nothing may be stored');
my $bytes  = join '', map { sprintf "%015d\n", $_ } 1 .. 2_097_152;      # 32 MiB: more than all the kernel's buffers
my $origin = $w->origin(sub ($c) {
    my $target = $c->request->target;
    $c->reply(200, $bytes, $target eq '/x-accel' ? ('X-Accel-Buffering', 'no') : ());
    $c->note("all of $target");
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    proxy_temp_path %%DIR%%/proxy-temp;
    server {
        location /off     { proxy_pass http://api; proxy_buffering off; }
        location /x-accel { proxy_pass http://api; }
        location /no-file { proxy_pass http://api; proxy_max_temp_file_size 0; }
    }
END

my $before = $w->start->memory;
for my $way (qw(off x-accel no-file)) {
    my $client = $w->client(rcvbuf => 8192)->send_request('GET', "/$way");
    my $head = $client->read_response_head;
    select undef, undef, undef, 0.1;
    is_deeply [ grep { $_ eq "all of /$way" } $origin->notes ], [], "$way: the peer is not done while the client does not read";
    ok $client->read_body($head)->body eq $bytes, "$way: the client gets every byte in order";
}
cmp_ok $w->memory, '<', $before + 8192, 'the worker grew by less than 8 MiB';

done_testing;
