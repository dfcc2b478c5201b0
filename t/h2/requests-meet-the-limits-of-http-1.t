# The limits and answers of the request core are the same over HTTP/2: sizes, times, methods without bodies.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w      = Weir::Test->new('requests meet the limits of HTTP/1');
my $origin = $w->echo_origin;
my $sized  = $w->origin(sub ($c) { my ($status) = $c->request->target =~ /(\d+)/; $c->reply($status, $status == 200 ? 'body' : '') });
$w->conf(<<"END", workers => 1);
    log_format judged '\$request_method \$uri \$status \$weir_cause \$request_length'; access_log logs/judged.log judged;
    server {
        http2 on; client_max_body_size 10; client_body_timeout 200ms; large_client_header_buffers 4 2k;
        location / { proxy_pass http://$origin; }
        location /stream { proxy_pass http://$origin; proxy_request_buffering off; }
        location /sized/ { proxy_pass http://$sized/; }
        location /large { proxy_pass http://$origin; client_max_body_size 0; }
        location /own { return 200 own; }
    }
END

my $c = Weir::Http2::client($w);
is $c->ask(':method' => 'POST', ':path' => '/', body => 'x' x 10), '200', 'a body at the limit';
for my $path ('/', '/stream') {
    is $c->ask(':method' => 'POST', ':path' => $path, 'content-length' => 11, body => 'x' x 11), '413', "$path: over it, as it says";
    is $c->ask(':method' => 'POST', ':path' => $path, body => 'x' x 11), '413', "$path: over it, though it does not say";
}
for my $path ('/', '/stream') {
    my $id = $c->{next_stream} += 2;
    $c->request($id, ':method' => 'POST', ':path' => $path, body => 'x', open => 1);
    is $c->verdict($id, waits => 1, patient => 1), '408', "$path: a body that stops";
    $c->{next_stream} += 2;
}
like $w->wait_for_access(qr/^POST \/ (408 \S+)/m, 'judged.log'), qr/^408 client\./, 'and the log says why';
is $c->ask(':path' => '/' . 'p' x 2100), '414', 'a path that is too long';
is $c->ask('x-large' => 'v' x 2100), '431', 'a field that is too large';
is $c->ask(':method' => 'HEAD', ':path' => '/own'), '200', 'HEAD';
is $c->head->{'content-length'} . $c->body, '3', 'has the length and no body';
is $c->ask(':path' => "/sized/$_"), $_, "$_" for 204, 304;
is $c->body, '', 'have no body';
is $c->ask(':path' => '/sized/200'), '200', '200';
is $c->body, 'body', 'has its own';
is $c->ask(':method' => 'TRACE', ':path' => '/own'), '405', 'TRACE';
my $big = join '', map { chr(33 + $_ % 90) } 1 .. 300_000;
my $id = $c->{next_stream} += 2;
$c->{tells_windows} = 1;
$c->request($id, ':method' => 'POST', ':path' => '/large', open => 1);
my ($sent, $window) = (0, $c->{peer}{4} // 65535);
while ($sent < length $big) {
    my $room = $window + ($c->{windows}{$id} // 0) - $sent;
    if ($room <= 0) { $c->next_frame; next }
    my $n = (sort { $a <=> $b } $room, 16384, length($big) - $sent)[0];
    $c->write(data($id, substr($big, $sent, $n), $sent + $n == length $big ? 'END_STREAM' : ''));
    $sent += $n;
}
is $c->verdict($id, waits => 1, patient => 1), '200', 'a large body within the windows';
like $c->body, qr/\Q@{[ substr $big, 0, 50 ]}\E/, 'arrives as it was';
$c->close;

done_testing;
