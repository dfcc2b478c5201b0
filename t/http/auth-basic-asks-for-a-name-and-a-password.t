# auth_basic: each kind of hash, who is refused and how it is told, a file that changes, inheritance, satisfy, limit_except.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Digest::SHA qw(sha1);
use Weir::Test;

my $w      = Weir::Test->new('auth basic asks for a name and a password');
my $origin = $w->origin(sub ($c) { $c->reply(200, $c->request->header('Authorization') // '-') });
my %hash   = (
    plain => '{PLAIN}secret', sha => '{SHA}' . encode_base64(sha1('secret'), ''), ssha => '{SSHA}' . encode_base64(sha1('secretsalt') . 'salt', ''),
    des => crypt('secret', 'ab'), md5 => crypt('secret', '$1$abcdefgh$'), sha256 => crypt('secret', '$5$rounds=1000$abcdefgh$'),
    sha512 => crypt('secret', '$6$rounds=1000$abcdefgh$'), bcrypt => crypt('secret', '$2y$04$abcdefghijklmnopqrstuu'),
);
$hash{apr1} = qx(openssl passwd -apr1 -salt abcdefgh secret) =~ s/\s+//r;
$w->write_file('conf/users', join '', "# people\n", (map { "$_:$hash{$_}\n" } sort keys %hash), "comment:{PLAIN}x:more\nempty:\nbroken:\$9\$x\nwindows:{PLAIN}y\r\n");
$w->write_file('conf/other', "other:{PLAIN}z\n");
$w->allow_log(qr/\[error\]/, qr/\[emerg\]/);
$w->conf(<<"END", http => "log_format cause '\$remote_user \$status';\naccess_log logs/access.log cause;\n");
    auth_basic_user_file users;
    server {
        auth_basic "Here";
        location / { proxy_pass http://$origin; }
        location /off { auth_basic off; proxy_pass http://$origin; }
        location /other { auth_basic_user_file other; auth_basic "There \$arg_x"; proxy_pass http://$origin; }
        location /missing { auth_basic_user_file none; proxy_pass http://$origin; }
        location /any { satisfy any; allow 127.0.0.1; deny all; proxy_pass http://$origin; }
        location /none { satisfy any; deny all; proxy_pass http://$origin; }
        location /write { auth_basic off; limit_except GET { auth_basic "To write"; } proxy_pass http://$origin; }
        location /read { auth_basic off; limit_except GET POST { deny all; } proxy_pass http://$origin; }
    }
END
my $as = sub ($path, $name, $password = 'secret') { $w->get($path, 'Authorization', 'Basic ' . encode_base64("$name:$password", '')) };

for my $kind (sort keys %hash) {
    next if length $hash{$kind} < 8;
    is $as->('/', $kind)->status, 200, "$kind: the password";
    is $as->('/', $kind, 'secreT')->status, 401, "$kind: another";
}
is $as->('/', 'comment', 'x')->status, 200, 'a line with a comment';
is $as->('/', 'empty', '')->status, 401, 'no hash, no password';
is $as->('/', 'nobody')->status, 401, 'a name that is not there';
is $as->('/', '# people')->status, 401, 'a comment is no name';
unless ($w->is_nginx) {
    is $as->('/', 'broken')->status, 401, 'a hash nobody knows';
    is $as->('/', 'windows', 'y')->status, 200, 'a line that ends with CR LF';
    is $as->('/', 'sha512', 'a' x 5000)->status, 401, 'a password longer than any';
}
like $as->('/', 'plain')->body, qr/^Basic /, 'the upstream sees it';

my $answer = $w->get('/');
is $answer->status, 401, 'nobody';
is $answer->header('WWW-Authenticate'), 'Basic realm="Here"', 'is asked';
is $w->get('/other?x=y')->header('WWW-Authenticate'), 'Basic realm="There y"', 'in words with variables';
is $as->('/other', 'plain')->status, 401, 'a file of its own';
is $as->('/other', 'other', 'z')->status, 200, 'has its own names';
is $w->get('/', 'Authorization', $_)->status, 401, "not credentials: $_" for 'Basic', 'Basic !!', 'Basic ' . encode_base64('plain', ''), 'Bearer cGxhaW46c2VjcmV0',
  'Basic ' . encode_base64(':secret', '');
is $w->get('/off')->status, 200, 'off';
is $as->('/missing', 'plain')->status, 403, 'a file that is not there lets nobody in';
is $w->get('/any')->status, 200, 'satisfy any: the address';
is $w->get('/none')->status, 401, 'satisfy any: neither';
is $as->('/none', 'plain')->status, 200, 'satisfy any: the password';

$w->write_file('conf/other', "other:{PLAIN}new\n");
is $as->('/other', 'other', 'new')->status, 200, 'a file that has changed';
is $as->('/other', 'other', 'z')->status, 401, 'and what it said before';

is $w->get('/write')->status, 200, 'limit_except: a method named';
is $w->request('HEAD', '/write')->status, 200, 'HEAD with GET';
is $w->request('POST', '/write', body => 'x')->status, 401, 'another';
is $w->request('POST', '/write', body => 'x', headers => [ 'Authorization', 'Basic ' . encode_base64('plain:secret', '') ])->status, 200, 'another, allowed';
is $w->request($_, '/read', body => 'x')->status, 200, "$_ may" for qw(GET POST);
is $w->request($_, '/read', body => 'x')->status, 403, "$_ may not" for qw(PUT DELETE PATCH);
$w->wait_for_access(qr{^plain 200$}m);

unless ($w->is_nginx) {
    like $w->error_log, qr{password is not the one of that name.*cause: auth\.basic\.password}, 'told';
    unlike $w->error_log, qr/secreT/, 'without the password';
    my %says = (
        'auth_basic "a\"b";' => qr/without quotes/, 'location /x { auth_basic a; }' => qr/"auth_basic" has no "auth_basic_user_file" here/,
        'location /x { limit_except get { } }' => qr/invalid method "get"/, 'location /x { limit_except GET { } limit_except PUT { } }' => qr/duplicate/,
        'location /x { limit_except GET { location /x/y { } } }' => qr/"location" directive is not allowed here/, 'limit_except GET { }' => qr/not allowed here/,
    );
    for my $text (sort keys %says) {
        my ($code, $said) = $w->check_conf("server { $text }");
        is $code, 1, "refused: $text";
        like $said, $says{$text}, 'and says why';
    }
}

done_testing;
