use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('an error page of a request without Host has the server\'s name');
$w->conf(<<'END');
    server { server_name one; error_page 400 /e; location = /e { return 200 "page of $server_name for $host"; } }
    server { server_name two; error_page 400 /e; location = /e { return 200 "page of $server_name for $host"; } }
END
$w->start;
my $page = sub ($fields) { $w->raw("GET / HTTP/1.1\r\n${fields}Connection: close\r\n\r\n") =~ s/.*\r\n\r\n//sr };

is $page->(''), 'page of one for one', 'no Host';
is $page->("Host: t wo\r\n"), 'page of one for one', 'a Host that cannot be';
is $page->("Host: two\r\nHost: two\r\n"), 'page of one for one', 'two lines of Host: the default server';
is $page->("Host: two\r\nContent-Length: x\r\n"), 'page of two for two', 'a good Host names its server';
done_testing;
