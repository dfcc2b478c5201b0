# WEIR_SOAK_SECONDS / 12 (5) of reloads one after another, while requests of every kind that outlives a reload are under way: held by limits,
# paced, mirrored, asked for by auth_request, streamed both ways, on old HTTP/2 streams, behind a PROXY header, given up.  With the sanitizers
# every access to a configuration that is gone is a report.
use v5.36;
use lib 't/lib';
use Time::HiRes qw(time sleep);
use Weir::Http2 ':all';
use Weir::Pki;
use Weir::Test;
use Weir::TlsClient;

my $seconds = ($ENV{WEIR_SOAK_SECONDS} // 60) / 12;
my $w = Weir::Test->new('what is under way outlives many reloads');
$w->time_limit($seconds + 120);
my $cert   = Weir::Pki->authority($w, 'root')->server([ 'localhost' ]);
my $origin = $w->origin(sub ($c) {
    my $request = $c->request;
    sleep 0.15 if $request->target =~ /slow/;
    $request->target =~ /chunked/ ? $c->reply_chunked(200, [ 'x' x 5000, $request->body ]) : $c->reply(200, 'y' x 3000);
});
my $conf = sub ($n) { my $odd = $n % 2 ? 'proxy_set_header X-Odd 1;' : ''; <<"END" };
    limit_conn_zone \$binary_remote_addr zone=c:1m;
    limit_req_zone \$binary_remote_addr zone=r:1m rate=200r/s;
    upstream api { server $origin; keepalive @{[ 4 + $n % 3 ]}; }
    server {
        http2 on;
        gzip on; gzip_min_length 1; gzip_types text/plain;
        location /limited { limit_conn c @{[ 100 + $n ]}; limit_req zone=r burst=1000; proxy_pass http://api; $odd }
        location /paced { limit_rate 20k; limit_rate_after 100; proxy_pass http://api; }
        location /mirrored { mirror /copy; auth_request /ask; proxy_pass http://api; }
        location = /copy { internal; proxy_pass http://api/slow; }
        location = /ask { internal; proxy_pass http://api; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
        location /streamed { proxy_request_buffering off; proxy_buffering off; proxy_pass http://api; $odd }
        location /error { error_page 502 = \@there; proxy_pass http://127.0.0.1:1; }
        location \@there { return 200 "generation $n"; }
        location / { return 200 "generation $n"; }
    }
    server {
        listen 127.0.0.1:%%PORT_tls%% ssl proxy_protocol; server_name tls$n; http2 on;
        @{[ $cert->conf ]}
        location / { return 200 "generation $n"; }
    }
END
$w->conf($conf->(0), workers => 1);
$w->allow_log(qr/refused|connect\(\) failed|upstream/);
$w->start;
my $stop = $w->dir . '/barrier.stop';

# A round each until the end; how many is said on standard error.
my $loop = sub ($round) {
    $w->child(sub {
        my $n = 0;
        while (!-e $stop) { $round->($n++) }
        print STDERR "rounds $n\n";
    });
};
my @paths = qw(/limited/slow /paced /mirrored /streamed/chunked /error /limited);
my %kind  = (
    'requests' => $loop->(sub ($n) {
        my @all = map { $w->client->send_request('POST', $_, body => 'b' x 300) } @paths;
        for my $client (@all) {
            my $answer = $client->read_response;
            die 'status ' . $answer->status . "\n" unless $answer->status == 200;
            $client->close;
        }
    }),
    'given up' => $loop->(sub ($n) {
        my @all = map { $w->client->send("POST $_ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nhalf") } @paths;
        sleep 0.05;
        $_->reset for @all;
    }),
    'HTTP/2' => $loop->(sub ($n) {
        my $h2 = Weir::Http2::client($w);
        $h2->request(1 + 2 * $_, ':method' => 'POST', ':path' => $paths[$_], body => 'some', open => 1) for 0 .. $#paths;
        sleep 0.2;
        if ($n % 3) {
            $h2->write(data(1 + 2 * $_, 'more', 'END_STREAM')) for 0 .. $#paths;
            $h2->ask(':path' => '/') == 200 or die "HTTP/2\n";
        }
        $h2->close;
    }),
    'TLS' => $loop->(sub ($n) {
        my @all = map { $w->client(port => $w->port('tls')) } 1 .. 4;
        sleep 0.1;
        $_->send("PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n") for @all;
        sleep 0.1;
        pop(@all)->close;
        for my $client (@all) {
            my $tls = bless($client, 'Weir::TlsClient')->secure;
            $tls->handshake;
            $tls->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")->read_response->body =~ /^generation/ or die "TLS\n";
            $tls->close;
        }
    }),
);
my $until   = time + $seconds;
my $reloads = 0;
while (time < $until) {
    $w->reload($conf->(++$reloads));
    sleep 0.02;
}
$w->pass('stop');
for my $kind (sort keys %kind) {
    my (undef, $said) = $kind{$kind}->(60);
    like $said, qr/^rounds [1-9]/m, "$kind: " . $said =~ s/\s+$//r;
}
like $w->get('/')->body, qr/^generation $reloads$/, "$reloads reloads, the same worker serves";

done_testing;
