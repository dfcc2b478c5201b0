# `weir explain` runs without a connection, a worker and shared memory: each variable that there is can be asked for all the same.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('explain can look at every variable')->needs_weir;
my @names  = grep { length > 1 } map { s/_\z/_x/r } ($w->run('-M'))[1] =~ /^- `\$(\w+)/mg;
cmp_ok scalar @names, '>', 100, 'there are many';
$w->conf("server { location / { " . join(' ', map { "set \$y$_ \"\$$names[$_]\";" } 0 .. $#names) . " return 200 ok; } }",
    main => 'recorder_requests 16;');
my ($code, $said) = $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', 'GET http://localhost:' . $w->port . '/?x=1', '--json');
is $code, 0, 'they are looked at' or diag $said;
my ($json) = $said =~ /^(\{.*)/m;
is scalar Weir::Json::decode($json)->{rewrites}->@*, @names + 1, 'each of them';
done_testing;
