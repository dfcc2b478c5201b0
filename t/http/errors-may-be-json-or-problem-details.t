# error_format: the errors that Weir answers itself are HTML, JSON or problem details (RFC 9457); a client that would rather have HTML gets it.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w = Weir::Test->new('errors may be json or problem details')->needs_weir;
my $dead = $w->refused_peer;
$w->conf(<<"END");
    log_format id '\$uri \$request_id'; access_log logs/id.log id;
    server {
        error_format json;
        location / { return 404; }
        location /up/ { error_format problem; proxy_pass http://$dead; }
        location /html/ { error_format html; return 403; }
        location /own/ { error_page 404 /page; return 404; }
        location = /page { return 200 "a page of its own"; }
        location /text/ { return 404 "said so"; }
        location /inside/ { if (\$arg_a) { return 409; } return 200; }
    }
END
my $get = sub ($path, @accept) { $w->client->send_request('GET', $path, headers => [ map { (Accept => $_) } @accept ])->read_response };

my $answer = $get->('/x', 'application/json');
is $answer->status, 404, 'an error';
is $answer->header('Content-Type'), 'application/json', 'is JSON';
is $answer->header('Vary'), 'Accept', 'as Accept decides';
my $error = decode_json($answer->body);
is_deeply [ @$error{qw(status error cause)} ], [ 404, 'Not Found', 'route.return' ], 'with status, words and cause';
is $error->{request_id}, $w->wait_for_access(qr{^/x (\S+)$}m, 'id.log'), 'and the id of the request';
is $get->('/x')->header('Content-Type'), 'application/json', 'without an Accept, too';
is $get->('/x', '*/*')->header('Content-Type'), 'application/json', 'and for who takes anything';
is $get->('/x', 'text/html,application/xhtml+xml,*/*;q=0.8')->header('Content-Type'), 'text/html', 'a browser gets a page';
is $get->('/x', 'text/html;q=0.5, application/json')->header('Content-Type'), 'application/json', 'unless it wants JSON more';

$answer = $get->('/up/', 'application/json');
is $answer->header('Content-Type'), 'application/problem+json', 'problem details';
$error = decode_json($answer->body);
is_deeply [ @$error{qw(type title status cause)} ], [ 'about:blank', 'Bad Gateway', 502, 'upstream.connect.refused' ], 'say type, title, status and cause';

$answer = $get->('/html/', 'application/json');
is $answer->header('Content-Type'), 'text/html', 'html is html for everyone';
is $answer->header('Vary'), undef, 'whatever it accepts';
is $get->('/own/')->body, 'a page of its own', 'error_page goes before';
is $get->('/text/')->body, 'said so', 'and so does a text';
is decode_json($get->('/inside/?a=1')->body)->{status}, 409, 'in an if, too';
my $bad = $w->client->send("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n")->read_response;
is decode_json($bad->body)->{status}, 400, 'a malformed request is answered so, too';
is $w->client->send_request('HEAD', '/x')->read_response(method => 'HEAD')->header('Content-Type'), 'application/json', 'HEAD';

done_testing;
