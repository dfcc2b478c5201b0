use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('server_tokens says how much of the name is sent');
$w->needs_weir;
$w->conf('server { location / { return 404; } location /off { server_tokens off; return 404; } location /ok { return 200 ok; } }');

my $answer = $w->get('/');
like $answer->header('Server'), qr{^weir/\d+\.\d+\.\d+$}, 'name and version';
like $answer->body, qr{<center>weir/\d}, 'on the error page too';
$answer = $w->get('/off');
is $answer->header('Server'), 'weir', 'only the name';
like $answer->body, qr{<center>weir</center>}, 'on the error page too';
is scalar(my @servers = $w->get('/ok')->header('Server')), 1, 'once';

done_testing;
