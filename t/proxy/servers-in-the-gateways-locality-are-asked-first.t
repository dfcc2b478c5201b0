use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('servers in the gateway\'s locality are asked first');
my $same = $w->origin(sub ($c) { $c->reply(200, 'same zone') });
my $near = $w->origin(sub ($c) { $c->reply(200, 'same region') });
my $far  = $w->origin(sub ($c) { $c->reply(200, 'other region') });
my $dead = $w->refused_peer;
$w->conf(<<"END", workers => 1);
    locality eu/de/a;
    upstream all  { server $far locality=us/ny/a; server $near locality=eu/fr/a; server $same locality=eu/de/a; }
    upstream most { server $far locality=us/ny/a; server $near locality=eu/fr/a; server $dead locality=eu/de/a; }
    upstream half { overprovisioning 1; server $far locality=us/ny/a; server $dead locality=eu/de/a; server $same locality=eu/de/a; }
    upstream late { server $same priority=1; server $far backup; server $dead; }
    server {
        location /all  { proxy_pass http://all; }
        location /most { proxy_pass http://most; }
        location /half { proxy_pass http://half; }
        location /late { proxy_pass http://late; }
    }
END
my $client = $w->client;
my $bodies = sub ($path, $n) { my %n; $n{ $client->get($path)->body }++ for 1 .. $n; join ', ', map { "$n{$_} $_" } sort keys %n };

is $bodies->('/all', 6), '6 same zone', 'nobody else is asked while a server of the same zone answers';
is $bodies->('/most', 6), '6 same region', 'when it does not, the nearest of the others is asked';
$client->get('/half') for 1 .. 2;                 # one of them meets the server that refuses
is $bodies->('/half', 10), '5 other region, 5 same zone', 'what the healthy half of a zone is not trusted with goes to the next';
is $bodies->('/late', 4), '4 same zone', 'a lower priority is asked before a backup';

done_testing;
