use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a flood of interim answers is 502');
my $origin = $w->origin(sub ($c) {
    my ($status, $n) = $c->request->target =~ m{/(\d+)/(\d+)};
    $c->raw("HTTP/1.1 $status Interim\r\n\r\n" x $n);
    $c->reply(200, 'ok');
});
$w->conf(<<"END", workers => 1);
    upstream api { server $origin; keepalive 4; }
    log_format causes '\$request_uri \$status \$weir_cause';
    access_log logs/causes.log causes;
    server { location / { proxy_pass http://api; } }
END

my $client = $w->client;
for my $status (100, 102, 103, 199) {
    my $answer = $client->get("/$status/8");
    is $answer->status, 200, "8 of $status";
    is scalar(my @interim = $answer->interim), $status == 100 ? 0 : 8, 'are passed on, but 100 is ours';
    $answer = $client->get("/$status/9");
    is $answer->status, 502, "9 of $status are too many";
    is $client->get("/$status/10000")->status, 502, 'so are 10,000';
    is $w->wait_for_access(qr{^/$status/9 (.*)}m, 'causes.log'), '502 upstream.interim', 'the cause';
}

done_testing;
