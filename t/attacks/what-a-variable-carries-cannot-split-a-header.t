# Path, captures, query and cookies used in Location, added headers and the body.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Attack;

my $a = Weir::Attack->new('what a variable carries cannot split a header', server => <<'END');
    location /redirect { return 302 http://localhost/new$uri; }
    location ~ ^/capture/(.*)$ { return 302 /x/$1; }
    location /query { return 302 /y?$args; }
    location /body { return 200 "$uri|$arg_a|$cookie_c"; }
    location /up/ { proxy_pass http://origin; proxy_set_header X-Path $uri; proxy_set_header X-Arg $arg_a; proxy_set_header X-Cookie $cookie_c; }
END

my $evil = '%0d%0aX-Evil:%20y';
for my $target ("/redirect/$evil", "/capture/$evil", "/query?$evil", "/query?a=$evil", "/body/$evil?a=$evil",
    "/up/$evil?a=$evil", '/redirect/%0aX-Evil:%20y', '/capture/%0dX-Evil:%20y',
    "/capture/x%20y\tz" =~ s/\t//r)
{
    my $before = $a->origin->requests;
    my $client = $a->w->client;
    my $answer = eval { $client->send("GET $target HTTP/1.1\r\nHost: localhost\r\nCookie: c=$evil\r\n\r\n")->read_response };
    ok $answer, "$target: one answer" or diag $@;
    next unless $answer;
    ok !defined $answer->header('X-Evil'), "$target: no header of the client's";
    ok $answer->status < 400 || $answer->status == 400 || $answer->status == 500,
        "$target: status " . $answer->status;
    if ($answer->status == 200 && $answer->header('Content-Type') =~ /json/) {
        ok !defined Weir::Test->seen($answer)->header('X-Evil'), "$target: none upstream";
    }
    my @more = $a->origin->requests - $before > 1 ? 'more' : ();
    is_deeply \@more, [], "$target: at most one request upstream";
    $client->close;
}

$a->done;
