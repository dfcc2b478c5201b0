# error_page, try_files and index send a request to another place: the guards of that place judge it, and their answer is the answer.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Weir::Test;

my $w      = Weir::Test->new('guards judge a request wherever it is redirected');
my $origin = $w->origin(sub ($c) { $c->reply(200, 'SECRET') });
$w->write_file('conf/users', "plain:{PLAIN}secret\n");
$w->allow_log(qr/\[error\]/);
$w->conf(<<"END", http => "log_format answer '\$request_uri \$status';\naccess_log logs/access.log answer;\n");
    server {
        auth_basic_user_file users;
        location / { error_page 404 = \@basic; }
        location /named/ { error_page 418 = \@basic; return 418; }
        location /kept/ { error_page 404 \@basic; }
        location /path/ { error_page 404 = /guarded/; }
        location /ask/ { error_page 404 = \@ask; }
        location /fails/ { error_page 404 \@fails; }
        location /deny/ { error_page 404 \@deny; }
        location /any/ { error_page 404 = \@any; }
        location /tried/ { try_files /none \@basic; }
        location /twice/ { recursive_error_pages on; error_page 404 = /twice-more/; }
        location /twice-more/ { error_page 404 = \@basic; recursive_error_pages on; }
        location /page/ { auth_basic here; error_page 401 /page/401; proxy_pass http://$origin; }
        location /shown/ { auth_basic here; error_page 401 /open; proxy_pass http://$origin; }
        location = /open { return 200 "who are you?"; }
        location \@basic { auth_basic here; proxy_pass http://$origin; }
        location /guarded/ { auth_basic here; proxy_pass http://$origin; }
        location \@ask { auth_request /no; proxy_pass http://$origin; }
        location \@fails { auth_request /broken; proxy_pass http://$origin; }
        location \@deny { deny all; proxy_pass http://$origin; }
        location \@any { satisfy any; deny all; auth_basic here; proxy_pass http://$origin; }
        location = /no { internal; return 403; }
        location = /broken { internal; return 404; }
    }
END

my @with = ('Authorization', 'Basic ' . encode_base64('plain:secret', ''));
my %refused = ('/x' => 401, '/named/x' => 401, '/kept/x' => 401, '/path/x' => 401, '/ask/x' => 403, '/fails/x' => 500, '/deny/x' => 403, '/any/x' => 401,
    '/tried/x' => 401, '/twice/x' => 401, '/page/x' => 401);
for my $path (sort keys %refused) {
    my $answer = $w->get($path);
    is $answer->status, $refused{$path}, "$path is refused";
    unlike $answer->body, qr/SECRET/, "$path tells nothing";
    is $answer->header('WWW-Authenticate'), $refused{$path} == 401 ? 'Basic realm="here"' : undef, "$path asks who it is, or does not";
    my $status = $w->get($path, 'Authorization', 'Basic eDp5')->status;
    is $status, $refused{$path}, "$path is refused to somebody else";
}
is $origin->requests, 0, 'nothing was asked of the origin';
for my $path (qw(/x /named/x /path/x /any/x /tried/x /twice/x /page/x)) {
    my $answer = $w->get($path, @with);
    is $answer->status . $answer->body, '200SECRET', "$path with a password";
}
my $answer = $w->get('/shown/x');
is $answer->status . $answer->body, '401who are you?', 'a page in an open place is shown';
is $answer->header('WWW-Authenticate'), 'Basic realm="here"', 'and asks';

unless ($w->is_nginx) {
    like $w->error_log, qr{cause: auth\.basic\.missing}, 'the log has the cause of the answer';
    like $w->error_log, qr{"GET /x .*cause: auth\.basic}, 'of the request that was sent there';
}
done_testing;
