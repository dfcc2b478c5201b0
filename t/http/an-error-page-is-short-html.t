use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('an error page is short HTML');
$w->conf('server { location / { return 404; } location /r { return 302 /x; } location /teapot { return 418; } }');

my $answer = $w->get('/');
is $answer->header('Content-Type'), 'text/html', 'type';
like $answer->body, qr{<title>404 Not Found</title>}, 'title';
like $answer->body, qr{<h1>404 Not Found</h1>}, 'heading';
is $answer->header('Content-Length'), length $answer->body, 'its length is said';
$answer = $w->get('/r');
is $answer->status, 302, 'redirects have one too';
like $answer->body, qr{302 Found}, 'with its phrase';
is $w->get('/teapot')->status, 418, 'a status without a phrase';

done_testing;
