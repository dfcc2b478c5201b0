# Who a request is from is known to its subrequests, its copies, the pages of its errors and its log, also when the configuration changes or the
# consumer goes meanwhile.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Weir::Test;

my $w      = Weir::Test->new('a consumer is known wherever its request goes')->needs_weir;
my $origin = $w->echo_origin;
my $slow   = $w->origin(sub ($c) { $c->request; $c->note('asked'); $c->wait_for('go'); $c->reply(200, 'slow') });
my $copies = $w->origin(sub ($c) { my $r = $c->request; $c->note('copy of ' . ($r->header('X-Consumer') // '-')); $c->reply(200, 'copy') });
my $asked  = $w->origin(sub ($c) { my $r = $c->request; $c->note('asked for ' . ($r->header('X-Consumer') // '-')); $c->reply(204, '') });
$w->write_file('conf/users', "alice:{PLAIN}right\n");
my $conf = sub ($more) { <<"END" };
    log_format who '\$uri|\$consumer|\$consumer_method|\$consumer_groups|\$status';
    access_log logs/access.log who;
    server {
        auth_basic_user_file users;
        proxy_set_header X-Consumer \$consumer;
        location / { identify basic; auth_basic api; $more proxy_pass http://$origin; }
        location /slow { identify basic; auth_basic api; $more proxy_pass http://$slow; }
        location /mirrored { identify basic; auth_basic api; mirror /copy; proxy_pass http://$origin; }
        location /sub { identify basic; auth_basic api; auth_request /ask; proxy_pass http://$origin; }
        location /key { api_key \$http_x_api_key; auth_request /ask; mirror /copy; proxy_pass http://$origin; }
        location /error { identify basic; auth_basic api; error_page 404 = /page; try_files /no =404; }
        location /far { identify basic; auth_basic api; error_page 404 = /other; try_files /no =404; }
        location = /copy { internal; proxy_pass http://$copies; }
        location = /ask { internal; proxy_pass http://$asked; }
        location = /page { internal; try_files /no \@who; }
        location = /other { internal; identify basic; identify_unknown pass; try_files /no \@who; }
        location \@who { return 200 "\$consumer|\$consumer_groups"; }
    }
END
$w->conf($conf->(''), main => "store_path store;\n", workers => 1);
$w->tool(qw(consumer add acme group=admin identity=basic:alice));
my ($key) = ($w->tool(qw(key create acme)))[1] =~ /^(weir_\S+)/m;
$w->start;
my @basic = (Authorization => 'Basic ' . encode_base64('alice:right', ''));

is $w->get('/error', @basic)->body, 'acme|admin', 'the page of an error knows it';
is $w->get('/far', @basic)->body, 'acme|admin', '… also one that asks itself, where no password is asked for';
is $w->get('/mirrored', @basic)->status, 200, 'a request with a copy';
$copies->wait_note('copy of acme');
pass 'the copy knows it, although nobody asks it for a password';
is $w->get('/key', 'X-API-Key' => $key)->status, 200, 'a request with a key, a subrequest and a copy';
$asked->wait_note('asked for acme');
$w->wait_until('both know it', sub { 2 == grep { $_ eq 'copy of acme' } $copies->notes });
$w->wait_for_access(qr{^/key\|acme\|api_key\|admin\|200$}m);
is $w->get('/sub', @basic)->status, 200, 'a subrequest of one with a name and a password';
$w->wait_until('it knows that one, too', sub { 2 == grep { $_ eq 'asked for acme' } $asked->notes });

# Between the access phase and the log the configuration, and the consumer, go.
my $client = $w->client;
$client->send_request('GET', '/slow', headers => [@basic]);
$slow->wait_note('asked');
$w->conf($conf->('identify_unknown pass;'), main => "store_path store;\n", workers => 1)->reload;
is +($w->tool(qw(consumer remove acme)))[0], 0, 'the consumer is removed while its request is under way';
$w->pass('go');
is $client->read_response(method => 'GET')->status, 200, 'which is answered';
$w->wait_for_access(qr{^/slow\|acme\|basic\|}m);
pass 'and logged as that consumer\'s';
is $w->get('/', @basic)->status, 200, 'the next one is nobody\'s';
$w->wait_for_access(qr{^/\|-\|-\|-\|200$}m);

done_testing;
