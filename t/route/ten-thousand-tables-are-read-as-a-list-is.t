# 10,000 tables of routes, made at random, each a server of its own, and requests for them: each is taken by the route that a matcher says
# which looks through the whole list, written from the manual and not from the program; and `weir explain` of the running instance, and of its file,
# names that route, too.  ROUTES_SEED tries others.
use v5.36;
use lib 't/lib';
use Weir::Test;

my ($TABLES, $BATCH, $ASKS) = (10_000, 1_250, 2);
my $seed = $ENV{ROUTES_SEED} // 18;

my $w = Weir::Test->new('ten thousand tables are read as a list is')->needs_weir;
$w->time_limit(300);
srand $seed;                                              # now that names of folders were made
sub one (@of) { $of[ rand @of ] }

# -- lines: { host, kind, path, conds => [ [ kind, name, how, value, negated ], … ], text } --

sub random_conditions () {
    my @conds;
    push @conds, [ 'method', '', '=', one([ 'GET' ], [ 'PUT' ], [ 'GET', 'PUT' ], [ 'PUT', 'DELETE', 'POST' ]), one(0, 0, 0, 1) ] if rand() < 0.25;
    for (1 .. 3) {
        next if rand() < 0.75;
        my ($kind, $name) = one([ 'header', 'X-A' ], [ 'header', 'x-b' ], [ 'query', 'q' ], [ 'query', 'Q' ], [ 'cookie', 'c' ], [ 'cookie', 'd' ])->@*;
        next if grep { $_->[0] eq $kind && lc $_->[1] eq lc $name } @conds;
        push @conds, [ $kind, $name, one('=', '=', '=', '~', ''), one('1', '2', '12', ''), one(0, 0, 0, 1) ];
        $conds[-1][3] = '1' if $conds[-1][2] eq '~' && $conds[-1][3] eq '';
    }
    return @conds;
}

