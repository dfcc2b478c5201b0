# Weir::Signature - requests that their client signs (RFC 9421), with a digest of the body (RFC 9530), for tests.
#
#     my $key = Weir::Jose->key($w, 'HS256', kid => 'a');
#     my @fields = Weir::Signature::sign($key, method => 'POST', target => '/a?b=c', authority => 'localhost:80', fields => [ 'X-A' => 1 ],
#         body => 'text', covers => [ '@method', '@path', 'content-digest', '"@query-param";name="b"' ],
#         created => time, params => ';nonce="1"', label => 'sig1');
#     $w->request('POST', '/a?b=c', headers => \@fields, body => 'text')
#
# Fields come back with Content-Digest (of a body, unless digest => 0), Signature-Input and Signature. base => \my $text tells what was signed.
package Weir::Signature;
use v5.36;
use Digest::SHA qw(sha256 sha512);
use MIME::Base64 qw(encode_base64);

sub digest ($body, $alg = 'sha-256') { "$alg=:" . encode_base64($alg eq 'sha-512' ? sha512($body) : sha256($body), '') . ':' }

sub sign ($key, %arg) {
    my @fields = ($arg{fields} // [])->@*;
    push @fields, 'Content-Digest' => digest($arg{body}, $arg{alg} // 'sha-256') if defined $arg{body} && ($arg{digest} // 1);
    my ($path, $query) = $arg{target} =~ /^([^?]*)(?:\?(.*))?\z/s;
    my $scheme = $arg{scheme} // 'http';
    my %derived = (
        '@method' => $arg{method} // 'GET', '@authority' => $arg{authority}, '@scheme' => $scheme, '@path' => $path, '@query' => '?' . ($query // ''),
        '@target-uri' => "$scheme://$arg{authority}$arg{target}", '@request-target' => $arg{target}, ($arg{values} // {})->%*,
    );
    my (@names, @lines);
    for my $name (($arg{covers} // [ '@method', '@authority', '@path', '@query', defined $arg{body} ? 'content-digest' : () ])->@*) {
        my ($plain) = $name =~ /^"?([^";]+)/;
        my @values = map { $fields[ 2 * $_ + 1 ] } grep { lc $fields[ 2 * $_ ] eq $plain } 0 .. @fields / 2 - 1;
        my $value = $derived{$name} // $derived{$plain} // join ', ', @values;
        push @names, $name =~ /^"/ ? $name : qq("$name");
        push @lines, "$names[-1]: $value";
    }
    my $label  = $arg{label} // 'sig1';
    my $kid    = $arg{keyid} // $key->{kid};
    my $params = '(' . join(' ', @names) . ')' . (exists $arg{created} && !defined $arg{created} ? '' : ';created=' . ($arg{created} // time))
        . (length $kid ? qq(;keyid="$kid") : '') . ($arg{params} // '');
    my $base = join "\n", @lines, qq("\@signature-params": $params);
    ${ $arg{base} } = $base if $arg{base};
    return (@fields, 'Signature-Input' => "$label=$params", Signature => "$label=:" . encode_base64($key->signature($base), '') . ':');
}

1;
