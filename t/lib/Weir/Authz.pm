# Weir::Authz - a real server of Envoy's external authorization (python3-grpcio) for tests of ext_authz, and messages of it by
# hand for scripted ones.
#
#     Weir::Authz::needs();
#     my $authz = Weir::Authz->new($w);                       # $authz->address
#     $w->get('/', 'X-Answer: ' . Weir::Authz::denied(403));  # what the server is to answer (see t/lib/grpc/authz_server.py)
#     my @asked = $authz->asked;                              # each CheckRequest, decoded
package Weir::Authz;
use v5.36;

use JSON::PP ();
use Weir::Grpc ();
use Weir::Http2 ();

my $json = JSON::PP->new->canonical->latin1;

sub needs () { Weir::Grpc::needs() }

# key => …, certificate => …: files; then it is reached by TLS
sub new ($class, $w, %tls) {
    my $stem = $w->dir . '/authz.' . ++$w->{authz_servers};
    my $end  = $w->background('/usr/bin/python3', 't/lib/grpc/authz_server.py', "$stem.port", "$stem.log", $tls{key} ? @tls{qw(key certificate)} : ());
    $w->wait_until('an authorization server', sub { -s "$stem.port" });
    return bless { w => $w, log => "$stem.log", port => Weir::Server::slurp("$stem.port") }, $class;
}

sub address ($self) { "127.0.0.1:$self->{port}" }
sub lines ($self)   { map { JSON::PP::decode_json($_) } split /\n/, -e $self->{log} ? Weir::Server::slurp($self->{log}) : '' }
sub asked ($self)   { map { $_->{request}{attributes} } grep { $_->{request} } $self->lines }

sub option ($name, $value, %arg) { { header => { key => $name, value => $value }, %arg } }
sub allowed (%ok)            { $json->encode({ status => { code => 0 }, ok_response => \%ok }) }
sub denied ($status, %more) { $json->encode({ status => { code => 7 }, denied_response => { status => { code => $status }, %more } }) }

# -- by hand: protocol buffers --

sub varint ($n) { my $out = ''; while ($n > 127) { $out .= chr($n & 127 | 128); $n >>= 7 } return $out . chr $n }
sub bytes ($number, $bytes) { varint($number << 3 | 2) . varint(length $bytes) . $bytes }
sub number ($number, $value) { varint($number << 3) . varint($value) }
sub frame ($message, $flag = 0) { pack('CN', $flag, length $message) . $message }
sub header ($name, $value) { bytes(1, bytes(1, $name) . bytes(2, $value)) }      # HeaderValueOption's
our $ok = bytes(1, '');

# A service by hand: $answer->($h2, $stream, the value of the request's field x-case, the message of the call) writes or returns what is sent.
sub scripted ($w, $answer) {
    return $w->peer(sub ($c) {
        my $h2 = Weir::Http2::serve($c, settings => [ 3 => 100, 4 => 1 << 20 ]);
        $h2->{deadline} = 60;
        my %body;
        while (my $f = $h2->next_frame) {
            my $s = $f->{stream};
            $c->note("reset $s") if $f->{type} eq 'RST_STREAM';
            $body{$s} .= $f->{payload} if $f->{type} eq 'DATA';
            next unless $s && $f->{type} =~ /^(?:DATA|HEADERS)$/ && $f->{flags} & 1;
            my $case = $body{$s} =~ m{\x06x-case\x12(.)}s ? substr $body{$s}, $+[0], ord $1 : undef;
            my $bytes = $answer->($h2, $s, $case // '', substr(delete $body{$s}, 5));
            last if ref $bytes;
            $h2->write($bytes) if defined $bytes;
        }
    });
}

# A whole answer: head, message, trailers.
sub answer ($s, $message, $status = 0, @head) {
    return Weir::Http2::headers($s, 'END_HEADERS', ':status' => 200, 'content-type' => 'application/grpc', @head) . Weir::Http2::data($s, frame($message))
        . Weir::Http2::headers($s, 'END_HEADERS END_STREAM', 'grpc-status' => $status);
}

1;
