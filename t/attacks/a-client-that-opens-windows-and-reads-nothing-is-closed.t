# A client asks for much, opens every window as far as it goes, and reads nothing from the connection: what it makes
# the worker hold is bounded, and after send_timeout it is gone, whatever else it says meanwhile.
use v5.36;
use lib 't/lib';
use Time::HiRes 'time';
use Weir::Http2 ':all';
use Weir::Test;

my $w   = Weir::Test->new('a client that opens windows and reads nothing is closed');
my $big = $w->origin(sub { shift->reply(200, 'x' x 4_000_000) });
$w->conf("log_format judged '\$uri \$weir_cause'; access_log logs/judged.log judged; send_timeout 1s;
    server { http2 on; location / { return 200 hello; } location /big { proxy_pass http://$big; }
        location /memory { proxy_pass http://$big; proxy_max_temp_file_size 0; } location /file { root $w->{dir}; } }",
    workers => 1);
$w->write_file('file', 'y' x 8_000_000);

sub attack ($path) {
    is Weir::Http2::client($w)->ask, '200', "$path: served before";
    my $before = $w->memory;
    my $c = Weir::Http2::client($w, rcvbuf => 4096, settings => [ 4 => 0x7fffffff ]);
    my $get = Weir::Http2::fields(Weir::Http2::request_fields(':path' => $path));
    $c->write(window(0, 0x7fff0000 - 65535)
        . join '', map { frame('HEADERS', 'END_HEADERS END_STREAM', 2 * $_ + 1, $get) } 0 .. 29);
    my $peak = 0;
    my $from = time;
    $w->wait_until("$path: its requests end", sub {
        my $now = $w->memory - $before;
        $peak = $now if $now > $peak;
        $c->write(window(0, 1)) if time - $from < 0.7;          # what it says is no progress
        return (() = $w->access_log('judged.log') =~ m{^\Q$path\E client\.}mg) >= 30;
    });
    my @causes = $w->access_log('judged.log') =~ m{^\Q$path\E (client\.\S+)}mg;
    # A stream may have waited longer than its connection.
    is_deeply [ grep { !/^client\.(?:send\.timeout|h2\.stalled)$/ } @causes ], [], "$path: for that cause";
    SKIP: {
        skip 'a sanitizer keeps more', 1 if $w->is_sanitized;
        cmp_ok $peak, '<', 8 * 1024, "$path: thirty answers held $peak KiB";
    }
    $c->close;
    is Weir::Http2::client($w)->ask, '200', "$path: others are served";
}
attack($_) for '/big', '/memory', '/file';

done_testing;
