# auth_jwt_dry_run: what client and peer get is, byte for byte, what they get without auth_jwt; logs tell what would have been.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Jose;

my $w = Weir::Test->new('auth_jwt as a rehearsal changes no byte');
$w->needs_weir;
my $key = Weir::Jose->key($w, 'HS256', kid => 'a');
mkdir $w->dir . '/conf';
open my $out, '>', $w->dir . '/conf/keys.json';
print $out Weir::Jose->set($key);
close $out;
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join '|', $r->{line} // $r->target, map { "$_->[0]: $_->[1]" } $r->{fields}->@*) });
my $dead = $w->refused_peer;
$w->allow_log(qr/keys of|auth\.jwt|access forbidden/);
my $text = sub ($port, $jwt) { <<"END" };
    server {
        listen 127.0.0.1:%%PORT$port%%;
        server_tokens off;
        location / { $jwt auth_jwt_key_file keys.json; proxy_set_header Host same; proxy_pass http://$origin; }
        location /any { satisfy any; deny all; $jwt auth_jwt_key_file keys.json; proxy_set_header Host same; proxy_pass http://$origin; }
        location /need { $jwt auth_jwt_key_file keys.json; auth_jwt_require \$jwt_claim_admin error=403; proxy_set_header Host same; proxy_pass http://$origin; }
        location /dead { $jwt auth_jwt_key_request http://$dead/; proxy_set_header Host same; proxy_pass http://$origin; }
    }
END
$w->conf($text->('', 'auth_jwt api; auth_jwt_dry_run on;') . $text->('_without', '') . $text->('_meant', 'auth_jwt api;'));
my %token = (none => undef, good => $key->token({ exp => time + 600 }), bad => 'a.b.c', expired => $key->token({ exp => 1 }), unknown => $key->token({}, header => { kid => 'x' }));
my $ask = sub ($port, $path, $token) {
    my $auth = defined $token ? "Authorization: Bearer $token\r\n" : '';
    my $answer = $w->raw("GET $path HTTP/1.1\r\nHost: a\r\n${auth}Connection: close\r\n\r\n", port => $w->port($port));
    $answer = $answer->text if ref $answer;
    return $answer =~ s/^Date: .*?\r\n//mr =~ s/request [0-9a-f]{32}/request ID/r;
};
for my $path (qw(/ /any /need /dead)) {
    for my $name (sort keys %token) {
        my $with = $ask->('', $path, $token{$name});
        is $with, $ask->('without', $path, $token{$name}), "$path with a token that is $name";
        like $with, $path eq '/any' ? qr/^HTTP\/1\.1 403/ : qr/^HTTP\/1\.1 200/, '… which is answered';
    }
}
like $w->error_log, qr/The JWT has expired\.?: dry run.*cause: auth\.jwt\.expired/, 'the log tells';
is $w->request('GET', '/', port => $w->port('meant'))->status, 401, 'in earnest it is refused';
done_testing;
