# What a worker does with its configuration (a location that proxies with weights and a mirror, a fallback, TLS, an ended reload, records of the log) writes
# to none of the configuration's memory, so that its pages may be another process' and parts of it another generation's. weir-sealed tells of each write.
use v5.36;
use lib 't/lib';
use File::Basename qw(dirname);
use Weir::Test;

my $bin = dirname($ENV{WEIR_BIN} // Weir::Test::root() . '/objs/weir') . '/weir-sealed';
plan(skip_all => "$bin is not built (make seal), or has a sanitizer of its own") unless -x $bin && qx($bin -V 2>&1) !~ /sanitizer/;
$ENV{WEIR_BIN} = $bin;
my $w = Weir::Test->new('a configuration that serves is not written to')->needs_weir;
my $file = $ENV{WEIR_SEAL_FILE} = $w->dir . '/writes';
$w->write_file('writes', '');
chmod 0666, $file;
chmod 0755, $w->dir;
my $a = $w->origin(sub ($c) { $c->reply(200, 'a') });
my $b = $w->origin(sub ($c) { $c->reply(200, 'b') });
my $conf = sub ($say) {
    return <<"END";
    upstream a { server $a; keepalive 4; }
    upstream b { server $b; fallback a; }
    upstream gone { server 127.0.0.1:1 down; fallback b; }
    limit_req_zone \$binary_remote_addr zone=one:1m rate=1000r/s;
    server {
        limit_req zone=one burst=100;
        location /a { proxy_pass http://a; proxy_set_header X-Say $say; mirror_to b percent=50; }
        location /gone { proxy_pass http://gone; }
        location /written { return 200 $say; }
        location /missing { root /nowhere; }
    }
END
};
$w->allow_log(qr/upstream|No such file|not_found|falls back/i);
$w->conf($conf->('one'), workers => 2);
my $ask = sub {
    for (1 .. 8) {
        is $w->get('/a')->body, 'a', 'passed on, and copied';
        is $w->get('/gone')->body, 'b', 'a fallback';
        is $w->get('/missing')->status, 404, 'a record in the log';
    }
};
$ask->();
$w->reload($conf->('two'));
is $w->get('/written')->body, 'two', 'the next configuration serves';
$ask->();
$w->stop;
my @writes = split /\n/, Weir::Server::slurp($file);
my %places;
for my $write (@writes) {
    my @chain = qx(addr2line -f -e $bin @{[ map { "0x$_" } split ' ', $write ]});
    chomp @chain;
    $places{ join ' < ', grep { defined } @chain[ map { 2 * $_ } 0 .. 4 ] }++;
}
diag("it writes to its configuration: $_") for sort keys %places;
is scalar(keys %places), 0, 'no place of the program writes to it';
done_testing;
