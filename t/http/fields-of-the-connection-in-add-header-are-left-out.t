# add_header lets through what nginx lets through: what would break the framing is left out with a warning, line ends in a text become spaces.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('fields of the connection in add_header are left out');
$w->allow_log(qr/is of the connection, not of the answer: "add_(?:header|trailer)" leaves it out/);
$w->conf(<<'END');
    server {
        location /cors {
            if ($request_method = OPTIONS) {
                add_header Content-Length 0;
                add_header Access-Control-Max-Age 1728000;
                return 204;
            }
            add_header Transfer-Encoding chunked always;
            add_header Connection upgrade;
            add_header Upgrade x;
            add_header X-Stays yes;
            return 200 body;
        }
        location /lines {
            add_header Content-Security-Policy "default-src 'self';
                img-src *;	script-src  'none';
            ";
            add_header X-Variable "a $arg_v
                b
";
            return 200 body;
        }
    }
END
my $client = $w->client;
$client->send_request('OPTIONS', '/cors');
my $answer = $client->read_response;
is $answer->status, 204, 'the usual CORS block is accepted';
is $answer->header('Access-Control-Max-Age'), '1728000', 'and its fields are there';
is $answer->header('Content-Length'), undef, 'but no length of a 204';
$answer = $client->get('/cors');
is $answer->body, 'body', 'the framing is not touched';
is $answer->header($_), undef, "no $_" for qw(Transfer-Encoding Upgrade);
is $answer->header('X-Stays'), 'yes', 'what stands beside them stays';
$answer = $client->get('/lines?v=1');
is $answer->header('Content-Security-Policy'), "default-src 'self'; img-src *;\tscript-src  'none';", 'a text of several lines is one line';
is $answer->header('X-Variable'), 'a 1 b', 'also around a variable';
done_testing;
