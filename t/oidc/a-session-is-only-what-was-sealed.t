# Cookies under attack: bits, pieces, other sessions' pieces, other providers, old keys, many cookies, times.  None is a session; none is an error.
use v5.36;
use lib 't/lib';
use Weir::Test;
use Weir::Oidc;

my $w = Weir::Test->new('a session is only what was sealed');
$w->needs_weir;
$w->time_limit(120);
$w->allow_log(qr/auth\.oidc/);
my $op = Weir::Oidc->new($w);
my $keys = sub (@keys) { mkdir $w->dir . '/conf'; open my $out, '>', $w->dir . '/conf/keys' or die $!; print $out "# first seals\n", map { "$_\n" } @keys; close $out };
my ($k1, $k2, $k3) = map { $_ x 40 } qw(a b c);
my $conf = sub ($more = '') { <<"END" };
    oidc_provider op { @{[ $op->lines("session_key_file keys; cookie_max_size 30k; $more") ]} }
    oidc_provider two { @{[ $op->lines('session_key_file keys; redirect_uri /two/cb;') ]} }
    oidc_provider same { @{[ $op->lines('session_key_file keys; redirect_uri /same/cb; cookie_name own;') =~ s/client_id weir/client_id weir2/r ]} }
    server {
        large_client_header_buffers 8 64k;
        location / { auth_oidc op; add_header X-Sub \$oidc_claim_sub; empty_gif; }
        location /two { auth_oidc two; add_header X-Sub \$oidc_claim_sub; empty_gif; }
        location /same { auth_oidc same; add_header X-Sub \$oidc_claim_sub; empty_gif; }
    }
END
$keys->($k1);
$w->conf($conf->(), workers => 2);
my $with = sub ($path, %jar) { my $b = Weir::Oidc::Browser->new($w, jar => {%jar}); $b->get($path) };
my $is_in = sub ($what, %jar) { is $with->('/', %jar)->header('X-Sub'), 'alice', $what };
my $is_out = sub ($what, %jar) { is $with->('/', %jar)->status, 302, $what };

my $b = Weir::Oidc::Browser->new($w);
$b->login;
my $small = $b->jar->{weir_oidc_op};
$is_in->('a session', weir_oidc_op => $small);
my $bad = 0;
for my $at (0 .. 39, map { int rand length $small } 1 .. 160) {
    my $torn = $small;
    substr($torn, $at, 1) = substr($torn, $at, 1) eq 'A' ? 'B' : 'A';
    $bad++ if $with->('/', weir_oidc_op => $torn)->status != 302;
}
is $bad, 0, 'one character is another, at 200 places';
$bad = 0;
for my $len (0 .. 20, map { int rand length $small } 1 .. 60) {
    $bad++ if $with->('/', weir_oidc_op => substr $small, 0, $len)->status != 302;
}
is $bad, 0, 'it is shorter, by 80 lengths';
$is_out->('longer', weir_oidc_op => $small . 'A');
$is_out->('of two pieces', weir_oidc_op => $small =~ s/^1/2/r);
$is_out->('of none', weir_oidc_op => $small =~ s/^1/0/r);
is $with->('/two', weir_oidc_two => $small)->status, 302, 'of another provider';
is $with->('/same', own => $small)->status, 302, 'of another client of the same provider';
my ($login) = do { my $new = Weir::Oidc::Browser->new($w); $new->begin('/'); values $new->jar->%* };
$is_out->('a login is no session', weir_oidc_op => "1.$login");
is $w->request('GET', '/', headers => [ Cookie => "weir_oidc_op=$small; weir_oidc_op=$small" ])->status, 302, 'two of one name are none';
is $w->request('GET', '/', headers => [ Cookie => "x=1; ;; =; weir_oidc_op=$small;" ])->status, 200, 'whatever stands around it';

# Large ones.
$op->set(access => 'x' x 9000);
my ($c, $d) = map { my $one = Weir::Oidc::Browser->new($w); $one->login; $one } 1, 2;
is join(' ', sort keys $c->jar->%*), 'weir_oidc_op weir_oidc_op.1 weir_oidc_op.2 weir_oidc_op.3', 'a large session has pieces';
ok !(grep { length > 3850 } values $c->jar->%*), 'of which browsers keep each';
my %c = $c->jar->%*;
$is_in->('all of them', %c);
for my $piece (sort keys %c) {
    my %less = %c;
    delete $less{$piece};
    $is_out->("without $piece", %less);
    $is_out->("with another session's $piece", %c, $piece => $d->jar->{$piece});
}
$is_out->('two pieces changed places', %c, 'weir_oidc_op.1' => $c{'weir_oidc_op.2'}, 'weir_oidc_op.2' => $c{'weir_oidc_op.1'});
$is_in->('a piece that is none of it', %c, 'weir_oidc_op.7' => 'x');
$op->set(access => undef);
my $smaller = Weir::Oidc::Browser->new($w, jar => {%c, x => 1});
$smaller->jar->{'weir_oidc_op.1'} = 'x';
$smaller->login;
is join(' ', sort keys $smaller->jar->%*), 'weir_oidc_op x', 'a smaller session takes the place of a larger one whole';
is $w->request('GET', '/', headers => [ map { (Cookie => "c$_=" . 'v' x 20) } 1 .. 99 ])->status, 302, 'a hundred fields';
is $w->request('GET', '/', headers => [ Cookie => join('; ', (map { "c$_=v" } 1 .. 1000), "weir_oidc_op=$small", map { "weir_oidc_op-login.$_=v" } 1 .. 1000) ])->status, 200, 'two thousand cookies';
my $many = $w->request('GET', '/', headers => [ Cookie => join '; ', map { "weir_oidc_op-login.$_=v" } 1 .. 1000 ]);
is $many->status, 302, 'a thousand logins';
cmp_ok scalar(my @set = $many->header('Set-Cookie')), '<=', 64, 'are not answered by as many cookies';

# Keys.
$keys->($k2, $k1);
$w->reload($conf->());
my $old = Weir::Oidc::Browser->new($w, jar => { weir_oidc_op => $small });
is $old->get('/')->header('X-Sub'), 'alice', 'a new key in front: sessions of the one before are good';
isnt $old->jar->{weir_oidc_op}, $small, 'and get the new one';
$keys->($k2);
$w->reload($conf->());
$is_out->('the key is gone, and what it sealed', weir_oidc_op => $small);
$is_in->('what the new one sealed is good', $old->jar->%*);
$keys->($k3);
$w->reload($conf->());
$is_out->('all keys are others', $old->jar->%*);

# Times.
$keys->($k2);
$w->reload($conf->('session_timeout 2s;'));
my $idle = Weir::Oidc::Browser->new($w);
$idle->login;
my %was = $idle->jar->%*;
$w->wait_until('its use is noted', sub { $idle->get('/')->status == 200 && $idle->jar->{weir_oidc_op} ne $was{weir_oidc_op} });
$w->wait_until('who does nothing for session_timeout is out', sub { $with->('/', %was)->status == 302 });
$w->reload($conf->('session_lifetime 2s;'));
my $long = Weir::Oidc::Browser->new($w);
$long->login;
$w->wait_until('session_lifetime ends it in any case', sub { $long->get('/')->status == 302 });
pass 'times';
done_testing;
