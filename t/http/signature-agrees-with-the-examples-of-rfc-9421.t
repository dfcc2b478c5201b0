# The examples of RFC 9421's appendix: B.2.1, B.2.2, B.2.3, B.2.5, B.2.6, B.3 and B.4, with the keys of B.1 (those of B.2.4 are of an answer).
use v5.36;
use lib 't/lib';
use JSON::PP;
use MIME::Base64 qw(encode_base64url decode_base64);
use Weir::Test;

my $w = Weir::Test->new('signature agrees with the examples of RFC 9421')->needs_weir;
my @public = (
    { kty => 'RSA', kid => 'test-key-rsa-pss', alg => 'PS512', e => 'AQAB', n => 'r4tmm3r20Wd_PbqvP1s2-QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct-Lh1GH45x28Rw3Ry53mm-oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL-Wokqltd11nqqzi-bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d-nb4bnNkQVklLQ3fVAvJm-xdDOp9LCNCN48V2pnDOkFV6-U9nV5oyc6XI2w' },
    { kty => 'EC', kid => 'test-key-ecc-p256', crv => 'P-256', x => 'qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA', y => 'Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0' },
    { kty => 'OKP', kid => 'test-key-ed25519', crv => 'Ed25519', x => 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs' },
);
my $secret = { kty => 'oct', kid => 'test-shared-secret', k => encode_base64url(decode_base64('uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==')) };
$w->write_file('conf/public.json', encode_json({ keys => \@public }));
$w->write_file('conf/secret.json', encode_json({ keys => [ $secret ] }));
$w->allow_log(qr/auth\.signature/);
$w->conf(<<"END");
    server {
        signature keys=public.json keys=secret.json;
        signature_require off;
        signature_max_age 0;
        location / { add_header X-Key "\$signature_label \$signature_key_id"; return 200; }
        location /foo { add_header X-Key "\$signature_label \$signature_key_id" always; json_body on; empty_gif; error_page 405 =200 \@ok; }
        location /demo { add_header X-Key "\$signature_label \$signature_key_id" always; empty_gif; error_page 405 =200 \@ok; }
        location \@ok { add_header X-Key "\$signature_label \$signature_key_id" always; return 200; }
    }
END
my $body = '{"hello": "world"}';
my $request = <<'END';
POST /foo?param=Value&Pet=dog HTTP/1.1
Host: example.com
Date: Tue, 20 Apr 2021 02:07:55 GMT
Content-Type: application/json
Content-Digest: sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:
Content-Length: 18
END
my $ask = sub ($head, $body) { $w->raw(($head . "Connection: close\n\n") =~ s/\n/\r\n/gr . $body) };
my %examples = (
    'sig-b21' => [ '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"', 'd2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==' ],
    'sig-b22' => [ '("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"', 'LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==' ],
    'sig-b23' => [ '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"', 'bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==' ],
    'sig-b25' => [ '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"', 'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=' ],
    'sig-b26' => [ '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"', 'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==' ],
);
for my $label (sort keys %examples) {
    my ($input, $signature) = $examples{$label}->@*;
    my $head = "${request}Signature-Input: $label=$input\nSignature: $label=:$signature:\n";
    my ($key) = $input =~ /keyid="(.*?)"/;
    like $ask->($head, $body), qr{^HTTP/1\.1 200 .*^X-Key: \Q$label $key\E\r$}ms, $label;
    like $ask->($head =~ s/example\.com/example.org/r, $body), $label eq 'sig-b21' ? qr{^HTTP/1\.1 200} : qr{^HTTP/1\.1 401}, "$label, for another host";
    like $ask->($head =~ s/created=1618884473/created=1618884474/r, $body), qr{^HTTP/1\.1 401}, "$label, made at another time";
    like $ask->($head, '{"hello": "worle"}'), qr{^HTTP/1\.1 400}, "$label, with another body";
}
my $all = $request . 'Signature-Input: ' . join(', ', map { "$_=$examples{$_}[0]" } sort keys %examples) . "\n" . join '', map { "Signature: $_=:$examples{$_}[1]:\n" } (sort keys %examples)[ 1, 2, 0 ];
like $ask->($all =~ s/, sig-b25.*//r, $body), qr{^X-Key: sig-b21 }m, 'several signatures in one request';

# B.3: a proxy has signed; its own scheme and host.
my $cert = 'MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=';
my $proxied = <<"END";
POST /foo?param=Value&Pet=dog HTTP/1.1
Host: service.internal.example
Date: Tue, 20 Apr 2021 02:07:55 GMT
Content-Type: application/json
Content-Length: 18
Client-Cert: :$cert:
Signature-Input: ttrp=("\@path" "\@query" "\@method" "\@authority" "client-cert");created=1618884473;keyid="test-key-ecc-p256"
Signature: ttrp=:xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw==:
END
like $ask->($proxied, $body), qr{^X-Key: ttrp test-key-ecc-p256\r$}m, 'B.3';
like $ask->($proxied =~ s/Client-Cert: :MII/Client-Cert: :MIJ/r, $body), qr{^HTTP/1\.1 401}, 'B.3, with another certificate';

# B.4: what a message may go through.
my $signed = <<'END';
Signature-Input: transform=("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"
Signature: transform=:ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==:
END
my $line = 'GET /demo?name1=Value1&Name2=value2';
for my $case (
    [ 'as it was made', 1, "$line HTTP/1.1\nHost: example.org\nDate: Fri, 15 Jul 2022 14:24:55 GMT\nAccept: application/json\nAccept: */*\n" ],
    [ 'with more', 1, "$line&param=added HTTP/1.1\nHost: example.org\nDate: Fri, 15 Jul 2022 14:24:55 GMT\nAccept: application/json\nAccept: */*\nAccept-Language: en-US,en;q=0.5\n" ],
    [ 'with less, and one Accept', 1, "$line HTTP/1.1\nHost: example.org\nReferer: https://developer.example.org/demo\nAccept: application/json, */*\n" ],
    [ 'in another order', 1, "$line HTTP/1.1\nAccept: application/json\nAccept: */*\nDate: Fri, 15 Jul 2022 14:24:55 GMT\nHost: example.org\n" ],
    [ 'with another method and host', 0, "POST /demo?name1=Value1&Name2=value2 HTTP/1.1\nHost: example.com\nAccept: application/json\nAccept: */*\n" ],
    [ 'with the values of Accept in another order', 0, "$line HTTP/1.1\nHost: example.org\nAccept: */*\nAccept: application/json\n" ],
) {
    my ($what, $is_good, $head) = @$case;
    like $ask->($head . $signed, ''), $is_good ? qr{^HTTP/1\.1 200 .*^X-Key: transform test-key-ed25519\r$}ms : qr{^HTTP/1\.1 401 }, "B.4, $what";
}
done_testing;
