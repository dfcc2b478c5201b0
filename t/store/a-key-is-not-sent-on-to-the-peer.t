use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a key is not sent on to the peer')->needs_weir;
my $origin = $w->echo_origin;
$w->conf(<<"END", main => "store_path store;\n");
http {
    api_key \$http_x_api_key \$arg_key;
    proxy_set_header X-Who \$consumer;
    server {
        location / { proxy_pass http://$origin; }
        location /uri/ { proxy_pass http://$origin/to/; }
        location /as/ { proxy_path as_sent; proxy_pass http://$origin; }
        location /kept { api_key_strip off; proxy_pass http://$origin; }
        location /maybe { api_key_optional on; proxy_pass http://$origin; }
        location /dry { api_key_dry_run on; proxy_pass http://$origin; }
        location /free { api_key off; proxy_pass http://$origin; }
    }
}
END
$w->tool('consumer', 'add', 'acme');
my ($key) = ($w->tool('key', 'create', 'acme'))[1] =~ /^(weir_\S+)$/m;
my $sent = sub ($target, @fields) { $w->seen($w->get($target, @fields)) };

my %target = (
    "/a?key=$key" => '/a', "/a?x=1&key=$key&y=2" => '/a?x=1&y=2', "/a?KEY=$key&key=other" => '/a', "/a?keys=1&key=$key&akey=2" => '/a?keys=1&akey=2',
    "/a?key=$key&key" => '/a?key', "/uri/b?key=$key&z" => '/to/b?z', "/as/%41?key=$key&q=%41" => '/as/%41?q=%41', "/kept?key=$key" => "/kept?key=$key",
    "/maybe?key=$key" => '/maybe', '/dry?key=none&a=b' => '/dry?key=none&a=b', "/free?key=$key" => "/free?key=$key", '/maybe?' => '/maybe?',
);
for my $target (sort keys %target) {
    is $sent->($target)->target, $target{$target}, ($target =~ s/\Q$key\E/KEY/gr) . ': what the peer gets';
}
my $seen = $sent->('/a', 'X-API-Key', $key, 'x-api-key-id', 'stays');
is $seen->header('X-API-Key'), undef, 'nor the field';
is $seen->header('X-API-Key-Id'), 'stays', 'but one with a longer name';
is $seen->header('X-Who'), 'acme', 'and who it was is known';
is $sent->('/kept', 'X-API-Key', $key)->header('X-API-Key'), $key, 'unless it is told to';
done_testing;
