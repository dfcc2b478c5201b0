# Weir::Http2Stream - one stream of a Weir::Http2 connection as if it were a wire of its own: what Weir::WebSocket and the like talk over.
#
#     my $s = Weir::Http2Stream::connect($c, 1);             # an extended CONNECT for a WebSocket (RFC 8441); dies unless it is accepted
#     is Weir::WebSocket::echo($s, 'hello'), 'hello';
package Weir::Http2Stream;
use v5.36;

use Weir::Http2 qw(headers data window);

sub new ($class, $c, $id) {
    $c->{tells_windows} = 1;
    return bless { c => $c, id => $id, in => '' }, $class;
}

sub connect_fields (%arg) {
    return Weir::Http2::request_fields(':method' => 'CONNECT', ':protocol' => 'websocket', 'sec-websocket-version' => 13, %arg);
}

sub connect ($c, $id, %arg) {
    my $s = __PACKAGE__->new($c, $id);
    $c->write(headers($id, 'END_HEADERS', connect_fields(%arg)));
    $s->_turn until $s->{head} || $s->{over};
    die "no 200: " . ($s->{over} // $s->status) . "\n" unless $s->{head} && $s->status == 200;
    return $s;
}

sub status ($s) { my %head = map { @$_ } $s->{head}->@*; $head{':status'} }

# The next frame that is ours is taken in; another's is kept for nobody.
sub _turn ($s) {
    my $f = $s->{c}->next_frame;
    if (!$f || $f->{type} eq 'GOAWAY' && unpack('x4N', $f->{payload})) { $s->{over} = 'closed'; return }
    return unless $f->{stream} == $s->{id};
    $s->{head} = $f->{fields} if $f->{type} eq 'HEADERS' && !$s->{head};
    if ($f->{type} eq 'DATA') {
        $s->{in} .= $f->{payload};
        $s->{c}->write(window(0, length $f->{payload}) . window($s->{id}, length $f->{payload})) if length $f->{payload};
    }
    $s->{over} = 'rst ' . $Weir::Http2::ERRORS[unpack 'N', $f->{payload}] if $f->{type} eq 'RST_STREAM';
    $s->{over} //= 'ended' if $f->{type} =~ /^(?:DATA|HEADERS)$/ && $f->{flags} & 1;
}

sub take ($s, $n) {
    while (length $s->{in} < $n) {
        die "eof: $s->{over}\n" if $s->{over};
        $s->_turn;
    }
    return substr $s->{in}, 0, $n, '';
}

# How it ends, when nothing more comes: "ended", "rst CODE", "closed".
sub end ($s) { $s->_turn until $s->{over}; return $s->{over} }

# In frames of at most 16 KiB, as far as the windows let: the peer's are taken to be wide enough otherwise.
sub send ($s, $bytes) {
    my $c = $s->{c};
    $s->{sent} //= 0;
    while (length $bytes) {
        my $window = ($c->{peer}{4} // 65535) + ($c->{windows}{ $s->{id} } // 0) - $s->{sent};
        my $all    = 65535 + ($c->{windows}{0} // 0) - ($c->{sent} // 0);
        my $n      = (sort { $a <=> $b } $window, $all, 16384, length $bytes)[0];
        if ($n <= 0) { $s->_turn; next }
        $c->write(data($s->{id}, substr $bytes, 0, $n, ''));
        $s->{sent} += $n;
        $c->{sent} += $n;
    }
    return $s;
}

sub finish ($s) { $s->{c}->write(data($s->{id}, '', 'END_STREAM')); return $s }

1;
