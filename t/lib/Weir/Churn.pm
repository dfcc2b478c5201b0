# Weir::Churn - a configuration of many servers of which one changes at a time, and clients of all kinds that must not notice.
#
#     my $churn = Weir::Churn->new($w, servers => 1000);      # builds t/bench/churn.c, starts the origins
#     $w->conf($churn->text);
#     $churn->start(websockets => 200, clients => 50);        # returns when all are connected
#     $churn->phase('quiet', 5);                              # nothing changes for so many seconds
#     $churn->phase('churn', 15, sub ($n) { $w->reload($churn->change->text) });      # each second
#     $churn->end;                                            # asserts that nobody noticed
package Weir::Churn;
use v5.36;

use JSON::PP ();
use IPC::Open2 ();
use Test::More ();
use Time::HiRes qw(time sleep);
use Weir::Grpc;
use Weir::Test;

# w, connections => of a worker, servers => so many, hosts => so many of them are asked, more => text for http
sub new ($class, $w, %arg) {
    Weir::Test::needs('gcc');
    my $self = bless { w => $w, servers => $arg{servers}, hosts => $arg{hosts} // 60, more => $arg{more} // '', connections => $arg{connections} // 4096, versions => {}, n => 0, log => [] }, $class;
    my $tool = $w->dir . '/churn';
    system('gcc', qw(-std=gnu11 -O2 -o), $tool, 't/bench/churn.c') == 0 or die "t/bench/churn.c cannot be built\n";
    $self->{tool} = $tool;
    $w->background($tool, 'serve', $w->port('origin'));
    $self->{has_grpc} = -x '/usr/bin/python3' && system("/usr/bin/python3 -c 'import grpc' 2>/dev/null") == 0;
    $self->{grpc} = $self->{has_grpc} ? Weir::Grpc::server($w) : '127.0.0.1:1';
    # What is long under way: an answer that never ends, a body that never ends.
    my $stop = $self->{stop} = $w->dir . '/barrier.stop';
    $self->{long} = $w->origin(sub ($c) {
        $c->{deadline} = 3600;
        if ($c->request->method eq 'POST') {
            $c->read_body;
            return $c->reply(200, length($c->request->body) . ' ' . unpack('%32C*', $c->request->body));
        }
        $c->raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (my $n = 0; !-e $stop; $n++) {
            $c->raw(sprintf "%x\r\n%s\r\n", 1024, sprintf '%01024d', $n) or return;
            sleep 0.02;
        }
        $c->raw("0\r\n\r\n");
    }, body => 0);
    return $self;
}

# One server (each other time one that is asked), its route or its upstream is another one now.
sub change ($self) {
    my $n = ++$self->{n};
    $self->{versions}{ $n * 7 % ($n % 2 ? $self->{hosts} : $self->{servers}) } = $n;
    return $self;
}

sub text ($self) {
    my $origin = '127.0.0.1:%%PORT_origin%%';
    my $text   = <<"END";
    events { worker_connections $self->{connections}; }
    http {
    access_log logs/access.log combined buffer=64k flush=1s;
    keepalive_requests 1000000000; keepalive_timeout 1h;
    proxy_read_timeout 1h; proxy_send_timeout 1h; client_body_timeout 1h; send_timeout 1h;
    http2 on;
    $self->{more}
    server { server_name grpc; location / { grpc_pass grpc://$self->{grpc}; grpc_read_timeout 1h; grpc_send_timeout 1h; client_max_body_size 0; } }
    server { server_name long; location / { proxy_pass http://$self->{long}; proxy_buffering off; proxy_request_buffering off; client_max_body_size 0; } }
    server { listen 127.0.0.1:%%PORT_look%%; location / { status; } }
END
    for my $k (0 .. $self->{servers} - 1) {
        my $v = $self->{versions}{$k} // 0;
        my ($keep, $route, $header) = (2, '', '');
        $keep   = 2 + $v % 2                                          if $v % 3 == 0;
        $route  = "location /v$v { return 200 '$v'; }"                if $v % 3 == 1;
        $header = "proxy_set_header X-Version $v;"                    if $v % 3 == 2;
        $text .= "upstream u$k { server $origin max_fails=0; keepalive $keep; keepalive_requests 1000000000; }\n"
            . "server { server_name h$k; $route location / { proxy_pass http://u$k; $header } location /a { return 204; }"
            . ($k ? '' : ' location /ws { proxy_pass http://u0; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }')
            . " }\n";
    }
    return "$text}\n";
}

# websockets, clients; requests and messages a second; seconds that all will take at most
sub start ($self, %arg) {
    my $w = $self->{w};
    my ($port, $stop) = ($w->port, $self->{stop});
    $w->start;
    $self->{load_pid} = IPC::Open2::open2($self->{said}, $self->{say}, $self->{tool}, 'load', $port, $arg{websockets}, $arg{clients},
        $arg{requests} // 200, $arg{messages} // 200, $self->{hosts});
    my $open = readline $self->{said};
    die "the clients could not connect\n" unless defined $open && $open eq "open\n";
    $self->{h2load} = $w->background('h2load', '-D', $arg{seconds}, '-c', 8, '-m', 4, '--rps', 10, '-H', ':authority: h1', "http://127.0.0.1:$port/r/h2")
        if grep { -x "$_/h2load" } split /:/, $ENV{PATH};
    $self->{chat} = $w->background('/usr/bin/python3', 't/lib/grpc/call.py', "127.0.0.1:$port", 'chat', $stop) if $self->{has_grpc};
    $self->{download} = $w->child(sub {
        my $c = $w->client;
        $c->{deadline} = 60;
        $c->send_request('GET', '/', host => 'long');
        my $answer = $c->read_response;
        my $body   = $answer->body;
        for (my $n = 0; length $body; $n++) {
            substr($body, 0, 1024, '') eq sprintf '%01024d', $n or die "piece $n is another\n";
        }
        print STDERR 'download right ' . length($answer->body) . "\n";
    });
    $self->{upload} = $w->child(sub {
        my $c = $w->client;
        my ($sum, $n) = (0, 0);
        $c->send("POST / HTTP/1.1\r\nHost: long\r\nTransfer-Encoding: chunked\r\n\r\n");
        until (-e $stop) {
            my $piece = chr(65 + $n % 26) x 1000;
            $c->write(sprintf "%x\r\n%s\r\n", length $piece, $piece) or die "the upload was cut after $n\n";
            $sum = ($sum + unpack '%32C*', $piece) % 2**32;
            $n += length $piece;
            sleep 0.02;
        }
        my $answer = $c->send("0\r\n\r\n")->read_response;
        $answer->body eq "$n $sum" or die "the upload came as " . $answer->body . " and was $n $sum\n";
        print STDERR "upload right $n\n";
    });
    $w->wait_until('the download and the upload are under way', sub { $self->{long}->requests >= 2 });
    return $self;
}

sub workers ($self) {
    my $w    = $self->{w};
    my $look = $w->client(port => 'look');
    my $said = JSON::PP::decode_json($look->get('/')->body)->{workers};
    $look->close;
    return @$said;
}

sub descriptors ($self) {
    my $n = 0;
    for my $pid ($self->{w}->workers) {
        opendir my $dir, "/proc/$pid/fd" or next;
        $n += grep { /^\d/ } readdir $dir;
    }
    return $n;
}

sub cpu ($self) {
    my $ticks = 0;
    for my $pid ($self->{w}->pid, $self->{w}->workers) {
        my @f = split ' ', Weir::Server::slurp("/proc/$pid/stat") =~ s/^.*\) //r;
        $ticks += $f[11] + $f[12];
    }
    return $ticks / 100;
}

# What was measured: { requests => { n, p50, p99, p999, max }, messages => …, errors, renewed, generations => the most, when the next change is due,
# memory => [ KiB then ], descriptors => [ … ], cpu => seconds, of all processes of Weir }
sub phase ($self, $name, $seconds, $change = undef) {
    my %is = (changes => 0, generations => 0, memory => [], descriptors => [], took => 0);
    print { $self->{say} } "$name\n";
    $self->{say}->flush;
    $self->_read_phase;
    my ($until, $cpu, $next) = (time + $seconds, $self->cpu, time);
    while (time < $until) {
        my $began = time;
        if ($change) {
            $change->(++$is{changes});
            $is{took} = time - $began if time - $began > $is{took};
        }
        $next += 1;
        $next = time + 0.2 if $next < time + 0.2;     # what takes a second by itself still has a pause behind it
        sleep $next - time;
        for my $worker ($self->workers) { $is{generations} = $worker->{generations} if $worker->{generations} > $is{generations} }
        push $is{memory}->@*, $self->{w}->memory;
        push $is{descriptors}->@*, $self->descriptors;
    }
    $is{cpu} = $self->cpu - $cpu;
    print { $self->{say} } "rest\n";
    $self->{say}->flush;
    return { %is, $self->_read_phase };
}

sub _read_phase ($self) {
    my $line = readline($self->{said}) // die "the clients have ended\n";
    chomp $line;
    push $self->{log}->@*, $line;
    my ($requests, $messages, $rest) = $line =~ /: (requests .*) (messages .*) (renewed .*)$/ or die "what is that: $line\n";
    my $pairs = sub ($text) { $text =~ s/^\w+ /n /r =~ s/renewed//r };
    my %of = map { split ' ' } $rest;
    $of{$1} = $2 while $rest =~ /(\w+) (\d+)/g;
    $of{requests} = { $pairs->($requests) =~ /(\w+) (\d+)/g };
    $of{messages} = { $pairs->($messages) =~ /(\w+) (\d+)/g };
    return %of;
}

# All clients end, and none has noticed anything.
sub end ($self) {
    my $w = $self->{w};
    $w->pass('stop');
    for my $what (qw(download upload)) {
        my (undef, $said) = $self->{$what}->(60);
        Test::More::like($said, qr/^$what right [1-9]/m, "the $what that was under way all the time: " . $said =~ s/\s+$//r);
    }
    if ($self->{chat}) {
        my (undef, $said) = $self->{chat}->(60);
        Test::More::like($said, qr/^chat [1-9]\d* right\nstatus OK/m, 'so was a call of gRPC: ' . $said =~ s/\n.*//sr);
    }
    if ($self->{h2load}) {
        my (undef, $said) = $self->{h2load}->(600);
        Test::More::like($said, qr/, 0 failed, 0 errored, 0 timeout$/m, 'HTTP/2: ' . ($said =~ /^(requests: .*)$/m)[0]);
        Test::More::like($said, qr/^status codes: [1-9]\d* 2xx, 0 3xx, 0 4xx, 0 5xx$/m, 'each answered');
    }
    close $self->{say};
    1 while readline $self->{said};
    waitpid $self->{load_pid}, 0;
    Test::More::is($?, 0, 'the clients end well');
    Test::More::note($_) for $self->{log}->@*;
    $w->wait_until('old configurations have gone', sub { !grep { $_->{generations} != 1 } $self->workers });
    return $self;
}

1;
