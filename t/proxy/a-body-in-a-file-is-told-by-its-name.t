use v5.36;
use lib 't/lib';
use Weir::Test;

# client_body_in_file_only, $request_body_file, and the levels of client_body_temp_path.
my $w      = Weir::Test->new('a body in a file is told by its name');
my $origin = $w->origin(sub ($c) {
    my $file = $c->request->header('X-File') // '';
    my $text = 'none';
    if ($file ne '') {
        open my $in, '<:raw', $file or die "$file: $!";
        local $/;
        $text = sprintf '%o %s', (stat $in)[2] & 0777, <$in> // '';
    }
    $c->reply(200, join '|', length $c->request->body, $file, $text);
});
$w->conf(<<"END", workers => 1);
    proxy_set_header X-File \$request_body_file;
    client_body_buffer_size 1k;
    log_format told '\$request_uri \$status file=\$request_body_file body=\$request_body';
    access_log logs/told.log told;
    server {
        client_body_temp_path bodies;
        location /off { proxy_pass http://$origin; }
        location /on { client_body_in_file_only on; proxy_pass http://$origin; }
        location /clean { client_body_in_file_only clean; proxy_pass http://$origin; }
        location /instead {
            client_body_in_file_only clean;
            proxy_pass_request_body off;
            proxy_set_header X-File \$request_body_file;
            proxy_set_header Content-Length "";
            proxy_pass http://$origin;
        }
        location /streamed { client_body_in_file_only on; proxy_request_buffering off; proxy_pass http://$origin; }
        location /ours { client_body_in_file_only on; return 200 ok; }
        location /levels {
            client_body_in_file_only on;
            client_body_temp_path spread 1 2 3;
            proxy_pass http://$origin;
        }
    }
END

sub post ($path, $body, @more) { split /\|/, $w->request('POST', $path, body => $body, @more)->body, -1 }
sub files () { my @found = glob $w->dir . '/bodies/*'; @found }

my ($length, $file, $text) = post('/off', 'small');
is "$length|$text", '5|none', 'off: in memory, no name';
is +(post('/off', 'x' x 5000))[2], 'none', 'a file that nobody asked for has none either' unless $w->is_nginx;

($length, $file, $text) = post('/on', 'small');
like $file, qr{^\Q${\$w->dir}\E/bodies/[0-9a-f]+$}, 'on: a small body is in a file, told by its whole name';
is $text, '600 small', 'which has all of it, for its owner alone';
is $length, 5, 'and the peer was sent it too';
ok -e $file, 'the file stays';
is $w->wait_for_access(qr{^/on (.*)}m, 'told.log'), "200 file=$file body=-", 'it can be logged; $request_body is for memory';
unlink $file;

my $large = 'abc' x 10_000;
($length, $file, $text) = post('/clean', $large);
is $text, "600 $large", 'clean: a large one, whole, nothing of it in memory';
$w->wait_until('it is removed when the request has ended', sub { !-e $file });

my $client = $w->client;
$client->send("POST /clean HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
is +(split /\|/, $client->read_response->body)[2], '600 abcdefg', 'chunks';
$client->close;

is +(post('/clean', ''))[2], '600 ', 'a body of no bytes has a file of none';
is +(split /\|/, $w->get('/clean')->body)[2], 'none', 'no body, no file';

($length, $file, $text) = post('/instead', 'in the file');
is "$length|$text", '0|600 in the file', 'the name may be sent instead of the body';

is +(post('/streamed', 'streamed'))[2], 'none', 'a body that is streamed gets no file';
is $w->request('POST', '/ours', body => 'unread')->body, 'ok', 'one that nobody reads neither';

for (1 .. 3) {
    ($length, $file, $text) = post('/levels', "levels $_");
    is $text, "600 levels $_", 'levels: the file is there';
    my ($one, $two, $three, $name) = $file =~ m{^\Q${\$w->dir}\E/spread/([^/]+)/([^/]+)/([^/]+)/([^/]+)$} or BAIL_OUT("no levels: $file");
    is join('-', map { length } $one, $two, $three), '1-2-3', 'folders of so many digits';
    is substr($name, -6), "$three$two$one", 'which are the last of its name';
    is +(stat $w->dir . "/spread/$one")[4], (stat $file)[4], 'made by who wrote it';
}

$client = $w->client;
$client->send("POST /on HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly this");
$w->wait_until('a body on its way has its file', sub { files() }) unless $w->is_nginx;      # which waits for a full buffer
$client->close;
$w->wait_for_access(qr{^/on 4\d\d}m, 'told.log');
$w->wait_until('of one that breaks off nothing is left', sub { !files() });

my @wrong = (
    ['client_body_in_file_only maybe', qr/invalid value "maybe"|"maybe"/],
    ['client_body_temp_path bodies 0', qr/"0"|invalid value/],
    $w->is_nginx ? () : ['client_body_temp_path bodies 1 4', qr/"4"/],
    ['client_body_temp_path bodies 1 1 1 1', qr/invalid number of arguments/],
);
for (@wrong) {
    my ($line, $says) = @$_;
    my $wrong = Weir::Test->new("wrong: $line");
    my ($code, $said) = $wrong->check_conf("server { $line; }");
    isnt $code, 0, "$line: refused";
    like $said, $says, 'and said why';
    $wrong->allow_log(qr/\[emerg\]/);
}

done_testing;
