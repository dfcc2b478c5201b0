use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('proxy_pass reaches unix sockets and names');
my $path = $w->dir . '/origin.sock';
my $unix = $w->echo_origin(unix => $path);
my $tcp  = $w->echo_origin;
my $port = $tcp->port;
$w->conf(<<"END", workers => 1);
    upstream local { server unix:$path; keepalive 2; }
    upstream named { server localhost:$port; keepalive 2; }
    server {
        location /direct/ { proxy_pass http://unix:$path; }
        location /uri/    { proxy_pass http://unix:$path:/v1/; }
        location /group/  { proxy_pass http://local; }
        location /name/   { proxy_pass http://localhost:$port/n/; }
        location /named/  { proxy_pass http://named; }
        location /where   { return 200 "\$proxy_host \$proxy_port"; }
    }
END

my $client = $w->client;
my @cases = (
    [ '/direct/x' => '/direct/x', 'localhost',       'unix socket' ],
    [ '/uri/x'    => '/v1/x',     'localhost',       'unix socket and URI' ],
    [ '/group/x'  => '/group/x',  'local',           'unix socket in a group' ],
    [ '/name/x'   => '/n/x',      "localhost:$port", 'name' ],
    [ '/named/x'  => '/named/x',  'named',           'name in a group' ],
);
for my $case (@cases) {
    my ($ask, $target, $host, $what) = @$case;
    my $seen = $w->seen($client->get($ask));
    is $seen->target, $target, "$what: target";
    is $seen->header('Host'), $host, "$what: Host";
}
$w->seen($client->get('/group/x'));
is $unix->connections, 3, 'a connection to a unix socket is kept too';

$unix->stop;          # and its kept connection with it
$w->allow_log(qr/no\.such\.name/);
my ($status, $said) = $w->check_conf("server { location / { proxy_pass http://no.such.name.invalid; } }");
isnt $status, 0, 'a name that does not exist is refused';
like $said, qr/host not found in upstream "no\.such\.name\.invalid" in \S+:\d+/, 'with the line';

done_testing;
