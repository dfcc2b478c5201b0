# MadeYouReset (CVE-2025-8671): what the client does wrong makes Weir reset the stream; it counts as if the client had done it,
# and the work upstream is given up.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Http2Flood;

my $t    = Weir::Http2Flood->new('a server that is made to reset counts it');
my @post = Weir::Http2::request_fields(':method' => 'POST', ':path' => '/hold');

my $made = sub ($trigger, $ends = 0) {
    my $id = -1;
    return sub ($c) { ($id += 2) > 4000 ? undef : headers($id, 'END_HEADERS' . ($ends ? ' END_STREAM' : ''), @post) . $trigger->($id) };
};
my %triggers = (
    'WINDOW_UPDATE of 0'           => [ sub ($id) { window($id, 0) } ],
    'a window beyond 2^31-1'       => [ sub ($id) { window($id, 0x7fffffff) x 2 } ],
    'HEADERS that do not end it'   => [ sub ($id) { headers($id, 'END_HEADERS', 'x-a' => 1) } ],
    'malformed trailers'           => [ sub ($id) { headers($id, 'END_HEADERS END_STREAM', ':path' => '/') } ],
    'DATA after END_STREAM'        => [ sub ($id) { data($id, 'x') }, 1 ],
    'HEADERS after END_STREAM'     => [ sub ($id) { headers($id, 'END_HEADERS END_STREAM', 'x-a' => 1) }, 1 ],
    'PRIORITY of a wrong length'   => [ sub ($id) { frame('PRIORITY', '', $id, "\0" x 4) } ],
    'more DATA than said'          => [ sub ($id) { '' }, 0, 'content-length' => 1 ],
);
for my $name (sort keys %triggers) {
    my ($trigger, $ends, @more) = $triggers{$name}->@*;
    my $next = $made->($trigger, $ends);
    if (@more) {
        my $id = -1;
        $next = sub ($c) { ($id += 2) > 4000 ? undef : headers($id, 'END_HEADERS', @post, @more) . data($id, 'xyz', 'END_STREAM') };
    }
    $t->ends("$name", $next, cause => 'client.h2.rapid_reset');
}

my $id = -1;
$t->ends('a stream that depends on itself', sub ($c) { ($id += 2) > 4000 ? undef : priority($id, $id) }, cause => 'client.h2.rapid_reset');

$t->done;
