use v5.36;
use lib 't/lib';
use JSON::PP ();
use Weir::Test;

my $w = Weir::Test->new('the error log can be JSON');
$w->needs_weir;
my $dead = $w->refused_peer;
$w->conf("server { location / { proxy_pass http://$dead; } }", main => 'error_log logs/error.log info json;');

$w->client->send("GET /a%22%0ab HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")->take_all;
$w->wait_for_log(qr/upstream\.connect\.refused/);
my @records = map { eval { JSON::PP->new->decode($_) } // { broken => $_ } } split /\n/, $w->error_log;
is_deeply [ grep { $_->{broken} } @records ], [], 'every line is JSON';
my ($record) = grep { ($_->{cause} // '') eq 'upstream.connect.refused' } @records;
ok $record, 'the cause is a field' or diag $w->error_log;

done_testing;
