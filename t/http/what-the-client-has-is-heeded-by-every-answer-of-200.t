# If-Match, If-None-Match and the two with dates where the answer is no file: return, empty_gif and the like.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('what the client has is heeded by every answer of 200');
$w->conf(<<'END', workers => 1);
    server {
        location /text { return 200 text; }
        location /gone { return 410 text; }
        location /gif { empty_gif; }
        location /status { stub_status; }
        location /page { error_page 403 /text; deny all; }
        location /nothing { return 499; }
        location /something { return 499 text; }
        location /address { try_files /none http://127.0.0.1/; }
        location /word { try_files /none word; }
        location /argument { try_files /none $arg_to; }
    }
END
my $status = sub ($path, @headers) { $w->get($path, @headers)->status };
my $date   = 'Mon, 28 Sep 1970 06:00:00 GMT';
is $status->($_, 'If-None-Match' => '*'), 304, "$_ exists: If-None-Match: *" for qw(/text /gif /status);
is $status->('/text', 'If-None-Match' => '"a"'), 200, 'no tag is its own';
is $status->('/text', 'If-Match' => '"a"'), 412, '… so that none is matched';
is $status->('/text', 'If-Match' => '*'), 200, 'it exists';
is $status->('/text', 'If-Unmodified-Since' => $date), 200, 'what has no date has no conditions of dates (RFC 9110 13.1.4)' unless $w->is_nginx;
is $status->('/text', 'If-Modified-Since' => $date), 200, '… neither way';
is $status->('/gif', 'If-Modified-Since' => $date), 304, 'the picture has a date';
is $status->('/gone', 'If-None-Match' => '*'), 410, 'what is no 200 has no conditions';
is $status->('/page', 'If-None-Match' => '*'), 403, 'nor has a page for an error';
is $w->request('POST', '/text', headers => [ 'If-None-Match' => '*' ], body => '')->status, 412, 'a POST gets 412 (RFC 9110 13.1.2)' unless $w->is_nginx;

is $w->raw("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"), '', 'return 499 closes without an answer';
is $status->('/something'), 499, '… with a text it is one';
is $status->($_), 404, "$_: what is no path is not found" for qw(/address /word /argument?to=http://a/);
$w->wait_for_access(qr{"GET /nothing HTTP/1\.1" 499 0 }) unless $w->is_nginx;
done_testing;
