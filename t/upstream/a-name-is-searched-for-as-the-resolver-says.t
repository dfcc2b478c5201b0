# A server that is followed is looked for in the hosts file, then behind the domains of `search`, then as it is written; a request's name only as it is written.
use v5.36;
use lib 't/lib';
use Weir::Dns;
use Weir::Test;

my $w      = Weir::Test->new('a name is searched for as the resolver says')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
my ($port) = $origin =~ /:(\d+)/;
my $dns    = Weir::Dns->new($w, sub ($name, $type) {
    return '127.0.0.1' if $name =~ /^(?:short\.two\.test|in\.long\.two\.test|alone|_http\._tcp\.svc\.two\.test|there\.is\.one)$/ && $type eq 'A';
    return "srv:1:1:$port:there.is.one" if $name eq '_http._tcp.svc.two.test';
    return 'nxdomain', 'soa:30';
});
$w->allow_log(qr/could not be resolved/, qr/upstream\.(?:none|resolve)/);
$w->conf(<<"END", workers => 1);
    resolver $dns ipv6=off search=one.test,two.test;
    resolver_timeout 20s;
    upstream short { server short:$port resolve; }
    upstream dotted { server in.long:$port resolve; }
    upstream more { resolver $dns ipv6=off search=one.test,two.test ndots=2; server in.long:$port resolve; }
    upstream alone { server alone:$port resolve; }
    upstream rooted { server short.:$port resolve; }
    upstream service { server svc resolve service=http; }
    upstream here { server LocalHost:$port resolve; }
    server {
        location ~ ^/of/(.*)\$ { proxy_pass http://\$1; }
        location ~ ^/name/(.*)\$ { proxy_pass http://\$1:$port; }
    }
END
my $answers = sub ($group) { $w->wait_until("$group answers", sub { $w->get("/of/$group")->status == 200 }); pass "$group answers" };
$answers->($_) for qw(short more alone service here);
my @asked = map { s/^udp //r } $dns->questions;
my $order = sub ($re) { join ' ', grep { !/ / } map { /^($re) A$/ ? $1 : ' ' } @asked };
is $order->(qr/short\.(?:one|two)\.test/), 'short.one.test short.two.test', 'a name without a dot: one domain after another';
like $order->(qr/alone(?:\..*)?/), qr/^alone\.one\.test alone\.two\.test alone$/, 'and at last by itself';
like $order->(qr/in\.long(?:\..*)?/), qr/in\.long\.one\.test in\.long\.two\.test/, 'ndots=2: so also one with a single dot';
ok !(grep { /localhost/ } @asked), 'the hosts file comes first';
is $w->get('/of/dotted')->status, 502, 'one with a dot is asked for as it is written';
is $w->get('/of/rooted')->status, 502, 'and so is one with a dot at its end';
is $w->get('/name/short')->status, 502, "a request's name is not searched for";
is $w->get('/name/localhost')->status, 502, 'nor is it looked for in the hosts file';
is $order->(qr/in\.long/) =~ s/ .*//r, 'in.long', 'it was asked for';
done_testing;
