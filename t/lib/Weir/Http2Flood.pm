# Weir::Http2Flood - floods against Weir's HTTP/2 server: each must end its own connection, for a reason that is logged, while another
# client is served.
#
#     my $t = Weir::Http2Flood->new('a flood of PINGs ends the connection');
#     $t->ends('PING', [ (ping()) x 5000 ], cause => 'client.h2.flood');
#     $t->done;
#
# Paths are those of Weir::Http2Cases.
package Weir::Http2Flood;
use v5.36;
use parent -norequire, 'Weir::Http2Cases';

use Test::More;
use Time::HiRes 'time';
use Weir::Http2 ':all';
use Weir::Http2Cases;

# pieces: a list of bytes, or a function of the client that gives the next piece or undef.  Of %arg: code (ENHANCE_YOUR_CALM), cause,
# upstream => n: requests that may go up at most · settings · before => bytes sent first · slow => n: that many seconds may pass
sub ends ($self, $name, $pieces, %arg) {
    my $w      = $self->{w};
    my $good   = $self->{good} //= Weir::Http2::client($w);
    my $before = $self->{echo}->requests;
    my $logged = () = $w->error_log =~ /cause: \Q$arg{cause}\E/g;
    my $c      = Weir::Http2::client($w, settings => $arg{settings});
    my @problems;

    push @problems, "another client was answered $_ before" for grep { $_ ne '200' } $good->ask;
    $c->write($arg{before}) if $arg{before};
    my ($sent, $next) = (0, ref $pieces eq 'CODE' ? $pieces : do { my @all = @$pieces; sub ($c) { shift @all } });
    while (defined(my $piece = $next->($c))) {
        $c->write($piece) or last;
        push @problems, "another client was answered $_ meanwhile" for grep { $_ ne '200' } $sent++ % 1000 == 500 ? $good->ask : ();
    }
    my $verdict = _end($c);
    my $want    = 'goaway ' . ($arg{code} // 'ENHANCE_YOUR_CALM');
    push @problems, "it ended with '$verdict', not '$want'" unless $verdict eq $want;
    push @problems, "another client was answered $_ after it" for grep { $_ ne '200' } $good->ask;
    $c->close;
    eval { $w->wait_until('the cause is logged', sub { my $n = () = $w->error_log =~ /cause: \Q$arg{cause}\E/g; $n > $logged }); 1 }
        or push @problems, "cause $arg{cause} is not in the log";
    my $went = $self->{echo}->requests - $before;
    push @problems, "$went requests went upstream" if $went > ($arg{upstream} // 0);
    $self->{n}++;
    return ok(!@problems, $name) || diag(map { "$_\n" } @problems);
}

# What does no harm: a request is served on the same connection afterwards.
sub bears ($self, $name, $pieces, %arg) {
    my $c = Weir::Http2::client($self->{w}, settings => $arg{settings});

    $c->write($_) for @$pieces;
    my $is = eval { $c->ask } // $@;
    $c->close;
    $self->{n}++;
    return is($is, '200', $name);
}

# The GOAWAY; "closed" when there was none.
sub _end ($c) {
    my $verdict = 'closed';
    my $done = eval {
        while (my $f = $c->read_frame) {
            next unless $f->{type} eq 'GOAWAY';
            my (undef, $code) = unpack 'NN', $f->{payload};
            $verdict = "goaway $Weir::Http2::ERRORS[$code]";
        }
        1;
    };
    return $done ? $verdict : "exception $@";
}

1;
