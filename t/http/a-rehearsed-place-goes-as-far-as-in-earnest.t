# dry_run on: a policy behind one that would have refused the request is not asked, so that it counts what it would count; one that is
# set to be meant is; a rehearsal lets nobody in and spares nobody a limit that is meant.
use v5.36;
use lib 't/lib';
use Weir::Store;
use Weir::Test;

my $w = Weir::Test->new('a rehearsed place goes as far as in earnest')->needs_weir;
Weir::Store::not_at_the_end_of_a_month();
$w->allow_log(qr/./);
my $origin = $w->origin(sub ($c) { $c->reply(200, join '|', 'ok', $c->request->method, $c->request->header('X-Id') // '-') });
my $dead = $w->refused_peer;
$w->conf(<<"END", main => "store_path store;\n", workers => 1);
http {
    limit_req_zone \$arg_k zone=rate:1m rate=1r/m;
    limit_req_zone \$jwt_claim_sub zone=claim:1m rate=1r/m;
    quota_zone \$arg_k zone=place:1m per=month;
    quota_zone \$arg_k zone=own:1m per=month;
    proxy_set_header X-Id \$api_key_id;
    log_format main "\$uri \$status \$limit_req_status|\$quota_status|\$weir_cause";
    access_log logs/access.log main;
    server {
        location /place { dry_run on; api_key \$arg_key; quota zone=place limit=1; proxy_pass http://$origin; }
        location /own { api_key_dry_run on; quota_dry_run on; api_key \$arg_key; quota zone=own limit=1; proxy_pass http://$origin; }
        location /meant { dry_run on; quota_dry_run off; api_key \$arg_key; quota zone=place limit=1; proxy_pass http://$origin; }
        location /any { satisfy any; deny all; api_key_dry_run on; api_key \$arg_key; proxy_pass http://$origin; }
        location /anyplace { satisfy any; dry_run on; deny all; api_key \$arg_key; json_body on; proxy_pass http://$origin; }
        location /default { default_deny on; api_key_dry_run on; api_key \$arg_key; proxy_pass http://$origin; }
        location /defaultplace { default_deny on; dry_run on; api_key \$arg_key; api_key_optional on; proxy_pass http://$origin; }
        location /value { dry_run on; auth_jwt api; auth_jwt_key_request http://$dead/; limit_req zone=claim; proxy_pass http://$origin; }
        location /first { limit_req_dry_run on; limit_req zone=rate; try_files /none \@second; }
        location \@second { limit_req_status 429; limit_req zone=rate; proxy_pass http://$origin; }
        location /part { if (\$arg_try) { dry_run on; } deny all; proxy_pass http://$origin; }
        route pages { match path=/pages method=PUT; dry_run on; cors { allow_origin https://a.example; } proxy_pass http://$origin; }
        location /pages { return 200 "pages"; }
    }
}
END
$w->start;
$w->tool('consumer', 'add', 'acme');
my ($key) = ($w->tool('key', 'create', 'acme'))[1] =~ /^(weir_\S+)$/m;
my $ask = sub ($target, @fields) { $w->get($target, @fields)->status };

is $ask->('/place?k=a') . $ask->("/place?k=b&key=$key") . $ask->("/place?k=b&key=$key"), '200200200', 'nobody is refused';
is $ask->("/meant?k=a&key=$key"), 200, 'of a key that was refused no quota was counted';
is $ask->("/meant?k=b&key=$key"), 429, 'of one that was let in it was; a policy that is set to be meant is';
is $ask->('/own?k=a'), 200, 'policies with directives of their own';
is $w->wait_for_access(qr{^/own 200 -\|(\S*)\|}m), 'PASSED', 'are each asked, as with nginx';
is $ask->("/any?key=$key"), 403, 'a rehearsal lets nobody in';
my $post = sub ($target) { $w->request('POST', $target, headers => [ 'Content-Type', 'application/json' ], body => '{')->status };
is $post->("/anyplace?key=$key") . $post->('/anyplace?k=none'), '200200', 'satisfy any, all of it rehearsed';
$w->wait_for_log(qr/the body would be refused.*POST \/anyplace\?key/);
unlike $w->error_log, qr/the body would be refused.*POST \/anyplace\?k=none/, 'where no guard would have let in, nothing behind them is asked';
is $ask->("/default?key=$key"), 403, 'nor where all is denied by default';
is $ask->("/defaultplace?key=$key") . $ask->('/defaultplace'), '200200', 'which may be rehearsed itself';
$w->wait_for_log(qr/No guard let the request in.*: dry run.*GET \/defaultplace HTTP/);
unlike $w->error_log, qr/dry run.*defaultplace\?key/, 'and is not told of whom a guard would have let in';
is $ask->('/value', 'Authorization', 'Bearer a.b.c'), 200, 'a value that cannot be had refuses nobody in a rehearsal';
is join('', map { $ask->('/first?k=x') } 1 .. 2), '200429', 'what a rehearsal has counted spares nobody a limit that is meant';
is $ask->('/part') . $ask->('/part?try=1'), '403200', 'for the part of a place';
my @preflight = ('Origin', 'https://a.example', 'Access-Control-Request-Method', 'PUT');
is $w->request('OPTIONS', '/pages', headers => \@preflight)->body, 'pages', 'a preflight goes where it goes without cors';
like +($w->tool('explain', 'PUT http://x:' . $w->port . '/pages'))[1], qr/dry_run on/, 'weir explain tells of it';

my ($code, $said) = $w->check_conf('server { limit_req_dry_run maybe; }');
like $said, qr/"maybe".*limit_req_dry_run/, 'what it may be';
done_testing;
