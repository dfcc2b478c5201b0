# A body in gzip with another form in the comment of its head: who decodes it reads the one, who does not reads the other.  form_body refuses encoded
# forms, unless form_encoded says that the peer decodes them.
use v5.36;
use lib 't/lib';
use IO::Compress::Gzip qw(gzip);
use Weir::Test;

my $w = Weir::Test->new('a form in the head of gzip reaches no peer');
my $origin = $w->origin;
$w->allow_log(qr/form\./);
$w->conf(<<"END", workers => 1);
    server {
        location / { form_body on; proxy_pass http://$origin; }
        location /decodes { form_body on; form_encoded on; proxy_pass http://$origin; }
    }
END

sub part ($name, $more, $body) { "--B\r\nContent-Disposition: form-data; name=\"$name\"$more\r\n\r\n$body\r\n" }
my $judged = part('a', '', 'x') . "--B--\r\n";
my $hidden = "\r\n" . part('f', '; filename="../../evil.php"', '<?php') . "--B--\r\n";
gzip(\$judged, \my $gzip, -Minimal => 1);
substr($gzip, 3, 1) = "\x10";                          # a comment
substr($gzip, 10, 0) = "$hidden\0";

sub post ($target, $body, @coding) {
    return $w->request('POST', $target, body => $body, headers => [ 'Content-Type' => 'multipart/form-data; boundary=B', map { ('Content-Encoding' => $_) } @coding ])->status;
}
is post('/', $gzip, 'gzip'), 415, 'gzip';
is post('/', $gzip, 'identity', 'gzip'), 415, 'two codings';
is post('/', $judged, 'deflate'), 415, 'deflate';
is post('/', $gzip), 400, 'gzip that does not say so';
is $origin->requests, 0, 'the peer saw none of them';
is post('/', $judged), 200, 'as it is';
is post('/', $judged, 'identity'), 200, 'and said to be so';
is post('/decodes', $gzip, 'gzip'), 200, 'where the peer decodes';
done_testing;
