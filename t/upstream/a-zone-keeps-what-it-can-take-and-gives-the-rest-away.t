use v5.36;
use lib 't/lib';
use Weir::Test;

# Real requests: a gateway in eu/de/a, where 3/4 of the gateways are and half of the servers; what it gives to eu/de/b, with all
# servers well, with one of its own lost, and when that is back.
my $w    = Weir::Test->new('a zone keeps what it can take and gives the rest away')->allow_log(qr/closed before|temporarily disabled/);
my $fine = "$w->{dir}/fine";        # origins are processes of their own
my @near = map { $w->origin(sub ($c) { $c->reply(200, 'a') }) } 1;
push @near, $w->origin(sub ($c) { -e $fine ? $c->reply(200, 'a') : $c->close });
my @far  = map { $w->origin(sub ($c) { $c->reply(200, 'b') }) } 1, 2;
$w->write_file('fine', '');
$w->conf(<<"END", workers => 1);
    locality eu/de/a;
    upstream shared {
        zone_aware callers=eu/de/a:3,eu/de/b:1;
        server $near[0] locality=eu/de/a;
        server $near[1] locality=eu/de/a fail_timeout=1s;
        server $far[0] locality=eu/de/b;
        server $far[1] locality=eu/de/b;
    }
    server { location / { proxy_pass http://shared; } }
END

# How many of 90 answers are of the gateway's own zone.
sub kept () { scalar grep { $w->get('/')->body eq 'a' } 1 .. 90 }

my $all = kept();
ok $all >= 59 && $all <= 61, "2/3 stay ($all of 90)";
unlink $fine or die;
$w->wait_until('one server of the zone is given up', sub { $w->get('/'); $w->error_log =~ /temporarily disabled/ });
my $less = kept();
cmp_ok $less, '<', 50, "a third of the servers, 3/4 of the callers: less stay ($less of 90)";
$w->write_file('fine', '');
$w->wait_until('it is back', sub { my $before = $near[1]->requests; $w->get('/') for 1 .. 12; $near[1]->requests >= $before + 3 });
my $again = kept();
ok $again >= 59 && $again <= 61, "and 2/3 again, by itself ($again of 90)";
done_testing;