sub random_line ($domain) {
    my %line = (host => one('', '', '', $domain, "*.$domain", ".$domain", "a.$domain", "*.a.$domain"), conds => [ random_conditions() ]);
    my $kind = $line{kind} = one(qw(exact exact template template template regex prefix prefix prefix none));
    my @segments = map { one('a', 'a', 'b') } 1 .. one(1, 1, 2, 3);
    my $n = 0;
    @segments = map { rand() < 0.5 ? '{' . one('x', 'y', 'z') . ++$n . '}' : $_ } @segments if $kind eq 'template';
    $segments[0] = '{only}' if $kind eq 'template' && !grep { /\{/ } @segments;
    my $path = $line{path} = $kind eq 'none' ? '' : $kind eq 'regex' ? one('/a.*', '/[ab]+', '/a/b|/b', '.*c', '/b(/.*)?', '/(a|b)/./?', '/a/b?')
        : '/' . join('/', @segments) . one('', '', '', '', '/');
    $line{path} =~ s{/$}{} if $kind eq 'prefix';
    my %word = (exact => 'path=', template => 'path_template=', regex => 'path_regex=', prefix => 'path_prefix=');
    my @words = ($kind eq 'none' ? () : "$word{$kind}$path");
    push @words, "host=$line{host}" if length $line{host};
    push @words, map {
        ($_->[4] ? '!' : '') . ($_->[0] eq 'method' ? 'method=' . join '|', $_->[3]->@* : "$_->[0]:$_->[1]$_->[2]" . ($_->[2] eq '' ? '' : $_->[3]))
    } $line{conds}->@*;
    $line{text} = join ' ', map { "\"$_\"" } sort { rand() <=> 0.5 } @words;
    return \%line;
}

# What two lines would have in common that ask for the same.
sub same_as ($line, $host) {
    my $path  = $line->{kind} eq 'template' ? $line->{path} =~ s/\{\w+\}/{}/gr : $line->{path};
    my @conds = sort map { join ' ', $_->[4], $_->[0], $_->[0] eq 'header' ? lc $_->[1] : $_->[1], $_->[2],
        $_->[2] eq '' ? '' : ref $_->[3] ? join('|', sort $_->[3]->@*) : $_->[3] } $line->{conds}->@*;
    return join "\n", $line->{kind} =~ s/none/prefix/r, $path, $host, @conds;
}

sub hosts_of ($line) { $line->{host} =~ /^\./ ? (substr($line->{host}, 1), "*$line->{host}") : $line->{host} }

# A server: its text, and its rules in their order.
sub random_table ($domain) {
    my (%said, @rules);
    my $fallthrough = one('on', 'off');
    my $text = "server { server_name $domain *.$domain; host_fallthrough $fallthrough; location / { return 200 none; }\n";
    for my $name (map { "r$_" } 1 .. 2 + int rand one(3, 12)) {
        my @lines;
        for (1 .. one(1, 1, 1, 2, 3)) {
            my $line = random_line($domain);
            next if !length $line->{text} || grep { $said{ same_as($line, $_) }++ } hosts_of($line);
            push @lines, $line;
        }
        next unless @lines;
        $text .= "route $name { " . join(' ', map { "match $_->{text};" } @lines) . " return 200 \$route; }\n";
        push @rules, map { my $line = $_; map { { %$line, host => $_, route => $name } } hosts_of($line) } @lines;
    }
    return ({ domain => $domain, fallthrough => $fallthrough eq 'on', rules => \@rules }, "$text}\n");
}

# -- the reference --

sub value_of ($cond, $request) {
    my ($kind, $name) = @$cond;
    if ($kind eq 'header') {
        my @values = map { $_->[1] } grep { lc $_->[0] eq lc $name } $request->{fields}->@*;
        return @values ? join ', ', @values : undef;
    }
    if ($kind eq 'query') {
        for my $pair (split /&/, $request->{query}) {
            my ($key, $value) = map { s/%([0-9a-f]{2})/chr hex $1/gier =~ tr/+/ /r } split(/=/, $pair, 2), '', '';
            return $value if $key eq $name;
        }
        return undef;
    }
    for my $pair (map { split /;\s*/ } map { $_->[1] } grep { lc $_->[0] eq 'cookie' } $request->{fields}->@*) {
        my ($key, $value) = split /=/, $pair, 2;
        return $value if $key eq $name;
    }
    return undef;
}

sub holds ($cond, $request) {
    my ($kind, $name, $how, $wanted, $negated) = @$cond;
    my $is;
    if ($kind eq 'method') {
        $is = grep { $_ eq $request->{method} } @$wanted;
    } else {
        my $value = value_of($cond, $request);
        $is = defined $value && ($how eq '' || ($how eq '=' ? $value eq $wanted : $value =~ /$wanted/));
    }
    return $negated ? !$is : $is;
}

sub takes_path ($rule, $path) {
    my ($kind, $text) = $rule->@{qw(kind path)};
    return $path eq $text                                                       if $kind eq 'exact';
    return $path =~ /\A(?:$text)\z/                                             if $kind eq 'regex';
    return $path eq $text || substr($path, 0, 1 + length $text) eq "$text/"     if $kind ne 'template';
    my $pattern = join '/', map { /^\{/ ? '[^/]+' : quotemeta } split m{/}, $text, -1;
    return $path =~ /\A$pattern\z/;
}

# How specific a host is that takes the request's; undef: it does not.
sub host_rank ($host, $asked) {
    return 0 if $host eq '';
    return $host eq $asked ? 1000 : undef unless $host =~ s/^\*//;
    return length $asked > length $host && substr($asked, -length $host) eq $host ? length $host : undef;
}

sub reference ($table, $request) {
    my @rules = map { { $table->{rules}[$_]->%*, order => $_ } } 0 .. $table->{rules}->$#*;
    my %first;                                            # of a host's patterns: where each stands first
    $first{"$_->{host} $_->{path}"} //= $_->{order} for grep { $_->{kind} eq 'regex' } @rules;
    my @left = grep { defined($_->{host_rank} = host_rank($_->{host}, $request->{host})) } @rules;
    my ($best) = sort { $b <=> $a } map { $_->{host_rank} } @left;
    @left = grep { $_->{host_rank} == $best } @left unless $table->{fallthrough};
    for my $rule (@left = grep { takes_path($_, $request->{path}) } @left) {
        my %class = (exact => 0, template => 1, regex => 2, prefix => 3, none => 3);
        my %n;
        $n{ $_->[0] }++ for $rule->{conds}->@*;
        $rule->{key} = [
            -$rule->{host_rank}, $class{ $rule->{kind} },
            $rule->{kind} eq 'template' ? join('', map { /^\{/ ? 'b' : 'a' } split m{/}, $rule->{path}, -1) : '',
            $rule->{kind} eq 'regex' ? $first{"$rule->{host} $rule->{path}"} : 0,
            $rule->{kind} =~ /prefix|none/ ? -length $rule->{path} : 0,
            -($n{method} // 0), -(($n{header} // 0) + ($n{cookie} // 0)), -($n{query} // 0), $rule->{order},
        ];
    }
    my @ranked = sort {
        my $order = 0;
        for my $i (0 .. 8) { $order ||= $i == 2 ? $a->{key}[$i] cmp $b->{key}[$i] : $a->{key}[$i] <=> $b->{key}[$i] }
        $order;
    } @left;
    for my $rule (@ranked) {
        return $rule->{route} unless grep { !holds($_, $request) } $rule->{conds}->@*;
    }
    return 'none';
}

# -- requests --

sub random_request ($domain) {
    my $path  = '/' . join('/', map { one('a', 'a', 'a', 'b', 'b', 'c', 'ab') } 1 .. one(1, 2, 2, 3)) . one('', '', '', '/');
    my @query = map { one('q', 'Q', 'r', '%71') . one('=1', '=2', '=12', '=', '', '=%31') } 1 .. one(0, 1, 2);
    my @fields = map { [ one('X-A', 'x-a', 'X-B', 'X-C'), one('1', '2', '12') ] } 1 .. one(0, 1, 2);
    push @fields, [ 'Cookie', join '; ', map { one('c', 'd', 'C') . '=' . one('1', '2', '12') } 1 .. one(1, 2) ] if rand() < 0.5;
    return { host => one($domain, "a.$domain", "b.$domain", "b.a.$domain"), method => one('GET', 'GET', 'PUT', 'DELETE'), path => $path,
        query => join('&', @query), fields => \@fields };
}

sub text_of ($request) {
    return "$request->{method} $request->{path}" . (length $request->{query} ? "?$request->{query}" : '') . " HTTP/1.1\r\nHost: $request->{host}\r\n"
        . join('', map { "$_->[0]: $_->[1]\r\n" } $request->{fields}->@*) . "\r\n";
}

# What explain says of requests: the route, or none.
sub explained ($way, @requests) {
    $w->write_file('requests', join '', map { my $r = $_; "$r->{method} http://$r->{host}:" . $w->port . $r->{path} . (length $r->{query} ? "?$r->{query}" : '')
        . join('', map { "\t$_->[0]: $_->[1]" } $r->{fields}->@*) . "\n" } @requests);
    my ($code, $said) = $w->command(60, 'sh', '-c', 'exec "$0" "$@" < ' . $w->dir . '/requests', $w->bin, '-p', $w->dir . '/', '-c', 'conf/weir.conf', '-e', 'stderr',
        'explain', '-', '--json', @$way);
    BAIL_OUT("explain: $code " . substr $said, -500) if $code;
    return map { Weir::Json::decode($_)->{route}{name} // 'none' } split /\n/, $said;
}

my ($asked, $routed, $explained, @wrong, @wrongly_explained) = (0, 0, 0);
for my $batch (1 .. $TABLES / $BATCH) {
    my (@tables, @texts, @asks, @live);
    for my $i (1 .. $BATCH) {
        my ($table, $text) = random_table("t$i.example");
        push @tables, $table;
        push @texts, $text;
        push @asks, map { [ $table, random_request("t$i.example"), $text ] } 1 .. $ASKS;
    }
    my $all = "keepalive_requests 1000000;\n" . join '', @texts;
    $batch == 1 ? $w->conf($all, workers => 1) : $w->reload($all);
    my $client = $w->client;
    while (my @some = splice @asks, 0, 50) {
        $client->send(join '', map { text_of($_->[1]) } @some);
        for my $ask (@some) {
            my ($table, $request, $text) = @$ask;
            my $got  = $client->read_response(method => $request->{method})->body;
            my $want = reference($table, $request);
            push @wrong, "seed $seed, got $got, wanted $want:\n" . text_of($request) . $text if $got ne $want;
            push @live, [ $request, $got, $text ];
            $asked++;
            $routed += $want ne 'none';
        }
    }
    $client->close;
    my @said = explained($batch % 2 ? ['--live'] : [], map { $_->[0] } @live);
    BAIL_OUT('each has its answer') unless @said == @live;
    for my $i (0 .. $#live) {
        my ($request, $got, $text) = $live[$i]->@*;
        push @wrongly_explained, "seed $seed, explain says $said[$i], live is $got:\n" . text_of($request) . $text if $said[$i] ne $got;
        $explained++;
    }
}
is scalar @wrong, 0, "$asked requests for $TABLES tables are taken by the routes that a list says" or diag join "\n", @wrong[ 0 .. ($#wrong < 2 ? $#wrong : 2) ];
is scalar @wrongly_explained, 0, "explain agrees with what is done for all $explained" or diag join "\n", @wrongly_explained[ 0 .. ($#wrongly_explained < 2 ? $#wrongly_explained : 2) ];
is $explained, $TABLES * $ASKS, 'none was left out';
cmp_ok $routed, '>', $asked / 4, "$routed of them by a route";
cmp_ok $routed, '<', $asked * 0.9, '… and others by none';
done_testing;
