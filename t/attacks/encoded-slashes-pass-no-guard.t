# For random paths with encoded slashes, dots and separators: what goes upstream is guarded for a reader who takes %2F and %5C for slashes, too; it has no
# dot segment for either, stays below the path of proxy_pass, and brings no query.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('encoded slashes pass no guard')->needs_weir;
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join ' ', $r->header('X-Rule'), $r->target) });
$w->allow_log(qr/cause: (?:file|client|route)\./);
my $rule = sub ($name, $path = '') { "proxy_set_header X-Rule $name; proxy_pass http://$origin$path;" };
$w->conf(<<"END", workers => 1);
    server {
        location / { @{[ $rule->('root') ]} }
        location /a/ { @{[ $rule->('a') ]} }
        location /admin { return 403; }
        location /admin/ { return 403; }
        location = /b/x { return 403; }
        location ~ ^/b/.*y { return 403; }
        location /d/ { encoded_slash decode; @{[ $rule->('d') ]} }
        location /d/admin { return 403; }
        location /p/ { @{[ $rule->('below', '/q/') ]} }
        location /s { @{[ $rule->('below', '/q/') ]} }
        location ~ ^/v(.*)\$ { @{[ $rule->('below', '/q$1') ]} }
    }
END
my $seed = $ENV{WEIR_SEED} // time;
srand $seed;
my @pieces = qw(a b admin d p s v x y . .. %2e %2E%2e %2F %2f %5c ..%2f %2f.. %252F %25 %3f %23 ; ..; s.. a%2Fb admin%2Fx %c3%a9 / //);
# As a reader sees it who decodes once, takes a backslash for a slash, and only then removes dot segments.
my $careless = sub ($path) {
    my @out;
    for my $segment (split m{[/\\]+}, $path =~ s/%([0-9a-fA-F]{2})/chr hex $1/ger) {
        next if $segment eq '' || $segment eq '.';
        $segment eq '..' ? pop @out : push @out, $segment;
    }
    return '/' . join '/', @out;
};
my ($client, $went, @wrong) = ($w->client, 0);
for (1 .. 1500) {
    my $path = '/' . join '', map { $pieces[ rand @pieces ] . (rand() < .6 ? '/' : '') } 1 .. 1 + int rand 5;
    my $answer = eval { $client->send("GET $path HTTP/1.1\r\nHost: a\r\n\r\n")->read_response };
    push @wrong, "$path: no answer" unless $answer;
    $client = $w->client unless $answer && $answer->is_kept;
    next if !$answer || $answer->status != 200;
    my ($how, $target) = split / /, $answer->body, 2;
    $went++;
    push @wrong, "$path: $target has a query" if $target =~ /[?#]/;
    push @wrong, "$path: $target is guarded" if $how ne 'below' && $careless->($target) =~ m{^/(?:d/)?admin(?:/|$)};
    push @wrong, "$path: $target left its place" if $how eq 'below' && $careless->($target) !~ m{^/q};
    push @wrong, "$path: $target has dots" if $target =~ s/%2f|%5c/\//gri =~ m{/\.{1,2}(?:;[^/]*)?(?:/|$)};
    last if @wrong > 5;
}
is_deeply \@wrong, [], "no difference (WEIR_SEED=$seed)";
cmp_ok $went, '>', 500, 'many went upstream';
done_testing;
