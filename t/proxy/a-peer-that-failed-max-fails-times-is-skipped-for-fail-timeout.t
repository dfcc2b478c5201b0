use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('a peer that failed max fails times is skipped for fail timeout');
my $good = $w->origin(sub ($c) { $c->reply(200, 'good') });
my $sick = $w->peer(sub ($c) {
    while ($c->read_request) {
        return $c->close unless -e "$c->{dir}/barrier.well";
        $c->reply(200, 'was sick');
    }
});
$w->conf(<<"END", workers => 1);
    upstream twice { server $sick max_fails=2 fail_timeout=300ms; server $good; }
    upstream never { server $sick max_fails=0; server $good; }
    upstream alone { server $sick; }
    server {
        location /twice { proxy_pass http://twice; }
        location /never { proxy_pass http://never; }
        location /alone { proxy_pass http://alone; }
    }
END

my $client = $w->client;
is $client->get('/twice')->body, 'good', "request $_: the good peer answered" for 1 .. 8;
is $sick->requests, 2, 'the sick one was asked twice, then left alone';
like $w->error_log, qr/upstream server temporarily disabled: "\Q$sick\E"/, 'the log says so';

is $client->get('/never')->body, 'good', 'max_fails=0' for 1 .. 6;
is $sick->requests, 5, 'max_fails=0: asked every time it was its turn';

is $client->get('/alone')->status, 502, 'the only peer fails' for 1 .. 3;
is $sick->requests, 8, 'and is asked all the same: there is no other';

$w->pass('well');
$w->wait_until('it is asked again', sub { $client->get('/twice')->body eq 'was sick' });
is $sick->requests, 9, 'after fail_timeout one request tried it';
my $bodies = join ' ', map { $client->get('/twice')->body } 1 .. 4;
is $bodies =~ s/was sick//gr =~ s/ +/ /gr =~ s/^ | $//gr, 'good good', 'that went well: it has its share again';

done_testing;
