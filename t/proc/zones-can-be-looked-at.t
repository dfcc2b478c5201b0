# `weir zones`: what lies in shared memory, of the instance that the pid file names.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;

my $w      = Weir::Test->new('zones can be looked at')->needs_weir;
my $site   = Weir::Pki->authority($w, 'root')->server('localhost');
my $origin = $w->origin(sub ($c) { $c->wait_for('end') if $c->request->target =~ /wait/; $c->reply(200, 'ok') });
my $look   = sub (@more) { $w->run(@more ? @more : 'zones') };
my $zones  = sub (@arguments) { $w->run('-p', '%%DIR%%/', '-c', 'conf/weir.conf', 'zones', @arguments) };
$w->conf(<<"END", workers => 2);
    limit_req_zone \$arg_k zone=rate:1m rate=1r/m;
    limit_conn_zone \$arg_k zone=conn:64k;
    server { location / { limit_req zone=rate; limit_conn conn 9; proxy_pass http://$origin; } }
    server { listen 127.0.0.1:%%PORT_tls%% ssl; @{[ $site->conf ]} ssl_session_cache shared:sessions:1m; location / { return 200 ok; } }
END
my ($code, $said) = $zones->();
is $code, 1, 'nothing runs';
like $said, qr/open\(\) ".*weir\.pid" failed/, 'which is told';
$w->start;
is $w->get("/?k=$_")->status, 200, "key $_" for qw(a b c);
my $held = $w->client->send_request('GET', '/?k=d&wait');
$origin->wait_requests(4);
($code, $said) = $zones->();
is $code, 0, 'they are listed';
like $said, qr/^KIND\s+NAME\s+BYTES$/m, 'under a head';
like $said, qr/^limit-req\s+rate\s+1048576\s+keys=4 room=\d+ evicted=0$/m, 'a rate of four keys';
like $said, qr/^limit-conn\s+conn\s+\d+\s+keys=1 room=1024$/m, 'one key under way, room for as many as nginx has';
like $said, qr/^processes\s+-\s+2048\s+held=2 room=256$/m, 'two workers';
like $said, qr/^tls-sessions\s+sessions\s+1048576\s+held=0 room=\d+$/m, 'a cache of sessions';
like $said, qr/^tls-tickets\s+-\s+4096\s*$/m, 'keys, of which nothing is told';
$w->pass('end');
$held->read_response;
is +($zones->('what'))[0], 1, 'it takes no arguments';
is +($w->run('-t', 'zones'))[0], 1, 'and goes with nothing else';
like +($w->run('nonsense'))[1], qr/invalid option: "nonsense"/, 'what is no tool is told';
like +($w->run('-h'))[1], qr/^  zones\s+: what lies in the shared memory/m, 'the usage knows it';

done_testing;
