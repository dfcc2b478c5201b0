# error_page to a named location: the body that the first peer had goes to the second as well.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('the fallback gets the body too');
my $dead   = $w->refused_peer;
my $origin = $w->echo_origin;
my $busy   = $w->origin(sub ($c) { $c->reply(503, 'busy') });
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    server {
        error_page 502 = \@fallback;
        error_page 503 = \@fallback;
        location /dead { proxy_pass http://$dead; }
        location /busy { proxy_pass http://$busy; proxy_intercept_errors on; }
        location /get  { proxy_pass http://$dead; error_page 502 = /other/place; }
        location /other/ { proxy_pass http://api; }
        location \@fallback { proxy_pass http://api; }
    }
END

my $client = $w->client;
for my $target (qw(/dead /busy)) {
    my $seen = $w->seen($client->send_request('POST', $target, body => 'order')->read_response);
    is $seen->method, 'POST', "$target: a named location keeps the method";
    is $seen->target, $target, "$target: and the target";
    is $seen->body, 'order', "$target: and the body";
}
my $seen = $w->seen($client->send_request('POST', '/get', body => 'order')->read_response);
is $seen->method, 'GET', 'a path makes it a GET';
is $seen->target, '/other/place', 'of that path';
is $seen->body, '', 'without a body';

done_testing;
