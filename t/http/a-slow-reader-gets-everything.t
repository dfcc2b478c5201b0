use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a slow reader gets everything');
my $origin = $w->origin(sub ($c) { $c->reply(200, join '', map { sprintf "%07d\n", $_ } 1 .. 500_000) });
$w->conf("server { location / { proxy_pass http://$origin; } location /off { proxy_pass http://$origin; proxy_buffering off; } location /small { proxy_pass http://$origin; proxy_max_temp_file_size 0; } }");

for my $path ('/', '/off', '/small') {
    my $client = $w->client(rcvbuf => 8192);
    $client->send_request('GET', $path);
    $client->fill;
    $client->is_quiet(0.1);
    my $body = $client->read_response->body;
    is length $body, 4_000_000, "$path: all bytes";
    is substr($body, -16), "0499999\n0500000\n", "$path: in order";
    is substr($body, 1_999_992, 8), "0250000\n", "$path: in the middle too";
    $client->close;
}

done_testing;
