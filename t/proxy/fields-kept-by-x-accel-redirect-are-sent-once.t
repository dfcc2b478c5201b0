# Content-Type, Content-Disposition, Expires and Accept-Ranges of who hands on stand, unless who answers has its own; cookies and Cache-Control are added.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('fields kept by x accel redirect are sent once')->needs_weir;
my @kept   = ('Content-Type' => 'text/x-first', 'Content-Disposition' => 'attachment', Expires => 'Thu, 01 Jan 1970 00:00:01 GMT', 'Set-Cookie' => 'a=1', 'Cache-Control' => 'private',
    'Accept-Ranges' => 'none');
my $origin = $w->origin(sub ($c) {
    my ($status, $to) = $c->request->target =~ m{/(\d+)(.*)};
    $c->reply($status, '', 'X-Accel-Redirect' => $to, @kept);
});
my $second = $w->origin(sub ($c) {
    my $r = $c->request;
    return $c->reply(200, 'plain ' . $r->method) if $r->target =~ /plain/;
    $c->reply(200, 'own', 'Content-Type' => 'text/x-second', 'Content-Disposition' => 'inline', 'Set-Cookie' => 'b=2', 'Cache-Control' => 'no-store', Expires => '0');
});
$w->conf(<<"END");
    server {
        location / { proxy_pass http://$origin; }
        location /text { internal; return 200 'text \$args'; }
        location /gif { internal; empty_gif; }
        location /own { internal; proxy_pass http://$second; }
        location /plain { internal; proxy_pass http://$second; }
        location = /404 { internal; return 404; }
        location \@named { rewrite ^ /plain break; proxy_pass http://$second; }
    }
END
$w->allow_log(qr/./);

my %kept = @kept;
my $all = sub ($answer, $what) {
    is_deeply [ $answer->header($_) ], [ $kept{$_} ], "$what: $_" for qw(Content-Disposition Expires Set-Cookie Cache-Control Accept-Ranges);
};
for my $path ('/200/text?a=b', '/200/plain', '/404/text?a=b', '/500/plain', '/200@named') {
    my $answer = $w->get($path);
    is $answer->status, 200, "$path: the status of who answers";
    like $answer->body, qr/^(?:text a=b|plain GET)$/, 'its body';
    $all->($answer, $path);
    is_deeply [ $answer->header('Content-Type') ], ['text/x-first'], "$path: one Content-Type" if $path =~ /text/;
}
my $answer = $w->get('/200/own');
is_deeply [ $answer->header('Content-Type') ], ['text/x-second'], 'a peer that says its own: Content-Type';
is_deeply [ $answer->header('Content-Disposition') ], ['inline'], 'Content-Disposition';
is_deeply [ $answer->header('Expires') ], ['0'], 'Expires';
is_deeply [ $answer->header('Set-Cookie') ], [ 'a=1', 'b=2' ], 'both cookies';
is_deeply [ $answer->header('Cache-Control') ], [ 'private', 'no-store' ], 'both of Cache-Control';
$answer = $w->request('HEAD', '/200/text?a=b');
is $answer->status, 200, 'HEAD';
$all->($answer, 'HEAD');
$answer = $w->get('/200/404');
is $answer->status, 404, 'an error of who answers';
is $answer->header('Content-Type'), 'text/html', 'is a page of its own';

done_testing;
