# FIN and RST after every byte of an answer: a whole answer, 502, or a cut; never a fake end.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a peer may die at any byte');
my %text = (
    length  => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
    chunked => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
);
my $origin = $w->origin(sub ($c) {
    my ($kind, $end, $at) = $c->request->target =~ m{/(\w+)/(\w+)/(\d+)};
    $c->raw(substr $text{$kind}, 0, $at);
    $end eq 'rst' ? $c->reset : $c->close;
});
$w->conf("upstream api { server $origin; keepalive 4; } server { location / { proxy_pass http://api; } }", workers => 1);

for my $kind (sort keys %text) {
    for my $end (qw(fin rst)) {
        my @wrong;
        for my $at (0 .. length $text{$kind}) {
            my $client = $w->client->send_request('GET', "/$kind/$end/$at");
            my $answer = eval { $client->read_response };
            my $error  = $@;
            $client->close;
            my $whole  = $at == length $text{$kind};
            my $in_head = $at < index($text{$kind}, "\r\n\r\n") + 4;
            my $is = $answer ? $answer->status : $error =~ /^eof/ ? 'cut' : "error $error";
            my $right = $whole ? ($end eq 'fin' ? qr/^200$/ : qr/^(?:200|502|cut)$/) : $in_head ? qr/^502$/ : $end eq 'fin' ? qr/^cut$/ : qr/^(?:cut|502)$/;
            push @wrong, "$at: $is" if $is !~ $right;
            push @wrong, "$at: a fake end" if $answer && $answer->status == 200 && $answer->body ne '0123456789';
        }
        is_deeply \@wrong, [], "$kind, $end";
    }
}

done_testing;
