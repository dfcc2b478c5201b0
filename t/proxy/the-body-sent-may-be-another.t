# proxy_set_body, proxy_force_ranges: what is asked of a peer, and what of its answer goes on.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('the body sent may be another');
my $origin = $w->origin(sub ($c) {
    my $r = $c->request;
    $c->reply(200, join '|', $r->method, $r->body, $r->header('Content-Length') // '-');
});
my $digits = $w->origin(sub ($c) { $c->reply($c->request->target =~ /(\d+)$/ ? $1 : 200, '0123456789' x 1000, ETag => '"d"', $c->request->header('Range') ? ('X-Range' => 'seen') : ()) });
my $unknown = $w->peer(sub ($c) { while ($c->read_request) { $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\n\r\n") } });
$w->conf(<<"END");
    server {
        location / { proxy_set_body "method=\$request_method&a=\$arg_a"; proxy_pass http://$origin; }
        location /empty { proxy_set_body ""; proxy_pass http://$origin; }
        location /method { proxy_set_body fixed; proxy_method PUT; proxy_pass http://$origin; }
        location /without { proxy_set_body fixed; proxy_pass_request_body off; proxy_pass http://$origin; }
        location /parts { proxy_force_ranges on; proxy_set_header Range ""; proxy_pass http://$digits; }
        location /unforced { proxy_set_header Range ""; proxy_pass http://$digits; }
        location /unknown { proxy_force_ranges on; proxy_pass http://$unknown; }
    }
END
$w->allow_log(qr/\[emerg\]/);
is $w->get('/?a=1')->body, 'GET|method=GET&a=1|14', 'a body of ours';
my $client = $w->client;
$client->send_request('POST', '/?a=2', body => 'x' x 100_000);
is $client->read_response->body, 'POST|method=POST&a=2|15', 'instead of the client\'s';
is $client->get('/?a=3')->body, 'GET|method=GET&a=3|14', 'whose connection goes on';
is $w->get('/empty')->body =~ s/\|-$/|0/r, 'GET||0', 'an empty one';
is $w->get('/method')->body, 'PUT|fixed|5', 'with another method';
is $w->request('POST', '/without', body => 'client')->body, 'POST|fixed|5', 'where none was to be passed';

my $answer = $w->get('/parts', Range => 'bytes=5-14');
is $answer->status, 206, 'a part of a peer\'s answer';
is $answer->body, '5678901234', 'is the right one';
is $answer->header('Content-Range'), 'bytes 5-14/10000', 'and says so';
is $answer->header('ETag'), '"d"', 'with the peer\'s tag';
$answer = $w->get('/parts', Range => 'bytes=9990-');
is $answer->body, '0123456789', 'the last';
is $w->get('/parts', Range => 'bytes=10000-')->status, 416, 'one that is not there';
is $w->get('/parts', Range => 'bytes=5-14', 'If-Range' => '"other"')->status, 200, 'of another version: all';
is $w->get('/parts404', Range => 'bytes=5-14')->status, 404, 'not of an error';
is $w->get('/unforced', Range => 'bytes=5-14')->status, 200, 'not when the peer is left to it';
is $w->get('/unknown', Range => 'bytes=1-2')->body, '01234', 'nor of a length that is not known';
unless ($w->is_nginx) {
    is $w->get('/parts', Range => 'bytes=0-1,4-5')->status, 206, 'several in order';
    is $w->get('/parts', Range => 'bytes=4-5,0-1')->status, 200, 'nothing goes back: all of it';
}
done_testing;
