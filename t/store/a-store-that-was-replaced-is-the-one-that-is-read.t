# Somebody puts another file in the place of the store's while the instance runs, as a backup is brought back, and after
# a rotation of logs or a death another store process writes that one: what it acknowledges holds in the workers
# that run, too.
use v5.36;
use lib 't/lib';
use File::Copy ();
use Weir::Test;

my $w     = Weir::Test->new('a store that was replaced is the one that is read')->needs_weir;
my $store = $w->dir . '/store';
$w->allow_log(qr/store process \d+ exited on signal 9/, qr/the store cannot be written/);
$w->conf(<<"END", main => "store_path store;\n", workers => 2);
    server { location / { api_key \$http_x_api_key; empty_gif; } }
END
is +($w->tool(qw(consumer add acme)))[0], 0, 'a consumer';
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
my $status = sub { $w->get('/', 'X-API-Key' => $key)->status };
my $replace = sub {
    File::Copy::copy("$store/weir.mdb", "$store/other") or die $!;
    my @like = stat "$store/weir.mdb";
    chmod $like[2] & 07777, "$store/other" or die $!;
    chown @like[4, 5], "$store/other" or die $!;
    rename "$store/other", "$store/weir.mdb" or die $!;
};
$w->start;
for my $time (1, 2) {
    $replace->();
    is $status->(), 200, "$time: its key is known" for 1 .. 4;
    my $before = $w->store_process;
    kill 'KILL', $before;
    $w->wait_until('another one', sub { my $now = $w->store_process; $now && $now != $before });
    is +($w->tool(qw(consumer set acme disabled=on)))[0], 0, "$time: the consumer is disabled";
    is $status->(), 403, "$time: in all workers" for 1 .. 8;
    is +($w->tool(qw(consumer set acme disabled=off)))[0], 0, "$time: and is not any more";
    is $status->(), 200, "$time: in all workers" for 1 .. 8;
}

done_testing;
