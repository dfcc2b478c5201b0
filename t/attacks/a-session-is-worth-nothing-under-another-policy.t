# A session made where no certificate is asked for, or another, is not resumed where one is: as a ticket, by its id, in both
# versions. And a request is not carried over by its Host.
use v5.36;
use lib 't/lib';
use Weir::Pki;
use Weir::Test;
use Weir::TlsClient;

my $w     = Weir::Test->new('a session is worth nothing under another policy');
my $root  = Weir::Pki->authority($w, 'root');
my $other = Weir::Pki->authority($w, 'other');
my $site  = $root->server('*.example.com');
my $alice = $root->client('alice');
my $oscar = $other->client('oscar');

my %servers = (
    open     => '',
    open2    => '',
    on       => "ssl_verify_client on; ssl_client_certificate $root;",
    on2      => "ssl_verify_client on; ssl_trusted_certificate $root;",
    deep     => "ssl_verify_client on; ssl_client_certificate $root; ssl_verify_depth 3;",
    others   => "ssl_verify_client on; ssl_client_certificate $other;",
    optional => "ssl_verify_client optional; ssl_client_certificate $root;",
    crl      => "ssl_verify_client on; ssl_client_certificate $root; ssl_crl @{[ $root->crl ]};",
    any      => "ssl_verify_client optional_no_ca;",
);
my %cert  = (open => undef, open2 => undef, others => $oscar);
my $text  = '';
for my $port ('', '_cache') {
    my $sessions = $port ? 'ssl_session_tickets off; ssl_session_cache shared:s:1m;' : '';
    $text .= "server { listen 127.0.0.1:%%PORT$port%% ssl; server_name $_.example.com; @{[ $site->conf ]} $sessions $servers{$_}
        location / { return 200 '$_ \$ssl_client_verify \$ssl_session_reused'; } }\n" for sort keys %servers;
}
$w->conf($text, workers => 1);

my $visit = sub ($server, %arg) {
    my $cert   = exists $arg{cert} ? delete $arg{cert} : exists $cert{$server} ? $cert{$server} : $alice;
    my $client = $w->tls(name => "$server.example.com", ($cert ? (cert => $cert) : ()), %arg);
    my $answer = $client->send_request('GET', '/', host => "$server.example.com")->read_response;
    my $session = $client->session;
    my $resumed = $client->was_resumed;
    $client->close;
    return ($session, $resumed, $answer->status, $answer->body);
};

for my $way ([ 'TLSv1.3', '' ], [ 'TLSv1.2', '' ], [ 'TLSv1.3', 'cache' ], [ 'TLSv1.2', 'cache' ]) {
    my ($version, $port) = @$way;
    my $how = "$version, " . ($port ? 'by the cache' : 'tickets');
    for my $from (sort keys %servers) {
        my ($session, undef, $status) = $visit->($from, version => $version, port => $port);
        my (undef, $again) = $visit->($from, version => $version, port => $port, session => $session);
        is $again, 1, "$how: $from resumes its own" or diag $status;
        my @carried;
        for my $to (grep { $_ ne $from } sort keys %servers) {
            my ($session) = $visit->($from, version => $version, port => $port);
            my (undef, $resumed, $status, $body) = $visit->($to, version => $version, port => $port, session => $session, cert => undef);
            my $same = "$from $to" =~ /^open2? open2?$/;
            push @carried, "$to: resumed" if $resumed && !$same;
            push @carried, "$to: not resumed, though the same" if $same && !$resumed;
            push @carried, "$to: status $status" if $servers{$to} =~ /client on/ && $status != 400;
            push @carried, "$to: $body" if $status == 200 && $body =~ /SUCCESS/;
        }
        is "@carried", '', "$how: a session of $from opens nothing elsewhere";
    }
}

# The connection's name is not the request's.
my @wrong;
for my $name (sort keys %servers) {
    my $cert = exists $cert{$name} ? $cert{$name} : $alice;
    for my $host (sort keys %servers) {
        my $client = $w->tls(name => "$name.example.com", ($cert ? (cert => $cert) : ()));
        my $status = $client->send_request('GET', '/', host => "$host.example.com")->read_response->status;
        $client->close;
        my $want = $name eq $host || "$name $host" =~ /^open2? open2?$/ ? 200 : 421;
        push @wrong, "$name for $host: $status" if $status != $want;
    }
}
is "@wrong", '', 'a request for a server of another policy is misdirected (421)';

done_testing;
