package Weir::Load;

# Load for what must not lose a request.

use v5.36;

# 16 kept connections, requests of all kinds on each in turn until the file $stop is there: /streamed, /post, /chunked and /get answer with
# the body and the target, /here with its configuration's number.  A connection may end only with an answer that says so.  In a child: what it
# did is said on standard error.
sub run ($w, $stop, $number) {
    my ($requests, $reconnects) = (0, 0);
    my @connections = map { $w->client } 1 .. 16;
    until (-e $stop) {
        for my $i (0 .. $#connections) {
            my $kind = ($requests + $i) % 5;
            my $body = $kind == 0 ? 'x' x 20_000 : $kind == 1 ? 'short' : undef;
            my $path = ("/streamed/$number", "/post/$number", "/chunked/$i", "/here/$i", "/get/$requests")[$kind];
            my $answer = eval { $connections[$i]->send_request(defined $body ? 'POST' : 'GET', $path, body => $body)->read_response };
            die "request $requests ($path): $@" unless $answer;
            die "request $requests ($path): status " . $answer->status . "\n" unless $answer->status == 200;
            my $right = $kind == 3 ? $answer->body =~ /^generation \d+ of \Q$path\E$/ : $answer->body eq ($body // '') . $path;
            die "request $requests ($path): another's answer: " . substr($answer->body, 0, 100) . "\n" unless $right;
            $requests++;
            next if $answer->is_kept;
            $connections[$i]->close;
            $connections[$i] = $w->client;
            $reconnects++;
        }
    }
    print STDERR "requests $requests reconnects $reconnects\n";
}

1;
