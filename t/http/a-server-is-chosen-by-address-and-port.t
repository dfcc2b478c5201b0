use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a server is chosen by address and port');
$w->conf(<<'END');
    server { listen %%PORT%%; server_name x; return 200 any; }
    server { listen 127.0.0.1:%%PORT%%; server_name x; return 200 one; }
    server { listen 127.0.0.2:%%PORT%%; return 200 two; }
    server { listen 127.0.0.1:%%PORT_b%%; server_name x; return 200 b; }
END

is $w->request('GET', '/', host => 'x')->body, 'one', 'the exact address before the wildcard';
is $w->client(host => '127.0.0.2')->get('/', 'X' => 'y')->body, 'two', 'another address';
is $w->client(host => '127.0.0.3')->get('/')->body, 'any', 'the wildcard takes the rest';
is $w->request('GET', '/', host => 'x', port => 'b')->body, 'b', 'another port';

done_testing;
