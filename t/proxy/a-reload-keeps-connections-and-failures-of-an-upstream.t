# What is kept belongs to an address, not to a generation of the configuration.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a reload keeps connections and failures of an upstream');
my $one  = $w->echo_origin;
my $two  = $w->echo_origin;
my $sick = $w->origin(sub ($c) { $c->close });
my $conf = sub ($server, $more = '') {
    return "upstream api { server $server; keepalive 4; } upstream sick { server $sick fail_timeout=60s; server $one; } $more
        server { location / { proxy_pass http://api; } location /sick { proxy_pass http://sick; } }";
};
$w->conf($conf->($one), workers => 1);

is $w->seen($w->get('/'))->{served}, $_, "request $_" for 1 .. 2;
$w->get('/sick') for 1 .. 2;
is $sick->requests, 1, 'a peer has failed';

$w->reload($conf->($one, 'proxy_read_timeout 20s;'));
is $w->seen($w->get('/'))->{served}, 3, 'a reload that does not touch the group: the connection is kept';
$w->reload($conf->("$one weight=2"));
is $w->seen($w->get('/'))->{served}, 4, 'one that changes the group: kept all the same, the address is';
$w->get('/sick') for 1 .. 3;
is $sick->requests, 1, 'the failure is not forgotten';

$w->reload($conf->($two));
my $seen = $w->seen($w->get('/'));
is $seen->{number}, 1, 'another address';
is $two->requests, 1, 'is asked over a connection of its own';
is scalar(grep { m{GET / ?$} } $one->lines), 4, 'and the old one no more';

done_testing;
