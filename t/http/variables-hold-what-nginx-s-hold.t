use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new("variables hold what nginx's hold");
my @names = qw(request_method request_uri uri document_uri args query_string is_args arg_a arg_B arg_none http_x_y http_host host hostname_ok cookie_c cookie_none content_length content_type
    server_name server_port server_addr server_protocol scheme request remote_addr remote_port_ok connection_ok connection_requests nginx_version_not request_length_ok pid_ok https);
my %make = (hostname_ok => '$hostname', remote_port_ok => '$remote_port', connection_ok => '$connection',
    request_length_ok => '$request_length', pid_ok => '$pid');
my @real = grep { !/_not$/ } @names;
$w->conf('server { server_name one two; location / { return 200 "'
    . join("\n", map { "$_=" . ($make{$_} // "\$$_") } @real) . '"; } }');

my $answer = $w->request('POST', '/a%20b/../c?a=1&b=2&x', host => 'ONE:80', body => 'hello',
    headers => [ 'X-Y' => 'v', 'Cookie' => 'a=b; c=d', 'Content-Type' => 'text/x' ]);
my %got = map { /^(\w+)=(.*)$/ ? ($1, $2) : () } split /\n/, $answer->body;
my %want = (
    request_method => 'POST', request_uri => '/a%20b/../c?a=1&b=2&x', uri => '/c', document_uri => '/c',
        args => 'a=1&b=2&x', query_string => 'a=1&b=2&x', is_args => '?', arg_a => 1, arg_B => 2, arg_none => '',
    http_x_y => 'v', http_host => 'ONE:80', host => 'one', cookie_c => 'd', cookie_none => '', content_length => 5,
        content_type => 'text/x', server_name => 'one', server_port => $w->port,
    server_addr => '127.0.0.1', server_protocol => 'HTTP/1.1', scheme => 'http',
        request => 'POST /a%20b/../c?a=1&b=2&x HTTP/1.1', remote_addr => '127.0.0.1', connection_requests => 1,
        https => '',
);
is $got{$_}, $want{$_}, "\$$_" for sort keys %want;
like $got{$_}, qr/^\d+$/, "$make{$_} is a number" for qw(remote_port_ok connection_ok request_length_ok pid_ok);
ok length $got{hostname_ok}, '$hostname';

done_testing;
