# gzip_static: FILE.gz goes in place of FILE, with the type of FILE; to clients that take gzip, or with `always` to all.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w   = Weir::Test->new('gzip_static sends what was compressed beforehand');
my $dir = $w->dir;
chmod 0755, $dir;
mkdir "$dir/html";
$w->write_file("html/$_->[0]", $_->[1]) for [ 'a.txt', 'plain a' ], [ 'a.txt.gz', 'GZIPPED' ], [ 'b.txt', 'plain b' ], [ 'only.txt.gz', 'ONLY' ];
mkdir "$dir/html/b.txt.gz";
utime 784111777, 784111777, "$dir/html/a.txt.gz";
$w->conf(<<"END");
    root $dir/html; types { text/plain txt; application/gzip gz; }
    server {
        location / { gzip_static on; }
        location /vary/ { alias $dir/html/; gzip_static on; gzip_vary on; }
        location /always/ { alias $dir/html/; gzip_static always; }
        location /off/ { alias $dir/html/; gzip_static off; }
        location /both/ { alias $dir/html/; gzip_static on; gzip on; gzip_min_length 1; gzip_types text/plain; }
        location /disabled/ { alias $dir/html/; gzip_static on; gzip_disable Old; }
    }
END
my $client = $w->client;
my $get = sub ($path, @headers) {
    my $r = $client->get($path, @headers);
    return join '|', $r->status, $r->body, map { $r->header($_) // '-' } qw(Content-Type Content-Encoding Vary);
};
my @gzip = ('Accept-Encoding' => 'gzip');
is $get->('/a.txt', @gzip), '200|GZIPPED|text/plain|gzip|-', 'the compressed file';
is $client->get('/a.txt', @gzip)->header('Last-Modified'), 'Sun, 06 Nov 1994 08:49:37 GMT', 'its own time';
is $get->('/a.txt'), '200|plain a|text/plain|-|-', 'not for clients that do not take it';
is $get->('/a.txt', 'Accept-Encoding' => 'gzip;q=0'), '200|plain a|text/plain|-|-', 'nor for those that refuse it';
is $get->('/a.txt', @gzip, Via => '1.1 x'), '200|plain a|text/plain|-|-', 'nor through proxies, unless gzip_proxied lets it';
is $get->('/b.txt', @gzip), '200|plain b|text/plain|-|-', 'a folder is no compressed file';
is $client->get('/only.txt')->status, 404, 'no plain file for a client that takes no gzip';
is $get->('/only.txt', @gzip), '200|ONLY|text/plain|gzip|-', 'the plain one may be missing';
is $get->('/vary/a.txt', @gzip), '200|GZIPPED|text/plain|gzip|Accept-Encoding', 'gzip_vary';
is $get->('/vary/a.txt'), '200|plain a|text/plain|-|Accept-Encoding', 'gzip_vary for the others';
is $get->('/vary/b.txt'), '200|plain b|text/plain|-|-', 'but not where there is no other form';
is $get->('/always/a.txt'), '200|GZIPPED|text/plain|gzip|-', 'always';
is $get->('/off/a.txt', @gzip), '200|plain a|text/plain|-|-', 'off';
is $get->('/both/a.txt', @gzip), '200|GZIPPED|text/plain|gzip|-', 'with gzip: not compressed twice';
is $get->('/disabled/a.txt', @gzip, 'User-Agent' => 'Old/1'), '200|plain a|text/plain|-|-', 'gzip_disable';
my $part = $client->get('/a.txt', @gzip, Range => 'bytes=0-3');
is join('|', $part->status, $part->body), '206|GZIP', 'a Range is of what is sent';
done_testing;
