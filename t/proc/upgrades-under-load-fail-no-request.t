# Two upgrades, and one that fails between them, while requests of all kinds are under way: none fails.  (t/soak has the long one.)
use v5.36;
use lib 't/lib';
use File::Copy ();
use Weir::Load;
use Weir::Test;

my $w      = Weir::Test->new('upgrades under load fail no request')->needs_weir->workers_may_change->descriptors_may_stay;
my $dir    = $w->dir;
my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    $request->target =~ /chunked/ ? $c->reply_chunked(200, [ $request->body, $request->target ]) : $c->reply(200, $request->body . $request->target);
});
my $put = sub ($from) { unlink "$dir/weir"; File::Copy::copy($from, "$dir/weir") or die $!; chmod 0755, "$dir/weir" };
my $good = $w->bin;
$put->($good);
$w->{bin} = "$dir/weir";
$w->conf(<<"END", control => 0, main => 'upgrade_trial 20ms;');
    upstream api { server $origin; keepalive 16; }
    server {
        location / { proxy_pass http://api; }
        location /streamed { proxy_pass http://api; proxy_request_buffering off; }
        location /here { return 200 "generation 1 of \$request_uri"; }
    }
END
$w->start;
my $stop   = $w->dir . '/barrier.stop';
my $loader = $w->child(sub { Weir::Load::run($w, $stop, 1) });
$origin->wait_requests(50);
for my $upgrade (1 .. 2) {
    is +($w->tool('-s', 'upgrade'))[0], 0, "upgrade $upgrade";
    $w->wait_until('another master', sub { eval { $w->taken_over } });
    $w->wait_until('the one before has gone', sub { !-e "$dir/logs/weir.pid.oldbin" });
    $origin->wait_requests($origin->requests + 50);
    last if $upgrade == 2;
    unlink "$dir/weir";
    $w->write_file('weir', "#!/bin/sh\nexit 3\n");
    chmod 0755, "$dir/weir";
    $w->{bin} = $good;
    is +($w->tool('-s', 'upgrade'))[0], 1, 'a program that ends at once is none';
    $w->allow_log(qr/the new program \(process \d+\) ended/);
    $put->($good);
    $w->{bin} = "$dir/weir";
    $origin->wait_requests($origin->requests + 50);
}
$w->pass('stop');
my (undef, $said) = $loader->(30);
like $said, qr/^requests \d+ reconnects \d+$/m, 'no request failed' or diag $said;
done_testing;
