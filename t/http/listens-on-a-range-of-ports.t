use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('listens on a range of ports');
$w->allow_log(qr/\[emerg\]/);
my ($first, undef, $last) = $w->ports('range', 3)->@*;
$w->conf("server { listen 127.0.0.1:%%PORT%%; listen 127.0.0.1:$first-$last; return 200 \$server_port; }");
is $w->client(port => $_)->get('/')->body, $_, "port $_" for $first .. $last;
for ('127.0.0.1:%d-%d', '*:%d-%d', '[::1]:%d-%d', '%d-%d', 'localhost:%d-%d') {
    my ($code, $said) = $w->check_conf('server { listen ' . sprintf($_, $first, $last) . '; }');
    is $code, 0, sprintf($_, $first, $last) or diag $said;
}
for ('127.0.0.1:90-80', '127.0.0.1:80-65536', '127.0.0.1:80-', '127.0.0.1:-80', '80-70', '-80', '0-5') {
    is + ($w->check_conf("server { listen $_; }"))[0], 1, "$_ is refused";
}
done_testing;
