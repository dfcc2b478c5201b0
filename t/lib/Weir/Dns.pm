# Weir::Dns - a name server for tests: UDP and TCP on one port of loopback, answers made by a function.
#
#     my $dns = Weir::Dns->new($w, sub ($name, $type) { … });
# The function returns what is answered: texts such as "192.0.2.1", "2001:db8::1", "alias:other.name", "srv:PRIORITY:WEIGHT:PORT:TARGET", each perhaps with
# "/TTL", and of them those that fit the question's type; or one word alone: "nxdomain", "servfail", "refuse" (an answer of code 5), "silent", "formerr"; or a
# word before the others: "truncate" (over UDP only), "forged" (other id, name, length, then the right one; behind "case" also another case), "lower" (the question in lower case),
# "soa:TTL" (behind "nxdomain" or nothing: how long that holds), "noedns" (a question with EDNS is not understood).
# The function is called with name (in lower case) and type; $Weir::Dns::how is "udp" or "tcp" meanwhile.
package Weir::Dns;
use v5.36;
use IO::Select;
use IO::Socket::INET;
use Socket qw(inet_pton AF_INET AF_INET6);

sub new ($class, $w, $answer) {
    my ($udp, $tcp);
    for (1 .. 50) {
        $udp = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1') or die "dns: $!\n";
        $tcp = IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1', LocalPort => $udp->sockport, Listen => 16, ReuseAddr => 1) and last;
    }
    my $self = bless { port => $udp->sockport, log => $w->dir . "/dns." . $udp->sockport }, $class;
    open my $log, '>>', $self->{log} or die;
    $log->autoflush(1);
    $self->{pid} = $w->child(sub { _serve($udp, $tcp, $answer, $log) });
    return $self;
}

use overload '""' => sub ($self, @) { "127.0.0.1:$self->{port}" };

# Questions so far: "udp name A".
sub questions ($self) { open my $in, '<', $self->{log} or return; chomp(my @lines = <$in>); return @lines }

sub _serve ($udp, $tcp, $answer, $log) {
    my $select = IO::Select->new($udp, $tcp);
    my %buffer;
    while (1) {
        for my $fh ($select->can_read) {
            if ($fh == $udp) {
                my $from = $udp->recv(my $question, 4096) // next;
                $udp->send($_, 0, $from) for _answers($question, 'udp', $answer, $log);
            } elsif ($fh == $tcp) {
                my $client = $tcp->accept or next;
                $select->add($client);
                $buffer{$client} = '';
            } else {
                unless (sysread $fh, $buffer{$fh}, 65536, length $buffer{$fh}) {
                    $select->remove($fh);
                    delete $buffer{$fh};
                    close $fh;
                    next;
                }
                while (length $buffer{$fh} >= 2 && length $buffer{$fh} >= 2 + (my $n = unpack 'n', $buffer{$fh})) {
                    my $question = substr $buffer{$fh}, 2, $n;
                    substr($buffer{$fh}, 0, 2 + $n) = '';
                    syswrite $fh, pack('n/a*', $_) for _answers($question, 'tcp', $answer, $log);
                }
            }
        }
    }
}

sub _wire ($name) { join('', map { pack 'C/a*', $_ } split /\./, $name) . "\0" }

sub _answers ($question, $way, $answer, $log) {
    my ($id) = unpack 'n', $question;
    my ($at, @labels) = (12);
    while (my $n = ord substr $question, $at, 1) { push @labels, substr $question, $at + 1, $n; $at += $n + 1 }
    my $name  = lc join '.', @labels;              # its case is a part of the question, and of nothing else
    my $type  = unpack 'n', substr $question, $at + 1, 2;
    my $asked = substr $question, 12, $at + 5 - 12;
    my $word  = { 1 => 'A', 28 => 'AAAA', 33 => 'SRV' }->{$type} // $type;
    my $edns  = unpack 'x10 n', $question;
    say $log "$way $name $word";
    our $how = $way;
    my @records = $answer->($name, $word);
    my %said;
    while (@records && $records[0] =~ /^(truncate|forged|case|lower|noedns)$/) { $said{$1} = 1; shift @records }
    my ($soa) = map { /^soa:(\d+)$/ } @records;
    @records = grep { !/^soa:/ } @records;
    return if @records && $records[0] eq 'silent';
    my %code = (nxdomain => 3, servfail => 2, refuse => 5, formerr => 1);
    $asked = lc $asked if $said{lower};
    my $head = sub ($flags, $n, $authority = 0) { pack('n6', $id, 0x8180 | $flags, 1, $n, $authority, 0) . $asked };
    return pack 'n6', $id, 0x8181, 0, 0, 0, 0 if $said{noedns} && $edns;
    my $behind = defined $soa ? "\0" . pack 'n n N n/a*', 6, 1, $soa, "\0\0" . pack 'N5', 1, 2, 3, 4, $soa : '';
    return $head->($code{ $records[0] }, 0, $behind ne '') . $behind if @records == 1 && exists $code{ $records[0] };
    return $head->(0, 0, 1) . $behind if !@records && $behind ne '';
    return $head->(0x0200, 0) if $said{truncate} && $way eq 'udp';
    my $forged = $said{forged};
    my $text = '';
    my $n = 0;
    my $owner = "\xc0\x0c";
    for my $record (@records) {
        my ($rtype, $data, $ttl) = $record =~ /^alias:([^\/]*)/ ? (5, _wire($1), 60)
            : $record =~ m{^srv:(\d+):(\d+):(\d+):([^/]*)} ? (33, pack('n3', $1, $2, $3) . _wire($4), 60) : $record =~ /:/ ? (28, inet_pton(AF_INET6, $record =~ s{/.*}{}r), 60) : (1, inet_pton(AF_INET, $record =~ s{/.*}{}r), 60);
        $ttl = $1 if $record =~ m{/(\d+)$};
        $text .= $owner . pack 'n n N n/a*', $rtype, 1, $ttl, $data if $rtype == 5 || $rtype == $type;
        $n++ if $rtype == 5 || $rtype == $type;
        $owner = $data if $rtype == 5;
    }
    my $good = $head->(0, $n) . $text;
    return $good unless $forged;
    my $bad = $good;
    substr($bad, 0, 2) = pack 'n', $id ^ 1;
    my $other = $good;
    substr($other, 13, 1) = 'x';
    my $case = $good;
    substr($case, 13, 1) =~ tr/a-zA-Z/A-Za-z/;
    return ($bad, $other, substr($good, 0, 20), $case, $good) if $said{case};
    return ($bad, $other, substr($good, 0, 20), $good);
}

1;
