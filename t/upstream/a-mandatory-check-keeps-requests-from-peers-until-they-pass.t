# mandatory: a peer gets no request before it has passed a check, not after a reload either, unless the check is persistent
# and the peer was healthy before it.  Of two checks of a group each may keep a peer from requests.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('a mandatory check keeps requests from peers until they pass')->needs_weir;
my $gate = $w->{dir} . '/gate';     # checks are answered once it is there
my $late = sub ($name) {
    $w->origin(sub ($c) {
        if ($c->request->{target} =~ m{^/check}) {
            $c->reply(200, 'ready') if -e $gate;        # else nothing is said
            eval { $c->take_all } unless -e $gate;
            return;
        }
        $c->reply(200, $name);
    });
};
my ($one, $two) = ($late->('one'), $late->('two'));
my $conf = sub ($servers, $more) { <<"END" };
    upstream all { $servers }
    server {
        location / { proxy_pass http://all; health_check uri=/check interval=100ms timeout=400ms mandatory $more; }
        location /status { status; }
    }
END
$w->allow_log(qr/is unhealthy|is healthy|no live upstreams|cause: upstream/);
my $state = sub ($peer) { decode_json($w->get('/status')->body)->{upstreams}{all}{peers}{"$peer"}{state} };

$w->conf($conf->("server $one;", 'persistent fails=1000'), workers => 2);
$w->start;
is $state->($one), 'checking', 'a peer is being checked';
is $w->get('/')->status, 502, 'and is not asked: there is no other';
is_deeply [ grep { $_ !~ m{/check} } $one->lines ], [], 'no request has come to it';

$w->write_file('gate', '');
$w->wait_until('it has passed', sub { $state->($one) eq 'up' });
is $w->get('/')->body, 'one', 'it is asked';
my $wake = scalar(() = $w->error_log =~ /is healthy/g);
is $wake, 1, 'which was told once';

unlink $gate;
$w->reload($conf->("server $one; server $two;", 'persistent fails=1000'));
is $state->($one), 'up', 'persistent: it goes on after a reload';
is $state->($two), 'checking', 'and a peer that is new is being checked';
is $w->get("/$_")->body, 'one', "request $_ goes to the one that was healthy" for 1 .. 6;

$w->reload($conf->("server $one; server $two;", 'fails=1000'));
is $state->($one), 'checking', 'without persistent it has to pass again';
is $w->get('/')->status, 502, 'and nobody is asked';
$w->write_file('gate', '');
$w->wait_until('both pass', sub { $state->($one) eq 'up' && $state->($two) eq 'up' });

unlink $gate;
$w->reload($conf->("server $one; server $two;", '') =~ s/health_check.*?;//r);
is $state->($_), 'up', 'a configuration without checks forgets them' for $one, $two;
my %got;
$got{ $w->get("/$_")->body }++ for 1 .. 20;
is_deeply [sort keys %got], [qw(one two)], 'in all workers';

$w->reload($conf->("server $one; server $two;", ''));
is $state->($one), 'checking', 'they begin anew where checks come back';
$w->wait_until('and fail', sub { $state->($one) eq 'unhealthy' });
$w->write_file('gate', '');
$w->wait_until('and pass', sub { $state->($one) eq 'up' && $state->($two) eq 'up' });

$w->end_checks;
done_testing;
