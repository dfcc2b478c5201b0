# Somebody removes the store's file under the running instance: nothing more is acknowledged, workers go on with what they know, which a
# backup can still be taken of; a restart begins with what is there then.
use v5.36;
use lib 't/lib';
use File::Copy ();
use Weir::Store;
use Weir::Test;

my $w = Weir::Test->new('a store that was removed is told and serves on')->needs_weir;
Weir::Store::not_at_the_end_of_a_month();
my $origin = $w->origin;
my $store  = $w->dir . '/store';
$w->conf(<<"END", main => "store_path store;\nstore_flush 100ms;\n", workers => 2)->allow_log(qr/the store cannot be written/);
    quota_zone \$arg_k zone=month:1m per=month;
    server { location / { quota zone=month limit=3; proxy_pass http://$origin; }
             location /key { api_key \$http_x_api_key; proxy_pass http://$origin; } }
END
is +($w->tool(qw(consumer add acme)))[0], 0, 'a consumer';
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
$w->start;
is $w->get('/?k=a')->status, 200, 'counted';
is $w->get('/key', 'X-API-Key' => $key)->status, 200, 'known';
my ($code, $dump) = $w->tool(qw(store dump));
is $code, 0, 'a dump';
$w->write_file('dump', $dump);

unlink glob "$store/*.mdb" or die $!;
my ($refused, $said) = $w->tool(qw(consumer add other));
is $refused, 1, 'nothing more is acknowledged';
like $said, qr/its file was removed while it was open/, 'and it is told why';
$w->wait_for_log(qr/\[alert\] .*the store cannot be written, workers go on with what they have: its file was removed while it was open/);
is $w->get('/key', 'X-API-Key' => $key)->status, 200, 'keys are known' for 1 .. 4;
is $w->get('/?k=a')->status, 200, 'quotas are counted' for 1 .. 2;
is $w->get('/?k=a')->status, 429, 'and end';
$w->stop;

my $command = join ' ', $w->bin, '-p', $w->dir . '/', '-c conf/weir.conf store load <', $w->dir . '/dump', '>/dev/null 2>&1';
is system($command), 0, 'the dump is loaded into a new one';
$w->start;
is $w->get('/key', 'X-API-Key' => $key)->status, 200, 'which knows the key';
is +($w->tool(qw(consumer add other)))[0], 0, 'and is written';

done_testing;
