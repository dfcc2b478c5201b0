# A thousand requests wait at once, each with its memory; seconds after they have gone, the worker has given four fifths of it back.
use v5.36;
use lib 't/lib';
use Weir::Http2 ':all';
use Weir::Test;

my $w = Weir::Test->new('memory that a burst took is given back');
my $gate = $w->peer(sub ($c) { 1 while $c->fill });
$w->conf("server { http2 on; location / { proxy_pass http://$gate; } location /n { return 204; } }", workers => 1);
plan(skip_all => 'a sanitizer keeps what was freed') if $w->is_sanitized;

my $other = $w->client;
is $other->send_request('GET', '/n')->read_response->status, 204, 'before';
my $first = Weir::Http2::client($w);                  # HTTP/2 has rooms of the process, which stay
$first->request(1, ":path" => "/n", "x-a" => "a" x 8000);
is $first->verdict(1, waits => 1), 204, "… over HTTP/2";
$first->close;
my $before = $w->memory;
my @clients = map { Weir::Http2::client($w) } 1 .. 4;
for my $c (@clients) { $c->write(join '', map { headers(2 * $_ + 1, 'END_HEADERS END_STREAM', Weir::Http2::request_fields('x-a' => 'a' x 8000)) } 0 .. 99) }
$w->wait_until('they are here', sub { $gate->requests >= 400 || $w->memory - $before > 4500 });
my $took = $w->memory - $before;
cmp_ok $took, '>', 4500, 'they take some memory';
$_->close for @clients;
$w->wait_until('memory is what it was', sub { $w->memory - $before < $took / 5 });      # but for pages that something of the process's life shares
pass 'and give it back';
is $other->send_request('GET', '/n')->read_response->status, 204, 'after';

done_testing;
