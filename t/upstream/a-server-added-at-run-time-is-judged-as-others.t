# A server that comes while Weir runs is judged as the others are; one that goes while it is ejected and comes back has not
# been forgiven, and its place among those that may be ejected is free meanwhile.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w    = Weir::Test->new('a server added at run time is judged as others')->needs_weir;
my $good = $w->origin(sub { shift->reply(200, 'ok') });
my $bad  = $w->origin(sub { shift->reply(500, 'bad') });
my $ill  = $w->origin(sub { shift->reply(500, 'ill') });
$w->conf(<<"END");
    upstream all { server $good; outlier_detection consecutive_5xx=2 base_ejection_time=1h interval=50ms; }
    server { location / { proxy_pass http://all; } location /status { status; } }
END
my $told = sub { decode_json($w->get('/status')->body)->{upstreams}{all} };
my $tool = sub (@words) { my ($code, $said) = $w->tool('upstream', @words); is $code, 0, "weir upstream @words" or diag $said };
my $ask  = sub ($n) { $w->get("/$_") for 1 .. $n };
$w->start;

$tool->('all', 'add', "$bad", 'max_fails=0');
$w->wait_until('it is asked', sub { $ask->(2); $bad->requests >= 2 });
$ask->(20);
is $bad->requests, 2, 'two answers of 500';
is $told->()->{outlier_detection}{ejected}, 1, 'eject it';

$tool->('all', 'remove', "$bad");
$w->wait_until('it is gone', sub { !$told->()->{peers}{"$bad"} || $told->()->{outlier_detection}{ejected} == 0 });
$tool->('all', 'add', "$ill", 'max_fails=0');
$w->wait_until('another one that fails is ejected in its place', sub { $ask->(4); $told->()->{outlier_detection}{ejected} == 1 });
cmp_ok $ill->requests, '>=', 2, 'after it was asked';
$tool->('all', 'add', "$bad", 'max_fails=0');
$ask->(20);
is $bad->requests, 2, 'the first one is ejected still, when it comes back' or diag JSON::PP->new->encode($told->()->{peers}{"$bad"}{barred});

done_testing;
