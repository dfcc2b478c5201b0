# Split at every byte, and one byte a segment.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('an answer in pieces is the same answer');
my %text = (
    length  => "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-Field: value\r\nContent-Length: 10\r\n\r\n0123456789",
    chunked => "HTTP/1.1 200 Fine\r\nX-Field: value\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\n0123\r\n6\r\n456789\r\n0\r\nX-T: t\r\n\r\n",
);
my $origin = $w->origin(sub ($c) {
    my ($kind, $at) = $c->request->target =~ m{/(\w+)/(\w+)};
    my $text = $text{$kind};
    if ($at eq 'dribble') {
        for my $byte (split //, $text) { $c->raw($byte); select undef, undef, undef, 0.0005 }
        return;
    }
    $c->raw(substr $text, 0, $at);
    select undef, undef, undef, 0.001;
    $c->raw(substr $text, $at);
});
$w->conf("upstream api { server $origin; keepalive 4; } server { location / { proxy_pass http://api; } }", workers => 1);

my $client = $w->client;
for my $kind (sort keys %text) {
    my @wrong;
    for my $at ('dribble', 1 .. length($text{$kind}) - 1) {
        my $answer = $client->get("/$kind/$at");
        my $seen = join ' ', map({ $_->status } $answer->interim), $answer->status, $answer->header('X-Field') // '-', $answer->body;
        push @wrong, "$at: $seen" if $seen ne ($kind eq 'length' ? '103 ' : '') . '200 value 0123456789';
    }
    is_deeply \@wrong, [], "$kind: " . length($text{$kind}) . ' ways';
}
is $origin->connections, 1, 'over one connection';

done_testing;
