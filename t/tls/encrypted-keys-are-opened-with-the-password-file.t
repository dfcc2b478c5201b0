use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w    = Weir::Test->new('encrypted keys are opened with the password file');
$w->allow_log(qr/\[emerg\]/);
my $cert = Weir::Cert->ca($w, 'root')->issue('localhost', password => 'second one');
$w->write_file('passwords', "first one\nsecond one\n");
my $text = sub ($more) { "server { listen 127.0.0.1:%%PORT%% ssl; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; $more location / { return 200 ok; } }" };
my ($code, $said) = $w->check_conf($text->(''));
is $code, 1, 'without a password it does not start';
like $said, qr/cannot load certificate key ".*\.enc"/, 'and says so';
unlike $said, qr/Enter PEM pass/, 'nobody is asked';
$w->write_file('wrong', "neither\n");
($code, $said) = $w->check_conf($text->('ssl_password_file %%DIR%%/wrong;'));
is $code, 1, 'with none that fits neither';
unlike $said, qr/neither/, 'the passwords are not told';
$w->conf($text->('ssl_password_file %%DIR%%/passwords;'));
is Weir::Tls::client($w)->get('/')->body, 'ok', 'the second line fits';

done_testing;
