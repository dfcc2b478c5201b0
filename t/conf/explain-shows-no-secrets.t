# `weir explain` shows directives as they are written, but for keys, passwords and what fields of that kind are set to.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('explain shows no secrets')->needs_weir;
$w->conf(<<'END');
    proxy_set_header Authorization "Basic s3cret1";
    server {
        location / {
            proxy_pass http://127.0.0.1:9/?a=shown&token=s3cret2;
            proxy_set_header X-Api-Key s3cret3;
            proxy_set_header Cookie "sid=s3cret4";
            proxy_set_header X-Kind shown;
            proxy_set_header X-Other-Key "s3cret9$http_x_y";
            proxy_set_header X-Auth-Token $http_x_token;
            set $password s3cret5;
            request_header set X-Secret s3cret6;
            add_header Set-Cookie "a=s3cret7";
        }
        location /there { return 302 http://user:s3cret8@there.example/; }
    }
END
my $explain = sub (@words) { $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', @words) };
for my $path ('/', '/there') {
    for my $json (0, 1) {
        my ($code, $said) = $explain->('GET http://localhost:' . $w->port . $path, ('--json') x $json);
        is $code, 0, "$path is explained";
        $said =~ s/^  answer .*|"answer":\{[^}]*\}//mg;        # what any client is sent
        unlike $said, qr/s3cret/, 'without secrets';
        unlike $said, qr/user:/, 'nor names in front of a host';
        next if $path ne '/';
        like $said, qr/X-Kind shown/, 'what is none is shown';
        like $said, qr/X-Auth-Token \$http_x_token/, 'so is the name of a variable';
        like $said, qr/a=shown&token=\*\*\*/, 'an argument is hidden alone';
        like $said, qr/\*\*\*/, 'what is hidden is marked';
    }
}
done_testing;
