use v5.36;
use lib 't/lib';
use Weir::Test;

use Weir::Cert;
use Weir::Tls;

# What was verified, or not, for one server counts for it alone.
my $w     = Weir::Test->new('a session goes to no server of another policy');
my $ca    = Weir::Cert->ca($w, 'clients');
my $other = Weir::Cert->ca($w, 'others');
my $alice = $ca->issue('alice', for => 'client');
my $own   = Weir::Cert->ca($w, 'servers')->issue('localhost');
my $block = sub ($name, $more) {
    "server { listen 127.0.0.1:%%PORT%% ssl; server_name $name; $more location / { return 200 '$name \$ssl_session_reused \$ssl_client_verify'; } }\n" };
my $text = sub ($session) {
    "ssl_certificate $own->{cert}; ssl_certificate_key $own->{key}; $session"
    . $block->('open.example', '') . $block->('open2.example', '')
    . $block->('closed.example', "ssl_verify_client on; ssl_client_certificate $ca->{cert};")
    . $block->('deeper.example', "ssl_verify_client on; ssl_verify_depth 5; ssl_client_certificate $ca->{cert};")
    . $block->('strange.example', "ssl_verify_client on; ssl_client_certificate $other->{cert};") };
$w->conf($text->(''));

sub ask ($w, $sni, $host, %arg) {
    my $c = Weir::Tls::client($w, sni => $sni, %arg);
    my $answer = $c->send_request('GET', '/', host => $host)->read_response;
    return ($answer->status, $answer->body, $c->session, $c->was_resumed);
}

for my $version (qw(TLSv1_2 TLSv1_3)) {
    for my $session ('', 'ssl_session_tickets off; ssl_session_cache shared:x:1m;') {
        $w->reload($text->($session));
        my $how = "$version " . ($session ? 'cache' : 'tickets');
        my ($status, $body, $kept) = ask($w, 'open.example', 'open.example', version => $version);
        is $body, 'open.example . NONE', "$how: a session with an open server";
        ($status, $body, undef, my $resumed) = ask($w, 'open.example', 'open.example', version => $version, session => $kept);
        is $resumed, 1, "$how: goes on there";
        ($status, $body, undef, $resumed) = ask($w, 'closed.example', 'closed.example', version => $version, session => $kept);
        is "$status $resumed", '400 0', "$how: but not with one that asks for certificates";
        ($status, $body, $kept) = ask($w, 'closed.example', 'closed.example', version => $version, cert => $alice);
        is $body, 'closed.example . SUCCESS', "$how: a session with a certificate";
        ($status, $body, undef, $resumed) = ask($w, 'closed.example', 'closed.example', version => $version, session => $kept);
        is "$status $resumed $body", '200 1 closed.example r SUCCESS', "$how: goes on there";
        for my $name (qw(deeper.example strange.example open2.example)) {
            ($status, $body, undef, $resumed) = ask($w, $name, $name, version => $version, session => $kept);
            is $resumed, 0, "$how: not at $name, which asks something else";
        }
    }
}
my ($status) = ask($w, 'open.example', 'closed.example');
is $status, 421, 'nor does a request by its Host';
($status) = ask($w, 'closed.example', 'open.example', cert => $alice);
is $status, 421, 'neither way';
($status, my $body) = ask($w, 'open.example', 'open2.example');
is $body, 'open2.example . NONE', 'servers of one policy share connections';
ok $w->wait_for_log(qr/cause: client\.misdirected/), 'the log has the cause';

done_testing;
