use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('underscores in headers are dropped unless allowed');
$w->conf(<<'END');
    server { location / { return 200 "[$http_a_b]"; } }
    server { listen 127.0.0.1:%%PORT_under%%; underscores_in_headers on; location / { return 200 "[$http_a_b]"; } }
END

is $w->get('/', 'A_b' => 'x')->body, '[]', 'dropped';
is $w->get('/', 'A-b' => 'x')->body, '[x]', 'a dash is another name, with the same variable';
is $w->get('/', 'A_b' => 'x', 'A-b' => 'y')->body, '[y]', 'they do not mix';
is $w->client(port => 'under')->get('/', 'A_b' => 'x')->body, '[x]', 'allowed';

done_testing;
