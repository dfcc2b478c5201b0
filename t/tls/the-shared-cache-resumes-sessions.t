use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

my $w    = Weir::Test->new('the shared cache resumes sessions');
my $cert = Weir::Cert->ca($w, 'root')->issue('localhost');
my $text = sub ($more) { "server { listen 127.0.0.1:%%PORT%% ssl; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; ssl_session_tickets off; $more location / { return 200 '\$pid \$ssl_session_reused \$ssl_session_id'; } }" };
$w->conf($text->('ssl_session_cache shared:SSL:1m;'), workers => 3);

sub ask ($w, %arg) {
    my $c = Weir::Tls::client($w, %arg);
    my ($pid, $reused, $id) = split / /, $c->get('/')->body;
    return ($pid, $reused, $c->session, $id);
}

for my $version (qw(TLSv1_2 TLSv1_3)) {
    my ($pid, $reused, $session, $id) = ask($w, version => $version);
    is $reused, '.', "$version: a new session";
    like $id, qr/^(?:[0-9a-f]{2}){1,32}$/, 'with an id' if $version eq 'TLSv1_2';
    my %by;
    for (1 .. 200) {
        last if keys %by == 3;
        ($pid, $reused) = ask($w, version => $version, session => $session);
        $by{$pid}{$reused}++;
    }
    is_deeply [ map { join '', sort keys %$_ } values %by ], [ ('r') x 3 ], "$version: every worker resumes it";
    $w->reload;
    ($pid, $reused) = ask($w, version => $version, session => $session);
    is $reused, 'r', "$version: the cache is kept over a reload";
}
for my $said ('builtin', 'builtin:1000', 'builtin:1000 shared:SSL:1m') {
    $w->allow_log(qr/"builtin" cache would serve one worker only: "ssl_session_cache" uses a cache that all workers share/);
    $w->reload($text->("ssl_session_cache $said;"));
    my (undef, undef, $session) = ask($w, version => 'TLSv1_2');
    my %by;
    for (1 .. 200) {
        last if keys %by == 3;
        my ($pid, $reused) = ask($w, version => 'TLSv1_2', session => $session);
        $by{$pid}{$reused}++;
    }
    is_deeply [ map { join '', sort keys %$_ } values %by ], [ ('r') x 3 ], "$said: every worker resumes it";
}
$w->reload($text->('ssl_session_cache shared:SSL:1m;'));
my (undef, undef, $session) = ask($w, version => 'TLSv1_2');
$w->reload($text->('ssl_session_cache none;'));
my ($pid, $reused) = ask($w, version => 'TLSv1_2', session => $session);
is $reused, '.', 'without a cache nothing is resumed';
$w->reload($text->('ssl_session_cache shared:SSL:1m; ssl_session_timeout 1s;'));
(undef, undef, $session) = ask($w, version => 'TLSv1_2');
sleep 2;                                     # what is tested is that time passes
($pid, $reused) = ask($w, version => 'TLSv1_2', session => $session);
is $reused, '.', 'nor after ssl_session_timeout';

done_testing;
