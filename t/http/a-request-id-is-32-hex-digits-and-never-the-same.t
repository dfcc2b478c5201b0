use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a request id is 32 hex digits and never the same');
my $origin = $w->echo_origin;
$w->conf("server { location / { proxy_pass http://$origin; proxy_set_header X-Request-Id \$request_id; } location /own { return 200 \"\$request_id \$request_id\"; } }");

my %ids;
my $client = $w->client;
for (1 .. 20) {
    my ($id, $again) = split / /, $client->get('/own')->body;
    like $id, qr/^[0-9a-f]{32}$/, 'its form';
    is $again, $id, 'the same within a request';
    $ids{$id}++;
    $ids{ $w->seen($client->get('/', 'X-Request-Id' => 'forged'))->header('X-Request-Id') }++;
}
is scalar keys %ids, 40, 'no two are the same';
ok !$ids{forged}, "and none is the client's";

done_testing;
