# `weir explain` says of 2,500 requests where they go, and they go there: generated servers, routes and locations, each of which answers with its
# own name or asks an origin that tells what it was asked; of the file, and of the running instance.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $seed = $ENV{WEIR_SEED} // 18;
srand $seed;
note "WEIR_SEED=$seed";
my $w      = Weir::Test->new('explain agrees with what is done')->needs_weir;
my $origin = $w->origin(sub ($c) { $c->reply(200, 'asked ' . $c->request->method . ' ' . $c->request->target) });
my $port   = $w->port('main');
my $one    = sub (@of) { $of[ rand @of ] };
my $path   = sub { join '', map { '/' . $one->(qw(a b c aa)) } 1 .. 1 + int rand 3 };

# A route's line; undef: such a one is there already.
my %said;
my $line = sub {
    my $what = $one->(0 .. 4);
    my $text = $what == 0 ? 'path=' . $path->() : $what == 1 ? 'path_prefix=' . $path->()
        : $what == 2 ? 'path_template=' . ($path->() =~ s!/(b|aa)!'/{x' . $1 . '}'!ger) : $what == 3 ? 'path_regex=' . $path->() . '(/[a-c]+)?' : 'path_prefix=/';
    $text =~ s/path_template=(?=[^{]*\z)/path=/;           # without a capture it is the same
    return if $text =~ m!(\{\w+\}).*\1!;
    $text .= ' method=' . $one->('GET', 'POST', 'GET|PUT')         if rand() < 0.3;
    $text .= ' header:X-K' . $one->('', '=1', '~^[12]$')           if rand() < 0.3;
    $text .= ' query:q' . $one->('', '=1', '=2')                   if rand() < 0.25;
    $text .= ' cookie:c=1'                                         if rand() < 0.15;
    $text .= ' host=' . $one->('s1.example', '*.s2.example')       if rand() < 0.2;
    return "match $text;";
};
my $say = sub ($name) { rand() < 0.2 ? "proxy_pass http://$origin" . $one->('', '/to', '/to/') . ';' : "return 200 \"$name\";" };
my $server = sub ($n) {
    my ($text, %route, %location) = ("listen 127.0.0.1:$port; server_name " . $one->("s$n.example", "s$n.example *.s$n.example", ".s$n.example", "~^s${n}[.].*") . ";\n");
    $text .= "host_fallthrough on;\n"                              if rand() < 0.3;
    $text .= 'rewrite ^/c(/.*)$ /a$1' . $one->('', ' last', ' break') . ";\n" if rand() < 0.5;
    $text .= "if (\$arg_q = 2) { rewrite ^ /b/aa; }\n"              if rand() < 0.5;
    for my $i (1 .. 12) {
        my @lines = grep { defined && !$said{ "$n $_" =~ s!\{\w+\}!{}!gr }++ } map { $line->() } 1 .. 1 + int rand 2;
        next unless @lines;
        my $does = "return 200 \"s$n route r$i\";";
        $does = "proxy_pass http://$origin;" if rand() < 0.2;
        $does .= ' rewrite_prefix /a /z;' if $does =~ /proxy/ && "@lines" !~ /template|regex/ && rand() < 0.4;
        $text .= "route r$i { @lines $does }\n";
    }
    for my $i (1 .. 14) {
        my $name = $one->('', '', '= ', '^~ ', '~ ', '~* ');
        $name .= $name =~ /~ $|\* $/ && $name !~ /\^/ ? '^' . $path->() : $path->() . $one->('', '/');
        next if $location{ $name =~ s/\^~ //r }++;
        my $does = $name =~ /^~/ ? "return 200 \"s$n location $name\";" : $say->("s$n location $name");
        $does = "if (\$http_x_k = 2) { return 200 \"s$n location $name\"; } $does" if rand() < 0.15;
        $does = "limit_except GET { deny all; } $does" if rand() < 0.1;
        $text .= "location $name { $does }\n";
    }
    $text .= "location / { return 200 \"s$n location /\"; }\n" if rand() < 0.7 && !$location{'/'};
    return "server {\n$text}\n";
};
$w->conf("server_tokens off;\n" . join('', map { $server->($_) } 1 .. 5), workers => 1);
my ($code, $said) = $w->run('-t', '-p', $w->dir . '/', '-c', 'conf/weir.conf');
is $code, 0, 'the generated configuration is good' or BAIL_OUT($said);
$w->start;

my @requests = map {
    my %r = (method => $one->(qw(GET GET GET POST PUT HEAD DELETE)), host => $one->(map { ("s$_.example", "x.s$_.example") } 1 .. 6), path => $path->());
    $r{path} .= $one->('', '', '', '/', '//a', '/./b', '/../c', '/%61', '/%2e%2e', '/%zz', '/%2f', '?q=1', '?q=2', '?q', '?q=%31&x');
    $r{headers} = [];
    push $r{headers}->@*, 'X-K', $one->(1, 2, 3) if rand() < 0.4;
    push $r{headers}->@*, 'Cookie', 'b=2; c=' . $one->(1, 2) if rand() < 0.3;
    \%r;
} 1 .. 2500;
$w->write_file('requests', join '', map {
    my @h = $_->{headers}->@*;
    my @f;
    push @f, "\t$h[$_ * 2]: $h[$_ * 2 + 1]" for 0 .. @h / 2 - 1;
    "$_->{method} http://$_->{host}:$port$_->{path}@f\n" =~ s/ \t/\t/gr;
} @requests);

my $client = $w->client(port => 'main');
my @live = map {
    my $r = $_;
    my $answer = $client->send_request($r->{method}, $r->{path}, host => "$r->{host}:$port", headers => $r->{headers}, $r->{method} =~ /POST|PUT/ ? (body => '') : ())
        ->read_response(method => $r->{method});
    $client = $w->client(port => 'main') unless $answer->is_kept;
    $answer;
} @requests;

# What explain says would be seen: the body, or a status.
my $expected = sub ($facts) {
    my $outcome = $facts->{outcome};
    return 'no place' if $outcome eq 'unrouted';
    return $facts->{answer}{status} if $outcome eq 'refused' || ($facts->{answer} // { status => 200 })->{status} != 200;
    return "asked $facts->{target}{method} $facts->{target}{target}" if $outcome eq 'passed';
    my ($place) = grep { $facts->{$_} } qw(route location);
    my $at = "$facts->{server}{line} $facts->{server}{name}";
    my ($n) = $at =~ /s(\d)/;
    return "s$n $place $facts->{$place}{name}";
};
for my $way ([ 'the file' ], [ 'the running instance', '--live' ]) {
    my ($what, @option) = @$way;
    my ($rc, $text) = $w->command(60, 'sh', '-c', 'exec "$0" "$@" < ' . $w->dir . '/requests', $w->bin, '-p', $w->dir . '/', '-c', 'conf/weir.conf', '-e', 'stderr', 'explain', '-', '--json', '--ip', '127.0.0.1', @option);
    is $rc, 3, "$what: the worst of them is refused";
    my @lines = split /\n/, $text;
    is scalar @lines, scalar @requests, 'each has its answer' or BAIL_OUT(substr $text, 0, 2000);
    my (%seen, @wrong);
    for my $i (0 .. $#requests) {
        my $facts = Weir::Json::decode($lines[$i]);
        my ($answer, $expect) = ($live[$i], $expected->($facts));
        $expect = $answer->status if $expect eq 'no place' && $answer->status =~ /^40[345]$/;     # of files that are not there
        my $got = $answer->status != 200 ? $answer->status : $requests[$i]{method} eq 'HEAD' ? undef : $answer->body;
        $seen{ $facts->{outcome} }++;
        next if (!defined $got && $expect !~ /^\d+$/) || (defined $got && $got eq $expect);
        push @wrong, "$requests[$i]{method} $requests[$i]{host} $requests[$i]{path} (@{ $requests[$i]{headers} }): " . ($got // 'HEAD') . " is not $expect\n$lines[$i]";
    }
    is scalar @wrong, 0, "explain of $what agrees" or diag join "\n", @wrong[ 0 .. ($#wrong > 5 ? 5 : $#wrong) ];
    cmp_ok $seen{$_} // 0, '>', 20, "$_ is among them" for qw(passed answered refused);
}
done_testing;
