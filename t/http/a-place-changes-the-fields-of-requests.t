# request_header: set, add and remove in their order, over HTTP/1.1, HTTP/2 and with gRPC.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('a place changes the fields of requests');
my $echo = $w->echo_origin;
my $grpc = $w->peer(sub ($c) {
    my $h2 = Weir::Http2::serve($c);
    while (my $f = $h2->next_frame) {
        next unless $f->{type} eq 'HEADERS';
        $c->note(join ' ', map { "$_->[0]=$_->[1]" } grep { $_->[0] =~ /^x-/ } $f->{fields}->@*);
        $h2->write(headers($f->{stream}, 'END_HEADERS END_STREAM', ':status' => 200, 'content-type' => 'application/grpc', 'grpc-status' => 0));
    }
});
$w->conf(<<"END", workers => 1);
    log_format seen '\$uri \$http_x_set';
    server {
        http2 on;
        access_log %%DIR%%/seen.log seen;
        request_header set X-Env prod;
        request_header add X-List outer;
        location / {
            request_header add    X-List inner;
            request_header set    x-SET  "\$http_x_set+\$arg_a";
            request_header remove X-Gone;
            request_header set    X-Empty \$arg_none;
            request_header set    X-Named-By-Connection "ours";
            request_header remove X-Both;
            request_header add    X-Both again;
            proxy_set_header X-Late "\$http_x_set";
            proxy_set_header X-Env2 "\$http_x_env";
            proxy_pass http://$echo;
        }
        location /plain { proxy_pass http://$echo; }
        location /last-word { request_header set X-Env rule; proxy_set_header X-Env proxy; proxy_pass http://$echo; }
        location /guard {
            require \$http_x_pass;
            request_header set X-Pass yes;
            proxy_pass http://$echo;
        }
        location /call { request_header remove X-Env; request_header set X-Call "\$http_x_list"; grpc_pass $grpc; }
        location /variable {
            request_header remove X-Gone;
            request_header set X-Set v;
            try_files /none \@answer;
        }
        location \@answer { proxy_set_header X-Seen "[\$http_x_gone][\$http_x_set][\$http_x_list]"; proxy_pass http://$echo; }
        location /file { request_header remove Range; root %%DIR%%; }
    }
END

my $fields = sub ($answer, $name) { [ map { $_->[1] } grep { lc $_->[0] eq lc $name } $w->seen($answer)->{fields}->@* ] };
my @sent = ('X-Set' => 'c', 'X-List' => 'client', 'X-Gone' => 1, 'x-gone' => 2, 'X-Empty' => 'e', 'X-Both' => 1, 'X-Both' => 2,
    'X-Keep' => 'k');
my %is = ('X-Env' => ['prod'], 'X-List' => [qw(client outer inner)], 'X-Set' => ['c+1'], 'X-Gone' => [], 'X-Empty' => [],
    'X-Both' => ['again'], 'X-Late' => ['c+1'], 'X-Env2' => ['prod'], 'X-Keep' => ['k']);

my $answer = $w->get('/?a=1', @sent, 'Connection' => 'close, x-named-by-connection', 'X-Named-By-Connection' => 'theirs');
is_deeply $fields->($answer, $_), $is{$_}, "HTTP/1.1: $_" for sort keys %is;
is_deeply $fields->($answer, 'X-Named-By-Connection'), ['ours'], 'what is set is sent, whatever Connection names';

my $h2 = Weir::Http2::client($w);
my @lower;
push @lower, lc $sent[ 2 * $_ ], $sent[ 2 * $_ + 1 ] for 0 .. $#sent / 2;
is $h2->ask(':path' => '/?a=1', @lower), 200, 'HTTP/2';
my %seen;
push $seen{ lc $_->[0] }->@*, $_->[1] for Weir::Json::decode($h2->body)->{fields}->@*;
is_deeply $seen{ lc $_ } // [], $is{$_}, "HTTP/2: $_" for sort keys %is;
is $h2->ask(':method' => 'POST', ':path' => '/call', 'content-type' => 'application/grpc', te => 'trailers', 'x-list' => 'client',
    body => "\0\0\0\0\0"), 200, 'a call';
is +($grpc->notes)[0], 'x-list=client x-list=outer x-call=client, outer', 'with its fields changed';
$h2->close;

is_deeply $fields->($w->get('/plain'), 'X-List'), ['outer'], 'lines of the server hold in a location without any';
is_deeply $fields->($w->get('/last-word'), 'X-Env'), ['proxy'], 'proxy_set_header has the last word';
is $w->get('/guard')->status, 403, 'guards see what the client sent';
is_deeply $fields->($w->get('/guard', 'X-Pass' => 1), 'X-Pass'), ['yes'], 'the peer what was made of it';
is_deeply $fields->($w->get('/variable', @sent), 'X-Seen'), ['[1, 2][c][client, outer]'], "in the next place the fields are the client's, with its own rules";

open my $file, '>', $w->{dir} . '/file' or die $!;
print $file '0123456789';
close $file;
is $w->get('/file', Range => 'bytes=0-1')->status, 200, 'no Range any more';

$w->allow_log(qr/\[emerg\]/);
for my $bad ([ 'set Host x', qr/rewrite_host/ ], [ 'set Content-Length 5', qr/of the connection/ ], [ 'remove Connection', qr/of the connection/ ],
    [ 'add Transfer-Encoding chunked', qr/of the connection/ ], [ 'set Upgrade x', qr/of the connection/ ], [ 'remove TE', qr/of the connection/ ],
    [ 'set Expect x', qr/of the connection/ ], [ 'set :path /x', qr/name of a header field/ ], [ 'put X y', qr/"set", "add" or "remove"/ ],
    [ 'set X', qr/takes a name and a value/ ], [ 'remove X y', qr/nothing else/ ], [ 'set X "a\\nb"', qr/without line ends/ ],
    [ 'set X $nonesuch', qr/nonesuch/ ]) {
    my ($code, $said) = $w->check_conf("server { location / { request_header $bad->[0]; proxy_pass http://$echo; } }");
    isnt $code, 0, "$bad->[0]: refused";
    like $said, $bad->[1], 'and told why';
}
$w->wait_until('the log', sub { -s $w->{dir} . '/seen.log' });
open my $log, '<', $w->{dir} . '/seen.log' or die $!;
is <$log>, "/ c+1\n", 'the log shows what was made of it';

done_testing;
