# What people's tools (fail2ban) look for in the error log; and each such record says the cause and the request's id.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Weir::Test;

my $w = Weir::Test->new('records of limits and guards are in nginx\'s words');
my $origin = $w->origin(sub ($c) { $c->wait_for('go') if $c->request->target =~ /held/; $c->reply(200, 'ok') });
$w->write_file('conf/users', "plain:{PLAIN}secret\n");
$w->allow_log(qr/\[error\]/, qr/\[warn\]/);
my $quota = $w->is_nginx ? '' : 'quota_zone $arg_k zone=q:1m per=month; ';
my $place = $w->is_nginx ? '' : 'location /quota { quota zone=q limit=0; empty_gif; } location /dryquota { quota_dry_run on; quota zone=q limit=0; empty_gif; }';
$w->conf(<<"END", main => $w->is_nginx ? '' : "store_path store;\n");
    limit_req_zone \$arg_k zone=r:1m rate=1r/m;
    limit_req_zone \$arg_k zone=f:1m rate=3r/s;
    limit_conn_zone \$server_port zone=c:1m;
    $quota
    server {
        location /req { limit_req zone=r; empty_gif; }
        location /dry { limit_req zone=r; limit_req_dry_run on; empty_gif; }
        location /slow { limit_req zone=f burst=9; empty_gif; }
        location /dryslow { limit_req zone=f burst=9; limit_req_dry_run on; empty_gif; }
        location /conn { limit_conn c 1; limit_conn_log_level error; proxy_pass http://$origin; }
        location /dryconn { limit_conn c 1; limit_conn_dry_run on; proxy_pass http://$origin; }
        location /basic { auth_basic x; auth_basic_user_file users; empty_gif; }
        location /deny { deny all; empty_gif; }
        $place
    }
END
my $twice = sub ($path) { $w->get($path) for 1, 2 };
$twice->('/req?k=1');
$twice->('/dry?k=2');
$twice->('/slow?k=3');
$twice->('/dryslow?k=4');
my $held = $w->client->send_request('GET', '/conn?held');
$origin->wait_requests(1);
$w->get($_) for '/conn', '/dryconn';
$w->pass('go');
$held->read_response;
$w->get('/basic', 'Authorization', 'Basic ' . encode_base64('nobody:secret', ''));
$w->get('/basic', 'Authorization', 'Basic ' . encode_base64('plain:wrong', ''));
$w->get('/deny');
my @says = (
    [ 'limit.rate' => qr/\[error\].*limiting requests, excess: \d+\.\d{3} by zone "r", client: 127\.0\.0\.1/ ],
    [ 'limit.rate' => qr/\[error\].*limiting requests, dry run, excess: \d+\.\d{3} by zone "r", client: / ],
    [ 'limit.rate' => qr/\[warn\].*delaying request, excess: \d+\.\d{3}, by zone "f", client: / ],
    [ 'limit.rate' => qr/\[warn\].*delaying request, dry run, excess: \d+\.\d{3}, by zone "f", client: / ],
    [ 'limit.connections' => qr/\[error\].*limiting connections by zone "c", client: / ],
    [ 'limit.connections' => qr/\[error\].*limiting connections, dry run, by zone "c", client: / ],
    [ 'auth.basic.unknown' => qr{\[error\].*user "nobody" was not found in "/\S*/users", client: } ],
    [ 'auth.basic.password' => qr/\[error\].*user "plain": password mismatch, client: / ],
    [ 'access.denied' => qr/\[error\].*access forbidden by rule, client: / ],
);
unless ($w->is_nginx) {
    $w->get('/quota?k=1');
    $w->get('/dryquota?k=1');
    push @says, [ 'limit.quota' => qr/\[error\].*quota is used up: 0 of 0 by zone "q", client: / ], [ 'limit.quota' => qr/\[error\].*quota is used up, dry run: 0 of 0/ ];
}
for my $at (@says) {
    my ($cause, $words) = @$at;
    my $record = $w->wait_for_log(qr/$words.*/);
    ok $record, $words;
    like $record, qr/cause: \Q$cause\E, request_id: [0-9a-f]{32}$/, 'with its cause and id' unless $w->is_nginx;
}
done_testing;
