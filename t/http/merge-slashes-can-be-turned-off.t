use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('merge_slashes can be turned off');
$w->conf(<<'END');
    server { location / { return 200 $uri; } location = /a/b { return 200 exact; } }
    server { listen 127.0.0.1:%%PORT_off%%; merge_slashes off; location / { return 200 $uri; } location = /a/b { return 200 exact; } }
END

is $w->get('//a///b')->body, 'exact', 'merged by default, before matching';
is $w->client(port => 'off')->get('//a///b')->body, '//a///b', 'kept when off';
is $w->client(port => 'off')->get('/a/b')->body, 'exact', 'single ones are what they are';

done_testing;
