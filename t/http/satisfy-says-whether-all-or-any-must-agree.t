# satisfy: with `all` each guard may refuse, with `any` one that lets in is enough; when none does, who asks for a key is answered before who forbids.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('satisfy says whether all or any must agree')->needs_weir;
my $origin = $w->origin;
$w->conf(<<"END", main => "store_path store;\n");
    log_format c '\$uri \$status \$weir_cause';
    access_log logs/access.log c;
    server {
        api_key \$http_x_api_key;
        allow 127.0.0.1;
        deny all;
        location / { satisfy any; proxy_pass http://$origin; location /inner { proxy_pass http://$origin; } }
        location /all { satisfy all; proxy_pass http://$origin; }
        location /default { proxy_pass http://$origin; }
        location /either { satisfy any; deny 127.0.0.9; proxy_pass http://$origin; }
        location /optional { satisfy any; api_key_optional on; proxy_pass http://$origin; }
        location /closed { satisfy any; maintenance on; proxy_pass http://$origin; }
        location /address { satisfy any; api_key off; proxy_pass http://$origin; }
        location /page { satisfy any; deny all; error_page 401 = /sorry; proxy_pass http://$origin; }
        location /disabled { error_page 401 403 \@closed; proxy_pass http://$origin; }
        location \@closed { satisfy any; deny all; proxy_pass http://$origin; }
        location /asked { error_page 401 /known; proxy_pass http://$origin; }
        location = /known { api_key off; allow all; return 200 "a key, please"; }
        location = /sorry { api_key off; allow all; return 200 sorry; }
    }
END
$w->tool(qw(consumer add acme));
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
my $ask = sub ($address, $path, $sent = undef) { $w->client(from => $address)->get($path, defined $sent ? ('X-API-Key' => $sent) : ())->status };

for my $case (
    [ '/',         200, 200, 401, 200, 401 ],      # near, near with a key, far, far with a key, far with a wrong one
    [ '/inner',    200, 200, 401, 200, 401 ],
    [ '/all',      401, 200, 403, 403, 403 ],
    [ '/default',  401, 200, 403, 403, 403 ],
    [ '/either',   401, 200, 401, 200, 401 ],
    [ '/optional', 200, 200, 403, 200, 401 ],
    [ '/closed',   503, 503, 503, 503, 503 ],
    [ '/address',  200, 200, 403, 403, 403 ],
    [ '/page',     200, 200, 200, 200, 200 ],
) {
    my ($path, @want) = @$case;
    my @is = ($ask->('127.0.0.1', $path), $ask->('127.0.0.1', $path, $key), $ask->('127.0.0.9', $path), $ask->('127.0.0.9', $path, $key), $ask->('127.0.0.9', $path, 'wrong'));
    is "@is", "@want", $path;
}
my $page = $w->client->get('/asked');
is $page->status . ' ' . $page->body, '401 a key, please', 'a page of the operator\'s';
is_deeply [ $page->header('WWW-Authenticate') ], ['Key realm="api"'], 'says what is asked for, though its own place asks for nothing';
is $w->client->get('/page')->header('WWW-Authenticate'), undef, 'what is no 401 does not';
is +($w->tool(qw(consumer set acme disabled=on)))[0], 0, 'the consumer is disabled';
my $before = $origin->requests;
is $ask->('127.0.0.1', '/disabled', $key), 403, 'who is known and refused';
is $origin->requests, $before, 'is let in by no other page either';
$w->wait_for_access(qr{^/ 401 auth\.key\.missing$}m);
$w->wait_for_access(qr{^/address 403 access\.denied$}m);
unlike $w->error_log, qr{access forbidden by rule, client: 127\.0\.0\.9, .*"GET / HTTP}, 'what another guard lets in is no error';
my ($code, $said) = Weir::Test->new('wrong')->allow_log(qr{\[emerg\]})->check_conf('server { satisfy some; }');
is $code, 1, 'anything else is refused';
like $said, qr/"some".*all.*any/, 'and told';

done_testing;
