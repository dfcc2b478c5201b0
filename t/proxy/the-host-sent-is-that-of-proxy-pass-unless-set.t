use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('the Host sent is that of proxy_pass unless set');
my $origin = $w->echo_origin;
my $port   = $origin->port;
$w->conf(<<"END", workers => 1);
    upstream Api.Group { server $origin; keepalive 2; }
    server {
        location /group   { proxy_pass http://Api.Group; }
        location /address { proxy_pass http://$origin; }
        location /host    { proxy_set_header Host \$host; proxy_pass http://api.group; }
        location /http    { proxy_set_header Host \$http_host; proxy_pass http://api.group; }
        location /other   { proxy_set_header X y; proxy_pass http://api.group; }
    }
END

my @cases = (
    [ '/group',   'Api.Group',         'the name of the group' ],
    [ '/address', "127.0.0.1:$port",   'the address and port' ],
    [ '/host',    'www.example.com',   '$host' ],
    [ '/http',    'WWW.example.com:8', '$http_host' ],
    [ '/other',   qr/^api\.group$/i,   'another field set does not take it away' ],
);
my $client = $w->client;
for my $case (@cases) {
    my ($target, $host, $what) = @$case;
    $client->send_request('GET', $target, host => 'WWW.example.com:8');
    my $seen = $w->seen($client->read_response);
    is scalar(my @all = $seen->header('Host')), 1, "$what: one Host";
    ref $host ? like scalar $seen->header('Host'), $host, $what : is scalar $seen->header('Host'), $host, $what;
}

done_testing;
