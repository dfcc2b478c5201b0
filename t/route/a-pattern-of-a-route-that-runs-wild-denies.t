# Of a path or of a value: what a pattern says that ran into its limit is not known, so that no other route may have the request.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a pattern of a route that runs wild denies')->needs_weir;
$w->conf(<<'END');
    server {
        error_page 403 = @denied;
        location @denied { return 403 "$weir_cause"; }
        route wild  { match "path_regex=/p/(a+)+"; return 200 wild; }
        route value { match path_prefix=/v header:X-V~^(a+)+$; return 200 value; }
        route all   { match path_prefix=/; return 200 all; }
    }
END
my $wild = 'a' x 60 . '!';
is $w->get('/p/aaa')->body, 'wild', 'a path that fits';
is $w->get("/p/$wild")->body, 'route.pattern_limit', 'one that makes it run wild';
is $w->get('/v', 'X-V', 'aaa')->body, 'value', 'a value that fits';
is $w->get('/v', 'X-V', $wild)->body, 'route.pattern_limit', 'one that makes it run wild';
is $w->get("/q/$wild")->body, 'all', 'a path that is not asked of it';
is $w->get('/v', 'X-W', $wild)->body, 'all', 'nor another field';
done_testing;
