# Whatever a request waits for, its client may leave: the request ends once, with a cause, and what was waited for is let go of.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('a client may leave while its request waits for anything')->needs_weir;
my $mute = $w->origin(sub ($c) {
    $c->note('asked');
    $c->take_all;                                # until Weir closes
    $c->close;
}, body => 0);
$w->write_file('conf/users', 'slow:' . crypt('secret', '$2y$12$abcdefghijklmnopqrstuu') . "\n");
mkdir $w->dir . '/html' or die $!;
mkdir $w->dir . '/html/report' or die $!;
$w->write_file("html/report/a-file-with-a-name-that-is-long-$_", '') for 1 .. 100;
$w->write_file('html/file', 'x' x 30_000);
$w->write_file('html/big', 'x' x 8_000_000);
$w->conf(<<"END", workers => 1);
    log_format ends '\$request_uri \$status \$weir_cause';
    limit_req_zone \$uri zone=one:1m rate=1r/m;
    server {
        http2 on;
        access_log logs/ends.log ends;
        root html;
        location /open { return 200 open; }
        location /mirror { mirror /copy; proxy_pass http://$mute; }
        location /copy { internal; return 200 ok; }
        location /ahead { proxy_pass http://$mute; }
        location /streamed { proxy_pass http://$mute; proxy_request_buffering off; }
        location /auth { auth_request /judge; empty_gif; }
        location /judge { internal; proxy_pass http://$mute; proxy_pass_request_body off; }
        location /delay { limit_req zone=one burst=5; empty_gif; }
        location /hash { auth_basic Here; auth_basic_user_file users; empty_gif; }
        location /report { autoindex on; limit_rate 200; }
        location /file { limit_rate 200; alias html/file; }
        location /big { alias html/big; }
    }
END
my @waits = (                                    # what is waited for, how a test knows that it is
    [ '/mirror',  'a body that is read ahead',                'continue', 499 ],
    [ '/ahead',   'a body that is read for a peer',           'continue', 499 ],
    [ '/streamed', 'a body that is passed on as it comes',    'peer',     499 ],
    [ '/auth',    'a subrequest of auth_request',             'peer',     499 ],
    [ '/delay',   'its time in limit_req',                    'delayed',  499 ],
    [ '/hash',    'a hash that is computed beside the loop',  'other',    499 ],
    [ '/report/', 'the rest of a report',                     'head',     200 ],
    [ '/file',    'the rest of a file at its pace',           'head',     200 ],
    [ '/big',     'a client that does not read a file',       'head',     200 ],
);
my $asked = 0;

sub fields_of ($path, $way, $barrier) {
    my @fields = $path eq '/hash' ? (authorization => 'Basic ' . encode_base64("slow:$way", '')) : ();
    push @fields, 'content-length' => 100 if $barrier eq 'continue' || $path eq '/streamed';
    push @fields, expect => '100-continue' if $barrier eq 'continue';
    return @fields;
}

sub wait_for_it ($barrier, $uri) {
    $mute->wait_requests(++$asked) if $barrier eq 'peer';
    $w->wait_for_log(qr/delaying request.*\Q$uri\E.*\n/) if $barrier eq 'delayed';
    $w->get('/open') if $barrier eq 'other';
}

for my $wait (@waits) {
    my ($path, $what, $barrier, $status) = @$wait;
    my $method = $barrier eq 'continue' || $path eq '/streamed' ? 'POST' : 'GET';

    $w->get("$path?first") if $path eq '/delay';
    for my $how (qw(close reset)) {
        my $uri    = "$path?1-$how";
        my $client = $w->client->send_request($method, $uri, headers => [ fields_of($path, $how, $barrier) ]);

        $client->take_until(qr/100 Continue\r\n\r\n/) if $barrier eq 'continue';
        $client->take_until(qr/200 OK\r\n.*\r\n\r\n/s) if $barrier eq 'head';
        wait_for_it($barrier, $uri);
        $client->$how;
        like $w->wait_for_access(qr{^\Q$uri\E (.*)\n}m, 'ends.log'), qr/^$status client\.closed|^400 client\.body\.incomplete/, "HTTP/1.1, $how, $what";
    }
    for my $how (qw(rst close)) {
        my $uri    = "$path?2-$how";
        my $client = Weir::Http2::client($w, settings => [ 4 => 1000 ]);

        $client->request(1, ':method' => $method, ':path' => $uri, fields_of($path, "2$how", $barrier), open => $method eq 'POST');
        if ($barrier eq 'continue' || $barrier eq 'head') {
            my $frame;
            do { $frame = $client->next_frame } until $frame->{type} eq 'HEADERS';
        }
        wait_for_it($barrier, $uri);
        $how eq 'rst' ? $client->write(rst(1)) : $client->close;
        like $w->wait_for_access(qr{^\Q$uri\E (.*)\n}m, 'ends.log'), qr/^$status client\.\w+/, "HTTP/2, $how, $what";
        $client->close if $how eq 'rst';
    }
}
is $w->get('/open')->body, 'open', 'the same worker serves on';

done_testing;
