# The time of a file that stands in for what was not found is not the time of that (as nginx); where the page is the answer it is.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w   = Weir::Test->new('the page of an error has no time');
my $dir = $w->dir;
chmod 0755, $dir;
mkdir "$dir/f" or die $!;
chmod 0755, "$dir/f";
$w->write_file('f/page.html', 'a page');
$w->conf(<<"END");
    add_header X-Always yes always;
    server {
        root $dir/f;
        location / { error_page 404 /page.html; }
        location /as-200 { error_page 404 =200 /page.html; }
        location /as-is { error_page 404 = /page.html; }
        location /as-410 { error_page 404 =410 /page.html; }
    }
END

for (['/none', 404, 0], ['/as-410', 410, 0], ['/as-200', 200, 1], ['/as-is', 200, 1], ['/page.html', 200, 1]) {
    my ($path, $status, $has) = @$_;
    my $answer = $w->get($path);
    is $answer->status, $status, "$path: $status";
    is $answer->body, 'a page', 'the page';
    is defined $answer->header('Last-Modified') ? 1 : 0, $has, 'and ' . ($has ? 'its time' : 'no time');
    is $answer->header('X-Always'), 'yes', 'with what is always said';
}
is $w->request('GET', '/none', headers => [ 'If-Modified-Since' => 'Thu, 01 Jan 2037 00:00:00 GMT' ])->status, 404, 'it is never "not modified"';

done_testing;
