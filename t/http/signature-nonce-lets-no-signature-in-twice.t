# signature_nonce: a nonce is good once, in all workers, over reloads, and for one key; when the zone is full nobody is let in; a request that goes
# through several places spends it once.
use v5.36;
use lib 't/lib';
use Weir::Jose;
use Weir::Signature;
use Weir::Test;

my $w = Weir::Test->new('signature_nonce lets no signature in twice')->needs_weir;
my ($a, $b) = map { Weir::Jose->key($w, 'HS256', kid => $_) } 'a', 'b';
$w->write_file('conf/keys.json', Weir::Jose->set($a, $b));
$w->allow_log(qr/auth\.signature/);
my $conf = sub ($more) { <<"END" };
    log_format cause '\$uri \$args \$status \$weir_cause';
    server {
        access_log logs/access.log cause;
        signature keys=keys.json;
        signature_nonce zone=nonces:1m;
        signature_max_age 60s;
        $more
        location / { add_header X-Key "\$signature_key_id" always; return 404; error_page 404 =200 \@page; }
        location \@page { signature keys=keys.json label=sig1; add_header X-Key "\$signature_key_id" always; empty_gif; }
        location /two { try_files /none \@page; }
        location /off { signature_nonce off; empty_gif; }
        location /full { signature_nonce zone=small:32k; empty_gif; }
        location /rehearsed { signature_dry_run on; empty_gif; }
        location /judged { auth_request /judge; empty_gif; }
        location /judge { internal; return 204; }
    }
END
$w->conf($conf->(''));
my $n = 0;
my $sign = sub ($key, $nonce, $target = '/two', %arg) { $target .= '?n=' . ++$n; [ $target, Weir::Signature::sign($key, target => $target, authority => 'localhost', (length $nonce ? (params => qq(;nonce="$nonce")) : ()), %arg) ] };
my $send = sub ($request) { my ($target, @fields) = @$request; $w->get($target, @fields) };
my $cause = sub ($request) { $w->wait_for_access(qr/^\S+ \Q@{[ $request->[0] =~ s{.*\?}{}r ]}\E 401 (\S+)\n/m) =~ /(\S+)$/ };
my $first = $sign->($a, 'one');
is $send->($first)->status, 200, 'a nonce';
is $send->($first)->status, 401, "again, $_" for 1 .. 6;
is +($cause->($first))[0], 'auth.signature.replayed', '… with a cause';
is $send->($sign->($a, 'one'))->status, 401, 'the same nonce in another request';
is $send->($sign->($b, 'one'))->status, 200, '… of another key';
is $send->($sign->($a, "two$_"))->status, 200, "another nonce $_" for 1 .. 4;
my $none = $sign->($a, '');
is $send->($none)->status, 401, 'none';
is +($cause->($none))[0], 'auth.signature.nonce', '… with a cause';
is $send->($sign->($a, 'x' x 257))->status, 401, 'one that is too long';
my ($target, @fields) = $sign->($a, 'spare')->@*;
is $w->get($target, map { s/sig1=:./sig1=:!/r } @fields)->status, 401, 'who cannot sign';
is $w->get($target, map { s/created=\d+/created=1/r } @fields)->status, 401, '… or is late';
is $w->get($target, @fields)->status, 200, '… spends nothing';
is $send->($sign->($a, 'judged', '/judged'))->status, 200, 'a subrequest spends nothing of its own';
is $send->($sign->($a, 'one', '/off'))->status, 200, 'off: nobody asks';
my $early = $sign->($a, 'rehearsed', '/rehearsed');
is $send->($early)->status, 200, "a rehearsal refuses nobody $_" for 1, 2;
$w->wait_for_log(qr/was used before: dry run/);
my $kept = $sign->($a, 'kept');
is $send->($kept)->status, 200, 'before a reload';
$w->reload($conf->('add_header X-New yes;'));
is $send->($kept)->status, 401, 'a reload forgets nothing';
my @children = map { my $race = $sign->($a, "race$_"); map { $w->child(sub { print STDERR $send->($race)->status }) } 1 .. 4 } 1 .. 3;
my @got = map { ($_->(60))[1] } @children;
is scalar(grep { $_ eq '200' } @got[ 4 * $_ .. 4 * $_ + 3 ]), 1, 'of four at the same time one is let in' for 0 .. 2;

# Full: nobody makes room whose time is not over.
my $full = 0;
my $all = $sign->($a, 'first', '/full');
is $send->($all)->status, 200, 'the first one';
for my $i (1 .. 3000) {
    my $answer = $send->($sign->($a, "f$i", '/full'));
    next if $answer->status == 200;
    is $answer->status, 503, "a zone that is full after $i";
    $full = 1;
    last;
}
ok $full, 'it became full';
is $send->($all)->status, 401, 'and knows the first one still';
like +($w->tool('zones'))[1], qr/nonces.*keys=\d+ room=\d+/, 'weir zones tells of it';
done_testing;
