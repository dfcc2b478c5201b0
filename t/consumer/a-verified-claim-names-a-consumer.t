# identify: a claim of a token that was verified leads to the consumer whose identity it is, with its plan, groups and metadata; limits know it,
# and a token that is not good names nobody.
use v5.36;
use lib 't/lib';
use Weir::Jose;
use Weir::Test;

my $w   = Weir::Test->new('a verified claim names a consumer')->needs_weir;
my $key = Weir::Jose->key($w, 'HS256', kid => 'a');
my $origin = $w->echo_origin;
$w->write_file('conf/keys.json', Weir::Jose->set($key));
$w->conf(<<"END", main => "store_path store;\n", workers => 1);
http {
    log_format who '\$consumer|\$consumer_method|\$consumer_plan|\$consumer_groups|\$consumer_meta_tier|\$consumer_meta_none|\$consumer_quota_day|\$weir_cause';
    access_log logs/access.log who;
    limit_req_zone \$consumer zone=rate:1m rate=1r/m;
    auth_jwt_key_file keys.json;
    server {
        auth_jwt api;
        identify jwt \$jwt_claim_azp;
        identify jwt \$jwt_claim_sub;
        proxy_set_header X-Consumer \$consumer;
        location / { proxy_pass http://$origin; }
        location /admin { require \$consumer_groups has "admin"; proxy_pass http://$origin; }
        location /gold { require \$consumer_meta_tier = gold; proxy_pass http://$origin; }
        location /limited { limit_req zone=rate; proxy_pass http://$origin; }
        location /pass { identify_unknown pass; proxy_pass http://$origin; }
        location /off { identify off; proxy_pass http://$origin; }
        location /any { satisfy any; allow all; proxy_pass http://$origin; }
        location /name { identify consumer \$jwt_claim_name; proxy_pass http://$origin; }
    }
}
END
my $tool = sub (@words) { my ($code, $said) = $w->tool(@words); is "$code$said", '0', "@words" };
$tool->(qw(plan add gold day=1000));
$tool->(qw(consumer add acme plan=gold group=admin group=ops meta=tier=gold identity=jwt:app-1));
$tool->(qw(consumer add eve identity=jwt:user-2 group=administrators));
$w->start;
$tool->(qw(identity add jwt:user-3 consumer=eve));
my $ask = sub ($path, $claims, $with = $key) { $w->get($path, Authorization => 'Bearer ' . $with->token({ exp => time + 600, %$claims })) };
my $who = sub ($answer) { $w->seen($answer)->header('X-Consumer') };

my $answer = $ask->('/', { azp => 'app-1', sub => 'user-2' });
is $answer->status, 200, 'a token of an application';
is $who->($answer), 'acme', 'the first line that names somebody wins';
$w->wait_for_access(qr/^acme\|jwt\|gold\|admin,ops\|gold\|-\|1000\|-$/m);
is $who->($ask->('/', { azp => 'app-9', sub => 'user-2' })), 'eve', 'the next line has its chance where the first names nobody';
is $who->($ask->('/', { sub => 'user-3' })), 'eve', 'a consumer may have several, and one that was added is known at once';
is $ask->('/admin', { azp => 'app-1' })->status, 200, 'groups are for requirements';
is $ask->('/admin', { sub => 'user-2' })->status, 403, 'a group whose name begins like another is another';
is $ask->('/gold', { azp => 'app-1' })->status, 200, 'as is metadata';
is $ask->('/gold', { sub => 'user-2' })->status, 403, '… which another has not';
is $ask->('/limited', { azp => 'app-1' })->status, 200, 'limits know it, before the access phase';
is $ask->('/limited', { azp => 'app-1' })->status, 503, '… and count by it';
is $ask->('/limited', { sub => 'user-2' })->status, 200, '… and by nobody else';
is $who->($ask->('/name', { name => 'eve' })), 'eve', 'a text may be the name of a consumer';

$answer = $ask->('/', { sub => 'nobody' });
is $answer->status, 403, 'who is verified, but no consumer, is refused';
$w->wait_for_access(qr/^-\|-\|-\|-\|-\|-\|-\|auth\.consumer\.unknown$/m);
is $ask->('/name', { name => 'mallory' })->status, 403, 'also by name';
is $ask->('/name', { name => "eve\0" })->status, 403, 'a name with a NUL is not the one before it';
is $ask->('/', { sub => "user-2\0" })->status, 403, 'nor is a claim';
is $ask->('/', { sub => 'x' x 5000 })->status, 403, 'a giant claim is nobody\'s';
$answer = $ask->('/pass', { sub => 'nobody' });
is $answer->status, 200, 'where that is said, it passes';
is $who->($answer), undef, '… as nobody';
is $who->($ask->('/off', { sub => 'user-2' })), undef, 'where identify is off nobody is asked';
is $ask->('/', {})->status, 200, 'a token without such a claim is of nobody';
is $ask->('/', { sub => '' })->status, 200, 'and so is one whose claim is empty';
my $other = Weir::Jose->key($w, 'HS256', kid => 'a');
is $ask->('/', { azp => 'app-1' }, $other)->status, 401, 'a token that another key has signed';
$answer = $ask->('/any', { azp => 'app-1' }, $other);
is $answer->status, 200, '… passes where somebody else lets it in';
is $who->($answer), undef, '… but names nobody';
is $who->($ask->('/any', { azp => 'app-1' })), 'acme', 'a good one does';

$tool->(qw(consumer set acme disabled=on));
is $ask->($_, { azp => 'app-1' })->status, 403, "a consumer that is disabled is refused at $_" for qw(/ /pass /any /limited);
$w->wait_for_access(qr/^-\|-\|-\|-\|-\|-\|-\|auth\.consumer\.disabled$/m);
$tool->(qw(consumer set acme disabled=off group= meta=tier=));
is $ask->('/admin', { azp => 'app-1' })->status, 403, 'groups that were taken away are away at once';
is $ask->('/gold', { azp => 'app-1' })->status, 403, 'and metadata';
$tool->(qw(identity remove jwt:app-1));
is $ask->('/', { azp => 'app-1' })->status, 403, 'and an identity';
is +($w->tool(qw(consumer remove eve)))[0], 0, 'a consumer is removed';
is $ask->('/', { sub => 'user-2' })->status, 403, 'with its identities';
$tool->(qw(consumer add eve));
is $ask->('/', { sub => 'user-2' })->status, 403, 'which one of the same name does not have';
is +($w->tool(qw(store check)))[1], "0 faults\n", 'nothing is left behind';

done_testing;
