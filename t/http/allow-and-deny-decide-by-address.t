# allow and deny, as nginx has them: the first rule that fits decides, who fits none may; the rules of an inner block replace all of the outer ones.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('allow and deny decide by address');
my $origin = $w->origin;
my $dir    = $w->dir;
my $cause  = $w->is_nginx ? '-' : '$weir_cause';
my $v6     = IO::Socket::IP->new(LocalHost => '::1', Listen => 1);
my $listen = $v6 ? 'listen [::1]:%%PORT%%;' : '';
$w->conf(<<"END");
    log_format cause '\$uri \$status $cause';
    access_log logs/access.log cause;
    deny 127.0.0.9;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen unix:$dir/socket;
        $listen
        location / { proxy_pass http://$origin; }
        location /first { allow 127.0.0.0/8; deny all; proxy_pass http://$origin; }
        location /order { deny 127.0.0.1; allow 127.0.0.1; proxy_pass http://$origin; }
        location /none { allow 10.0.0.0/8; proxy_pass http://$origin; }
        location /only { deny 127.0.0.2; proxy_pass http://$origin; }
        location /unix { allow unix:; deny all; proxy_pass http://$origin; }
        location /v6 { allow ::1; deny all; proxy_pass http://$origin; }
        location /outer { deny all; proxy_pass http://$origin; location /outer/inner { allow 127.0.0.1; proxy_pass http://$origin; } location /outer/same { proxy_pass http://$origin; } }
        location /page { deny all; error_page 403 /page.html; proxy_pass http://$origin; }
        location = /page.html { allow all; return 200 sorry; }
        location /again { deny all; error_page 403 /again/page; proxy_pass http://$origin; }
    }
END
my $from = sub ($address, $path) { $w->client(from => $address)->get($path)->status };
my $unix = sub ($path) { $w->client(unix => "$dir/socket")->get($path)->status };

is $from->('127.0.0.1', '/'), 200, 'who fits none of http\'s rules may';
is $from->('127.0.0.9', '/'), 403, 'who is denied there may not';
is $from->('127.0.0.9', '/first'), 200, 'a location with rules has no other';
is $unix->('/first'), 403, 'and all are all';
is $from->('127.0.0.1', '/order'), 403, 'the first that fits decides';
is $from->('127.0.0.1', '/none'), 200, 'allow alone keeps nobody out';
is $from->('127.0.0.9', '/none'), 200, 'and is instead of the deny outside';
is $from->('127.0.0.2', '/only'), 403, 'one address';
is $from->('127.0.0.3', '/only'), 200, 'and its neighbour';
is $unix->('/unix'), 200, 'unix sockets';
is $from->('127.0.0.1', '/unix'), 403, 'only';
is $from->('127.0.0.1', '/v6'), 403, 'IPv6 only';
is $w->client(host => '::1')->get('/v6')->status, 200, 'IPv6' if $v6;
is $from->('127.0.0.1', '/outer'), 403, 'an outer location';
is $from->('127.0.0.9', '/outer/inner'), 200, 'an inner one has its own rules';
is $from->('127.0.0.1', '/outer/same'), 403, 'or those outside';
my $page = $w->client->get('/page');
is $page->status . $page->body, '403sorry', 'a page for it, where it is allowed';
is $from->('127.0.0.1', '/again'), 403, 'a page that is denied too does not go round';
is $origin->requests, $v6 ? 8 : 7, 'what is denied never goes up';
unless ($w->is_nginx) {
    $w->wait_for_access(qr{^/outer 403 access\.denied$}m);
    $w->wait_for_log(qr{\[error\] .*access forbidden by rule, client: 127\.0\.0\.1, .*"GET /unix HTTP/1\.1"});
}
$w->reload($w->{conf}{text} =~ s/deny 127\.0\.0\.9;/deny 127.0.0.1; allow all;/r);
is $from->('127.0.0.1', '/'), 403, 'a reload changes the rules';
is $from->('127.0.0.9', '/'), 200, 'all of them';

my $wrong = Weir::Test->new('wrong rules')->allow_log(qr{\[emerg\]|\[warn\]});
for my $case (['allow;', qr/invalid number of arguments in "allow"/], ['deny all all;', qr/invalid number of arguments in "deny"/], ['allow nobody;', qr/"nobody".*"allow"|invalid parameter "nobody"/],
    ['deny 10.0.0.0/33;', qr{10\.0\.0\.0/33}], ['deny 10.0.0.0/8/8;', qr{10\.0\.0\.0/8/8}]) {
    my ($line, $complaint) = @$case;
    my ($code, $said) = $wrong->check_conf("server { $line }");
    is $code, 1, "$line is refused";
    like $said, $complaint, 'and told why';
}
my ($code, $said) = $wrong->check_conf('server { deny 10.1.2.3/8; }');
is $code, 0, 'bits beyond the prefix';
like $said, qr{low address bits of 10\.1\.2\.3/8 are meaningless}, 'are told' unless $w->is_nginx;

done_testing;
