# What steers traffic stands in routes as in locations, and prefixes are those of the match line that took the request.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('traffic is steered by routes');
my $dir  = $w->dir;
my $echo = $w->origin(sub ($c) {
    my $t = $c->request->{target};
    if ($t =~ m{again/(\w+)}) {
        open my $f, '>>', "$dir/$1" or die $!;
        print $f 'x';
        close $f;
        return $c->reply(503, 'no') if -s "$dir/$1" < 3;
    }
    $c->reply(200, join "\n", $t, map { "$_->[0]: $_->[1]" } $c->request->{fields}->@*);
});
$w->conf(<<"END", workers => 1);
    server {
        request_header add X-Order server;
        route rewritten {
            match path_prefix=/a;
            match path_prefix=/b/c;
            rewrite_prefix /new;
            rewrite_host peer.example;
            request_header add X-Order route;
            response_header set X-Route \$route;
            proxy_pass http://$echo;
        }
        route away { match path_prefix=/old method=GET; match path_prefix=/older; redirect prefix=/a status=308; }
        route template { match path_template=/users/{id}/x; rewrite_path /u/\$route_id; proxy_pass http://$echo; }
        route again { match path_prefix=/again; retry 2 on=503 backoff=1ms; timeout 5s; try_timeout 2s; proxy_pass http://$echo; }
        location / { return 404; }
    }
END

my $lines = sub ($target) { my $answer = $w->get($target); [ $answer->header('X-Route') // '-', split /\n/, $answer->body ] };
for my $case ([ '/a', '/new' ], [ '/a/x%2Dy?q', '/new/x-y?q' ], [ '/b/c/d', '/new/d' ], [ '/b/c', '/new' ]) {
    my $seen = $lines->($case->[0]);
    is "$seen->[0] $seen->[1]", "rewritten $case->[1]", "$case->[0] is asked for as $case->[1]";
    is scalar(grep { /^Host: peer\.example$/ } @$seen), 1, 'of another host';
    is join(' ', map { /^X-Order: (.*)/ ? $1 : () } @$seen), 'server route', 'with fields of the server and of the route';
}
my $port = $w->port;
is $w->get('/old/x?q')->header('Location'), "http://localhost:$port/a/x?q", 'a redirect';
is $w->get('/older/x')->header('Location'), "http://localhost:$port/a/x", 'of the line that matched';
is $w->get('/oldest')->status, 404, 'by segment';
is $lines->('/users/a%20b/x')->[1], '/u/a%20b', 'a part of a template in a path';
is $w->get('/again/one')->status, 200, 'tried until it goes well';
is -s "$dir/one", 3, 'three times';

$w->allow_log(qr/\[emerg\]/);
my ($code, $said) = $w->check_conf("server { route r { match path_template=/x/{y}; rewrite_prefix /z; proxy_pass http://$echo; } }");
like $said, qr/must say which prefix it replaces/, 'a template has no prefix';

done_testing;
