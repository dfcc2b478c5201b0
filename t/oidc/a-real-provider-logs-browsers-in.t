# npm's oidc-provider, which is certified: its own pages of login and consent, PKCE that it insists on, refresh tokens that it takes once, its logout.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Oidc;

my ($modules) = grep { -d "$_/oidc-provider" } map { "$_/node_modules" } 'objs/test/node', split /:/, $ENV{WEIR_NODE} // '';
plan(skip_all => 'oidc-provider is not here: scripts/test installs it with npm') unless $modules;
plan(skip_all => 'there is no node') unless grep { -x "$_/node" } split /:/, $ENV{PATH};
my $w = Weir::Test->new('a real provider logs browsers in');
$w->needs_weir;
$w->time_limit(120);
$w->background('node', 't/lib/oidc/provider.mjs', $modules, 'http://localhost/oidc_callback', 'http://localhost/bye');
my $port;
$w->wait_until('the provider serves', sub { ($port) = Weir::Server::slurp($w->dir . '/background.1') =~ /^port (\d+)/m });
$w->conf(<<"END", workers => 2);
    oidc_provider real {
        issuer http://127.0.0.1:$port; client_id weir; client_secret "a secret of thirty-two characters";
        scope openid email; logout_uri /logout; post_logout_uri /bye; logout_token_hint on;
    }
    server {
        auth_oidc real;
        location / { add_header X-Sub "\$oidc_claim_sub|\$oidc_claim_email"; add_header X-Token \$oidc_access_token; empty_gif; }
        location /bye { auth_oidc off; return 200 bye; }
    }
END
my ($b, %jar) = Weir::Oidc::Browser->new($w);
my $at_provider = sub ($method, $target, $body = undef) {
    my @headers = (%jar ? (Cookie => join '; ', map { "$_=$jar{$_}" } sort keys %jar) : (), defined $body ? ('Content-Type', 'application/x-www-form-urlencoded') : ());
    my $answer = $w->request($method, $target, port => $port, host => "127.0.0.1:$port", headers => \@headers, defined $body ? (body => $body) : ());
    for my $field ($answer->header('Set-Cookie')) {
        my ($name, $value) = $field =~ /^([^=]+)=([^;]*)/;
        $value eq '' ? delete $jar{$name} : ($jar{$name} = $value);
    }
    return $answer;
};
# Its pages, with their forms sent, until it sends the browser back.
my $through = sub ($location, %form) {
    for (1 .. 20) {
        return $location if $location =~ m{^http://localhost/};
        my $answer = $at_provider->('GET', $location =~ s{^http://127\.0\.0\.1:\d+}{}r);
        unless ($answer->status =~ /^30/) {
            my ($action) = $answer->body =~ /<form[^>]* action="([^"]+)"/ or die $answer->status . ' ' . $answer->body;
            my %fields = %form;
            for my $input ($answer->body =~ /(<input[^>]+>)/g) {
                my ($name)  = $input =~ /name="([^"]+)"/ or next;
                my ($value) = $input =~ /value="([^"]*)"/;
                $fields{$name} //= $value // '';
            }
            $answer = $at_provider->('POST', $action =~ s{^http://127\.0\.0\.1:\d+}{}r, join '&', map { "$_=" . Weir::Oidc::escape($fields{$_}) } sort keys %fields);
        }
        $location = $answer->header('Location') or die 'no way on: ' . $answer->status . ' ' . $answer->body;
    }
    die 'it goes round and round';
};
my $back = $through->(scalar $b->get('/page?x=1')->header('Location'), login => 'berta', password => 'x');
my $answer = $b->get(Weir::Oidc::Browser::path_of($back));
is $answer->status . ' ' . $answer->header('Location'), '302 http://localhost/page?x=1', 'in, and on to the page';
$answer = $b->get('/page?x=1');
is $answer->header('X-Sub'), 'berta|berta@example.org', 'who it is';
my $first = $answer->header('X-Token');
ok length $first, 'an access token';

# The token ends after three seconds: it is changed, again and again, and each refresh token once.
my %seen = ($first => 1);
for my $n (1 .. 2) {
    $w->wait_until('another access token', sub {
        my @children = map { $w->child(sub { my $mine = $b->clone; my $a = $mine->get('/'); print STDERR join ' ', $a->status, $a->header('X-Token') // '', $mine->session }) } 1 .. 3;
        my @told = map { ($_->(20))[1] } @children;
        my ($status, $token, $session) = split / /, $told[0];
        is $status, 200, 'in all the time' if $status ne '200';
        return 0 if grep { /^\S+ (\S+)/ && $1 ne $token } @told;
        $b->jar->{weir_oidc_real} = $session;
        return !$seen{$token}++;
    });
}
is scalar(keys %seen), 3, 'two refreshes, with three requests at a time';
is $b->get('/')->header('X-Sub'), 'berta|berta@example.org', 'the same user';

my $out = $b->get('/logout');
is $out->status, 302, 'logout';
my $bye = $through->(scalar $out->header('Location'), logout => 'yes');
like $bye, qr{^http://localhost/bye}, 'the provider sends the browser back';
is $b->get('/')->status, 302, 'out here';
my $again = $at_provider->('GET', $b->get('/')->header('Location') =~ s{^http://127\.0\.0\.1:\d+}{}r);
like $again->header('Location'), qr{/interaction/}, 'and there';
done_testing;
