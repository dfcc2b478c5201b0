# The filter module of CONTRIBUTING, linked into this build's program: heads that it holds, and what producers gave
# behind them, stay whole over reloads that take the filter away or bring it, over a client that leaves, and over the
# worker's own end.
use v5.36;
use lib 't/lib';
use File::Basename qw(dirname);
use Time::HiRes qw(time);
use Weir::Http2 ();
use Weir::Test;

# -- the program with one module more: modules.c made anew, everything else as it was built --

sub program_with_calm ($w) {
    my ($objs, $dir) = (dirname($w->bin), $w->dir . '/calm');
    Test::More::plan(skip_all => "$objs is no build") unless -e "$objs/libweir.a" && -e "$objs/Makefile";
    my ($example) = Weir::Server::slurp(Weir::Test::root() . '/CONTRIBUTING')
        =~ m{^(    /\*\n     \* calm\.c .*?^    \};\n)(?=\n\S)}ms;
    mkdir $_ for $dir, "$dir/src", "$dir/objs";
    $w->write_file('calm/src/calm.c', $example =~ s/^    //mgr);
    $w->write_file('calm/Makefile', <<"END");
include $objs/Makefile
calm:
\tsh auto/modules $dir/objs --add=$dir/src \$(MODULE_ARGS)
\t\$(CC) \$(CPPFLAGS) \$(CFLAGS) -c -o $dir/calm.o $dir/src/calm.c
\t\$(CC) \$(CPPFLAGS) \$(CFLAGS) -c -o $dir/modules.o $dir/objs/modules.c
\t\$(CC) \$(CFLAGS) -o $dir/weir \$(MAIN_OBJ) $dir/modules.o $dir/calm.o \\
\t    \$(LIBRARY) \$(NO_LTO) \$(LDFLAGS) \$(LIBS)
END
    my ($code, $said) = $w->command(100, 'make', '-s', '-C', Weir::Test::root(), '-f', "$dir/Makefile", 'calm');
    is $code, 0, 'a program with the example module links' or diag $said;
    return "$dir/weir";
}

my $w      = Weir::Test->new('a filter that holds outlives a reload')->needs_weir;
my $origin = $w->origin(sub ($c) {
    my ($n) = $c->request->target =~ /n=(\d+)/;
    $c->reply(200, 'x' x ($n // 5));
});
$w->{bin} = program_with_calm($w);
my $conf = sub ($calm, $word) { <<"END" };
    server {
        http2 on; add_header X-Conf $word;
        location / { $calm proxy_pass http://$origin; }
        location /now { return 200 $word; }
    }
END
my $asked = 0;
my $held  = sub (@targets) {
    my @clients = map { $w->client->send_request('GET', $_) } @targets;
    $origin->wait_requests($asked += @targets);
    return @clients;
};
my $is_whole = sub ($client, $n, $word, $what) {
    my $answer = $client->read_response;
    is join(' ', $answer->status, length $answer->body, $answer->header('x-conf')), "200 $n $word", $what;
};
my $use = sub ($calm, $word) {
    $w->reload($conf->($calm, $word));
    $w->wait_until("$word is in use", sub { $w->get('/now')->body eq $word });
};

$w->conf($conf->('calm 5s;', 'one'), workers => 1);
my $since = time;
my @few = $held->('/', '/?n=200000', '/?n=3000000');
my $h2  = Weir::Http2::client($w);
$h2->request(1);
$origin->wait_requests(++$asked);
my ($leaver) = $held->('/?n=100000');
$use->('', 'two');
ok $few[0]->is_quiet, 'a head is held when the filter is gone from the configuration';
$leaver->close;
$is_whole->($w->client->send_request('GET', '/'), 5, 'two', 'new requests are not held');
$asked++;
$is_whole->($few[0], 5, 'one', 'a small answer comes, of its own configuration');
$is_whole->($few[1], 200_000, 'one', 'so does one that was kept whole');
$is_whole->($few[2], 3_000_000, 'one', 'and one whose producer was paused');
is $h2->verdict(1, waits => 1) . ' ' . $h2->body, '200 xxxxx', 'and one over HTTP/2';
$h2->close;
cmp_ok time - $since, '>=', 5, 'when they were let go';

# The other way, twice, and the worker's end.
my ($before) = $held->('/?n=4');
$is_whole->($before, 4, 'two', 'without the filter');
$use->('calm 800ms;', 'three');
my ($first) = $held->('/?n=6');
$use->('calm 1ms;', 'four');
my ($second) = $held->('/?n=400000');
$is_whole->($second, 400_000, 'four', 'each is held as long as its own configuration says');
$is_whole->($first, 6, 'three', 'over a reload');
$use->('calm 1s;', 'five');
my ($last) = $held->('/?n=7');
$w->workers_may_change->descriptors_may_stay->signal('QUIT');
$w->wait_for_log(qr/gracefully shutting down/);
$is_whole->($last, 7, 'five', 'and over a worker that leaves');

done_testing;
