# proxy_pass with variables: an upstream, an address, a name that resolver's servers are asked for; with a path and without; what cannot be resolved.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Dns;

my $w      = Weir::Test->new('proxy_pass may have variables');
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join '|', 'one', $r->target, $r->header('Host')) });
my $second = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join '|', 'two', $r->target) });
my $dead   = $w->refused_peer;
my ($port) = "$origin" =~ /:(\d+)$/;
my $count  = 0;
my $dns    = Weir::Dns->new($w, sub ($name, $type) {
    return 'nxdomain'  if $name =~ /^no/;
    return 'servfail'  if $name =~ /^broken/;
    return 'silent'    if $name =~ /^silent/;
    return ('alias:second.test', 'alias:third.test', '127.0.0.1') if $name =~ /^alias/;
    return ('alias:circle.test') if $name =~ /^circle/;
    return ('truncate', '127.0.0.1') if $name =~ /^long/;
    return ('forged', '127.0.0.1') if $name =~ /^forged/;
    return ('::1', '127.0.0.1') if $name =~ /^both/;
    return ('127.0.0.1/0') if $name =~ /^short/;
    return map { "127.0.0.$_" } 2 .. 4 if $name =~ /^dead/;
    return ('127.0.0.1');
});
my $deaf = $w->refused_peer;
$w->allow_log(qr/\[emerg\]/, qr/upstream\.|could not be resolved|no resolver defined|no host in upstream|invalid URL|connect\(\) failed|Connection refused|no live|invalid port|operation timed out|no port/);
$w->conf(<<"END", workers => 1);
    log_format u '\$uri \$upstream_addr \$upstream_status';
    access_log logs/u.log u;
    upstream group { server $origin; }
    map \$arg_to \$where { group group; address $origin; second $second; default \$arg_to; }
    server {
        set \$p $port;
        resolver $dns valid=30s ipv6=off;
        resolver_timeout 1s;
        location /to/ { proxy_pass http://\$where; }
        location /uri/ { proxy_pass http://\$where/fixed?a=\$arg_a; }
        location /all/ { proxy_pass \$arg_url; }
        location /name/ { proxy_pass http://\$arg_n:\$p; }
        location /host/ { proxy_set_header Host \$proxy_host; add_header X-Port \$proxy_port; proxy_pass http://\$arg_n:\$p; }
        location /ttl/ { resolver $dns ipv6=off; proxy_pass http://\$arg_n:\$p; }
        location /two/ { resolver $deaf $dns ipv6=off; resolver_timeout 10s; proxy_pass http://\$arg_n:\$p; }
        location /six/ { resolver $dns valid=30s; proxy_connect_timeout 2s; proxy_pass http://\$arg_n:\$p; }
        location /redirect/ { proxy_pass http://\$where; }
    }
    server {
        listen 127.0.0.1:%%PORT_none%%;
        location / { proxy_pass http://\$arg_n:$port; }
    }
END
my $get = sub ($path) { $w->get($path) };
is $get->('/to/x?to=group')->body, 'one|/to/x?to=group|group', 'an upstream block';
is $get->('/to/x?to=address')->body, "one|/to/x?to=address|$origin", 'an address';
is $get->('/to/x?to=second')->body, 'two|/to/x?to=second', 'another';
is $get->('/uri/x?to=group&a=1')->body, 'one|/fixed?a=1|group', 'a path of its own is sent as it is';
is $get->("/all/?url=http://$origin/p/q")->body, "one|/p/q|$origin", 'all of it by a variable';
is $get->('/name/x?n=host.test')->body, "one|/name/x?n=host.test|host.test:$port", 'a name';
is $get->('/name/y?n=host.test')->status, 200, 'once more';
is scalar(grep { $_ eq 'udp host.test A' } $dns->questions), 1, 'is asked for once';
is $get->('/host/x?n=host.test')->header('X-Port'), $port, 'its port is known';
is $get->("/name/x?n=$_.test")->status, 200, "$_" for qw(alias long forged);
ok scalar(grep { /^tcp long\.test A/ } $dns->questions), 'an answer that was cut is asked for over TCP';
is $get->("/name/x?n=$_.test")->status, 502, "$_ leads nowhere" for qw(no broken circle), 'a' x 64;
my $from = time;
is $get->('/name/x?n=silent.test')->status, 502, 'silence';
ok time - $from <= 3, 'comes to an end';
is $get->("/ttl/$_?n=short.test")->status, 200, 'an answer that holds for no time' for 1, 2;
ok 1 <= grep({ /short/ } $dns->questions), 'is asked for again';
is $get->('/two/x?n=two.test')->status, 200, 'a server that is not there is passed over';
is $get->('/six/x?n=both.test')->status, 200, 'both kinds of address';
is $get->('/name/x?n=dead.test')->status =~ /^50[24]$/ ? 1 : 0, 1, 'a name whose addresses are all dead';
is $w->client(port => 'none')->get('/?n=host.test')->status, 502, 'without a resolver there is none';
is $w->client(port => 'none')->get('/?n=127.0.0.1')->status, 200, 'an address does without';
is $get->("/all/?url=$_")->status, 500, "no URL: $_" for 'ftp://x/', 'nothing';
is $get->('/name/x?n=a%20b')->status, 502, 'no name';
is $w->request('POST', '/name/x?n=fresh.test', body => 'x' x 100_000)->status, 200, 'a body waits for the name';
my $impatient = $w->client->send("GET /two/x?n=silent.test HTTP/1.1\r\nHost: a\r\n\r\n");
$impatient->close;
is $get->('/to/x?to=group')->status, 200, 'a client that leaves while a name is asked for';
my @clients = map { $w->client->send("GET /name/x?n=many.test HTTP/1.1\r\nHost: a\r\n\r\n") } 1 .. 20;
is scalar(grep { $_->read_response->status == 200 } @clients), 20, 'twenty at once';
is scalar(grep { $_ eq 'udp many.test A' } $dns->questions), 1, 'ask once';

for my $bad ([ 'resolver;', qr/invalid number of arguments/ ], [ 'resolver 127.0.0.1 valid=never;', qr/valid/ ], [ 'resolver 127.0.0.1 ipv4=off ipv6=off;', qr/both/ ],
    [ 'resolver valid=3s;', qr/no name servers/ ], [ 'resolver 127.0.0.1 ipv4=maybe;', qr/ipv4/ ], [ 'resolver_timeout never;', qr/never|invalid value/ ])
{
    my ($code, $said) = $w->check_conf("server { $bad->[0] }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told' unless $w->is_nginx;
}
done_testing;
