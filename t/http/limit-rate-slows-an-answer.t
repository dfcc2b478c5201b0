# limit_rate, limit_rate_after: a body takes as long as its rate says, whoever makes it, over HTTP/1, TLS and HTTP/2; others do not wait.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Time::HiRes qw(time);

my $w      = Weir::Test->new('limit_rate slows an answer');
my $bytes  = join '', map { sprintf '%07d ', $_ } 1 .. 12_500;            # 100,000
my $origin = $w->origin(sub ($c) { $c->reply(200, $bytes, $c->request->target =~ /rate=(\d+)/ ? ('X-Accel-Limit-Rate' => $1) : ()) });
my $dir    = $w->dir;
chmod 0755, $dir;
mkdir "$dir/html" or die $!;
chmod 0755, "$dir/html";
$w->write_file('html/f', $bytes);
my $http2 = $w->is_nginx ? '' : 'http2 on;';
$w->conf(<<"END");
    server {
        $http2
        location /file { alias $dir/html/f; limit_rate 50k; }
        location /sent { alias $dir/html/f; limit_rate 50k; sendfile on; }
        location /proxied { proxy_pass http://$origin; limit_rate 50k; }
        location /late { alias $dir/html/f; limit_rate 20k; limit_rate_after 80k; }
        location /after { alias $dir/html/f; limit_rate 20k; limit_rate_after \$arg_after; }
        location /variable { alias $dir/html/f; limit_rate \$arg_rate; }
        location /set { alias $dir/html/f; set \$limit_rate 50k; }
        location /free { alias $dir/html/f; }
        location /told { proxy_pass http://$origin; }
        location /text { limit_rate 4k; return 200 "123456789012345678901234567890123456789012345678901234567890"; }
    }
END
$w->allow_log(qr/\[emerg\]/);
# the first second's bytes go at once
my $took = sub ($path, @how) {
    my $from   = time;
    my $answer = @how ? $how[0]->() : $w->get($path);
    ok $answer->body eq $bytes, "$path is whole";
    return time - $from;
};
my $free = $took->('/free');
for my $path (qw(/file /sent /proxied /variable?rate=50k), $w->is_nginx ? () : '/set', '/told?rate=51200') {
    my $time = $took->($path);
    ok $time > 0.7, "$path takes its time ($time)" or diag $time;
    ok $time < 6, "$path comes to an end ($time)";
}
ok $took->('/late') < 3, 'what comes before limit_rate_after is free';
ok $took->('/after?after=80k') < 3, 'which may be a variable';
ok $took->('/after?after=') > 3, 'that says nothing';
ok $took->($_) < 0.6, "$_ is not limited" for '/variable', '/variable?rate=0', '/variable?rate=nonsense', '/told';
is $w->get('/text')->status, 200, 'a short text';
my $client = $w->client;
my $from   = time;
$client->send("GET /file HTTP/1.1\r\nHost: a\r\n\r\nGET /text HTTP/1.1\r\nHost: a\r\n\r\n");
ok $client->read_response->body eq $bytes, 'one that waits behind it';
is $client->read_response->status, 200, 'is answered after it';
my $leaver = $w->client;
$leaver->send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
$leaver->close;
is $w->get('/text')->status, 200, 'a client that leaves leaves nothing behind';
my ($code, $said) = $w->check_conf('server { limit_rate; }');
like $said, qr/invalid number of arguments/, 'a rate is a word';

done_testing;
