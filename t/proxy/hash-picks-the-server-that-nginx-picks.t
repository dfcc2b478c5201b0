# hash, hash consistent and ip_hash: of 10,000 keys each goes to the same server, and to the one that nginx sends it to.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('hash picks the server that nginx picks');
my $dead = $w->refused_peer;
my $text = sub ($back) {
    my $servers = join ' ', map { "server 127.0.0.$_:$back weight=" . ($_ % 4 + 1) . ';' } 2 .. 9;
    my $others  = "server $dead max_fails=1 fail_timeout=1h; server $dead max_fails=1 weight=3 fail_timeout=1h;";
    return <<"END";
    upstream plain   { hash \$arg_k;            keepalive 8; $servers }
    upstream ring    { hash \$arg_k consistent; keepalive 8; $servers }
    upstream clients { ip_hash;                 keepalive 8; $servers }
    upstream broken  { hash \$arg_k;            keepalive 8; $servers $others }
    upstream torn    { hash \$arg_k consistent; keepalive 8; $servers $others }
    set_real_ip_from 127.0.0.0/8; real_ip_header X-Client;
    server {
        add_header X-Peer \$upstream_addr;
        location /plain   { proxy_pass http://plain; }
        location /ring    { proxy_pass http://ring; }
        location /clients { proxy_pass http://clients; }
        location /broken  { proxy_pass http://broken; }
        location /torn    { proxy_pass http://torn; }
    }
END
};
my $backend = Weir::Test->new('the servers');
$backend->conf('server { listen 127.0.0.1:%%PORT%%; listen 0.0.0.0:%%PORT_back%%; keepalive_timeout 0; location / { return 200; } }');
$backend->get('/');
my $back = $backend->port('back');
$w->conf($text->($back), workers => 1);
$w->get('/');

# "path?k=key" or [path, client's address] each: the address of the last peer that was asked.
my $peers = sub ($port, $path, @keys) {
    my @got;
    while (my @some = splice @keys, 0, 200) {
        my $bytes = join '', map { "GET $path?k=$_ HTTP/1.1\r\nHost: h\r\nX-Client: $_\r\n" . (\$_ == \$some[-1] ? "Connection: close\r\n" : '') . "\r\n" } @some;
        my $answers = $w->raw($bytes, port => $port);
        push @got, map { s/.*, //r } $answers =~ /^X-Peer: (.*?)\r$/mg;
    }
    return @got;
};
my @keys    = map { "key-$_" } 1 .. 10000;
my @clients = map { join '.', $_ % 223 + 1, $_ * 7 % 256, $_ * 131 % 256, $_ % 256 } 1 .. 9000;
push @clients, map { sprintf '2001:db8:%x::%x', $_, $_ * 77 } 1 .. 1000;
my %keys = (plain => \@keys, ring => \@keys, clients => \@clients, broken => [ @keys[ 0 .. 1999 ] ], torn => [ @keys[ 0 .. 1999 ] ]);
my %mine = map { $_ => [ $peers->($w->port, "/$_", $keys{$_}->@*) ] } sort keys %keys;
for my $kind (sort keys %keys) {
    my %seen;
    $seen{$_}++ for $mine{$kind}->@*;
    is scalar $mine{$kind}->@*, scalar $keys{$kind}->@*, "$kind: each key has an answer";
    is join(' ', sort keys %seen), join(' ', map { "127.0.0.$_:$back" } 2 .. 9), 'and each server has some of them';
    my @later = $peers->($w->port, "/$kind", $keys{$kind}->@[ 0 .. 199 ]);
    is join(' ', @later), join(' ', $mine{$kind}->@[ 0 .. 199 ]), 'a key that is asked for later goes to the same server';
}

SKIP: {
    skip 'nginx is not installed', 5 unless grep { -x "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin';
    my $nginx = $w->nginx($text->($back));
    for my $kind (sort keys %keys) {
        my @theirs = $peers->($nginx->port, "/$kind", $keys{$kind}->@*);
        my @differ = grep { $theirs[$_] ne $mine{$kind}[$_] } 0 .. $#theirs;
        is scalar(@theirs) . ' ' . @differ, $keys{$kind}->@* . ' 0', "$kind: nginx sends each key to the same server";
    }
}
done_testing;
