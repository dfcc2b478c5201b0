# A server is ejected for each kind of failure that is judged, and for that reason only: the client's view, the log, the
# statistics by reason.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w     = Weir::Test->new('outliers are ejected for the reason they give')->needs_weir;
my @good  = map { $w->origin(sub { shift->reply(200, 'ok') }) } 1 .. 4;
my $bad   = $w->origin(sub { shift->reply(500, 'bad') });
my $gate  = $w->origin(sub { shift->reply(502, 'gate') });
my $some  = $w->origin(sub ($c) { $c->request->target =~ /bad/ ? $c->reply(500, 'bad') : $c->reply(200, 'ok') });
my $slow  = $w->origin(sub ($c) { select undef, undef, undef, 0.2; $c->reply(200, 'slow') });
my $reset = $w->origin(sub { shift->close });
my $dead  = $w->refused_peer;
my $four  = join ' ', map { "server $_ max_fails=0;" } @good;
my $off   = 'success_rate=off max_ejection=50% base_ejection_time=1h';
my $hosts = 'interval=400ms max_ejection=50% base_ejection_time=1h consecutive_5xx=0';
$w->conf(<<"END", workers => 2);
    upstream five    { $four server $bad   max_fails=0; outlier_detection consecutive_5xx=3 $off; }
    upstream gateway { $four server $bad   max_fails=0; server $gate max_fails=0; outlier_detection consecutive_5xx=0 consecutive_gateway=3 $off; }
    upstream plain   { $four server $reset max_fails=0; outlier_detection consecutive_5xx=3 $off; }
    upstream local   { $four server $dead  max_fails=0; outlier_detection split consecutive_local_origin=4 consecutive_5xx=1 $off; }
    upstream rate    { $four server $some  max_fails=0; outlier_detection success_rate=1.5 success_rate_requests=5 $hosts; }
    upstream percent { $four server $some  max_fails=0; outlier_detection success_rate=off failure_percentage=50% failure_percentage_requests=4 $hosts; }
    upstream latency { $four server $slow  max_fails=0; outlier_detection success_rate=off latency=3 latency_requests=3 latency_min=100ms @{[ $hosts =~ s/400ms/1500ms/r ]}; }
    upstream lonely  { server $bad max_fails=0; outlier_detection consecutive_5xx=1; }
    server { location / { proxy_next_upstream off; location ~ ^/(?<group>[a-z]+)/ { proxy_pass http://\$group; } }
             location /status { status; } location /metrics { prometheus; } }
END

my $group = sub ($name) { decode_json($w->get('/status')->body)->{upstreams}{$name} };
my $drive = sub ($name, $n, $path = '') { map { $w->get("/$name/$path")->status } 1 .. $n };
my $ejected = sub ($name) { my $peers = $group->($name)->{peers}; join ' ', sort grep { "@{ $peers->{$_}{barred} }" =~ /ejected/ } keys %$peers };
my $only = sub ($name, $reason) {
    my $told = $group->($name)->{outlier_detection}{ejections};
    is_deeply { map { ($_ => $told->{$_}) } grep { $told->{$_} } keys %$told }, { $reason => 1 }, "$name: ejected once, by $reason";
};

is scalar(grep { $_ == 500 } $drive->(five => 40)), 3, 'three answers of 500 were seen and no more';
is $ejected->('five'), "$bad", 'the server of them is ejected';
$only->(five => 'consecutive_5xx');
is $group->('five')->{peers}{"$bad"}{state}, 'unavail', 'it is not available';
is $group->('five')->{outlier_detection}{ejected}, 1, 'and counted as ejected';
my $told = $group->('five')->{peers}{"$bad"}{outlier_detection};
cmp_ok $told->{left_seconds}, '>', 3590, 'for an hour';
is $told->{times}, 1, 'the first time';
is $told->{ejections}{consecutive_5xx}, 1, 'by the reason';
like $w->get('/metrics')->body, qr/^weir_peer_outlier_detection_ejections_total\{upstream="five",peer="\Q$bad\E",reason="consecutive_5xx"\} 1$/m,
    'Prometheus has it of the server';
like $w->get('/metrics')->body, qr/^weir_peer_barred\{upstream="five",peer="\Q$bad\E",reason="ejected"\} 1$/m, 'and that it is barred';
like $w->get('/metrics')->body, qr/^weir_upstream_outlier_detection_ejected\{upstream="five"\} 1$/m, 'and how many of the group are';
like $w->error_log, qr/upstream server ejected for 3600.000s by consecutive_5xx: 3 failures in a row, the last answer was 500: "\Q$bad\E"/,
    'the log says it, and why';

my @seen = $drive->(gateway => 60);
is scalar(grep { $_ == 502 } @seen), 3, 'three answers of 502';
cmp_ok scalar(grep { $_ == 500 } @seen), '>=', 9, 'those of 500 are no gateway errors';
is $ejected->('gateway'), "$gate", 'only their server is ejected';
$only->(gateway => 'consecutive_gateway');

is scalar(grep { $_ == 502 } $drive->(plain => 40)), 3, 'three resets, which count as answers of 502';
is $ejected->('plain'), "$reset", 'eject';
$only->(plain => 'consecutive_5xx');

is scalar(grep { $_ == 502 } $drive->(local => 40)), 4, 'four refused connections, which are no answers where they are split';
is $ejected->('local'), "$dead", 'eject';
$only->(local => 'consecutive_local_origin');

# Judged at the end of intervals: until one had enough requests.
$w->wait_until('a success rate far from the others', sub { $drive->(rate => 30); $drive->(rate => 30, 'bad'); $ejected->('rate') ne '' });
is $ejected->('rate'), "$some", 'ejects';
$only->(rate => 'success_rate');
$w->wait_until('half of the requests fail', sub { $drive->(percent => 40, 'bad'); $ejected->('percent') ne '' });
is $ejected->('percent'), "$some", 'which ejects';
$only->(percent => 'failure_percentage');
$w->wait_until('one is slow', sub { $drive->(latency => 25); $ejected->('latency') ne '' });
is $ejected->('latency'), "$slow", 'which ejects';
$only->(latency => 'latency');

is_deeply [ $drive->(lonely => 5) ], [ (500) x 5 ], 'the only server of a group is not ejected';
is $group->('lonely')->{outlier_detection}{ejected}, 0, 'nor counted as such';

done_testing;
