# identify and anonymous: what cannot be meant is refused when the configuration is read, with its line and why.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('misuse of identify is told')->allow_log(qr{\[emerg\]});
for my $case ([qr/"identify" needs "store_path"/, 'identify basic;', ''], [qr/"anonymous" needs "store_path"/, 'anonymous plan=free;', ''],
    [qr/\$remote_user is what the client says: "identify basic" takes/, 'identify user $remote_user;'],
    [qr/\$ssl_client_s_dn may be of a certificate that was not verified/, 'identify dn "x$ssl_client_s_dn";'],
    [qr/"identify basic" takes the name that auth_basic has verified/, 'identify basic $remote_user;'],
    [qr/which part of it: fingerprint, subject or san/, 'identify certificate;'],
    [qr/which part of it: fingerprint, subject or san/, 'identify certificate $ssl_client_s_dn;'],
    [qr/"identify consumer" must have a text/, 'identify consumer;'], [qr/a text with variables/, 'identify jwt sub;'],
    [qr/a kind of identities/, 'identify JWT $jwt_claim_sub;'], [qr/a kind of identities/, 'identify api_key;'], [qr/unknown variable|unknown "nonsense" variable|nonsense/, 'identify jwt $nonsense;'],
    [qr/"identify off" cannot stand beside others/, 'identify off; identify basic;'], [qr/nothing after off/, 'identify off $arg_x;'],
    [qr/more than 32 "identify"/, join ' ', map { "identify k$_ \$arg_x;" } 1 .. 33],
    [qr/"anonymous" must have plan=NAME/, 'anonymous key=$arg_x;'], [qr/plan=NAME, key=TEXT or off/, 'anonymous plan=a,b;'],
    [qr/plan=NAME, key=TEXT or off/, 'anonymous plan=;'], [qr/plan=NAME, key=TEXT or off/, 'anonymous free;'], [qr/refuse.*first|first.*refuse/, 'identify_conflict last;']) {
    my ($complaint, $text, $main) = @$case;
    my ($code, $said) = $w->check_conf("server { $text }", main => $main // "store_path store;\n");
    is $code, 1, "refused: " . substr $text, 0, 60;
    like $said, $complaint, 'and told why';
}
is +($w->check_conf('identify basic; server { location / { identify off; } location /a { identify jwt $jwt_claim_sub; anonymous plan=a key=$cookie_x; } }', main => "store_path store;\n"))[0], 0,
    'what can be meant is taken';

done_testing;
