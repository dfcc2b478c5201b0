# The kernel's table of sockets tells whether a keep-alive timer (02) runs on the kept connection to the peer.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('proxy_socket_keepalive probes idle peers');
my %peer = map { $_ => $w->origin(sub ($c) { $c->reply(200, 'ok') }) } qw(on off);
$w->conf(<<"END", workers => 1);
    upstream on  { server $peer{on}; keepalive 4; }
    upstream off { server $peer{off}; keepalive 4; }
    server {
        location /on  { proxy_pass http://on; proxy_socket_keepalive on; }
        location /off { proxy_pass http://off; }
    }
END

for my $way (qw(on off)) {
    is $w->get("/$way")->body, 'ok', "$way: answered";
    my ($port) = "$peer{$way}" =~ /:(\d+)$/;
    open my $table, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!";
    my @kept = grep { $_->[2] eq sprintf('0100007F:%04X', $port) && $_->[3] eq '01' } map { [ split ] } <$table>;
    is @kept, 1, "$way: one connection is kept";
    is substr($kept[0][5] // '', 0, 2), $way eq 'on' ? '02' : '00', "$way: its timer";
}

done_testing;
