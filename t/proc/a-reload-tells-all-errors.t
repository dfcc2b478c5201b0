# A reload of files with errors tells all of them in the error log, as -t does, and changes nothing.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a reload tells all errors');
$w->allow_log(qr/\[emerg\]/);
my $text = sub ($more) { "daemon off; pid logs/weir.pid; error_log logs/error.log; worker_processes 1;\nevents { }\nhttp { server { listen 127.0.0.1:%%PORT%%; $more } }\n" };
$w->conf_main($text->('return 204;'), workers => 1);
is $w->get('/')->status, 204, 'served';
$w->write_file('conf/weir.conf', $text->("lissten 1;\nreturn 2000;\nlocation / { proxy_pass ftp://x; }"));
$w->signal('HUP');
$w->wait_for_log(qr/ftp:.*\n/);
my @errors = $w->error_log =~ /\[emerg\] \S+ (.*)/g;
is scalar @errors, 3, 'all three errors' or diag join "\n", @errors;
like $errors[$_], (qr/"lissten"/, qr/"2000"/, qr/ftp:/)[$_], '… in their order' for 0 .. 2;
is $w->get('/')->status, 204, 'all is as it was';
done_testing;
