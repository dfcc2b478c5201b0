# proxy_method POST: what the peer may have worked on is a POST, whatever the client's method was.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('what proxy_method makes a POST is not sent twice');
my ($one, $two) = map { $w->origin(sub ($c) { $c->request->target =~ /good/ ? $c->reply(200, 'x') : $c->close }) } 1, 2;
$w->conf(<<"END", workers => 1);
    upstream peers { server $one max_fails=0; server $two max_fails=0; keepalive 4; }
    server {
        location /next  { proxy_method POST; proxy_pass http://peers; }
        location /retry { proxy_method POST; retry 3 on=reset; proxy_pass http://peers; }
        location /told  { proxy_method POST; retry 1 on=reset,non_idempotent; proxy_pass http://peers; }
        location /get   { retry 1 on=reset; proxy_pass http://peers; }
    }
END
my $asked = sub { $one->requests + $two->requests };
for my $case ([ '/next', 1 ], [ '/retry', 1 ], [ '/told', 2 ], [ '/get', 2 ]) {
    my $was = $asked->();
    is $w->get($case->[0])->status, 502, $case->[0];
    is $asked->() - $was, $case->[1], "is sent $case->[1] times";
}
is $w->get('/get/good')->status, 200, 'connections are kept' for 1, 2;
my $was = $asked->();
is $w->get('/retry')->status, 502, 'one that is closed on a kept connection';
is $asked->() - $was, 1, 'is not sent once more';

done_testing;
