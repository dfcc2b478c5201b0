use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;
my $w    = Weir::Test->new('tickets outlive workers, reload and restart');
my $cert = Weir::Cert->ca($w, 'root')->issue('localhost');
my $text = "server { listen 127.0.0.1:%%PORT%% ssl; ssl_certificate $cert->{cert}; ssl_certificate_key $cert->{key}; location / { return 200 '\$pid \$ssl_session_reused'; } }";
$w->conf($text, workers => 3, main => 'state_path %%DIR%%/state;');

sub ask ($w, %arg) {
    my $c = Weir::Tls::client($w, %arg);
    my ($pid, $reused) = split / /, $c->get('/')->body;
    return ($pid, $reused, $c->session);
}

for my $version (qw(TLSv1_2 TLSv1_3)) {
    my ($pid, $reused, $session) = ask($w, version => $version);
    is $reused, '.', "$version: a new session";
    my %by;
    for (1 .. 200) {
        last if keys %by == 3;
        ($pid, $reused) = ask($w, version => $version, session => $session);
        $by{$pid}{$reused}++;
    }
    is_deeply [ map { join '', sort keys %$_ } values %by ], [ ('r') x 3 ], "$version: every worker resumes it";
    $w->reload($text =~ s/return/add_header X a; return/r =~ s/add_header X a; //r);
    ($pid, $reused) = ask($w, version => $version, session => $session);
    is $reused, 'r', "$version: after a reload";
    is $w->stop, 0, 'it stops';
    $w->start;
    ($pid, $reused) = ask($w, version => $version, session => $session);
    is $reused, 'r', "$version: after a restart";
}
my $saved = $w->dir . '/state/tls-ticket-keys';
is sprintf('%o', (stat $saved)[2] & 07777), '600', 'the saved keys are for their owner alone';
$w->stop;
$w->write_file('state/tls-ticket-keys', "weir-tickets 1\nnonsense\n");
$w->start;
my ($pid, $reused) = ask($w);
is $reused, '.', 'a damaged file means new keys, and no harm';

done_testing;
