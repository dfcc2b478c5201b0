# weir explain only looks at a configuration: logs and folders that it names need not be there, and are not made.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('explain opens and makes nothing');
$w->needs_weir;
my $dir = $w->dir . '/elsewhere';
mkdir $dir or die "mkdir: $!\n";
my $file = $w->write_file('elsewhere/weir.conf', <<'END');
error_log logs/error.log;
events { }
http {
    access_log logs/access.log;
    server {
        listen 80;
        error_log logs/server.log;
        client_body_temp_path bodies;
        location / { proxy_temp_path answers; proxy_pass http://127.0.0.1:1; }
    }
}
END
my ($code, $said) = $w->run('-p', "$dir/", 'explain', '-c', "$dir/weir.conf", 'GET http://localhost/');
is $code, 0, 'the folder of the logs is not there';
like $said, qr{^  (?:target)? +proxy_pass http://127\.0\.0\.1:1}m, '… and the answer is';
unlike $said, qr/\[(?:alert|emerg)\]/, '… and nothing else is said';
is_deeply [ glob "$dir/*" ], ["$dir/weir.conf"], 'nothing was made';
($code) = $w->run('-p', "$dir/", 'diff', "$dir/weir.conf", "$dir/weir.conf");
is $code, 0, 'diff of a file and itself';
is_deeply [ glob "$dir/*" ], ["$dir/weir.conf"], '… makes nothing either';
done_testing;
