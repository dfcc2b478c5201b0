# identify KIND TEXT: a text of several parts is a fact only when each of its variables has a value. Else all who have sent no token, or one without
# the claim, would be one and the same client: refused as unknown, or whoever has that text as an identity.
use v5.36;
use lib 't/lib';
use Weir::Jose;
use Weir::Test;

my $w   = Weir::Test->new('a text with a gap names no consumer')->needs_weir;
my $key = Weir::Jose->key($w, 'HS256', kid => 'a');
my $origin = $w->echo_origin;
$w->write_file('conf/keys.json', Weir::Jose->set($key));
$w->conf(<<"END", main => "store_path store;\n", workers => 1);
http {
    auth_jwt_key_file keys.json;
    server {
        satisfy any;
        allow all;
        auth_jwt api;
        proxy_set_header X-Consumer \$consumer;
        location / { identify jwt "acme/\$jwt_claim_sub"; proxy_pass http://$origin; }
        location /two { identify pair "\$jwt_claim_tenant:\$jwt_claim_sub"; proxy_pass http://$origin; }
        location /name { identify consumer "team-\$jwt_claim_sub"; proxy_pass http://$origin; }
    }
}
END
my $tool = sub (@words) { my ($code, $said) = $w->tool(@words); is "$code$said", '0', "@words" };
$tool->(qw(consumer add root identity=jwt:acme/ identity=pair:: identity=pair::eve identity=pair:acme:));
$tool->(qw(consumer add eve identity=jwt:acme/eve identity=pair:acme:eve));
$tool->(qw(consumer add team-));
$tool->(qw(consumer add team-eve));
$w->start;
my $ask = sub ($path, $claims = undef) { $w->get($path, defined $claims ? (Authorization => 'Bearer ' . $key->token({ exp => time + 600, %$claims })) : ()) };
my $is = sub ($what, $name, $path, @claims) {
    my $answer = $ask->($path, @claims);
    is $answer->status, 200, $what;
    is $w->seen($answer)->header('X-Consumer'), $name, '… is ' . ($name // 'nobody');
};
$is->('who has no token', undef, $_) for qw(/ /two /name);
$is->('a token without the claim', undef, $_, { other => 'x' }) for qw(/ /two /name);
$is->('a token whose claim is empty', undef, $_, { tenant => '', sub => '' }) for qw(/ /two /name);
$is->('one of two claims', undef, '/two', $_) for { sub => 'eve' }, { tenant => 'acme' };
$is->('all that is asked for', 'eve', '/', { sub => 'eve' });
$is->('all that is asked for', 'eve', '/two', { tenant => 'acme', sub => 'eve' });
$is->('all that is asked for', 'team-eve', '/name', { sub => 'eve' });
is $ask->('/', { sub => 'mallory' })->status, 403, 'who is verified and unknown is refused all the same';
done_testing;
