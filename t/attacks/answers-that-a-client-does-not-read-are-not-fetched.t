# A hundred large answers are asked for by a client whose windows are shut: of each a small piece is fetched, none lies in a file.  One that takes
# what it asked for, slowly, has its answer put aside, so that the peer is let go.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w   = Weir::Test->new('answers that a client does not read are not fetched');
my $big = $w->origin(sub ($c) { $c->reply(200, 'x' x 4_000_000) });
$w->conf("server { http2 on; location / { proxy_pass http://$big; } location /file { root $w->{dir}; } }", workers => 1);
$w->write_file('file', 'y' x 1_000_000);

# Bytes in the worker's unnamed files.
sub stored () {
    my $sum = 0;
    for my $fd (map { glob "/proc/$_/fd/*" } $w->workers) { $sum += -s $fd // 0 if (readlink($fd) // '') =~ /proxy_temp.*deleted/ }
    return $sum;
}

my $slow = Weir::Http2::client($w);              # 65,535 bytes of it go at once
$slow->request(1);
my $aside = 0;
$w->wait_until('much of an answer is put aside', sub { ($aside = stored()) > 1_500_000 });
cmp_ok $aside, '<=', 65_535 * 32, 'but no more than by what was taken';
$slow->write(window(0, 0x7fff0000) . window(1, 0x7fff0000));
my $got = 0;
while (my $f = $slow->next_frame) { $got += length $f->{payload} if $f->{type} eq 'DATA'; last if $got >= 4_000_000 }
is $got, 4_000_000, 'and all of it arrives';
$slow->close;
$w->wait_until('the file is gone', sub { stored() == 0 });

my $before = $w->memory;
my $shut   = Weir::Http2::client($w, settings => [ 4 => 0 ]);
$shut->request(2 * $_ + 1) for 0 .. 99;
$shut->request(2 * $_ + 1, ':path' => '/file') for 100 .. 127;
my %heads;
while (keys %heads < 128) { my $f = $shut->next_frame or last; $heads{ $f->{stream} } = 1 if $f->{type} eq 'HEADERS' }
is scalar(keys %heads), 128, 'who takes nothing sees all heads';
$shut->write(ping('answered'));
while (my $f = $shut->next_frame) { last if $f->{type} eq 'PING' }
is stored(), 0, 'nothing lies in a file';
SKIP: {
    skip 'a sanitizer keeps what was freed', 1 if $w->is_sanitized;
    cmp_ok $w->memory - $before, '<', 128 * 28, 'and little in memory';
}
$shut->close;

done_testing;
