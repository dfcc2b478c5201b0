# What the person who met the error can quote, and the operator can look up: the request's id on Weir's own page, in the error log, and known to
# `weir why`.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('an error names its request on its page and in the log')->needs_weir;
my $dead = $w->refused_peer;
my $conf = "server { location / { proxy_pass http://$dead; } location /named { return 404 \"<\$request_id>\"; } location /gone { return 410; } location /moved { return 301 /x; } }";
$w->conf($conf, workers => 2);
$w->start;
my $tool = sub (@words) { $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', @words) };

my $page = $w->get('/some/where')->body;
my ($id) = $page =~ m{<center>request ([0-9a-f]{32})</center></body></html>\n\z};
ok $id, 'the page names it' or diag $page;
my ($code, $said) = $tool->('why', $id);
is $code, 0, 'the recorder knows it';
like $said, qr{^  asked    GET /some/where HTTP/1\.1$}m, 'as this request';
$w->wait_until('the log names it too', sub { $w->error_log =~ /\[error\] .*cause: upstream\.connect\.refused.*request_id: \Q$id\E/ });
like $w->get('/gone')->body, qr{request [0-9a-f]{32}</center>}, 'an answer that the configuration asks for is one too';
unlike $w->get('/moved')->body, qr{request [0-9a-f]}, 'a redirect is no error';
unlike $w->get('/named')->body, qr{request }, "a page of the operator's is theirs";
my $early = $w->client;
$early->send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
my $bad = $early->read_response;
is $bad->status, 400, 'what cannot be read';
like $bad->body, qr{request [0-9a-f]{32}</center>}, 'has a name as well';

$w->stop;

# Without a recorder nothing could be looked up.
my $plain = Weir::Test->new('an error names its request on its page and in the log');
$plain->conf($conf, workers => 2, main => 'recorder_requests 0;');
unlike $plain->get('/')->body, qr{request}, 'without a recorder there is none';
$plain->wait_until('it is logged', sub { $plain->error_log =~ /upstream\.connect\.refused/ });
unlike $plain->error_log, qr{request_id}, 'nor in the log';

done_testing;
