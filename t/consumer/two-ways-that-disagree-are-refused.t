# Two ways that name different consumers are two clients in one request: it is refused, or the first one counts where that is said.
use v5.36;
use lib 't/lib';
use Weir::Jose;
use Weir::Test;

my $w      = Weir::Test->new('two ways that disagree are refused')->needs_weir;
my $key    = Weir::Jose->key($w, 'HS256', kid => 'a');
my $origin = $w->echo_origin;
$w->write_file('conf/keys.json', Weir::Jose->set($key));
$w->conf(<<"END", main => "store_path store;\n", workers => 1);
    log_format who '\$consumer|\$consumer_method|\$weir_cause';
    access_log logs/access.log who;
    auth_jwt_key_file keys.json;
    proxy_set_header X-Consumer \$consumer;
    server {
        auth_jwt api;
        api_key \$http_x_api_key;
        api_key_optional on;
        identify jwt \$jwt_claim_sub;
        identify partner \$jwt_claim_partner;
        location / { proxy_pass http://$origin; }
        location /first { identify_conflict first; proxy_pass http://$origin; }
        location /dry { identify_dry_run on; proxy_pass http://$origin; }
        location /any { satisfy any; allow all; proxy_pass http://$origin; }
    }
END
is +($w->tool('consumer', 'add', $_, "identity=jwt:$_", "identity=partner:$_"))[0], 0, $_ for qw(acme eve);
$w->tool(qw(consumer add off disabled=on)) ;
my ($secret) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
$w->start;
my $ask = sub ($path, $claims, @key) { $w->get($path, Authorization => 'Bearer ' . $key->token({ exp => time + 600, %$claims }), map { ('X-API-Key' => $_) } @key) };
my $who = sub (@request) { my $answer = $ask->(@request); $answer->status == 200 ? $w->seen($answer)->header('X-Consumer') // '-' : $answer->status };

is $who->('/', { sub => 'eve' }), 'eve', 'a token alone';
is $who->('/', {}, $secret), 'acme', 'an API key alone';
$w->wait_for_access(qr/^acme\|api_key\|-$/m);
is $who->('/', { sub => 'acme' }, $secret), 'acme', 'both of one consumer';
is $who->('/', { sub => 'nobody' }, $secret), 'acme', 'a token that is nobody\'s beside a key';
is $who->('/', { sub => 'eve' }, $secret), 403, 'a key and a token of two consumers';
$w->wait_for_access(qr/^-\|-\|auth\.consumer\.conflict$/m);
is $who->('/', { sub => 'eve', partner => 'acme' }), 403, 'two kinds of two consumers';
is $who->('/', { sub => 'acme', partner => 'acme' }), 'acme', 'two kinds of one';
is $who->('/any', { sub => 'eve' }, $secret), 403, 'whoever else would let it in';
is $who->('/first', { sub => 'eve' }, $secret), 'acme', 'the first counts where that is said: the key';
is $who->('/first', { sub => 'eve', partner => 'acme' }), 'eve', '… then the lines in order';
is $who->('/dry', { sub => 'eve' }, $secret), '-', 'in a rehearsal it is nobody\'s';
is $who->('/dry', { sub => 'nobody' }), '-', 'as is who is no consumer\'s';
is $who->('/dry', { sub => 'eve' }), 'eve', '… and who is one is known';
like $w->error_log, qr/different consumers.*: dry run.*cause: auth\.consumer\.conflict/, 'the log tells of it';

done_testing;
