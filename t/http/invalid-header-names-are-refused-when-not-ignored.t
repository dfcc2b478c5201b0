use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('invalid header names are refused when not ignored');
$w->conf(<<'END');
    server { location / { return 200 ok; } }
    server { listen 127.0.0.1:%%PORT_strict%%; ignore_invalid_headers off; location / { return 200 ok; } }
END

is $w->get('/', 'A.b' => 'x')->status, 200, 'ignored by default';
like $w->client(port => 'strict')->get('/', 'A@b' => 'x')->status, qr/^400$/, 'never what is no token';
is $w->get('/', 'A@b' => 'x')->status, 400, 'on either';

done_testing;
