# The manual's examples (docs/pages, and the texts beside modules), as `weir -M` prints them: a configuration in ```nginx is checked as it stands
# and then started; what stands in ```console behind it is asked, and before it done first.  Of curl's options -i -s -k -H -X -d -u --http2 and
# --http2-prior-knowledge are known; every other command is the shell's, with the folder of the configuration as its own, where weir is the program
# with the options that name that instance.  An expected line of "..." stands for any lines, and "..." in a line for any text; of a head those
# lines must be there that are shown.  A 127.0.0.1:PORT that the configuration does not listen on is a peer that answers 200 and what it was asked;
# nobody is at port 1.
use v5.36;
use lib 't/lib';
use Text::ParseWords 'shellwords';
use Weir::Http2;
use Weir::Test;

my $first = Weir::Test->new('the manual is printed')->needs_weir;
my (%sections, @order, $block);
my ($page, $section) = ('', '');
for my $line (split /^/, ($first->run('-M'))[1]) {
    if ($line =~ /^```(\w*)/) {
        if ($block) { $block = undef; next }
        push @order, $section unless $sections{$section};
        push $sections{$section}->@*, $block = { kind => $1, text => '', name => "$section" };
    } elsif ($block) {
        $block->{text} .= $line;
    } elsif ($line =~ /^# (.+)/) {
        $section = $page = $1;
    } elsif ($line =~ /^## Module (\S+)/) {
        $section = "$page: $1";
    }
}

# An expected text as a pattern.
sub pattern ($text) {
    return join '', map { $_ eq "...\n" ? '(?:.*\n)*?' : join('.*', map { quotemeta } split /\.\.\./, $_, -1) } split /^/, $text;
}

sub setup ($w, $text) {
    for my $command (map { s/^\$ //r } grep { /^\$ / } split /\n/, $text) {
        my ($code, $said) = $w->command(20, 'sh', '-c', "cd '@{[ $w->dir ]}' && $command");
        is $code, 0, "$w->{sentence}: $command" or diag $said;
    }
}

# Ports become the test's own.
sub start ($w, $text) {
    my ($code, $said) = $w->conf_main($text)->run('-t', '-p', $w->dir . '/', '-c', 'conf/weir.conf');
    is $code, 0, "$w->{sentence}: the configuration is right as it stands" or diag $said;
    my @listens = $text =~ /^\s*listen\s+(?:[\d.]+:)?(\d+)/gm;
    my %port    = map { $_ => $_ eq $listens[0] ? '' : $_ } @listens;
    my %peer;
    my $place = sub ($port) { '%%PORT' . ($port{$port} ne '' ? "_$port{$port}" : '') . '%%' };
    $text =~ s/^(\s*listen\s+)(?:[\d.]+:)?(\d+)/"${1}127.0.0.1:" . $place->($2)/gme;
    $text =~ s/(?<![\d.])127\.0\.0\.1:(\d+)/exists $port{$1} ? '127.0.0.1:' . $place->($1) : $1 == 1 ? '127.0.0.1:1' : ($peer{$1} \/\/= peer($w, $1))/ge;
    $text =~ s/worker_processes auto/worker_processes 2/;
    $w->conf_main("daemon off;\n$text");
    $w->start;
    $w->{port_of} = { map { $_ => $w->port($port{$_}) } keys %port };
}

sub peer ($w, $port) {
    return $w->origin(sub ($c) { $c->reply(200, $c->request->method . ' ' . $c->request->target . " came to port $port\n", 'Content-Type', 'text/plain') });
}

# What curl would print: (head, body).
sub curl ($w, @words) {
    my %ask = (method => undef, headers => [], url => undef);
    while (defined(my $word = shift @words)) {
        if    ($word eq '-H')                        { push $ask{headers}->@*, split /:\s*/, shift @words, 2 }
        elsif ($word eq '-X')                        { $ask{method} = shift @words }
        elsif ($word eq '-d')                        { $ask{body} = shift @words; $ask{method} //= 'POST' }
        elsif ($word eq '-u')                        { require MIME::Base64; push $ask{headers}->@*, 'Authorization', 'Basic ' . MIME::Base64::encode_base64(shift @words, '') }
        elsif ($word =~ /^--http2/)                  { $ask{http2} = 1 }
        elsif ($word =~ /^-([isk]+)$/)               { $ask{$_} = 1 for split //, $1 }
        elsif ($word =~ m{^https?://})               { $ask{url} = $word }
        else                                         { die "curl: option $word is not known here\n" }
    }
    my ($scheme, $host, $port, $target) = $ask{url} =~ m{^(https?)://([^/:]+)(?::(\d+))?(/.*)?$} or die "curl: $ask{url}\n";
    my $authority = $host . (defined $port ? ":$port" : '');
    $port //= $scheme eq 'https' ? 443 : 80;
    die "curl: the configuration does not listen on $port\n" unless exists $w->{port_of}{$port};
    my @fields = ($ask{headers}->@*, grep { defined } $ask{body} && !grep({ lc eq 'content-type' } $ask{headers}->@*) ? ('Content-Type', 'application/x-www-form-urlencoded') : ());
    my ($status, $fields, $body);
    if ($ask{http2}) {
        my $client = $scheme eq 'https' ? Weir::Http2::over_tls($w, port => $w->{port_of}{$port}, name => $host)
                                        : Weir::Http2::client($w, port => $w->{port_of}{$port});
        my %field  = @fields;
        my $got    = $client->ask(':method' => $ask{method} // 'GET', ':scheme' => $scheme, ':path' => $target // '/', ':authority' => $authority,
            (map { lc $_ => $field{$_} } keys %field), defined $ask{body} ? (body => $ask{body}) : ());
        my @head   = ($client->{head} // [])->@*;
        ($status, $fields, $body) = ("HTTP/2 $got", [ grep { $_->[0] !~ /^:/ } @head ], $client->body);
        $client->close;
    } else {
        my $client = $scheme eq 'https' ? $w->tls(port => $w->{port_of}{$port}, name => $host) : $w->client(port => $w->{port_of}{$port});
        my $answer = $client->send_request($ask{method} // 'GET', $target // '/', host => $authority, headers => \@fields,
            defined $ask{body} ? (body => $ask{body}) : ())->read_response(method => $ask{method} // 'GET');
        ($status, $fields, $body) = ($answer->{line}, $answer->{fields}, $answer->body);
        $client->close;
    }
    my $text = join "\n", $status, map { "$_->[0]: $_->[1]" } @$fields;
    for my $named (keys $w->{port_of}->%*) {
        my $own = $w->{port_of}{$named};
        s/:$own\b/:$named/g for $text, $body;
    }
    return ($ask{i} ? $text : undef, $body);
}

sub head_is ($name, $head, $expected) {
    my ($status, @lines) = split /\n/, $expected;
    my ($got, @got) = split /\n/, $head;
    like $got, qr/\A@{[ pattern($status) ]}\z/, "$name: the status";
    for my $line (@lines) {
        my $pattern = pattern($line);
        ok((grep { /\A$pattern\z/i } @got), "$name: $line") or diag $head;
    }
}

sub ask ($w, $text) {
    my %set;
    my $dir = $w->dir;
    my $weir = sprintf q{weir() { '%s' -p '%s/' -c conf/weir.conf -e logs/error.log "$@"; }}, $w->bin, $dir;
    for my $step (split /^(?=\$ )/m, $text) {
        my ($command, $expected) = $step =~ /^\$ (.*)\n([\s\S]*)\z/ or die "no command in: $step";
        my $name = "$w->{sentence}: $command";
        $command =~ s/\$(\w+)/$set{$1} \/\/ '$' . $1/ge unless $command =~ /^\w+=\$\(/;
        if ($command =~ /^curl / && $command !~ / --unix-socket /) {
            my ($head, $body) = curl($w, (shellwords($command))[1 .. $#{ [ shellwords($command) ] }]);
            my ($want_head, $want_body) = defined $head ? split(/^\n/m, $expected, 2) : (undef, $expected);
            head_is($name, $head, $want_head) if defined $head;
            $body =~ s/(?<=[^\n])\z/\n/;                # as a terminal shows it
            like $body, qr/\A@{[ pattern($want_body) ]}\z/, "$name: the body" if defined $want_body && (defined $head || length $want_body);
        } else {
            my $run = sub (@what) { $w->command(20, 'sh', '-c', "$weir\ncd '$dir' && @what") };
            if ($command =~ /^cat /) {              # what is written in the background is waited for
                my $said;
                ok $w->wait_until($name, sub { $said = ($run->($command))[1]; $said =~ /\A@{[ pattern($expected) ]}\z/ }), $name;
                next;
            }
            my ($variable, $inner) = $command =~ /^(\w+)=\$\((.*)\)$/;
            my @ports = $command =~ /^weir explain / ? sort keys $w->{port_of}->%* : ();
            $command =~ s/:$_\b/:$w->{port_of}{$_}/g for @ports;
            my ($code, $said) = $run->(defined $inner ? "$inner 2>/dev/null" : $command);
            $said =~ s/:$w->{port_of}{$_}\b/:$_/g for @ports;
            is $code, 0, $name or diag $said;
            $set{$variable} = $said =~ s/\n\z//r, next if defined $variable;
            like $said, qr/\A@{[ pattern($expected) ]}\z/, "$name: what it prints";
        }
    }
}

for my $section (@order) {
    my (@before, $w);
    for my $block ($sections{$section}->@*) {
        if ($block->{kind} eq 'nginx') {
            $w = Weir::Test->new($section);
            chmod 0777, $w->dir . '/logs';
            setup($w, $_->{text}) for splice @before;
            start($w, $block->{text});
        } elsif ($block->{kind} eq 'console' && $w) {
            ask($w, $block->{text});
        } elsif ($block->{kind} eq 'console') {
            push @before, $block;
        } else {
            fail("$section: a block of the kind \"$block->{kind}\"");
        }
    }
}

done_testing;
