# RFC 9113 §6.8: a reload that changes the number of workers replaces them: who lies idle on one of the old is told in two steps, however the second
# comes about, and what it sends between them is served.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('an idle connection of a worker that is replaced is told')->workers_may_change;
my $text = 'server { http2 on; location / { return 200 hello; } }';
$w->conf($text, workers => 2);

my ($answers, $silent) = map { Weir::Http2::client($w) } 1 .. 2;
is $_->ask, '200', 'a connection that is idle' for $answers, $silent;
$_->write(ping('in-steps')) for $answers, $silent;
for my $c ($answers, $silent) { while (my $f = $c->next_frame) { last if $f->{type} eq 'PING' && $f->{payload} eq 'in-steps' } }
$w->reload($text, workers => 1);

my $next = sub ($c) {
    while (my $f = $c->next_frame) { return $f if $f->{type} =~ /GOAWAY|PING/ }
    return { type => 'closed', payload => '' };
};
for my $c ($answers, $silent) {
    my $f = $next->($c);
    is $f->{type} . ' ' . join('/', unpack 'NN', $f->{payload}), 'GOAWAY 2147483647/0', 'the first names no stream';
}
my $ask = $next->($answers);
is $ask->{type}, 'PING', 'and asks for a sign';
$answers->request(2001)->write(ping($ask->{payload}, 'ACK'));
is $answers->verdict(2001, past_goaway => 1, patient => 1), '200', 'a request that was on its way is served';
is $next->($silent)->{type}, 'PING', 'one that gives no sign';
my $f = $next->($silent);
is $f->{type} . ' ' . join('/', unpack 'NN', $f->{payload}), 'GOAWAY 1001/0', 'has the second after a moment';
is $next->($silent)->{type}, 'closed', 'and then the end';
$_->close for $answers, $silent;

done_testing;
