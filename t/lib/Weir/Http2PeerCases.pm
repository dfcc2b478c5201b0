# Weir::Http2PeerCases - tables of cases against Weir as a client of HTTP/2: what a peer answers with, and what becomes of the request.
#
#     my $t = Weir::Http2PeerCases->new('…');
#     $t->case('no :status', sub ($s) { headers($s, 'END_HEADERS END_STREAM', 'x-a' => 1) }, 502, 'upstream.malformed');
#     $t->run;
#
# The function is given the stream's number and returns what the peer sends.  want: a status; "cut" for an answer that began and was not
# completed.  After each case the client's connection (unless the answer was cut) and the upstream serve a good request.  Of %arg:
# closes => 1: the peer closes then · settings: the peer's own · before: the settings are not sent, but these bytes · same => 1: the
# connection to the peer must survive · ends => 1: it must not.
package Weir::Http2PeerCases;
use v5.36;

use Test::More;
use Weir::Http2 ':all';
use Weir::Test ();

sub new ($class, $sentence, %arg) { bless { sentence => $sentence, cases => [], %arg }, $class }

sub case ($self, $name, $answer, $want, $cause = '', %arg) {
    push $self->{cases}->@*, { name => $name, answer => $answer, want => $want, cause => $cause, %arg };
}

my $ok = sub ($s) { headers($s, 'END_HEADERS', ':status' => 200, 'content-length' => 4) . data($s, 'good', 'END_STREAM') };

sub _serve ($self, $c) {
    my $h2 = Weir::Http2::serve($c, settings => $self->{settings} // [ 3 => 100 ], silent => defined $self->{before});
    $h2->write($self->{before}) if defined $self->{before};
    $h2->{deadline} = 20;
    while (my $r = $h2->next_request) {
        my $s = $r->{stream};
        $c->note("$c->{number} $r->{fields}{':path'}");
        if ($r->{fields}{':path'} !~ m{^/case/(\d+)}) { $h2->write($ok->($s)); next }
        my $case = $self->{cases}[$1];
        my $bytes = $case->{answer}->($s);
        $h2->write($bytes) if defined $bytes;
        return if $case->{closes};
    }
}

sub run ($self, %arg) {
    my $w    = $self->{w} = Weir::Test->new($self->{sentence});
    my $peer = $w->peer(sub ($c) { $self->_serve($c) });
    my $http = $self->{http} // '';
    $w->conf(<<"END", workers => 1);
        log_format judged '\$uri \$status \$weir_cause';
        access_log logs/judged.log judged;
        proxy_read_timeout 1s; proxy_next_upstream off; $http
        upstream peers { server $peer max_fails=0; keepalive 4; }
        server { http2 on; location / { proxy_pass http://peers; proxy_http_version 2; } }
END
    my $client = $w->client;
    for my $n (0 .. $self->{cases}->$#*) {
        my $case = $self->{cases}[$n];
        my @problems;
        my $before = $peer->connections;
        my $answer = eval { $client->get("/case/$n") };
        my $is = $answer ? $answer->status : 'cut';
        push @problems, "it was answered $is", $@ =~ s/\n//gr unless $is eq $case->{want};
        if (!$answer) { $client->close; $client = $w->client }
        push @problems, $case->{look}->($answer) if $answer && $case->{look};
        my ($cause) = $w->wait_for_access(qr{^/case/$n \d+ (\S+)$}m, 'judged.log');
        $cause =~ s/^-$//;
        push @problems, "its cause was '$cause'" unless ref $case->{cause} ? $cause =~ $case->{cause} : $cause eq $case->{cause};
        my $good = eval { $client->get('/good') };
        push @problems, 'a good request afterwards was ' . ($good ? $good->status : $@) unless $good && $good->status == 200 && $good->body eq 'good';
        my $made = $peer->connections - $before;
        push @problems, 'the connection to the peer was given up' if $case->{same} && $made > ($n == 0);
        push @problems, 'the connection to the peer was used again' if $case->{ends} && $made == ($n == 0);
        ok(!@problems, $case->{name}) or diag map { "$_\n" } @problems;
    }
    note scalar $self->{cases}->@*, ' cases';
    $client->close;
    return $self;
}

1;
