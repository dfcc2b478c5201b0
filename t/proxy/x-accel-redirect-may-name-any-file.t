# Applications write a path as it is in the file system: spaces, '#' and UTF-8 stand for themselves; encoded ones are decoded.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('X-Accel-Redirect may name any file');
my %to     = (space => '/f/a b', utf8 => "/f/\xc3\xbc", hash => '/f/a#b', encoded => '/f/a%20b', query => '/z?x=a b', brackets => '/f/[a]{b}|"c"');
my $origin = $w->origin(sub ($c) { $c->reply(200, '', 'X-Accel-Redirect' => $to{ substr $c->request->target, 1 }, 'Content-Type' => 'text/x-mine') });
my $dir    = $w->dir;
chmod 0755, $dir;
mkdir "$dir/f" or die $!;
chmod 0755, "$dir/f";
$w->write_file("f/$_", "it is $_") for 'a b', "\xc3\xbc", 'a#b', '[a]{b}|"c"';
$w->conf(<<"END");
    server {
        location / { proxy_pass http://$origin; }
        location /f/ { internal; root $dir; }
        location /z { internal; return 200 'query'; }
    }
END

is $w->get("/$_->[0]")->body, "it is $_->[1]", $_->[0] for [ space => 'a b' ], [ utf8 => "\xc3\xbc" ], [ hash => 'a#b' ], [ encoded => 'a b' ], [ brackets => '[a]{b}|"c"' ];
is $w->get('/query')->body, 'query', 'a query with a space';
is_deeply [ $w->get("/$_")->header('Content-Type') ], ['text/x-mine'], "$_: one Content-Type" for qw(query space);

done_testing;
