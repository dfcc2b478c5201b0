# Programs that lay out shared memory or the store otherwise: a zone begins anew and says so, on the way forward and on the way back, and
# what both know goes on; a store of another layout is left alone by the one that does not know it, so that it does not take over.
use v5.36;
use lib 't/lib';
use File::Basename qw(dirname);
use File::Copy ();
use File::Path qw(make_path);
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('a program with other layouts misreads nothing')->needs_weir->workers_may_change;
my $dir  = $w->dir;
my $real = $w->bin;
my $objs = dirname($real);
Test::More::plan(skip_all => 'the program is not in its build folder') unless -e "$objs/libweir.a" && -e "$objs/flags";
$w->time_limit(150);

# Another weir: some of its files with a change, before the library has its own.
my $flags = Weir::Server::slurp("$objs/flags") =~ s/\s+\z//r;
my ($libs) = join ' ', $flags =~ /(?<=\s)(-l\S+)/g;
my $build = sub ($name, %changes) {
    make_path("$dir/$name/store");
    my @sources;
    for my $file (sort keys %changes) {
        my ($from, $to) = $changes{$file}->@*;
        my $text = Weir::Server::slurp($file);
        $text =~ s/\Q$from\E/$to/ or die "$file has no $from\n";
        my $copy = "$dir/$name/" . ($file =~ /\.h$/ ? 'store/' : '') . ($file =~ m{([^/]+)$})[0];
        open my $out, '>', $copy or die "$copy: $!\n";
        print $out $text;
        close $out;
        push @sources, $copy if $copy =~ /\.c$/;
    }
    my $command = "$flags -fno-lto -I$dir/$name -Icore -I$objs -o $dir/$name/weir $objs/core/main.o @sources $objs/libweir.a $libs";
    my $said    = qx($command 2>&1);
    $? == 0 or die "$command\n$said\n";
    return "$dir/$name/weir";
};
my $put = sub ($program) { unlink "$dir/weir"; File::Copy::copy($program, "$dir/weir") or die $!; chmod 0755, "$dir/weir" };
my $upgrade = sub { my $bin = $w->{bin}; $w->{bin} = $real; my @said = $w->tool(qw(-s upgrade)); $w->{bin} = $bin; return @said };

my $other = $build->('other', 'modules/http/limit_req.c' => ['.layout = 1', '.layout = 7']);
my $store = $build->('store', map { $_ => ['oldest <= WEIR_STORE_LAYOUT', 'oldest > WEIR_STORE_LAYOUT'] } 'core/store/db.c', 'core/store/view.c');
$put->($real);
$w->{bin} = "$dir/weir";
my $origin = $w->origin;
$w->conf(<<"END", main => "store_path store;\n");
    limit_req_zone \$arg_k zone=rate:1m rate=1r/m;
    limit_conn_zone \$arg_k zone=conn:1m;
    quota_zone \$arg_k zone=month:1m per=month;
    server {
        status_zone main;
        location / { limit_req zone=rate; proxy_pass http://$origin; }
        location /quota { quota zone=month limit=1000; quota_headers on; proxy_pass http://$origin; }
        location /status { status; }
    }
END
my $counted = sub { decode_json($w->get('/status')->body)->{server_zones}{main}{requests} };
my $left    = sub { ($w->get('/quota?k=a')->header('RateLimit') =~ /;r=(\d+);/)[0] };
is $w->get('/?k=a')->status, 200, 'before';
is $w->get('/?k=a')->status, 503, 'counted';
is $left->(), 999, 'of a quota too';
my $before = $counted->();

for my $way (['forward', $other, 1, 7], ['back', $real, 7, 1]) {
    my ($where, $program, $was, $is) = @$way;
    $put->($program);
    my ($code, $said) = $upgrade->();
    is $code, 0, "$where" or diag $said;
    $w->taken_over;
    $w->wait_for_log(qr/\[notice\] .*shared memory "rate" \(limit-req\) begins anew: its layout was $was and is $is$/m);
    # Until its workers have gone the one before may still take a request, and counts it in its own zone.
    $w->wait_until('the one before has gone', sub { !-e "$dir/logs/weir.pid.oldbin" });
    is $w->get("/?k=$where")->status, 200, 'what is laid out otherwise serves';
    is $w->get("/?k=$where")->status, 503, 'and counts';
    cmp_ok $counted->(), '>=', $before, 'what both know goes on';
    $before = $counted->();
}
is $left->(), 998, 'as the quota does';

$w->allow_log(qr/the new program \(process \d+\)/, qr/the store in .* is of another version/, qr/the store process could not open the store/);
$put->($store);
my $pid = Weir::Server::slurp("$dir/logs/weir.pid");
my ($code, $said) = $upgrade->();
is $code, 1, 'one that does not know the store' or diag $said;
is Weir::Server::slurp("$dir/logs/weir.pid"), $pid, 'does not take over';
is $left->(), 997, 'and the store is as it was';
$put->($real);

done_testing;
