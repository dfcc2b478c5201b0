# identify basic: the name that auth_basic has let in; a name that the client only says, or whose password is wrong, is nobody's, whoever else lets it in.
use v5.36;
use lib 't/lib';
use MIME::Base64 qw(encode_base64);
use Weir::Test;

my $w = Weir::Test->new('a name counts only with its password')->needs_weir;
$w->write_file('conf/users', "alice:{PLAIN}right\nbob:{PLAIN}right\nslow:\$2y\$05\$abcdefghijklmnopqrstuuT0VgiMHLHDHjvDYZNVVGLS1hsJm9Rja\n");
$w->conf(<<'END', main => "store_path store;\n", workers => 1);
    log_format who '$consumer|$consumer_method|$remote_user|$weir_cause';
    access_log logs/access.log who;
    server {
        auth_basic_user_file users;
        identify basic;
        identify_unknown pass;
        error_page 418 = /moved;
        add_header X-Consumer $consumer;
        location / { auth_basic api; try_files /no @ok; }
        location /any { satisfy any; allow all; auth_basic api; try_files /no @ok; }
        location /unasked { try_files /no @ok; }
        location /strict { identify_unknown refuse; auth_basic api; try_files /no @ok; }
        location /go { auth_basic api; try_files /no @go; }
        location @go { error_page 404 = /moved; try_files /no =404; }
        location @ok { return 200 ok; }
        location /moved { try_files /no @ok; }
    }
END
is +($w->tool(qw(consumer add acme identity=basic:alice)))[0], 0, 'a consumer by a name';
$w->start;
my $ask = sub ($path, $name, $password) { $w->get($path, defined $name ? (Authorization => 'Basic ' . encode_base64("$name:$password", '')) : ()) };
my $who = sub (@request) { my $answer = $ask->(@request); $answer->status . ' ' . ($answer->header('X-Consumer') // '-') };

is $who->('/', 'alice', 'right'), '200 acme', 'a name with its password';
$w->wait_for_access(qr/^acme\|basic\|alice\|-$/m);
is $ask->('/', 'alice', 'wrong')->status, 401, 'with another password';
is $who->('/any', 'alice', 'right'), '200 acme', 'where any guard is enough, too';
is $who->('/any', 'alice', 'wrong'), '200 -', 'where another one lets it in, a name without its password is nobody\'s';
is $who->('/any', undef, undef), '200 -', 'as is none';
is $who->('/unasked', 'alice', 'right'), '200 -', 'where nobody has asked for the password, the name is nobody\'s';
is $who->('/', 'bob', 'right'), '200 -', 'a name that no consumer has';
is $ask->('/strict', 'bob', 'right')->status, 403, '… is refused where that is said';
is $who->('/strict', 'alice', 'right'), '200 acme', '… and another is not';
is $who->('/go', 'alice', 'right'), '200 acme', 'an internal redirect takes it along to a place that asks for no password';

done_testing;
