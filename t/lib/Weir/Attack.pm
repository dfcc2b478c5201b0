# Weir::Attack - table-driven tests of what strangers send: each case is delivered whole and byte by byte, and judged by the oracles.
#
#     my $attack = Weir::Attack->new('two lengths are refused');
#     $attack->refused('different', "POST / HTTP/1.1\r\n…", 400);
#     $attack->forwarded('…', "…", sub ($seen) { … });
#     $attack->done;
#
# refused: one answer with the status, then the end of the connection, and not a byte upstream. forwarded: the origin's strict parser
# took it, and the sub looks at what it saw. Weir stands before one origin, which tells in its answer what it saw.
package Weir::Attack;
use v5.36;

use Test::More;
use Weir::Test ();

sub new ($class, $sentence, %arg) {
    my $w      = Weir::Test->new($sentence);
    my $self   = bless { w => $w, n => 0 }, $class;
    my $origin = $self->{origin} = $w->echo_origin;
    my $cause  = $w->is_nginx ? '-' : '$weir_cause';
    my $http   = $arg{http} // '';
    my $server = $arg{server} // '';
    $w->conf(<<"END", workers => 1);
        log_format judged escape=json '\$status $cause \$request';
        access_log logs/judged.log judged;
        upstream origin { server $origin; keepalive 4; }
        client_header_timeout 2s;
        client_body_timeout 2s;
        lingering_timeout 500ms;
        lingering_time 1s;
        $http
        server {
            $server
            location / { proxy_pass http://origin; }
            location /stream/ { proxy_pass http://origin; proxy_request_buffering off; }
        }
END
    return $self;
}

sub w ($self)      { $self->{w} }
sub origin ($self) { $self->{origin} }

# status: a number or a pattern. end => 'fin': our side is closed after the bytes. dribble => 0: whole only. upstream => 1: the beginning
# may have been sent up, but no complete request.
sub refused ($self, $name, $bytes, $status = 400, %arg) {
    my @problems;
    for my $way ($self->_ways($bytes, %arg)) {
        my $before = $self->origin->requests;
        my ($answers, $error) = $self->_deliver($bytes, $way, %arg);
        if (defined $error) {
            push @problems, "$way: $error";
        } elsif (@$answers != 1) {
            push @problems, "$way: " . @$answers . ' answers: ' . join ' ', map { $_->status } @$answers;
        } elsif (ref $status ? $answers->[0]->status !~ $status : $answers->[0]->status != $status) {
            push @problems, "$way: status " . $answers->[0]->status . ", not $status";
        }
        my $after = $self->origin->requests;
        push @problems, "$way: " . ($after - $before) . ' requests went upstream'
            if $after != $before && !$arg{upstream};
    }
    return $self->_verdict($name, $bytes, @problems);
}

# look: is given what the origin saw (Weir::Message), returns complaints.  answers => 1: how many.
sub forwarded ($self, $name, $bytes, $look = sub { () }, %arg) {
    my @problems;
    for my $way ($self->_ways($bytes, %arg)) {
        my ($answers, $error) = $self->_deliver($bytes, $way, %arg, keep => 1);
        if (defined $error) {
            push @problems, "$way: $error";
        } elsif (!@$answers || $answers->[0]->status != 200) {
            push @problems, "$way: status " . (@$answers ? $answers->[0]->status : 'none');
        } else {
            push @problems, map { "$way: $_" } $look->(Weir::Test->seen($answers->[0]));
        }
    }
    return $self->_verdict($name, $bytes, @problems);
}

# Refused or forwarded in one meaning: what matters is that the origin's parser takes it, and `look`.
sub judged ($self, $name, $bytes, $look = sub { () }, %arg) {
    my @problems;
    for my $way ($self->_ways($bytes, %arg)) {
        my ($answers, $error) = $self->_deliver($bytes, $way, %arg, keep => 1);
        if (defined $error) { push @problems, "$way: $error"; next }
        my $status = @$answers ? $answers->[0]->status : 0;
        push @problems, "$way: status $status" unless $status == 200 || $status =~ /^(?:4..|501|505)$/;
        push @problems, map { "$way: $_" } $look->(Weir::Test->seen($answers->[0])) if $status == 200;
    }
    return $self->_verdict($name, $bytes, @problems);
}

sub _ways ($self, $bytes, %arg) {
    return length $bytes > 2000 || !($arg{dribble} // 1) ? ('whole') : ('whole', 'dribbled') }

# (answers, undef) or (undef, what went wrong)
sub _deliver ($self, $bytes, $way, %arg) {
    my $client = $self->w->client(deadline => $arg{deadline} // 5);
    my @answers;
    my $ok = eval {
        if ($way eq 'whole') { $client->send($bytes) }
        else                 { for my $byte (split //, $bytes) { $client->write($byte) or last } }
        $client->half_close if ($arg{end} // '') eq 'fin';
        if ($arg{keep}) {
            @answers = map { $client->read_response(method => $arg{method}) } 1 .. $arg{answers} // 1;
        } else {
            @answers = $client->read_responses($arg{method} // ());
        }
        1;
    };
    my $error = $@;
    $client->close;
    return $ok ? (\@answers, undef) : (undef, $error =~ s/\s+\z//r);
}

sub _verdict ($self, $name, $bytes, @problems) {
    $self->{n}++;
    my $ok = ok !@problems, $name;
    diag Weir::Message::show($bytes) . "\n  $_" for @problems;
    return $ok;
}

sub done ($self) {
    my $w = $self->w;
    if (!$w->is_nginx) {
        $w->stop;
        my @mute = grep { /^[45]\d\d - / } split /\n/, $w->access_log('judged.log');
        is_deeply \@mute, [], 'every answer of its own had a cause';
    }
    Weir::Test::done_testing();
}

1;
