# NXDOMAIN, SERVFAIL, REFUSED, silence, no records, AAAA alone, a TTL of 0 and one of 2^31, answers that change all the time, and a record that goes while
# it is in use: each has its answer, the last good one is kept, and a crowd of requests asks once.
use v5.36;
use lib 't/lib';
use Weir::Dns;
use Weir::Test;

my $w      = Weir::Test->new('a name server that fails is asked in measure')->needs_weir;
my $port   = $w->port('origins');
my $origin = $w->origin(sub ($c) { $c->wait_for('go') if $c->request->target =~ /slow/; $c->reply(200, 'ok') }, port => $port);
my $dir    = $w->dir;
my $say    = sub ($text) { $w->write_file('answer.new', $text); rename "$dir/answer.new", "$dir/answer" or die };
$say->('127.0.0.1');
my $dns = Weir::Dns->new($w, sub ($name, $type) {
    return 'nxdomain' if $name =~ /^nxdomain/;
    return 'servfail' if $name =~ /^servfail/;
    return 'refuse' if $name =~ /^refuse/;
    return 'silent' if $name =~ /^silent/;
    return () if $name =~ /^empty/;
    return $type eq 'AAAA' ? '::1' : () if $name =~ /^six/;
    return '127.0.0.1/0' if $name =~ /^zero/;
    return '127.0.0.1/2147483648' if $name =~ /^forever/;
    open my $in, '<', "$dir/answer" or return 'servfail';
    chomp(my $text = <$in> // '');
    return split / /, $text;
});
$w->allow_log(qr/\[error\]/, qr/could not be resolved/);
$w->conf(<<"END", workers => 1);
    log_format c '\$uri \$status \$weir_cause';
    access_log logs/c.log c;
    resolver $dns ipv6=off;
    resolver_timeout 500ms;
    upstream moving { resolver $dns valid=1s ipv6=off; server moving.test:$port resolve; }
    server {
        location / { return 404; }
        location ~ ^/([a-z]+)(/slow)?\$ { proxy_pass http://\$1.test:$port\$2; }
        location /six { resolver $dns; proxy_connect_timeout 500ms; proxy_pass http://six.test:$port\$is_args; }
        location /moving { proxy_pass http://moving; }
    }
END
my $asked = sub ($name) { scalar grep { /^udp $name\.test A$/ } $dns->questions };

for my $name (qw(nxdomain servfail refuse silent empty)) {
    my $before = time;
    is $w->get("/$name")->status, 502, "$name: 502";
    $w->wait_for_access(qr{^/$name 502 upstream\.resolve$}m, 'c.log');
    cmp_ok time - $before, '<=', 3, "$name: in time";
    cmp_ok $asked->($name), '<=', 4, "$name: not asked again and again (" . $asked->($name) . ')';
}
is $w->get('/six')->status, 502, 'AAAA alone, at an address where nobody is';
is $w->get('/zero')->status, 200, 'a TTL of 0 can be used';
is $w->get('/forever')->status, 200, 'so can one of 2^31';
my $once = $asked->('forever');
is $w->get('/forever')->status, 200, 'again' for 1 .. 5;
is $asked->('forever'), $once, 'for which nobody is asked again';

# A crowd that wants one name: it is asked for once.
my @crowd = map { $w->client->send("GET /silent HTTP/1.1\r\nHost: a\r\n\r\n") } 1 .. 60;
my $silent = $asked->('silent');
is join(' ', sort { $a <=> $b } keys %{ { map { $_->read_response->status => 1 } @crowd } }), '502', 'sixty at once for a name nobody answers for';
cmp_ok $asked->('silent') - $silent, '<=', 8, 'ask in measure (' . ($asked->('silent') - $silent) . ')';

# What is known holds while the servers fail, and what changes all the time serves all the time.
$w->wait_until('the group is known', sub { $w->get('/moving')->status == 200 });
my $slow = $w->client->send("GET /moving/slow HTTP/1.1\r\nHost: a\r\n\r\n");
$w->wait_until('the slow one has arrived', sub { grep { /slow/ } $origin->lines });
for my $answer ('nxdomain', 'servfail', 'refuse', '127.0.0.1', '127.0.0.1 127.0.0.2', 'silent', '127.0.0.1') {
    $say->($answer);
    my $seen = $asked->('moving');
    $w->wait_until("asked again: $answer", sub { $asked->('moving') > $seen });
    my %status;
    $status{ $w->get('/moving')->status }++ for 1 .. 5;
    $w->pass('go') if $answer eq 'servfail';           # the name was gone while it was under way
    is join(' ', keys %status), '200', "the last good one serves after \"$answer\"";
}
is $slow->read_response->body, 'ok', 'and what was under way ends well';
done_testing;
