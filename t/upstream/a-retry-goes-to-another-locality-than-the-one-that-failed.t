use v5.36;
use lib 't/lib';
use Weir::Test;

# Of two zones one is lost: one try there is enough for a request to go to the other one, whose peers stand behind.
my $w    = Weir::Test->new('a retry goes to another locality than the one that failed');
my @lost = map { $w->refused_peer } 1 .. 4;
my $here = $w->origin(sub ($c) { $c->reply(200, 'other zone') });
my $same = $w->origin(sub ($c) { $c->reply(200, 'same zone') });
my $back = $w->origin(sub ($c) { $c->reply(200, 'backup') });
my $never = 'max_fails=0';
$w->conf(<<"END", workers => 1);
    locality eu/de/a;
    upstream lost { server $lost[0] locality=eu/de/a $never; server $lost[1] locality=eu/de/a $never;
                    server $lost[2] locality=eu/de/a $never; server $here locality=eu/de/b $never; }
    upstream two  { server $lost[0] locality=eu/de/a $never; server $lost[1] locality=eu/de/b $never;
                    server $lost[2] locality=eu/de/b $never; server $lost[3] locality=eu/de/a $never; server $here locality=us/ny/a $never; }
    upstream only { server $lost[0] locality=eu/de/a $never; server $same locality=eu/de/a $never; server $back backup; }
    upstream none { server $lost[0] $never; server $same $never; server $here priority=1 locality=us/ny/a $never; }
    upstream gone { server $lost[0] locality=eu/de/a $never; server $lost[1] locality=eu/de/a $never; server $lost[2] locality=us/ny/a $never; }
    server {
        proxy_connect_timeout 1s;
        location / { add_header X-Peers \$upstream_addr always; proxy_pass http://\$arg_g; }
    }
END
my $client = $w->client;
my $ask = sub ($group, $n) {
    my %seen;
    for (1 .. $n) {
        my $answer = $client->get("/?g=$group");
        my @peers  = split /, /, $answer->header('X-Peers') // '';
        $seen{ join ' ', $answer->status, $answer->status == 200 ? $answer->body : (), scalar @peers }++;
    }
    return join '; ', sort keys %seen;
};

is $ask->('lost', 6), '200 other zone 2', 'after one failure in a zone the other zone is asked, not the next peer of the same';
is $ask->('two', 6), '200 other zone 3', 'of zones that failed both are passed over';
is $ask->('only', 4), '200 same zone 1; 200 same zone 2', 'where no other zone has a server that may be asked, the same one is asked, before a backup';
is $ask->('none', 6), '200 same zone 1; 200 same zone 2', 'servers without a locality are not in one zone';
is $ask->('gone', 2), '502 3', 'when all zones fail each server is asked once';

done_testing;
