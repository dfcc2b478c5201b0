# add_header, as nginx has it: for the usual statuses or always, with variables, nothing when empty; the fields of an inner block replace all outer ones.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('add_header adds to answers');
my $origin = $w->origin(sub ($c) {
    my ($status) = $c->request->target =~ /(\d+)$/;
    $c->reply($status // 200, 'body', 'X-Own' => 'origin', ETag => '"own"', 'Last-Modified' => 'Sun, 06 Nov 1994 08:49:37 GMT');
});
my $dead = $w->refused_peer;
my @usual = qw(200 201 301 302 303 307 308);
my @other = qw(202 400 404 410 500 503);
my $statuses = join ' ', map { "location = /s$_ { return $_" . (/^30/ ? ' /x' : $_ < 300 ? ' text' : '') . '; }' } @usual, @other;
$w->conf(<<"END");
    add_header X-Http http;
    server {
        add_header X-A "a \$uri";
        add_header X-Always \$request_method always;
        add_header X-Empty \$arg_none;
        add_header X-Twice one;
        add_header X-Twice two;
        $statuses
        location = /s204 { return 204; }
        location = /inner { add_header X-Inner yes; return 200 text; }
        location = /proxied { add_header X-Own ours; add_header X-Up \$upstream_status; proxy_pass http://$origin; }
        location /replaced { add_header ETag '"ours"'; add_header Last-Modified ''; proxy_pass http://$origin; }
        location = /dead { add_header X-Cause \$status always; proxy_pass http://$dead; }
        location = /page { error_page 404 /there; return 404; }
        location = /there { add_header X-There 1 always; return 200 there; }
        location = /split { add_header X-Split "\$arg_a"; return 200 text; }
        location /outer { add_header X-Outer 1; location = /outer/in { return 200 text; } }
    }
END
my $header = sub ($path, $name) { join '|', $w->get($path)->header($name) // '-' };

is $header->("/s$_", 'X-A'), "a /s$_", "it is added to $_" for @usual, 204;
is $header->("/s$_", 'X-A'), '-', "and not to $_" for @other;
is $header->("/s$_", 'X-Always'), 'GET', "unless always: $_" for @usual, @other, 204;
is $header->('/s200', 'X-Empty'), '-', 'an empty value adds nothing';
is_deeply [ $w->get('/s200')->header('X-Twice') ], [ 'one', 'two' ], 'two of one name are two';
is $header->('/s200', 'X-Http'), '-', 'fields of an inner block are instead of those outside';
is $header->('/inner', 'X-Inner'), 'yes', 'an inner one';
is $header->('/inner', 'X-A'), '-', 'has its own only';
is_deeply [ sort $w->get('/proxied')->header('X-Own') ], [ 'origin', 'ours' ], 'a proxied answer keeps its own';
is $header->('/proxied', 'X-Up'), 200, 'variables of the answer are known';
is_deeply [ $w->get('/replaced')->header('ETag') ], ['"ours"'], 'an ETag takes the place of the one there';
is $header->('/replaced', 'Last-Modified'), '-', 'and an empty Last-Modified takes it away';
is $header->('/replaced/404', 'ETag'), '"own"', 'not for other statuses';
is $header->('/dead', 'X-Cause'), 502, 'an answer of our own';
is $header->('/outer/in', 'X-Outer'), 1, 'what a block has not it has from outside';
is $header->('/page', 'X-There'), 1, 'a page has the fields of its location';
is $header->('/page', 'X-Always'), '-', 'and no others';
is $w->client->send("GET /s200 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")->read_response->header('X-Always'), 'GET', 'a request that is refused early has the server\'s';
is $w->get('/split?a=1%0d%0aX:2')->header('X-Split'), '1%0d%0aX:2', 'a variable cannot split';

my $wrong = Weir::Test->new('wrong fields')->allow_log(qr{\[emerg\]});
for my $case (['add_header;', qr/invalid number of arguments/], ['add_header A;', qr/invalid number of arguments/], ['add_header A b always c;', qr/invalid number of arguments/],
    ['add_header A b never;', qr/"never"/], ['add_header A $nothing_like_it;', qr/unknown "nothing_like_it" variable/]) {
    my ($line, $complaint) = @$case;
    my ($code, $said) = $wrong->check_conf("server { $line }");
    is $code, 1, "$line is refused";
    like $said, $complaint, 'and told why';
}
if (!$w->is_nginx) {
    for my $case (['add_header "A b" c;', qr/the name of a header field/], [qq{add_header A "b\x01";}, qr/without line ends/]) {
        my ($line, $complaint) = @$case;
        my ($code, $said) = $wrong->check_conf("server { $line }");
        is $code, 1, "$line is refused";
        like $said, $complaint, 'and told why';
    }
}

done_testing;
