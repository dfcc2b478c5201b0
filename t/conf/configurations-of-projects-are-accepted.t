# Files shaped like those of projects in the field (a media server, a forge with a registry, a base with includes and a
# guard, what an ingress controller writes, registries, identity, monitoring): nginx accepts them, so does Weir; what it warns of are hints without an effect and nothing else.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('configurations of projects are accepted');
$w->allow_log(qr/./);
my $dir = $w->dir;
mkdir "$dir/$_" for qw(conf logs conf/modules-enabled modules conf/conf.d);
$w->write_file('conf/modules-enabled/50-mod.conf', 'load_module modules/ngx_http_image_filter_module.so;') if !$w->is_nginx;
$w->write_file('conf/resolver.conf', 'resolver 127.0.0.11 valid=30s;');
$w->write_file('conf/proxy-auth.conf', 'satisfy any;');
$w->write_file('conf/.htpasswd', 'a:b');
$w->write_file('conf/mime.types', do { open my $in, '<', 'conf/mime.types' or die $!; local $/; <$in> });
for my $file (glob 't/conf/projects/*.conf') {
    my ($name) = $file =~ m{(\w+)\.conf$};
    open my $in, '<', $file or die $!;
    my $text = do { local $/; <$in> };
    $w->write_file("conf/$name.conf", $text =~ s/%%DIR%%/$dir/gr);
    my ($code, $output) = $w->run('-t', '-p', "$dir/", '-c', "conf/$name.conf");
    is $code, 0, "$name is accepted" or diag $output;
    unlike $output, qr/\[warn\](?!.*has no effect|.*makes sense only if|.*conflicting server name|.*exceed open file|.*low address)/, "$name: no other warning";
}
done_testing;
