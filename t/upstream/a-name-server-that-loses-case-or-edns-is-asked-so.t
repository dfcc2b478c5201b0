# Letters of random case in questions: an answer with other letters is not believed, but asked for over TCP; a server that loses them there, too, is asked in
# lower case.  One that does not understand EDNS is asked without.  Forged answers change nothing.
use v5.36;
use lib 't/lib';
use Weir::Dns;
use Weir::Test;

my $w      = Weir::Test->new('a name server that loses case or edns is asked so')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'ok') });
my ($port) = $origin =~ /:(\d+)/;
my $forged = Weir::Dns->new($w, sub ($name, $type) { return $Weir::Dns::how eq 'udp' ? qw(forged case 127.0.0.1) : '127.0.0.1' });
my $lower  = Weir::Dns->new($w, sub ($name, $type) { return qw(lower 127.0.0.1) });
my $plain  = Weir::Dns->new($w, sub ($name, $type) { return qw(noedns 127.0.0.1) });
my $off    = Weir::Dns->new($w, sub ($name, $type) { return qw(lower 127.0.0.1) });
$w->allow_log(qr/answers with other letters/);
$w->conf(<<"END", workers => 1);
    resolver_timeout 30s;
    server {
        location ~ ^/forged/(.*)\$ { resolver $forged ipv6=off; proxy_pass http://\$1:$port; }
        location ~ ^/lower/(.*)\$ { resolver $lower ipv6=off; proxy_pass http://\$1:$port; }
        location ~ ^/plain/(.*)\$ { resolver $plain ipv6=off; proxy_pass http://\$1:$port; }
        location ~ ^/off/(.*)\$ { resolver $off ipv6=off mixed_case=off; proxy_pass http://\$1:$port; }
    }
END
my $name = 'a-name-of-letters.example';
is $w->get("/forged/$name")->status, 200, 'forged answers, one with other letters before the right one';
is $w->get("/lower/$name")->status, 200, 'a server that answers in lower case';
is join(' | ', $lower->questions), "udp $name A | tcp $name A", 'is asked over TCP';
$w->wait_for_log(qr/name server \S+ answers with other letters than those of the question/);
is $w->get("/lower/x$name")->status, 200, 'and the next name';
is +($lower->questions)[-1], "udp x$name A", 'in lower case from then on';
is $w->get("/plain/$name")->status, 200, 'a server that does not understand EDNS';
is scalar(() = $plain->questions), 2, 'is asked again, without';
is $w->get("/plain/x$name")->status, 200, 'and the next name';
is scalar(() = $plain->questions), 3, 'without from then on';
is $w->get("/off/$name")->status, 200, 'mixed_case=off';
is join(' | ', $off->questions), "udp $name A", 'lower case is fine';
done_testing;
