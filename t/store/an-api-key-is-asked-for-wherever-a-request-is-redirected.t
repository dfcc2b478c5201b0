use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('an api key is asked for wherever a request is redirected')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'SECRET') });
$w->conf(<<"END", main => "store_path store;\n");
http {
    log_format cause '\$request_uri \$status \$weir_cause';
    access_log logs/access.log cause;
    server {
        location / { error_page 404 = \@app; }
        location \@app { api_key \$http_x_api_key; proxy_pass http://$origin; }
        location /page { api_key \$http_x_api_key; error_page 401 /page/401; proxy_pass http://$origin; }
        location /shown { api_key \$http_x_api_key; error_page 401 /open; proxy_pass http://$origin; }
        location /moved { api_key \$arg_key; error_page 404 = \@moved; }
        location \@moved { api_key \$arg_key; api_key_realm moved; proxy_pass http://$origin; }
        location = /open { return 200 "a key, please"; }
    }
}
END
is +($w->tool('consumer', 'add', 'acme'))[0], 0, 'a consumer';
my ($code, $said) = $w->tool('key', 'create', 'acme');
my ($key) = $said =~ /^(weir_\S+)$/m;

for my $path (qw(/x /page)) {
    for my $wrong (undef, 'weir_none') {
        my $answer = $w->get($path, defined $wrong ? ('X-API-Key', $wrong) : ());
        is $answer->status, 401, "$path: " . ($wrong // 'no key') . ' is refused';
        is $answer->header('WWW-Authenticate'), 'Key realm="api"', 'and asked for one';
        unlike $answer->body, qr/SECRET/, 'and gets nothing';
    }
    my $answer = $w->get($path, 'X-API-Key', $key);
    is $answer->status . $answer->body, '200SECRET', "$path: a good key";
}
is $w->get("/moved?key=$key")->body, 'SECRET', 'a key that is sent on no more is known in the next place all the same';
is $w->get('/moved?key=none')->status, 401, 'and so is one that is wrong';
my $answer = $w->get('/shown');
is $answer->status . $answer->body, '401a key, please', 'a page in an open place is shown';
ok $w->wait_for_access(qr{^/x 401 auth\.key\.missing$}m), 'the cause is that of the answer';
done_testing;
