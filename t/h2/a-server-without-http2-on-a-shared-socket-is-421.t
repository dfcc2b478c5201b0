use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('a server without http2 on a shared socket is 421');
$w->conf(<<'END', workers => 1);
    server { server_name on;  http2 on;  location / { return 200 "[$http2]"; } }
    server { server_name off; http2 off; location / { return 200 "[$http2]"; } }
END

my $c = Weir::Http2::client($w);
is $c->ask(':authority' => 'on') . $c->body, '200[h2c]', 'where it is on it is served, and $http2 says how';
is $c->ask(':authority' => 'off'), '421', 'where it is off it is misdirected';
is $c->ask(':authority' => 'on'), '200', 'the connection serves on';
like $w->raw("GET / HTTP/1.1\r\nHost: off\r\nConnection: close\r\n\r\n"), qr/\[\]\z/, 'HTTP/1.1 is served there, and $http2 is empty';

done_testing;
