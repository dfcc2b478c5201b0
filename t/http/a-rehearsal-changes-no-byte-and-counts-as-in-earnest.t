# dry_run on, and each policy's own directive or word for it: what client and peer get is, byte for byte, what they get without the
# policy; what is counted, in zones and statistics, is what is counted when it is meant.  Each policy is run four ways:
# without it, rehearsed by its place, rehearsed by itself (where it can), and meant.
use v5.36;
use lib 't/lib';
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use Weir::Authz;
use Weir::Jose;
use Weir::OAuth2;
use Weir::Signature;
use Weir::Store;
use Weir::Test;

my $w = Weir::Test->new('a rehearsal changes no byte and counts as in earnest')->needs_weir;
Weir::Store::not_at_the_end_of_a_month();
my $jwt = Weir::Jose->key($w, 'HS256', kid => 'a');
$w->write_file('conf/keys.json', Weir::Jose->set($jwt));
$w->write_file('conf/users', "joe:{PLAIN}secret\n");
$w->write_file('conf/schema.json', '{"type":"object","required":["id"]}');
$w->allow_log(qr/./);
my $as = Weir::OAuth2->server($w)->tokens(good => { active => \1, scope => 'read' }, other => { active => \1 });
$w->write_file('conf/secret', 'a secret');
my $origin = $w->origin(sub ($c) {
    my $r = $c->request;
    $c->wait_for("go $1") if $r->target =~ /held=(\w+)/;
    return $c->reply($r->target =~ /no/ ? 403 : 204, '') if $r->target =~ /judge/;
    $c->reply(200, join('|', $r->method, $r->target, (map { "$_->[0]: $_->[1]" } $r->{fields}->@*), $r->body // ''), 'Access-Control-Allow-Origin', 'peer');
});
my $authz = Weir::Authz::scripted($w, sub ($h2, $s, $case, $message) {
    Weir::Authz::answer($s, $case eq 'no' ? Weir::Authz::bytes(1, Weir::Authz::number(1, 7)) : $Weir::Authz::ok . Weir::Authz::bytes(3, Weir::Authz::bytes(2, Weir::Authz::header('x-user', 'a'))
        . Weir::Authz::bytes(6, Weir::Authz::header('x-shown', 'b')))) });
my $basic = sub ($pair) { 'Authorization: Basic ' . encode_base64($pair, '') };
my $bearer = sub ($token) { "Authorization: Bearer $token" };
my @post = ('Content-Type: application/json');
my @preflight = ('Origin: https://a.example', 'Access-Control-Request-Method: PUT');
my $signer = Weir::Jose->key($w, 'HS256', kid => 's');
$w->write_file('conf/signers.json', Weir::Jose->set($signer));
my $signed = sub ($nonce, $body, $sent) {
    my @fields = Weir::Signature::sign($signer, method => 'POST', target => '/', authority => 'a', body => $body, covers => [ '@method', 'content-digest' ], params => qq(;nonce="$nonce"));
    return [ POST => '', (map { "$fields[2 * $_]: $fields[2 * $_ + 1]" } 0 .. @fields / 2 - 1), \$sent ];
};
my $now = do { my @t = gmtime time - 60; sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0] };

# name => { http, place: directives; own: what makes it a rehearsal by itself (%OWN% in place: a word of its line);
#           ask: [method, target, fields, body] …; refuses: how many of them are refused when it is meant }; %Z% is another for each way
my %policy = (
    limit_req => {
        http => 'limit_req_zone $arg_k zone=req%Z%:1m rate=1r/m;', own => 'limit_req_dry_run on;',
        place => 'limit_req_status 429; limit_req_headers on; limit_req zone=req%Z% burst=1 nodelay;',
        ask => [ map { [ GET => "?k=$_" ] } qw(a a a b a) ], refuses => 2, row => [ 'limit_reqs', 'req' ],
    },
    limit_conn => {
        http => 'limit_conn_zone $arg_k zone=conn%Z%:1m;', own => 'limit_conn_dry_run on;', place => 'limit_conn conn%Z% 1;', held => 1,
        ask => [ map { [ GET => "?k=$_" ] } qw(a b a) ], refuses => 2, row => [ 'limit_conns', 'conn' ],
    },
    quota => {
        http => 'quota_zone $arg_k zone=quota%Z%:1m per=month;', own => 'quota_dry_run on;', place => 'quota_headers on; quota zone=quota%Z% limit=2;',
        ask => [ map { [ GET => "?k=$_" ] } qw(a a a b) ], refuses => 1, row => [ 'quotas', 'quota' ],
    },
    plan_limit => {
        http => 'plan_limit_zone plan%Z%:1m;', own => 'plan_limit_dry_run on;', place => 'anonymous plan=free key=$arg_k; plan_limit_headers on; plan_limit zone=plan%Z%;',
        ask => [ map { [ GET => "?k=$_" ] } qw(a a a b) ], refuses => 1, row => [ 'plan_limits', 'plan' ],
    },
    plan_limit_require => { own => 'plan_limit_dry_run on;', place => 'plan_limit_require on; plan_limit zone=plan_meant;', ask => [ [ GET => '' ] ], refuses => 1 },
    accept_methods => { place => 'accept_methods GET;', ask => [ [ GET => '' ], [ PUT => '', @post, \'{}' ] ], refuses => 1 },
    accept_content_types => { place => 'accept_content_types text/plain;', ask => [ [ POST => '', @post, \'{}' ] ], refuses => 1 },
    identify => { own => 'identify_dry_run on;', place => 'identify consumer $arg_who;', ask => [ [ GET => '' ], [ GET => '?who=nobody' ] ], refuses => 1 },
    api_key => { own => 'api_key_dry_run on;', place => 'api_key $arg_key $http_x_key;', ask => [ [ GET => '' ], [ GET => '?key=wrong&a=b', 'X-Key: none' ] ], refuses => 2 },
    auth_jwt => {
        own => 'auth_jwt_dry_run on;', place => 'auth_jwt api; auth_jwt_key_file keys.json; auth_jwt_require $jwt_claim_admin error=403;',
        ask => [ [ GET => '' ], [ GET => '', $bearer->($jwt->token({ exp => 1 })) ], [ GET => '', $bearer->($jwt->token({ a => 1 })) ], [ GET => '', $bearer->($jwt->token({ admin => 1 })) ] ], refuses => 3,
    },
    oauth2 => {
        own => 'oauth2_dry_run on;',
        place => "oauth2 api token=\$arg_t; oauth2_introspection http://$as/; oauth2_introspection_client weir secret_file=secret; oauth2_scope read; oauth2_strip on;",
        ask => [ [ GET => '' ], [ GET => '?t=bad' ], [ GET => '?t=good' ], [ GET => '?t=other' ] ], refuses => 3,
    },
    signature => {
        own => 'signature_dry_run on;', place => 'signature keys=signers.json; signature_require @method; signature_nonce zone=nonces%Z%:1m;',
        ask => [ [ POST => '', \'x' ], $signed->('n1', 'x', 'x'), $signed->('n1', 'x', 'x'), $signed->('n2', 'x', 'y'), $signed->('n3', 'x', 'x') ], refuses => 3,
    },
    auth_basic => { place => 'auth_basic x; auth_basic_user_file users;', ask => [ [ GET => '' ], [ GET => '', $basic->('joe:wrong') ], [ GET => '', $basic->('you:wrong') ], [ GET => '', $basic->('joe:secret') ] ], refuses => 3 },
    auth_file => { place => 'auth_basic x; auth_basic_user_file none;', ask => [ [ GET => '', $basic->('joe:secret') ] ], refuses => 1 },
    access => { place => 'allow 192.0.2.1; deny all;', ask => [ [ GET => '' ] ], refuses => 1 },
    limit_except => { place => 'limit_except GET { deny all; }', ask => [ [ GET => '' ], [ PUT => '', @post, \'{}' ] ], refuses => 1 },
    auth_request => { place => 'auth_request /judge?$arg_a;', ask => [ [ GET => '?a=yes' ], [ GET => '?a=no' ] ], refuses => 1 },
    ext_authz => { own => 'ext_authz_dry_run on;', place => "ext_authz grpc://$authz;", ask => [ [ GET => '', 'X-Case: no' ], [ GET => '', 'X-Case: yes' ] ], refuses => 1 },
    ext_authz_body => { own => 'ext_authz_dry_run on;', place => "ext_authz grpc://$authz; ext_authz_body 4;",
        ask => [ [ POST => '', 'X-Case: no', \'abc' ], [ POST => '', 'X-Case: yes', \'abc' ], [ POST => '', 'X-Case: yes', \'abcdef' ] ], refuses => 2 },
    accept => { place => 'accept_methods POST; accept_content_types text/plain;', ask => [ [ GET => '' ], [ POST => '', 'Content-Type: a/b', \'x' ], [ POST => '', 'Content-Type: text/plain', \'x' ] ], refuses => 2 },
    form_body => { place => 'form_body urlencoded;', ask => [ map { [ POST => '', "Content-Type: $_->[0]", \$_->[1] ] } [ 'text/plain', 'x' ], [ 'application/x-www-form-urlencoded', 'a=%' ], [ 'application/x-www-form-urlencoded', 'a=1' ] ], refuses => 2 },
    require => { own => 'dry_run', place => 'require $arg_a = x %OWN%;', ask => [ [ GET => '' ], [ GET => '?a=x' ] ], refuses => 1 },
    default_deny => { place => 'default_deny on;', ask => [ [ GET => '' ] ], refuses => 1 },
    json_body => { place => 'json_body on;', ask => [ [ POST => '', @post, \'{' ], [ POST => '', @post, \'{}' ], [ POST => '', \'{}' ], [ POST => '', @post, \('[' x 99) ] ], refuses => 3 },
    json_schema => { own => 'dry_run', place => 'json_schema schema.json %OWN%;', ask => [ [ POST => '', @post, \'{}' ], [ POST => '', @post, \'{"id":1}' ] ], refuses => 1 },
    brownout => { own => 'dry_run', place => "brownout from=$now for=1h %OWN%;", ask => [ [ GET => '' ] ], refuses => 1 },
    fault => { own => 'dry_run', place => 'fault abort=503 percent=50 %OWN%; fault delay=1ms percent=50 %OWN%;', ask => [ map { [ GET => '' ] } 1 .. 4 ], refuses => 2, is_silent => 1 },
    cors => { place => 'cors { allow_origin https://a.example; allow_methods GET; expose_headers X; }', ask => [ [ GET => '', 'Origin: https://a.example' ], [ OPTIONS => '', @preflight ] ], refuses => 1, is_silent => 1 },
    maintenance => { place => 'maintenance on;', ask => [ [ GET => '' ] ], refuses => 1 },
);
my @ways = ('without', 'place', 'own', 'meant');
my $place = sub ($name, $way) {
    my $p = $policy{$name};
    my $own = $p->{own} // '';
    return '' if $way eq 'without';
    my $text = $p->{place} =~ s/%Z%/_$way/gr =~ s/%OWN%/$way eq 'own' ? $own : ''/egr;
    return $text . ($way eq 'place' ? ' dry_run on;' : $way eq 'own' && $own =~ /;/ ? " $own" : '');
};
my $http = join "\n", map { my $way = $_; map { ($_->{http} // '') =~ s/%Z%/_$way/gr } values %policy } qw(place own meant);
my $servers = join "\n", map {
    my $way = $_;
    my $places = join "\n", map { "location = /$_ { proxy_set_header Host same; " . $place->($_, $way) . " proxy_pass http://$origin; }" } grep { $way ne 'own' || $policy{$_}{own} } sort keys %policy;
    "server { listen 127.0.0.1:%%PORT_$way%%; server_name $way; server_tokens off; recursive_error_pages off; location = /judge { internal; proxy_pass http://$origin; }\n$places }"
} @ways;
$w->conf("$http\n$servers\nserver { location /statistics { status; } }", main => "store_path store;\n", workers => 1);
$w->tool('plan', 'add', 'free', 'month=2', 'rate=1r/s', 'burst=100', 'concurrency=10');
$w->start;

my $raw = sub ($way, $name, $ask) {
    my ($method, $target, @fields) = @$ask;
    my $body = @fields && ref $fields[-1] ? ${ pop @fields } : undef;
    my $head = join "\r\n", "$method /$name$target HTTP/1.1", 'Host: a', @fields, (defined $body ? 'Content-Length: ' . length $body : ()), 'Connection: close', '', '';
    my $answer = $w->raw($head . ($body // ''), port => $w->port($way));
    $answer = $answer->text if ref $answer;
    return $answer =~ s/^Date: .*?\r\n//mr =~ s/request [0-9a-f]{32}/request ID/r;
};
my $status = sub ($answer) { $answer =~ m{^HTTP/1\.1 (\d+)} ? $1 : 'none' };
my $counts = sub { decode_json($w->get('/statistics')->body) };
my $keys = sub ($zone) { ($w->tool('zones'))[1] =~ /^\S*\s*\Q$zone\E\b.*?(keys=\d+)/m ? $1 : 'none' };
my $tried = sub ($way) { scalar grep { /dry run/ && /server: $way\b/ } split /\n/, $w->error_log };

for my $name (sort keys %policy) {
    my $p = $policy{$name};
    my %got;
    for my $way (@ways) {
        next if $way eq 'own' && !$p->{own};
        my $before = $tried->($way);
        my $come = $origin->requests;
        my $held = $p->{held} ? $w->client(port => $w->port($way))->send_request('GET', "/$name?k=a&held=$way") : undef;
        $origin->wait_requests($come + 1) if $held;
        $got{$way} = [ map { $raw->($way, $name, $_) } $p->{ask}->@* ];
        if ($held) {
            is $keys->("conn_$way"), 'keys=1', "$name, $way: what is held" if $way ne 'without';
            $w->pass("go $way");
            $held->read_response;
        }
        next if $way eq 'without' || $way eq 'meant' || $p->{is_silent};
        $w->wait_until("$name, $way: the log says what would have been refused", sub { $tried->($way) - $before >= $p->{refuses} });
        is $tried->($way) - $before, $p->{refuses}, "$name, rehearsed by $way: so many would be refused";
    }
    for my $way (grep { $got{$_} } qw(place own)) {
        is $got{$way}[$_], $got{without}[$_], "$name, rehearsed by $way: request $_ gets what it gets without" for 0 .. $p->{ask}->$#*;
    }
    my @refused = grep { my $m = $got{meant}[$_]; $status->($m) >= 400 } 0 .. $p->{ask}->$#*;
    is @refused, $p->{refuses}, "$name, meant: so many are refused";
    next if !$p->{row};
    my ($kind, $zone) = $p->{row}->@*;
    my $rows = $counts->()->{$kind};
    my $sum = sub ($way) { my $r = $rows->{"${zone}_$way"}; join ' ', map { ($r->{$_} // 0) + ($r->{"${_}_dry_run"} // 0) } qw(passed delayed rejected) };
    for my $way (grep { $got{$_} } qw(place own)) {
        is $sum->($way), $sum->('meant'), "$name, rehearsed by $way: the statistics are those of a run that is meant";
        is $rows->{"${zone}_$way"}{rejected}, 0, '… as a rehearsal';
        next if $p->{held};
        is $keys->("${zone}_$way"), $keys->("${zone}_meant"), "… and so is the zone";
    }
}
done_testing;
