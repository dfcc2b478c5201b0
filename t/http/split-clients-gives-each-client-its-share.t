# split_clients: shares of a string's hash; the same shares as nginx's, client by client.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('split_clients gives each client its share');
my $text = <<'END';
    split_clients $arg_k $variant { 0.5% tiny; 20% "one fifth"; 33.33% third; 1.5% small; * rest; }
    split_clients "${arg_k}AAA" $half { 50% a; }
    split_clients $arg_k $all { 100% everybody; }
    split_clients $arg_k $only { * "only $1"; }
    server { location / { return 200 "$variant|$half|$all|"; } location /only { return 200 "$only"; } }
END
$w->conf($text);
my @keys = ('', 'a', 'ab', 'abc', 'abcd', 'abcde', '127.0.0.1', map { substr(('k' . $_) x 40, 0, $_ % 37 + 1) . $_ } 1 .. 600);
my (%variants, %halves);
my $client = $w->client;
my %mine = map { $_ => $client->get("/?k=$_")->body } @keys;
for my $answer (values %mine) {
    my ($variant, $half, $all) = split /\|/, $answer, -1;
    $variants{$variant}++;
    $halves{$half}++;
    $all eq 'everybody' or fail "all are everybody: $answer";
}
is_deeply [ sort keys %halves ], [ '', 'a' ], 'who is in no share has the empty value';
cmp_ok abs($halves{a} / @keys - 0.5), '<', 0.1, 'a half is about a half';
cmp_ok abs($variants{'one fifth'} / @keys - 0.2), '<', 0.1, 'a fifth about a fifth';
cmp_ok abs($variants{third} / @keys - 0.3333), '<', 0.1, 'a third about a third';
cmp_ok $variants{rest}, '>', @keys * 0.3, 'the rest is the rest';
is $client->get('/only?k=x')->body, 'only $1', 'values are plain text';
is $client->get('/?k=abc')->body, $mine{abc}, 'a client stays where it is';

SKIP: {
    skip 'nginx is not installed', 1 unless grep { -x "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin';
    my $nginx = $w->client(port => $w->nginx($text)->port);
    my @differ = grep { $nginx->get("/?k=$_")->body ne $mine{$_} } @keys;
    is "@differ", '', 'nginx has each of ' . @keys . ' clients in the same shares';
}

my $wrong = Weir::Test->new('wrong shares')->allow_log(qr{\[emerg\]});
my @counts = $w->is_nginx ? () : (['{ 50%; }', qr/invalid number of/], ['{ 50% a b; }', qr/invalid number of/]);
for my $case (@counts, ['{ 50 a; }', qr/invalid percent value "50"/], ['{ 0% a; }', qr/invalid percent value "0%"/],
    ['{ 0.001% a; }', qr/invalid percent value/], ['{ -1% a; }', qr/invalid percent value/], ['{ % a; }', qr/invalid percent value/], ['{ 60% a; 40.01% b; }', qr/percent total is greater than 100%/],
    ['{ 1.x% a; }', qr/invalid percent value/]) {
    my ($block, $complaint) = @$case;
    my ($code, $said) = $wrong->check_conf("split_clients \$arg_k \$a $block server { }");
    is $code, 1, "$block is refused";
    like $said, $complaint, 'and told why';
}
is +($wrong->check_conf('split_clients $arg_k a { } server { }'))[0], 1, 'what is no variable is refused';

done_testing;
