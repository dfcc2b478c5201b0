# Weir::Http2 - HTTP/2 by hand, either side: frames exactly as told, what comes read by the letter (RFC 9113, RFC 7541).
#
#     my $c = Weir::Http2::client($w);                       # prior knowledge; SETTINGS exchanged
#     $c->request(1, ':path' => '/x');                       # or $c->send(headers(1, END_STREAM|END_HEADERS, …))
#     is $c->verdict(1), '200', …                            # or "rst STREAM_CLOSED", "goaway PROTOCOL_ERROR", "closed"
#
#     Weir::Http2::serve($c)  in the handler of $w->peer: the other side, a scripted peer.
#
# Shares no code with Weir.  Errors of the other side are exceptions, as with Weir::Wire.
package Weir::Http2;
use v5.36;
use parent 'Weir::Client';
use Exporter 'import';
use Time::HiRes 'time';

our @EXPORT_OK = qw(frame headers data settings ping goaway rst window priority continuation field fields literal integer);
our %EXPORT_TAGS = (all => \@EXPORT_OK);

our $PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
our @TYPES   = qw(DATA HEADERS PRIORITY RST_STREAM SETTINGS PUSH_PROMISE PING GOAWAY WINDOW_UPDATE CONTINUATION);
our @ERRORS  = qw(NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR REFUSED_STREAM
    CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY HTTP_1_1_REQUIRED);
my %type = map { $TYPES[$_] => $_ } 0 .. $#TYPES;
my %code = map { $ERRORS[$_] => $_ } 0 .. $#ERRORS;
my %flag = (END_STREAM => 1, ACK => 1, END_HEADERS => 4, PADDED => 8, PRIORITY => 32);

# -- frames out: flags as names in one text, 'END_STREAM END_HEADERS' --

