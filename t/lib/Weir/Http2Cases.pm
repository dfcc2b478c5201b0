# Weir::Http2Cases - tables of cases against Weir's HTTP/2 server: what is sent, and what must become of stream 1 or the connection.
#
#     my $t = Weir::Http2Cases->new('a frame on an idle stream ends the connection');
#     $t->case('§5.1 DATA', data(1, 'x'), 'goaway PROTOCOL_ERROR');
#     $t->done;
#
# Bytes are sent whole and, again, one by one.  Where the connection outlives the case it must serve a request afterwards.
package Weir::Http2Cases;
use v5.36;

use Test::More;
use Weir::Http2 ':all';
use Weir::Json;
use Weir::Test ();

# Paths: / answers at once, /echo tells what arrived upstream, /hold never answers.
sub new ($class, $sentence, %arg) {
    my $w    = Weir::Test->new($sentence);
    my $hold = $w->peer(sub ($c) { $c->{deadline} = 100; eval { $c->take_all } });
    my $echo = $w->echo_origin;
    my $http = $arg{http} // '';
    $w->conf(<<"END", workers => 1);
        log_format judged escape=json '\$status \$weir_cause \$request';
        access_log logs/judged.log judged;
        client_max_body_size 0;
        $http
        server {
            http2 on;
            location / { return 200 "hello"; }
            location /echo { proxy_pass http://$echo; }
            location /hold { proxy_pass http://$hold; }
        }
END
    return bless { w => $w, echo => $echo, n => 0 }, $class;
}

sub w ($self) { $self->{w} }

# sent: bytes, or a function of the client that returns bytes.  want: a pattern or text of the verdict.
# stream => 1 · whole => 1: not byte by byte · settings · upstream => n: requests that may go up · look => sub ($client)
sub case ($self, $name, $sent, $want, %arg) {
    my @problems;
    for my $way ($arg{whole} ? 'whole' : ('whole', 'dribbled')) {
        my $before  = $self->{echo}->requests;
        my $verdict = eval {
            my $c     = Weir::Http2::client($self->{w}, settings => $arg{settings}, bare => $arg{bare});
            my $bytes = ref $sent ? $sent->($c) : $sent;
            $way eq 'whole' ? $c->send($bytes) : _dribble($c, $bytes);
            my $is = $c->verdict($arg{stream} // 1, waits => $arg{waits}, patient => $arg{patient});
            push @problems, map { "$way: $_" } $arg{look}->($c) if $arg{look} && $is =~ /^\d/;
            if ($is !~ /^(?:goaway|closed)/ && !$arg{last}) {
                my $then = $c->ask;
                push @problems, "$way: after it a request was answered $then" unless $then eq '200';
            } elsif ($is =~ /^goaway/) {
                push @problems, "$way: it did not close" unless _closes($c);
            }
            $c->close;
            $is;
        } // "exception $@";
        push @problems, "$way: $verdict" unless ref $want ? $verdict =~ $want : $verdict eq $want;
        my $went = $self->{echo}->requests - $before;
        push @problems, "$way: $went requests went upstream" if $went > ($arg{upstream} // 0);
    }
    $self->{n}++;
    return ok(!@problems, $name) || diag(map { "$_\n" } @problems);
}

# A request of these fields, complete: refused with PROTOCOL_ERROR before anything goes upstream.
sub malformed ($self, $name, @fields) {
    $self->case($name, headers(1, 'END_STREAM END_HEADERS', @fields), 'rst PROTOCOL_ERROR');
}

# A request that is served; look is given what arrived upstream.
sub served ($self, $name, $bytes, $look = undef) {
    $self->case($name, $bytes, '200', waits => 1, upstream => 1,
        look => sub ($c) { $look ? $look->(Weir::Message->new(Weir::Json::decode($c->body)->%*)) : () });
}

sub _dribble ($c, $bytes) {
    my $step = length $bytes > 400 ? int(length($bytes) / 200) : 1;
    for (my $at = 0; $at < length $bytes; $at += $step) {
        $c->write(substr $bytes, $at, $step) or last;
        Time::HiRes::sleep(0.0002);
    }
}

sub _closes ($c) { eval { 1 while $c->read_frame; 1 } && $c->eof }

sub done ($self) { note "$self->{n} cases"; Weir::Test::done_testing() }

1;
