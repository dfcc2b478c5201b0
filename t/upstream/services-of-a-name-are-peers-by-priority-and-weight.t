# server NAME resolve service=…: SRV records say who the peers are, at which ports, with which weights; those of the lowest priority serve, the others stand by.
# Their targets' addresses are asked for one by one: what the answer adds of them is not believed.
use v5.36;
use lib 't/lib';
use Weir::Dns;
use Weir::Test;

my $w = Weir::Test->new('services of a name are peers by priority and weight')->needs_weir;
my %origin = map { my $name = $_; $name => $w->origin(sub ($c) { $c->reply(200, $name) }) } qw(one two three);
my %port   = map { $_ => $origin{$_} =~ s/.*://r } keys %origin;
my $dir    = $w->dir;
my $say    = sub ($text) { $w->write_file('answer.new', $text); rename "$dir/answer.new", "$dir/answer" or die };
my $dns    = Weir::Dns->new($w, sub ($name, $type) {
    return '127.0.0.1' if $name =~ /^t[123]\.test$/ && $type eq 'A';
    return 'servfail' if $name eq 'lost.test';
    return 'nxdomain' unless $name =~ /^_/ || $name eq 'a.b.test';
    open my $in, '<', "$dir/answer" or return 'nxdomain';
    chomp(my $text = <$in> // '');
    return split / /, $text;
});
$w->allow_log(qr/could not be resolved/, qr/upstream\.none/, qr/\[emerg\]/);
$w->conf(<<"END", workers => 1);
    resolver $dns valid=1s ipv6=off;
    resolver_timeout 20s;
    upstream short { server svc.test resolve service=http; }
    upstream long { server svc.test resolve service=_http._tcp max_fails=0; }
    upstream plain { server b.test service=a resolve; server test service=a.b resolve; }
    upstream heavy { server svc.test resolve service=http weight=7; }
    server {
        location / { proxy_pass http://short; }
        location /long { proxy_pass http://long; }
        location /plain { proxy_pass http://plain; }
        location /heavy { proxy_pass http://heavy; }
    }
END
is $w->get('/')->status, 502, 'nothing is known yet';
$say->("srv:10:1:$port{one}:t1.test srv:10:3:$port{two}:T2.test srv:20:1:$port{three}:t3.test");
my $shares = sub ($path, $n) { my %seen; $seen{ $w->get($path)->body }++ for 1 .. $n; join ' ', map { "$_ $seen{$_}" } sort keys %seen };
$w->wait_until("$_ is known", sub { $w->get($_)->status == 200 }) for '/', '/long', '/plain', '/heavy';
is $shares->($_, 40), 'one 10 two 30', "$_: the lowest priority serves, by weight" for '/', '/long';
is $shares->('/heavy', 40), 'one 20 two 20', 'a weight that is written is that of all';
is $shares->('/plain', 8), 'one 2 two 6', 'a service with a dot in its name is asked for as it is written';
ok((grep { $_ eq 'udp _a._tcp.b.test SRV' } $dns->questions) && (grep { $_ eq 'udp a.b.test SRV' } $dns->questions), 'one without is a service over TCP');

$say->("truncate srv:10:1:$port{three}:t3.test");
$w->wait_until('the other one serves', sub { $w->get('/')->body eq 'three' });
ok((grep { /^tcp _http\._tcp\.svc\.test SRV/ } $dns->questions), 'an answer that is cut comes over TCP');
$say->("srv:1:1:1:lost.test srv:5:1:$port{one}:t1.test");
$w->wait_until('a target that is not found is left out', sub { $w->get('/')->body eq 'one' });
pass 'a target that is not found is left out';
$say->('srv:0:0:0:.');
$w->wait_for_log(qr/svc\.test of upstream "short" could not be resolved: there is no such name/);
is $w->get('/')->body, 'one', 'what was known stays for a while when there is no such service';

for my $bad ([ 'server a.test service=http;', qr/needs "resolve"/ ], [ 'server a.test:80 resolve service=http;', qr/without a port/ ],
    [ 'server 127.0.0.1 resolve service=http;', qr/without a port/ ], [ 'server a.test resolve service=;', qr/invalid parameter "service="/ ],
    [ 'server a.test resolve service=a/b;', qr/invalid parameter/ ])
{
    my ($code, $said) = $w->check_conf("resolver 127.0.0.1; upstream a { $bad->[0] }");
    isnt $code, 0, "refused: $bad->[0]";
    like $said, $bad->[1], 'and told';
}
done_testing;
