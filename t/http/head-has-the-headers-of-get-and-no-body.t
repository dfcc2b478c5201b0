use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('HEAD has the headers of GET and no body');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'twelve bytes', 'X-Y' => 'z', 'Content-Type' => 'text/plain') });
$w->conf("server { location / { proxy_pass http://$origin; } location /own { return 200 'four'; } location /none { return 404; } }");

for my $path ('/', '/own', '/none') {
    my $get    = $w->get($path);
    my $client = $w->client;
    my $head   = $client->send_request('HEAD', $path)->read_response(method => 'HEAD');
    is $head->status, $get->status, "$path: the same status";
    is $head->header('Content-Length'), $get->header('Content-Length'), "$path: the same length";
    is $head->header('Content-Type'), $get->header('Content-Type'), "$path: the same type";
    is $client->get('/own')->body, 'four', "$path: and no byte of a body before the next answer";
}

done_testing;
