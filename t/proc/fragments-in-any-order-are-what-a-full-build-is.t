# Random changes of fragments, good and bad, by files and by the control socket: after each of them the instance answers
# what another one answers that reads the accepted fragments anew.  FRAGMENTS_STEPS=10000 makes it a long test,
# FRAGMENTS_SEED repeats one.
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes ();
use Weir::Fragments;
use Weir::Json;
use Weir::Test;

my $steps = $ENV{FRAGMENTS_STEPS};
my $seed  = $ENV{FRAGMENTS_SEED} // time ^ $$;
my $until = Time::HiRes::time() + 20;
diag("FRAGMENTS_SEED=$seed");
srand $seed;

my $text = 'fragments parts; server { server_name one; location / { return 404 none; } }';
my $w = Weir::Test->new('fragments in any order are what a full build is')->needs_weir;
my $full = Weir::Test->new('the full build beside it')->needs_weir;
$_->time_limit(($steps // 0) + 120) for $w, $full;
my ($f, $anew) = map { Weir::Fragments->new($_) } $w, $full;
$_->conf($text, workers => 1) for $w, $full;
$_->start for $w, $full;

my $origin = $w->origin(sub ($c) { $c->reply(200, 'of the origin') });
my @files = map { "f$_.conf" } 1 .. 4;
my @names = map { "s$_" } 1 .. 4;
my @paths = map { "/p$_" } 0 .. 9;
my $pick  = sub (@of) { $of[ rand @of ] };

# A piece: some routes to texts or to upstreams, and an upstream of its own now and then; or one that is bad.
my $piece = sub ($name) {
    return $pick->('server {', 'retrun 1;', 'server { listen 1.2.3.4.5; }', 'extend server nobody { return 200 x; }')
        if rand() < 0.2;
    my $id = $name =~ s/\W//gr;
    my $all = rand() < 0.5 ? "upstream u$id { server $origin; }\n" : '';
    my %seen;
    for my $path (grep { !$seen{$_}++ } map { $pick->(@paths) } 1 .. 1 + rand 2) {
        my $does = rand() < 0.7 ? 'return 200 ' . $pick->(1 .. 1000)
            : 'proxy_pass http://u' . $pick->(map { s/\W//gr } @files, @names) . '/';
        $all .= "extend server one { location = $path { $does; } }\n";
    }
    return $all;
};

my ($n, $accepted, $refused) = (0, 0, 0);
while ($steps ? $n < $steps : Time::HiRes::time() < $until) {
    $n++;
    my ($name, $code, $said);
    if (rand() < 0.5) {
        $name = $pick->(@names);
        if (rand() < 0.7) {
            ($code, $said) = $f->tool('put', $name, $w->write_file('given', $piece->($name)));
        } else {
            ($code, $said) = $f->tool('remove', $name);
        }
        $code == 0 ? $accepted++ : $refused++;
    } else {
        $name = $pick->(@files);
        if (rand() < 0.7) {
            $f->put($name, $piece->($name) . "# $n\n");
        } elsif (-e $f->path($name)) {
            $f->remove($name);
        } else {
            next;
        }
        # Who sees this one has seen that one.
        $f->put('marker.conf', "extend server one { location = /marker { return 200 $n; } }");
        $w->wait_until("fragment $name is judged", sub { $f->answer('/marker') eq "200 $n" });
        my $row = $f->rows->{$name};
        !$row || !$row->{error} ? $accepted++ : $refused++;
    }
    # Whatever is live now is what a full build of the same trees says.
    my $rows = $f->rows;
    unlink glob $anew->path('*');
    for my $row (grep { defined $_->{digest} } values %$rows) {
        my (undef, $one) = $f->tool('get', $row->{name});
        $anew->put("$row->{name}.json", Weir::Json::encode(Weir::Json::decode($one)->{tree}));
    }
    $full->reload($text, workers => 1);
    my @differ = grep { $f->answer($_) ne $anew->answer($_) } @paths;
    if (@differ) {
        fail("after $n changes both answer the same");
        diag("$_: " . $f->answer($_) . ' and ' . $anew->answer($_)) for @differ;
        last;
    }
}
pass("$n changes: both answered the same after each");
ok $accepted, "$accepted were accepted";
ok $refused || $n < 10, "$refused were refused";
$w->allow_log(qr/refused/);
done_testing;
