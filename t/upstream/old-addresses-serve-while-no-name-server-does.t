# RFC 8767: an answer whose time is over serves on while every server is silent or fails; RFC 2308: that there is no such name holds as long as its SOA says.
use v5.36;
use lib 't/lib';
use Weir::Dns;
use Weir::Test;

my $w      = Weir::Test->new('old addresses serve while no name server does')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
my ($port) = $origin =~ /:(\d+)/;
my $dir    = $w->dir;
my $say    = sub ($text) { $w->write_file('answer.new', $text); rename "$dir/answer.new", "$dir/answer" or die };
my $dns    = Weir::Dns->new($w, sub ($name, $type) {
    return ('nxdomain', 'soa:20') if $name eq 'gone.test';
    return 'nxdomain' if $name eq 'gone-for-now.test';
    open my $in, '<', "$dir/answer" or return 'servfail';
    chomp(my $text = <$in> // '');
    return split / /, $text;
});
$w->allow_log(qr/could not be resolved/, qr/upstream\.resolve/);
$w->conf(<<"END", workers => 1);
    resolver_timeout 60s;
    server {
        location ~ ^/old/(.*)\$ { resolver $dns ipv6=off; proxy_pass http://\$1:$port; }
        location ~ ^/never/(.*)\$ { resolver $dns ipv6=off stale=0; proxy_pass http://\$1:$port; }
    }
END
my $asked = sub ($name) { scalar grep { /^udp \Q$name\E A$/ } $dns->questions };
for my $bad ('servfail', 'silent', 'refuse') {
    $say->('127.0.0.1/1');
    is $w->get("/old/$bad.test")->status, 200, 'a name is known';
    $say->($bad);
    my $seen = $asked->("$bad.test");
    $w->wait_until("it was asked for again: $bad", sub { $w->get("/old/$bad.test"); $asked->("$bad.test") > $seen });
    my $before = time;
    is $w->get("/old/$bad.test")->status, 200, "its address serves on: $bad";
    cmp_ok time - $before, '<', 30, 'and nobody waits for as long as for an address that is not known';
}
$say->('127.0.0.1/1');
is $w->get('/never/a.test')->status, 200, 'stale=0';
$say->('servfail');
$w->wait_until('its time is over', sub { $w->get('/never/a.test')->status == 502 });
pass 'an answer ends with its time';

is $w->get('/old/gone.test')->status, 502, 'no such name';
is $w->get('/old/gone.test')->status, 502, 'again' for 1 .. 3;
is $w->get('/old/gone-for-now.test')->status, 502, 'no such name, and no word for how long';
$w->wait_until('it is asked for again', sub { $w->get('/old/gone-for-now.test'); $asked->('gone-for-now.test') >= 2 });
is $asked->('gone.test'), 1, 'what has an SOA holds longer';
done_testing;
