# Windows held shut or opened by the byte: each stream has send_timeout to make progress, memory stays bounded, and the arithmetic is
# signed (RFC 9113 §6.9.2; CVE-2019-9511, CVE-2024-30156).
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w    = Weir::Test->new('a window held shut is bounded in time and memory');
my $big  = $w->origin(sub { shift->reply(200, 'x' x 1_000_000) });
$w->conf("log_format judged '\$status \$weir_cause'; access_log logs/judged.log judged; send_timeout 500ms; proxy_max_temp_file_size 0;
    server { http2 on; location / { return 200 hello; } location /big { proxy_pass http://$big; } }", workers => 1);
my $get = sub ($id, $path = '/big') { headers($id, 'END_HEADERS END_STREAM', Weir::Http2::request_fields(':path' => $path)) };

# Never opened.
my $c = Weir::Http2::client($w, settings => [ 4 => 0 ]);
$c->write($get->(1) . $get->(3, '/'));
is $c->verdict(3, waits => 1, patient => 1), 'rst CANCEL', 'a stream whose window never opens is given up' or diag $c->{head};
is $w->wait_for_access(qr/^\d+ client\.h2\.stalled$/m, 'judged.log'), '200 client.h2.stalled', 'and says why';
$c->write(settings(4 => 65535) . window(0, 1_000_000));
is $c->ask, '200', 'the connection serves on';
$c->close;

# Opened by the byte: that is progress of a sort, but such an answer takes no more than its bytes' worth of frames.
my $drip = Weir::Http2::client($w, settings => [ 4 => 0 ]);
$drip->write($get->(1));
my $frames = eval { my $n = 0; while ($n < 3000) { $drip->write(window(1, 1)); my $f = $drip->next_frame or last; $n++; last if $f->{type} =~ /GOAWAY|RST/ } $n } // 9999;
cmp_ok $frames, '<', 2500, 'a window opened by the byte ends as a flood';
$w->wait_for_log(qr/cause: client\.h2\.flood/);
$drip->close;

# Shut again in the middle: what was allowed becomes negative, and is made good before anything more is sent.
my $flip = Weir::Http2::client($w, settings => [ 4 => 60_000 ]);
$flip->write($get->(1));
my $got = 0;
while ($got < 60_000) { my $f = $flip->next_frame or last; $got += length $f->{payload} if $f->{type} eq 'DATA' }
is $got, 60_000, 'as much comes as the window lets in';
$flip->write(settings(4 => 10_000) . window(1, 40_000) . ping('negative'));
my @then;
while (my $f = $flip->next_frame) { push @then, $f->{type}; last if $f->{type} eq 'PING' }
is "@then", 'PING', 'a window of -10,000 lets nothing through';
$flip->write(window(1, 10_001));
my $f = $flip->next_frame;
is "$f->{type} " . length $f->{payload}, 'DATA 1', 'and one of 1 a byte';
$flip->write(settings(4 => 0x7fffffff) . ping('at-bound'));
while ($f = $flip->next_frame) { last if $f->{type} ne 'DATA' }
is $f->{type}, 'PING', 'SETTINGS may open it to its bound';
$flip->write(window(1, 100_000));
while ($f = $flip->next_frame) { last if $f->{type} ne 'DATA' }
is "$f->{type} " . unpack('N', $f->{payload}), 'RST_STREAM 3', 'beyond it is FLOW_CONTROL_ERROR';
$flip->close;

# Many answers behind shut windows fill no memory: each holds its peer instead.
my $before = $w->memory;
my $many   = Weir::Http2::client($w, settings => [ 4 => 0 ]);
$many->write(join '', map { $get->(2 * $_ + 1) } 0 .. 99);
$big->wait_requests(103);
cmp_ok $w->memory - $before, "<", 30 * 1024, 'a hundred answers of a megabyte are not kept in memory';
$many->close;

done_testing;
