# proxy_bind: the address of ours that a peer sees, by variables too, and that kept connections are not mixed up; proxy_limit_rate.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Time::HiRes 'time';

my $w      = Weir::Test->new('connections come from where proxy_bind says');
$w->needs_weir;
my $bytes  = 'x' x 100_000;
my $origin = $w->origin(sub ($c) { $c->request->target =~ /long/ ? $c->reply(200, $bytes) : $c->reply(200, $c->fh->peerhost) });
$w->allow_log(qr/\[emerg\]/, qr/upstream\.|bind\(\)|invalid local address|Cannot assign/);
$w->conf(<<"END");
    upstream api { server $origin; keepalive 8; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    server {
        proxy_bind 127.0.0.5;
        location / { proxy_pass http://api; }
        location /off { proxy_bind off; proxy_pass http://api; }
        location /var { proxy_bind \$arg_from; proxy_pass http://api; }
        location /port { proxy_bind 127.0.0.6; proxy_pass http://api; }
        location /long { proxy_pass http://api; }
        location /rate/long { proxy_limit_rate 50k; proxy_pass http://api; }
        location /var/long { proxy_limit_rate \$arg_rate; proxy_pass http://api; }
        location /live/long { proxy_limit_rate 50k; proxy_buffering off; proxy_pass http://api; }
    }
END
my $client = $w->client;
{
    is $client->get('/')->body, '127.0.0.5', 'an address of ours';
    is $client->get('/off')->body, '127.0.0.1', 'none';
    is $client->get('/')->body, '127.0.0.5', 'again';
    is $client->get("/var?from=127.0.0.$_")->body, "127.0.0.$_", "by a variable: $_" for 7, 8, 7;
    is $client->get('/port')->body, '127.0.0.6', "another place";
    is $client->get('/var?from=off')->body, '127.0.0.1', 'off by a variable';
    is $w->get('/var?from=nonsense')->status, 502, 'what is no address';
}
is $w->get('/var?from=192.0.2.1')->status, 502, 'an address that is not ours';
my $took = sub ($path) { my $from = time; ok $w->get($path)->body eq $bytes, "$path is whole"; return time - $from };
ok $took->('/long') < 0.6, 'a long answer';
ok $took->($_) > 0.7, "$_ is read slowly" for '/rate/long', '/var/long?rate=50k';
ok $took->($_) < 0.6, "$_ is not" for '/var/long', '/live/long';

for my $bad ([ 'proxy_bind;', qr/invalid number of arguments/ ], [ 'proxy_bind nonsense;', qr/nonsense/ ], [ 'proxy_bind 127.0.0.1 transparently;', qr/invalid parameter/ ], [ 'proxy_limit_rate 50kk;', qr/50kk/ ], [ 'limit_rate fast;', qr/fast/ ]) {
    my ($code, $said) = $w->check_conf("server { location / { $bad->[0] } }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told';
}
my ($code, $said) = $w->check_conf('server_names_hash_bucket_size 64; server_names_hash_max_size 512; variables_hash_max_size 2048; variables_hash_bucket_size 64;
    types_hash_max_size 2048; proxy_headers_hash_max_size 512; proxy_headers_hash_bucket_size 128; proxy_busy_buffers_size 16k; proxy_temp_file_write_size 16k;
    server { location / { proxy_pass http://127.0.0.1; } }');
is $code, 0, 'sizes that mean something to nginx only are accepted' or diag $said;
done_testing;
