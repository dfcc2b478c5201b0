# What is no store, is of another version, was cut short or has bits turned, is told at the start or served as far as it can be read; the
# workers never die of it.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('a damaged store is refused at the start')->needs_weir;
$w->time_limit(120);
my $origin = $w->origin;
my $text   = "server { location / { api_key \$arg_key; proxy_pass http://$origin; } }";
$w->conf($text, main => "store_path store;\n", workers => 2);
$w->allow_log(qr/\[(?:emerg|alert)\] .*(?:the store in|seeds|store process|reading the store)/);
$w->tool(qw(plan add gold hour=1));
$w->tool('consumer', 'add', "consumer-$_", 'plan=gold') for 1 .. 60;
my ($key) = ($w->tool(qw(key create consumer-7)))[1] =~ /^(weir_\S+)/m;
my $file  = $w->dir . '/store/weir.mdb';
my $whole = do { open my $in, '<:raw', $file or die; local $/; <$in> };
my $put   = sub ($bytes) { unlink "$file-lock"; open my $out, '>:raw', $file or die; print $out $bytes; close $out };

# Exit code and what was said; undef: it came up.
my $start = sub () {
    my $pid = eval { $w->start; 1 };
    return if $pid;
    my $said = $@;
    my $status = $w->wait_exit;
    return ($status >> 8, $said);
};

my @bad = (
    [qr/not a store, or it is damaged/, 'text', 'nothing of the kind' x 1000],
    [qr/not a store, or it is damaged/, 'zeros', "\0" x 65536],
    [qr/not a store, or it is damaged/, 'another magic', $whole =~ s/\xde\xc0\xef\xbe/\xde\xc0\xef\xbf/gr],
    [qr/not a store, or it is damaged/, 'a version of LMDB that is none', $whole =~ s/(\xde\xc0\xef\xbe)\x01/$1\x09/gr],
    [qr/not a store, or it is damaged/, 'a file cut in half', substr $whole, 0, length($whole) / 2],
    [qr/of another version of Weir: dump it there and load it here/, 'another layout', $whole =~ s/layout\x01/layout\x03/gr],
);
for my $case (@bad) {
    my ($complaint, $what, $bytes) = @$case;
    $put->($bytes);
    my ($code, $said) = $start->();
    is $code, 1, "refused: $what";
    like $said // '', $complaint, 'and told why';
    is +($w->tool(qw(store check)))[0], 1, 'as by the tool';
}

SKIP: {
    skip 'a sanitizer reports what LMDB reads beyond its map, where the process is to end', 4 if $w->is_sanitized;

    # Any bit of the pages turned: the tool says something and ends.
    srand 7;
    my %ends;
    for my $round (1 .. 150) {
        my $bytes = $whole;
        my $at = int rand length $bytes;
        substr($bytes, $at, 1) ^.= chr 1 << int rand 8;
        $put->($bytes);
        my ($code, $said) = $w->tool(qw(store check));
        $ends{$code}++;
        like $said, qr/faults|damaged|cannot be opened|another version|cannot be read/, "bit at $at: told" if $said !~ /^0 faults$/m && $code != 1;
    }
    is join(' ', sort grep { $_ > 1 } keys %ends), '', '150 turned bits: the tool says yes or no';
    ok $ends{1}, 'some were found';

    # And the gateway comes up or says why not; if it does, it answers.
    my ($up, $refused, $answered) = (0, 0, 0);
    for my $round (1 .. 20) {
        my $bytes = $whole;
        substr($bytes, int rand length $bytes, 1) = chr int rand 256 for 1 .. 40;
        $put->($bytes);
        my ($code, $said) = $start->();
        if (defined $code) {
            $refused++ if $code == 1 && $said =~ /store/;
            next;
        }
        $up++;
        $answered++ if $w->get("/?key=$key")->status =~ /^(?:200|401|503)$/;
        $w->stop;
    }
    is $up + $refused, 20, "20 damaged files: $refused refused, with a reason";
    is $answered, $up, "$up served";
}

$put->($whole);
open my $seeds, '>:raw', $w->dir . '/store/seeds' or die;
print $seeds 'short';
close $seeds;
my ($code, $said) = $start->();
is $code, 1, 'seeds that are none are refused';
like $said, qr/seeds" is not what it was made as/, 'and told';
unlink $w->dir . '/store/seeds';
ok !defined(($start->())[0]), 'the whole file is served';
is $w->get("/?key=$key")->status, 200, 'with what it holds';

# Removed or cut short under the running instance.
truncate $file, 8192 or die;
is $w->get("/?key=$key")->status, 503, 'a file cut short under it is told to clients';
$put->($whole);

done_testing;
