# Both sides misbehave at random for a sixth of WEIR_SOAK_SECONDS (60): whoever still behaves gets its own answer, whole, or an
# error, or a cut; never another's bytes, never a fake end. Afterwards nothing is left of it (asserted silently).
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time sleep);
use Weir::Test;

my $seconds = ($ENV{WEIR_SOAK_SECONDS} // 60) / 6;
my $seed    = $ENV{WEIR_SEED} // time ^ $$;
my $w       = Weir::Test->new('hostile peers and clients');
$w->time_limit($seconds + 120);

my $evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Id: evil\r\n\r\nevil";
my @answers = (
    sub ($id, $body) { "HTTP/1.1 200 OK\r\nX-Id: $id\r\nContent-Length: " . length($body) . "\r\n\r\n$body" },
    sub ($id, $body) { "HTTP/1.1 200 OK\r\nX-Id: $id\r\nTransfer-Encoding: chunked\r\n\r\n" . join('', map { sprintf "%x\r\n%s\r\n", length, $_ } unpack '(a1000)*', $body) . "0\r\n\r\n" },
    sub ($id, $body) { "HTTP/1.1 103 Hints\r\nX-Id: $id\r\n\r\nHTTP/1.1 200 OK\r\nX-Id: $id\r\nContent-Length: " . length($body) . "\r\n\r\n$body" },
    sub ($id, $body) { "HTTP/1.1 503 Busy\r\nX-Id: $id\r\nContent-Length: " . length($body) . "\r\n\r\n$body" },
);
my $origin = $w->peer(sub ($c) {
    srand $seed + $c->number;
    $c->{deadline} = 3;
    while (1) {
        my $request = $c->read_head or return;
        my $id = $request->header('X-Id') // '-';
        my $whim = int rand 30;
        return $c->close if $whim == 0;
        return $c->reset if $whim == 1;
        eval { $c->read_body; 1 } or return $c->reset unless $whim == 2;
        my $text = $answers[ rand @answers ]->($id, "$id." x (1 + rand(10) ** 4));
        if    ($whim == 3) { $c->raw(substr $text, 0, rand length $text); return $c->close }
        elsif ($whim == 4) { $c->raw(substr $text, 0, rand length $text); return $c->reset }
        elsif ($whim == 5) { $c->raw(length $text < 2000 ? $text . $evil : $text) }       # in one segment; later ones nobody can tell
        elsif ($whim == 6) { $c->raw($text); sleep 0.005; $c->raw("\r\n"); return $c->close }
        elsif ($whim == 7) { $c->raw($text . 'surplus') }
        elsif ($whim == 8) { my $at = rand length $text; $c->raw(substr $text, 0, $at); sleep 0.005; $c->raw(substr $text, $at) }
        elsif ($whim == 9) { $c->raw($text); return $c->reset }
        elsif ($whim == 10) { $c->raw($text); return $c->close }
        elsif ($whim == 11) { $c->raw($text); $c->half_close }
        elsif ($whim == 12) { $c->raw($evil =~ s/200/2\x00/r); return $c->close }
        elsif ($whim == 13) { sleep 0.4; $c->raw($text) }
        else               { $c->raw($text) }
    }
});
$w->conf(<<"END");
    upstream api  { server $origin max_fails=0; keepalive 8; }
    upstream pair { server $origin max_fails=0; server $origin max_fails=0; keepalive 2; }
    proxy_read_timeout 300ms;
    client_body_timeout 500ms;
    lingering_timeout 100ms;
    lingering_time 300ms;
    server {
        location /buffered { proxy_pass http://api; }
        location /streamed { proxy_pass http://api; proxy_request_buffering off; proxy_buffering off; }
        location /pair     { proxy_pass http://pair; proxy_next_upstream error timeout http_503 non_idempotent; }
        location /caught   { proxy_pass http://pair; proxy_intercept_errors on; error_page 502 503 504 = \@again; }
        location \@again   { proxy_pass http://api; proxy_request_buffering off; }
    }
END
$w->allow_bad;
$w->start;

sub attack ($number) {
    srand $seed + 1_000_000 * $number;
    my %count;
    my $n = 0;
    my $until = time + $seconds;
    while (time < $until) {
        my $client = $w->client(deadline => 10, rand() < 0.1 ? (rcvbuf => 4096) : ());
        for (1 .. 1 + rand 8) {
            my $id     = "$number-" . ++$n;
            my $path   = (qw(/buffered /streamed /pair /caught))[ rand 4 ];
            my $method = rand() < 0.5 ? 'GET' : rand() < 0.5 ? 'PUT' : 'POST';
            my $body   = $method eq 'GET' ? undef : 'b' x rand(10) ** 5;
            my $text   = Weir::Client::request_text($method, $path, headers => [ 'X-Id', $id ], body => $body);
            my $whim   = int rand 25;
            if ($whim == 0) { $client->send(substr $text, 0, rand length $text); $client->reset; last }
            if ($whim == 1) { $client->send(substr $text, 0, rand length $text); $client->close; last }
            if ($whim == 2) { $client->send($text); $client->reset; last }
            if ($whim == 3) { my $at = rand length $text; $client->send(substr $text, 0, $at); sleep 0.002; $client->send(substr $text, $at) }
            else            { $client->send($text) }
            if ($whim == 4) { eval { $client->fill }; $client->reset; last }
            my $answer = eval { $client->read_response };
            if (!$answer) {
                die "$id $method $path: $@" unless $@ =~ /^eof/;
                $count{cut}++;
                last;
            }
            my $whose = $answer->header('X-Id');
            die "$id $method $path: got the answer of $whose\n" if defined $whose && $whose ne $id;
            die "$id $method $path: " . $answer->head . "\n" if !defined $whose && $answer->status !~ /^50[0234]$/;
            die "$id $method $path: not its body\n" if defined $whose && $answer->body !~ /^(?:\Q$id\E\.)+$/;
            $count{ $answer->status }++;
            last unless $answer->is_kept;
        }
        $client->close;
    }
    print STDERR "done ", join(' ', map { "$_:$count{$_}" } sort keys %count), "\n";
}

my @pids = $w->workers;
for my $child (map { my $number = $_; $w->child(sub { attack($number) }) } 1 .. 4) {
    my (undef, $said) = $child->($seconds + 30);
    like $said, qr/^done .*200:\d/, "seed $seed: $said" =~ s/\s+$//r;
}
is join(' ', $w->workers), "@pids", 'the same workers';

done_testing;
