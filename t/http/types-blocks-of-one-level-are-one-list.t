use v5.36;
use lib 't/lib';
use Weir::Test;

my $w   = Weir::Test->new('types blocks of one level are one list');
my $dir = $w->dir;
mkdir "$dir/html";
chmod 0755, $dir;
$w->write_file("html/$_", $_) for qw(a.one a.two a.three);
$w->write_file('types.conf', 'types { x/one one; x/three three; }');
$w->conf("root $dir/html; include $dir/types.conf; types { x/two two; } server { location / { } location /own/ { alias $dir/html/; types { y/one one; } types { y/two two; } default_type z/z; } }");
is $w->get("/a.$_")->header('Content-Type'), "x/$_", "$_ of http" for qw(one two three);
is $w->get("/own/a.$_")->header('Content-Type'), "y/$_", "$_ of the location" for qw(one two);
is $w->get('/own/a.three')->header('Content-Type'), 'z/z', 'which has none of the outer ones';
done_testing;
