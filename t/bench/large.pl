#!/usr/bin/perl
# t/bench/large.pl - a large configuration for nginx and weir alike: what stands in `http`, to standard output.
#
#     t/bench/large.pl DIR PORT TLS_PORT SERVERS LOCATIONS UPSTREAMS CERTIFICATES
#
# Each server has a name, both listens, its share of the locations, and a certificate while there are some (DIR/certs); each location passes to an
# upstream of its own while there are some, and each upstream has three peers.  All certificates have one key, and were signed once: one is made,
# and its name replaced by another of the same length, which no server looks at when it loads it.
use strict;
use warnings;
use MIME::Base64;

my ($dir, $port, $tls_port, $servers, $locations, $upstreams, $certificates) = @ARGV;
defined $certificates or die "usage: t/bench/large.pl DIR PORT TLS_PORT SERVERS LOCATIONS UPSTREAMS CERTIFICATES\n";

make_certificates() if $certificates;
for my $i (1 .. $upstreams) {
    printf "upstream group%05d { server 127.%d.%d.1:%d; server 127.%d.%d.2:%d; server 127.%d.%d.3:%d; keepalive 4; }\n", $i,
        map { (1 + ($i >> 8), $i & 255, 8000) } 1 .. 3;
}
my $each = $locations / $servers;
for my $i (1 .. $servers) {
    printf "server {\n    listen 127.0.0.1:$port;\n    server_name host%05d.example;\n", $i;
    printf "    listen 127.0.0.1:$tls_port ssl;\n    ssl_certificate $dir/certs/%05d.pem;\n    ssl_certificate_key $dir/certs/key.pem;\n", $i
        if $i <= $certificates;
    for my $j (int(($i - 1) * $each) + 1 .. int($i * $each)) {
        printf "    location /api/place%05d/ {\n        proxy_pass http://group%05d;\n        proxy_set_header Host \$host;\n    }\n", $j,
            1 + ($j - 1) % $upstreams;
    }
    print "}\n";
}

sub make_certificates {
    mkdir "$dir/certs" or $!{EEXIST} or die "$dir/certs: $!\n";
    system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=host00000.example "
        . "-keyout '$dir/certs/key.pem' -out '$dir/certs/00000.pem' 2> '$dir/certs/said'") == 0 or die "cannot make a certificate\n";
    open my $in, '<', "$dir/certs/00000.pem" or die "$dir/certs/00000.pem: $!\n";
    my $der = decode_base64(join '', grep { !/^-/ } <$in>);
    for my $i (1 .. $certificates) {
        my $name = sprintf '%05d', $i;
        open my $out, '>', "$dir/certs/$name.pem" or die "$dir/certs/$name.pem: $!\n";
        print $out "-----BEGIN CERTIFICATE-----\n", encode_base64($der =~ s/host00000\.example/host$name.example/gr, "\n"), "-----END CERTIFICATE-----\n";
        close $out or die "$dir/certs/$name.pem: $!\n";
    }
}
