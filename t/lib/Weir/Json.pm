# Weir::Json - what the echo origin says of a request, as JSON of bytes (each character is a byte) and back.  JSON::PP does the same a hundred times
# slower, which is seconds for a body of some megabytes.
package Weir::Json;
use v5.36;

my %escape = ('"' => '\"', '\\' => '\\\\', "\n" => '\n', "\r" => '\r', "\t" => '\t');
my %means  = ('"' => '"', '\\' => '\\', '/' => '/', n => "\n", r => "\r", t => "\t", b => "\b", f => "\f");

# Texts, undef, arrays and hashes of them; what looks like a number is a text, too.
sub encode ($value) {
    return 'null' unless defined $value;
    return '[' . join(',', map { encode($_) } @$value) . ']' if ref $value eq 'ARRAY';
    return '{' . join(',', map { encode($_) . ':' . encode($value->{$_}) } sort keys %$value) . '}' if ref $value;
    return '"' . $value =~ s{(["\\\x00-\x1f\x7f])}{$escape{$1} // sprintf '\u%04x', ord $1}ger . '"';
}

sub decode ($text) {
    my $value = _value(\$text);
    die "JSON: more at " . (pos($text) // 0) . "\n" unless $text =~ /\G\s*\z/gc;
    return $value;
}

sub _value ($text) {
    $$text =~ /\G\s+/gc;
    if ($$text =~ /\G"/gc) {
        $$text =~ /\G((?:[^"\\]++|\\.)*+)"/gcs or die "JSON: a string has no end\n";
        return $1 =~ s{\\(?:u([0-9a-fA-F]{4})|(.))}{defined $1 ? chr hex $1 : $means{$2} // die "JSON: \\$2\n"}ger;
    }
    return _all($text, ']', sub { _value($text) }) if $$text =~ /\G\[/gc;
    if ($$text =~ /\G\{/gc) {
        return { @{ _all($text, '}', sub { my $name = _value($text); $$text =~ /\G\s*:/gc or die "JSON: no colon\n"; ($name, _value($text)) }) } };
    }
    return $1 if $$text =~ /\G(-?[0-9.eE+-]+)/gc;
    return $1 eq 'null' ? undef : $1 eq 'true' if $$text =~ /\G(null|true|false)/gc;
    die 'JSON: nothing known at ' . (pos($$text) // 0) . "\n";
}

sub _all ($text, $end, $one) {
    my @all;
    return \@all if $$text =~ /\G\s*\Q$end\E/gc;
    while (1) {
        push @all, $one->();
        return \@all if $$text =~ /\G\s*\Q$end\E/gc;
        $$text =~ /\G\s*,/gc or die "JSON: neither comma nor end\n";
    }
}

1;
