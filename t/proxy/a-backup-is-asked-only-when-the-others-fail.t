use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a backup is asked only when the others fail');
my $first  = $w->origin(sub ($c) { $c->request->target =~ /close/ ? $c->close : $c->reply(200, 'first') });
my $second = $w->origin(sub ($c) { $c->request->target =~ /close/ ? $c->close : $c->reply(200, 'second') });
my $backup = $w->origin(sub ($c) { $c->reply(200, 'backup') });
$w->conf(<<"END", workers => 1);
    upstream api { server $backup backup; server $first max_fails=0; server $second max_fails=0; keepalive 0; }
    server { location / { proxy_pass http://api; } }
END

my $client = $w->client;
is join(' ', map { $client->get('/')->body } 1 .. 4), 'first second first second', 'while the others answer, never';
is $client->get('/close')->body, 'backup', 'when both have failed, it answers';
is $first->requests + $second->requests, 6, 'and both were asked before';
is $client->get('/')->body =~ /first|second/ ? 1 : 0, 1, 'afterwards the others again';
is $backup->requests, 1, 'the backup saw one request';

done_testing;
