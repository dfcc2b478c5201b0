# nginx: a page of error_page that has a body keeps the error's status; one that fails, redirects or says 4xx without a text answers with its own status. A redirect may have a page, too.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a page for an error answers itself');
my $origin = $w->origin(sub ($c) { my ($status) = $c->request->target =~ m{/up/(\d+)}; $c->reply($status // 200, "up $status") });
mkdir $w->dir . "/$_" for qw(html html/dir);
$w->write_file('html/page.html', 'page');
$w->allow_log(qr/cause: |is not found|rewrite or internal redirection cycle|could not find named location|No such file/);
my %page = (
    '405' => 'return 405;', '500' => 'return 500;', '204' => 'return 204;', '200' => 'return 200 text;', '403' => 'return 403 text;', '444' => 'return 444;',
    '302' => 'return 302 http://to/;', 'moved' => 'rewrite ^ /elsewhere permanent;', 'up' => "rewrite ^ /up/503 break; proxy_pass http://$origin;",
);
my $places = join '', map {
    "location /page/$_ { $page{$_} } location \@page$_ { $page{$_} }
     location /plain/$_ { error_page 404 /page/$_; return 404; } location /named/$_ { error_page 404 \@page$_; return 404; }
     location /own/$_ { error_page 404 = /page/$_; return 404; } location /as/$_ { error_page 404 =410 /page/$_; return 404; }\n" } sort keys %page;
$w->conf(<<"END", workers => 1);
    server {
        root html;
        $places
        location /file { error_page 404 /page.html; return 404; }
        location /missing { error_page 403 /absent.html; return 403; }
        location /folder { error_page 404 /dir; return 404; }
        location /away { error_page 404 =301 http://other/; return 404; }
        location /lost { error_page 404 \@lost; return 404; }
        location /redirect { error_page 302 /page/200; return 302 http://old/; }
        location /redirect/ok { error_page 302 =200 /page.html; return 302 http://old/; }
        location /redirect/other { error_page 302 http://other/; return 302 http://old/; }
        location /redirect/loop { recursive_error_pages on; error_page 302 /redirect/loop; return 302 http://old/; }
        location /again { recursive_error_pages on; error_page 404 /again2; return 404; }
        location /again2 { recursive_error_pages on; error_page 403 /page/200; return 403; }
        location /first { recursive_error_pages on; error_page 404 /first2; return 404; }
        location /first2 { error_page 403 /page/200; return 403; }
        location /second { error_page 404 /second2; return 404; }
        location /second2 { recursive_error_pages on; error_page 403 /page/200; return 403; }
        location /nobody { recursive_error_pages on; error_page 404 500 \@nobody; return 404; }
        location /status { try_files /nope \@status; } location \@status { return 200 "is \$status"; }
        location /tried { try_files /nope /tried2; } location /tried/args { try_files /nope /tried2?b=2; } location /tried2 { return 200 "\$args"; }
        location /method { error_page 405 /page/method; return 405; }
        location /page/method { return 200 "\$request_method"; }
    }
    server { listen 127.0.0.1:%%PORT_bad%%; error_page 400 /close; location /close { return 444; } }
END
my $is = sub ($path, $status, $location = '', $body = undef) {
    my $answer = $w->get($path);
    is $answer->status . ' ' . ($answer->header('Location') // ''), "$status $location", "$path is $status";
    is $answer->body, $body, "  its body" if defined $body;
};
for my $how ([ 'plain', 404 ], [ 'named', 404 ], [ 'as', 410 ], [ 'own', undef ]) {
    my ($how, $kept) = @$how;
    $is->("/$how/405", 405);
    $is->("/$how/500", 500);
    $is->("/$how/204", $kept // 204, '', '');
    $is->("/$how/200", $kept // 200, '', 'text');
    $is->("/$how/403", $kept // 403, '', 'text');
    $is->("/$how/302", 302, 'http://to/');
    $is->("/$how/moved", 301, 'http://localhost:' . $w->port . '/elsewhere');
    $is->("/$how/up", $kept // 503, '', 'up 503');
    is $w->client->send("GET /$how/444 HTTP/1.1\r\nHost: a\r\n\r\n")->take_all, '', "/$how/444 is no answer";
}
$is->('/file', 404, '', 'page');
$is->('/missing', 404);
$is->('/folder', 301, 'http://localhost:' . $w->port . '/dir/');
$is->('/away', 301, 'http://other/');
$is->('/lost', 500);
$is->('/redirect/other', 302, 'http://other/');
$is->('/again', 403, '', 'text');
$is->('/first', 403, '', 'text');               # recursive_error_pages of the place that leads to the first page counts
$is->('/second', 403);
unlike $w->get('/second')->body, qr/^text/, '  and of no other place';
$is->('/nobody', 500);
$is->('/status', 200, '', 'is 200');
$is->('/tried?a=1', 200, '', '');
$is->('/tried/args?a=1', 200, '', 'b=2');
my $answer = $w->request('POST', '/method', body => '');
is $answer->status . $answer->body, '405GET', 'a page is asked with GET';
is $w->client(port => 'bad')->send("GET / HTTP/1.1\r\nHost: a b\r\n\r\n")->take_all, '', 'no answer to a request that cannot be read';
if (!$w->is_nginx) {                            # Debian's keeps the Location, later ones do not
    $is->('/redirect', 302, '', 'text');
    $is->('/redirect/loop', 500);
    $is->('/redirect/ok', 200, '', 'page');
    is $answer->header('Allow'), 'GET, HEAD, PUT, DELETE, OPTIONS, PATCH', 'what was refused is not allowed, whatever asked for the page';
}
done_testing;
