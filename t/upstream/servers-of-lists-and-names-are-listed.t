# `weir upstream GROUP` lists also the servers that came from a file or by a name, as the workers have found them last, and
# they are changed as others are.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('servers of lists and names are listed')->needs_weir;
my ($a, $b, $c) = map { my $name = $_; $w->origin(sub ($c) { $c->reply(200, $name) }) } 'a', 'b', 'c';
my $file = $w->dir . '/list';
my $say = sub (@servers) {
    $w->write_file('list.new', join '', map { "server $_;\n" } @servers);
    rename "$file.new", $file or die;
};
my $list = sub {
    my ($code, $said) = $w->tool('upstream', 'api', 'list');
    is $code, 0, 'the group can be listed' or diag $said;
    return $said;
};
$say->($a);
$w->allow_log(qr/upstream\.none/);
$w->conf("upstream api { server $c; servers_file $file interval=100ms; } server { location / { proxy_pass http://api; } }");
my $seen = sub { my %seen; $seen{ $w->get('/')->body }++ for 1 .. 12; join ' ', sort keys %seen };
is $seen->(), 'a c', 'what is written and what the file has serve';
$w->wait_until('they are listed', sub { $list->() =~ /^\Q$a\E /m });
$say->($a, $b);
$w->wait_until('another one serves', sub { $seen->() eq 'a b c' });
my $said = $list->();
like $said, qr/^\Q$_\E /m, "$_ is listed" for $a, $b, $c;
is +($w->tool('upstream', 'api', 'remove', "$b"))[0], 0, 'it is removed';
like $list->(), qr/^\Q$b\E .* removed /m, 'and listed as that';
is $seen->(), 'a c', 'and serves no more';
done_testing;
