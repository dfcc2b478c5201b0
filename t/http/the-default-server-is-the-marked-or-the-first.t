use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('the default server is the marked or the first');
$w->conf(<<'END');
    server { listen 127.0.0.1:%%PORT%%; server_name a; return 200 a; }
    server { listen 127.0.0.1:%%PORT%%; server_name b; return 200 b; }
    server { listen 127.0.0.1:%%PORT_two%%; server_name a; return 200 a2; }
    server { listen 127.0.0.1:%%PORT_two%% default_server; server_name b; return 200 b2; }
END

is $w->request('GET', '/', host => 'x')->body, 'a', 'the first';
is $w->request('GET', '/', host => 'b')->body, 'b', 'a name';
is $w->request('GET', '/', host => 'x', port => 'two')->body, 'b2', 'the marked';
is $w->request('GET', '/', host => 'a', port => 'two')->body, 'a2', 'a name';

done_testing;
