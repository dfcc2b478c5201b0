# Two Content-Types, the first with a quote that only the second one ends: joined by a comma they read as one type with a parameter, but a peer takes
# the first one or the last.  No guard of bodies takes them, over HTTP/1.1 and HTTP/2, with a body and without.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a Content-Type that stands twice is no type');
my $origin = $w->origin;
$w->allow_log(qr/form\.|body\.|access\./);
$w->conf(<<"END", workers => 1);
    server {
        location /accept { accept_content_types application/json; proxy_pass http://$origin; }
        location /form { form_body on; proxy_pass http://$origin; }
        location /json { json_body on; proxy_pass http://$origin; }
        location / { proxy_pass http://$origin; }
    }
END

sub post ($target, $body, @types) {
    return $w->request('POST', $target, body => $body, headers => [ map { ('Content-Type' => $_) } @types ])->status;
}
is post('/accept', 'x', 'application/json; a="b, text/html; c="'), 200, 'one that says so';
is post('/accept', 'x', 'application/json; a="b', 'text/html; c="'), 415, 'accept_content_types';
is post('/accept', '', 'application/json; a="b', 'text/html; c="'), 415, 'without a body';
is post('/json', '{}', 'application/json'), 200, 'JSON';
is post('/json', '{}', 'application/json; a=', 'text/html'), 415, 'json_body';
is post('/json', '{}', 'application/json', 'application/json'), 415, 'json_body and two that are the same';

my $part = sub ($mark, $name, $more, $body) { "--$mark\r\nContent-Disposition: form-data; name=\"$name\"$more\r\n\r\n$body\r\n" };
my $hidden = $part->('a', 'f', '; filename="../../evil.php"', 'y') . "--a--";
my $form = $part->('a, b', 'text', '', $hidden) . "--a, b--\r\n";
is post('/form', $form, 'multipart/form-data; boundary="a, b"'), 200, 'a boundary with a comma';
is post('/form', $form, 'multipart/form-data; boundary="a', 'b"'), 415, 'form_body';
is post('/', 'x', 'text/plain', 'text/html'), 200, 'where no guard asks they go on';
is $origin->requests, 4, 'the peer saw nothing else';
done_testing;
