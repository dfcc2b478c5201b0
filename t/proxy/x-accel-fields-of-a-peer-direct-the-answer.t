# X-Accel-Redirect, X-Accel-Buffering, X-Accel-Limit-Rate, proxy_ignore_headers, proxy_pass_header: what a peer may ask of Weir.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('x accel fields of a peer direct the answer');
my $origin = $w->origin(sub ($c) {
    my $r = $c->request;
    my ($to) = $r->target =~ /to=([^&]*)/;
    $c->reply(200, 'from the origin', 'X-Accel-Redirect' => $to // '', 'Content-Type' => 'text/x-origin', 'Set-Cookie' => 'a=b', 'Cache-Control' => 'private',
        'Content-Disposition' => 'attachment', 'X-Other' => 'lost', ETag => '"origin"');
});
my $second = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join ' ', 'second', $r->method, $r->target, length $r->body) });
my $dir    = $w->dir;
chmod 0755, $dir;
mkdir "$dir/files" or die $!;
chmod 0755, "$dir/files";
$w->write_file('files/secret.txt', 'a secret');
$w->conf(<<"END");
    server {
        location / { proxy_pass http://$origin; }
        location /ignored/ { proxy_pass http://$origin; proxy_ignore_headers X-Accel-Redirect X-Accel-Expires Expires Cache-Control Set-Cookie Vary; }
        location /shown/ { proxy_pass http://$origin; proxy_ignore_headers X-Accel-Redirect; proxy_pass_header X-Accel-Redirect; }
        location /kept/ { internal; alias $dir/files/; }
        location /elsewhere/ { internal; proxy_pass http://$second; }
        location /loop/ { internal; proxy_pass http://$origin/?to=/loop/; }
        location \@named { proxy_pass http://$second; }
    }
END
$w->allow_log(qr/\[emerg\]/, qr/redirects or rewrites|internal redirection cycle|X-Accel-Redirect|No such file|unsafe/);

my $answer = $w->get('/?to=/kept/secret.txt');
is $answer->status, 200, 'a file that only a peer can let out';
is $answer->body, 'a secret', 'is sent';
is $answer->header($_->[0]), $_->[1], "with the peer's $_->[0]" for [ 'Content-Type', 'text/x-origin' ], [ 'Set-Cookie', 'a=b' ], [ 'Cache-Control', 'private' ], [ 'Content-Disposition', 'attachment' ];
is $answer->header('X-Other'), undef, 'not with others';
isnt $answer->header('ETag'), '"origin"', 'its tag is its own';
is $answer->header('X-Accel-Redirect'), undef, 'nor with where it came from';
is $w->get('/?to=/kept/secret.txt', Range => 'bytes=2-')->body, 'secret', 'parts of it too';
is $w->get('/kept/secret.txt')->status, 404, 'nobody gets it otherwise';
is $w->get('/?to=/kept/none.txt')->status, 404, 'one that is not there';
is $w->request('POST', '/?to=/elsewhere/x%3Fy%3D1', body => 'body')->body =~ s/ \d+$//r, 'second GET /elsewhere/x%3Fy=1', 'another peer gets a GET' unless $w->is_nginx;
is $w->request('POST', '/?to=/elsewhere/x?y=1', body => 'body')->body =~ s/ \d+$//r, 'second GET /elsewhere/x?y=1', 'and a query';
is $w->request('POST', '/?to=@named', body => 'body')->body, 'second POST /?to=@named 4', 'a named location gets all of it' unless $w->is_nginx;
is $w->get('/?to=/loop/')->status, 500, 'a circle ends';
is $w->get('/ignored/?to=/kept/secret.txt')->body, 'from the origin', 'ignored';
is $w->get('/shown/?to=/kept/secret.txt')->header('X-Accel-Redirect'), '/kept/secret.txt', 'shown';
isnt $w->get("/?to=$_")->body, 'a secret', "not a way out: $_" for '../files/secret.txt', '/kept/../../etc/passwd', '/kept/%2e%2e/x', 'kept', '/kept/%00';
my ($code, $said) = $w->check_conf('server { location / { proxy_ignore_headers X-Whatever; } }');
like $said, qr/"X-Whatever"/, 'only those that mean something';

done_testing;
