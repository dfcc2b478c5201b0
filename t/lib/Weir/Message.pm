# Weir::Message - one HTTP message that was read: request or response.
package Weir::Message;
use v5.36;

sub new ($class, %arg) { return bless { body => '', trailers => [], interim => [], %arg }, $class }

sub method ($self)   { $self->{method} }
sub target ($self)   { $self->{target} }
sub version ($self)  { $self->{version} }         # "1.1"
sub status ($self)   { $self->{status} }
sub reason ($self)   { $self->{reason} }
sub body ($self)     { $self->{body} }
sub interim ($self)  { $self->{interim}->@* }     # 1xx that came before
sub framing ($self)  { $self->{framing}[0] // 'none' }   # length chunked close none
sub names ($self)    { map { $_->[0] } $self->{fields}->@* }

# In list context every value, else the first or undef.
sub header ($self, $name)  { _of($self->{fields}, $name, wantarray) }
sub trailer ($self, $name) { _of($self->{trailers}, $name, wantarray) }

sub _of ($fields, $name, $all) {
    my @values = map { $_->[1] } grep { lc $_->[0] eq lc $name } $fields->@*;
    return $all ? @values : $values[0];
}

# As text again, for messages and pattern tests.
sub head ($self) { join "\r\n", $self->{line}, map { "$_->[0]: $_->[1]" } $self->{fields}->@* }

sub is_kept ($self) {
    my $connection = lc($self->header('Connection') // '');
    return $self->version eq '1.1' ? $connection ne 'close' : $connection eq 'keep-alive';
}

# Bytes for a person: controls escaped, cut.
sub show ($bytes, $max = 300) {
    my $text = length $bytes > $max ? substr($bytes, 0, $max) . '…(' . length($bytes) . ' bytes)' : $bytes;
    $text =~ s/\\/\\\\/g;
    $text =~ s/\r/\\r/g;
    $text =~ s/\n/\\n/g;
    $text =~ s/([\x00-\x1f\x7f-\xff])/sprintf '\\x%02x', ord $1/ge unless utf8::is_utf8($text);
    return qq("$text");
}

1;