sub flags ($text) { my $bits = 0; $bits |= $flag{$_} // die "flag $_\n" for split ' ', $text; return $bits }

sub frame ($type, $flags, $stream, $payload = '', %arg) {
    $type = $type{$type} // die "type $type\n" unless $type =~ /^\d+$/;
    $flags = flags($flags) unless $flags =~ /^\d+$/;
    my $length = $arg{length} // length $payload;
    return pack('Cn', $length >> 16, $length & 0xffff) . pack('CCN', $type, $flags, $stream) . $payload;
}

sub headers ($stream, $flags, @fields) { frame('HEADERS', $flags, $stream, fields(@fields)) }
sub continuation ($stream, $flags, $block) { frame('CONTINUATION', $flags, $stream, $block) }
sub data ($stream, $bytes, $flags = '') { frame('DATA', $flags, $stream, $bytes) }
sub settings (@pairs) { my $p = ''; while (my ($id, $value) = splice @pairs, 0, 2) { $p .= pack 'nN', $id, $value } frame('SETTINGS', '', 0, $p) }
sub ping ($bytes = '12345678', $flags = '') { frame('PING', $flags, 0, $bytes) }
sub goaway ($last, $code) { frame('GOAWAY', '', 0, pack 'NN', $last, $code{$code} // $code) }
sub rst ($stream, $code = 'CANCEL') { frame('RST_STREAM', '', $stream, pack 'N', $code{$code} // $code) }
sub window ($stream, $n) { frame('WINDOW_UPDATE', '', $stream, pack 'N', $n) }
sub priority ($stream, $on, $weight = 15) { frame('PRIORITY', '', $stream, pack 'NC', $on, $weight) }

# -- HPACK out: literals that enter no table, unless asked for --

sub integer ($bits, $value, $first = 0) {
    my $max = (1 << $bits) - 1;
    return chr($first | $value) if $value < $max;
    my $out = chr($first | $max);
    $value -= $max;
    while ($value >= 128) { $out .= chr(128 | $value & 127); $value >>= 7 }
    return $out . chr $value;
}

sub literal ($text) { integer(7, length $text) . $text }
sub field ($name, $value) { "\0" . literal($name) . literal($value) }
sub fields (@pairs) {
    return $pairs[0] if @pairs == 1;         # a block made by hand
    my $out = '';
    while (my ($name, $value) = splice @pairs, 0, 2) { $out .= field($name, $value) }
    return $out;
}

# -- HPACK in (RFC 7541, appendices A and B; the code is canonical, so lengths and order say it all) --

my @static = map { [ split /=/, $_, 2 ] } split /\|/, ':authority=|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|'
    . ':status=204|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset=|accept-encoding=gzip, deflate|accept-language=|'
    . 'accept-ranges=|accept=|access-control-allow-origin=|age=|allow=|authorization=|cache-control=|content-disposition=|content-encoding=|'
    . 'content-language=|content-length=|content-location=|content-range=|content-type=|cookie=|date=|etag=|expect=|expires=|from=|host=|if-match=|'
    . 'if-modified-since=|if-none-match=|if-range=|if-unmodified-since=|last-modified=|link=|location=|max-forwards=|proxy-authenticate=|'
    . 'proxy-authorization=|range=|referer=|refresh=|retry-after=|server=|set-cookie=|strict-transport-security=|transfer-encoding=|user-agent=|vary=|'
    . 'via=|www-authenticate=';
my %symbol;                                  # bits as text => byte
{
    my @by_length = (
        [ 5, '48-50 97 99 101 105 111 115 116' ], [ 6, '32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117' ],
        [ 7, '58 66-87 89 106 107 113 118-122' ], [ 8, '38 42 44 59 88 90' ], [ 10, '33 34 40 41 63' ], [ 11, '39 43 124' ], [ 12, '35 62' ],
        [ 13, '0 36 64 91 93 126' ], [ 14, '94 125' ], [ 15, '60 96 123' ], [ 19, '92 195 208' ], [ 20, '128 130 131 162 184 194 224 226' ],
        [ 21, '153 161 167 172 176 177 179 209 216 217 227 229 230' ],
        [ 22, '129 132-134 136 146 154 156 160 163 164 169 170 173 178 181 185-187 189 190 196 198 228 232 233' ],
        [ 23, '1 135 137-141 143 147 149-152 155 157 158 165 166 168 174 175 180 182 183 188 191 197 231 239' ],
        [ 24, '9 142 144 145 148 159 171 206 215 225 236 237' ], [ 25, '199 207 234 235' ],
        [ 26, '192 193 200-202 205 210 213 218 219 238 240 242 243 255' ], [ 27, '203 204 211 212 214 221-223 241 244-248 250-254' ],
        [ 28, '2-8 11 12 14-21 23-31 127 220 249' ], [ 30, '10 13 22 256' ],
    );
    my ($bits, $last) = (0, 5);
    for (@by_length) {
        my ($length, $list) = @$_;
        $bits <<= $length - $last;
        $last = $length;
        $symbol{ sprintf '%0*b', $length, $bits++ } = $_ for map { /(\d+)-(\d+)/ ? $1 .. $2 : $_ } split ' ', $list;
    }
}

sub _unhuffman ($coded) {
    my ($bits, $out) = ('', '');
    for my $bit (split //, unpack 'B*', $coded) {
        $bits .= $bit;
        next unless defined $symbol{$bits};
        die "hpack: EOS\n" if $symbol{$bits} == 256;
        $out .= chr $symbol{$bits};
        $bits = '';
    }
    die "hpack: padding '$bits'\n" if length $bits > 7 || $bits =~ /0/;
    return $out;
}

sub _integer_in ($block, $bits) {
    my $max   = (1 << $bits) - 1;
    my $value = ord(substr $$block, 0, 1, '') & $max;
    return $value if $value < $max;
    for (my $shift = 0; $shift < 35; $shift += 7) {
        die "hpack: truncated\n" unless length $$block;
        my $byte = ord substr $$block, 0, 1, '';
        $value += ($byte & 127) << $shift;
        return $value unless $byte & 128;
    }
    die "hpack: integer\n";
}

sub _string_in ($block) {
    die "hpack: truncated\n" unless length $$block;
    my $coded  = ord($$block) & 128;
    my $length = _integer_in($block, 7);
    die "hpack: truncated\n" if $length > length $$block;
    my $bytes = substr $$block, 0, $length, '';
    return $coded ? _unhuffman($bytes) : $bytes;
}

sub _entry ($self, $index) {
    die "hpack: index 0\n" unless $index;
    my $entry = $index <= @static ? $static[ $index - 1 ] : $self->{table}[ $index - @static - 1 ];
    return @{ $entry // die "hpack: index $index\n" };
}

sub decode ($self, $block) {
    my @fields;
    while (length $block) {
        my $first = ord $block;
        if ($first & 128) { push @fields, [ $self->_entry(_integer_in(\$block, 7)) ]; next }
        if (($first & 0xe0) == 0x20) {
            my $size = _integer_in(\$block, 5);
            die "hpack: size\n" if $size > ($self->{table_limit} // 4096) || @fields;
            $self->{table_size} = $size;
            $self->_evict;
            next;
        }
        my $adds  = $first & 64;
        my $index = _integer_in(\$block, $adds ? 6 : 4);
        my ($name) = $index ? $self->_entry($index) : _string_in(\$block);
        my $value = _string_in(\$block);
        push @fields, [ $name, $value ];
        if ($adds) { unshift $self->{table}->@*, [ $name, $value ]; $self->_evict }
    }
    return @fields;
}

sub _evict ($self) {
    my ($size, $keep) = (0, 0);
    for my $entry ($self->{table}->@*) {
        $size += 32 + length($entry->[0]) + length $entry->[1];
        last if $size > ($self->{table_size} // 4096);
        $keep++;
    }
    $#{ $self->{table} } = $keep - 1;
}

# -- either side --

sub _start ($self) {
    @$self{qw(table streams)} = ([], {});
    return $self;
}

# A frame: { type, flags, stream, payload }; undef at the end of the connection.
sub read_frame ($self) {
    while (length $self->{in} < 9) { $self->fill or return undef }
    my ($high, $low, $type, $flags, $stream) = unpack 'CnCCN', substr $self->{in}, 0, 9;
    my $length = $high << 16 | $low;
    while (length $self->{in} < 9 + $length) { $self->fill or return undef }
    substr $self->{in}, 0, 9, '';
    return { type => $TYPES[$type] // $type, flags => $flags, stream => $stream & 0x7fffffff, payload => substr($self->{in}, 0, $length, '') };
}

# The next frame that is news: SETTINGS are acknowledged, WINDOW_UPDATEs and acknowledgements noted; a head comes whole, decoded.
sub next_frame ($self) {
    while (my $f = $self->read_frame) {
        my $stream = $self->{streams}{ $f->{stream} } //= {};
        if ($f->{type} eq 'SETTINGS') {
            next if $f->{flags} & 1;
            my %new = unpack '(nN)*', $f->{payload};
            $self->{peer}{$_} = $new{$_} for keys %new;
            $self->write(frame('SETTINGS', 'ACK', 0)) unless $self->{mute};
            next;
        }
        if ($f->{type} eq 'WINDOW_UPDATE') { $self->{windows}{ $f->{stream} } += unpack 'N', $f->{payload}; next unless $self->{tells_windows} }
        if ($f->{type} eq 'PUSH_PROMISE') { die "h2: a push\n" }
        if ($f->{type} eq 'HEADERS') {
            die "h2: padding\n" if $f->{flags} & 8;
            my ($block, $end) = ($f->{payload}, $f->{flags} & 4);
            until ($end) {
                my $more = $self->read_frame // return undef;
                die "h2: $more->{type} inside a head\n" unless $more->{type} eq 'CONTINUATION' && $more->{stream} == $f->{stream};
                $block .= $more->{payload};
                $end = $more->{flags} & 4;
            }
            $f->{fields} = [ $self->decode($block) ];
        }
        return $f;
    }
    return undef;
}

# What becomes of a stream, or of the connection: the status of its whole answer, "rst CODE", "goaway CODE", "closed"; "idle" when two PINGs
# sent now, one after the other, are answered first.  Interim answers are in ->interim, fields in ->head, the body in ->body, trailers in ->trailers.
sub verdict ($self, $stream, %arg) {
    my $mark = sprintf '%08d', ++$self->{pings};
    $self->write(ping($mark)) unless $arg{patient};
    @$self{qw(head body trailers interim asked_again)} = (undef, '', undef, [], 0);
    while (my $f = $self->next_frame) {
        my $end = $f->{flags} & 1;
        if ($f->{type} eq 'GOAWAY') {
            my ($last, $code) = unpack 'NN', $f->{payload};
            $self->{goaway} = { last => $last, code => $ERRORS[$code] };
            next if $code == 0 && $arg{past_goaway};
            return 'goaway ' . ($ERRORS[$code] // $code);
        }
        if ($f->{type} eq 'RST_STREAM' && $f->{stream} == $stream) {
            my $code = unpack 'N', $f->{payload};
            return 'rst ' . ($ERRORS[$code] // $code) unless $self->{head} && $self->{ended};
        }
        if ($f->{type} eq 'PING' && ($f->{flags} & 1) && $f->{payload} eq $mark) {
            next if $self->{head} || $arg{waits};
            return 'idle' if $self->{asked_again};
            $self->{asked_again} = 1;          # heads that came with the PING are run behind it: once more
            $self->write(ping($mark = sprintf '%08d', ++$self->{pings}));
            next;
        }
        next unless $f->{stream} == $stream;
        if ($f->{type} eq 'HEADERS') {
            my %head = map { @$_ } $f->{fields}->@*;
            if ($self->{head}) { $self->{trailers} = $f->{fields} }
            elsif (($head{':status'} // '') =~ /^1/) { push $self->{interim}->@*, $f->{fields}; next }
            else { $self->{head} = $f->{fields} }
        }
        if ($f->{type} eq 'DATA') {
            $self->{body} .= $f->{payload};
            $self->write(window(0, length $f->{payload}) . ($end ? '' : window($stream, length $f->{payload})))
                if length $f->{payload} && !$arg{stingy};
        }
        return $self->status if $end;
    }
    return 'closed';
}

sub status ($self) { my %head = map { @$_ } $self->{head}->@*; $head{':status'} }
sub head ($self) { my %head = map { @$_ } ($self->{head} // [])->@*; \%head }
sub body ($self) { $self->{body} }
sub trailers ($self) { my %t = map { @$_ } ($self->{trailers} // [])->@*; \%t }
sub interim ($self) { $self->{interim} }

# -- the client --

sub client ($w, %arg) {
    my $self = bless $w->client(%arg{ grep { exists $arg{$_} } qw(port rcvbuf) }), __PACKAGE__;
    return $self->_start->begin(%arg);
}

# The preface and SETTINGS; the server's are read.  settings: pairs; bare: the connection alone
sub begin ($self, %arg) {
    return $self if $arg{bare};
    $self->write($PREFACE . settings(($arg{settings} // [])->@*));
    my $f = $self->read_frame or die "h2: no SETTINGS\n";
    $f->{type} eq 'SETTINGS' && !($f->{flags} & 1) or die "h2: $f->{type} is not SETTINGS\n";
    $self->{peer} = { unpack '(nN)*', $f->{payload} };
    $self->write(frame('SETTINGS', 'ACK', 0));
    return $self;
}

# The same over TLS, chosen by ALPN: %arg for Weir::TlsClient.  record => n: bytes a record holds at most.
sub over_tls ($w, %arg) {
    my $tls = $w->tls(alpn => ['h2'], %arg{ grep { !/^(?:settings|record)$/ } keys %arg });
    $tls->{record} = $arg{record};
    return (bless $tls, 'Weir::Http2::OverTls')->Weir::Http2::_start->Weir::Http2::begin(%arg{ grep { $_ eq 'settings' } keys %arg });
}

sub request_fields (%arg) {
    my %pseudo = (':method' => 'GET', ':scheme' => 'http', ':authority' => 'localhost', ':path' => '/', map { $_ => $arg{$_} } grep { /^:/ } keys %arg);
    return ((map { $_ => $pseudo{$_} } grep { defined $pseudo{$_} } qw(:method :scheme :authority :path :protocol)),
        map { $_ => $arg{$_} } sort grep { !/^(?::|body$|open$)/ } keys %arg);
}

# A whole request, or its beginning: open => 1, body => bytes
sub request ($self, $stream, %arg) {
    my $ends = !$arg{open} && !defined $arg{body};
    $self->write(headers($stream, 'END_HEADERS' . ($ends ? ' END_STREAM' : ''), request_fields(%arg)));
    $self->write(data($stream, $arg{body}, $arg{open} ? '' : 'END_STREAM')) if defined $arg{body};
    return $self;
}

# A request and what became of it, on the next stream.
sub ask ($self, %arg) {
    my $stream = $self->{next_stream} //= 1001;
    $self->{next_stream} += 2;
    return $self->request($stream, %arg)->verdict($stream, waits => 1);
}

# -- the server: in a handler of $w->peer --

sub serve ($wire, %arg) {
    my $self = bless $wire, ref($wire) eq 'Weir::Origin::Connection' ? 'Weir::Http2::Peer' : __PACKAGE__;
    Weir::Http2::_start($self);
    $self->take(24) eq $PREFACE or die "h2: no preface\n";
    $self->write(settings(($arg{settings} // [])->@*)) unless $arg{silent};
    return $self;
}

# The next request's head: { stream, fields => {…}, end }.
sub next_request ($self) {
    while (my $f = $self->next_frame) {
        next unless $f->{type} eq 'HEADERS';
        return { stream => $f->{stream}, fields => { map { @$_ } $f->{fields}->@* }, end => $f->{flags} & 1 };
    }
    return undef;
}

sub answer ($self, $stream, $status, $body = '', @fields) {
    $self->write(headers($stream, 'END_HEADERS' . (length $body ? '' : ' END_STREAM'), ':status' => $status, @fields)
        . (length $body ? data($stream, $body, 'END_STREAM') : ''));
}

package Weir::Http2::Peer;
our @ISA = ('Weir::Origin::Connection', 'Weir::Http2');

package Weir::Http2::OverTls;
our @ISA = ('Weir::TlsClient', 'Weir::Http2');
sub ask ($self, @arg)     { Weir::Http2::ask($self, @arg) }
sub verdict ($self, @arg) { Weir::Http2::verdict($self, @arg) }

1;
