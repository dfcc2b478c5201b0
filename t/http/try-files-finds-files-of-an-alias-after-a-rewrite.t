# try_files in a location with an alias: a rewrite may have made the path shorter than the location's own, and the names are those of the alias all the same.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w   = Weir::Test->new('try_files finds files of an alias after a rewrite');
my $dir = $w->dir;
chmod 0755, $dir;
mkdir "$dir/html" or die $!;
chmod 0755, "$dir/html";
$w->write_file('html/found.txt', 'found');
$w->write_file('html/b',         'b');
$w->conf(<<"END");
    server {
        location /a/long/location/ { rewrite ^ /b break; alias $dir/html/; try_files found.txt =404; }
        location /also/long/location/ { rewrite ^ /b break; alias $dir/html/; add_header X-Path \$uri; try_files \$arg_name =404; }
    }
END
my $answer = $w->get('/a/long/location/x');
is $answer->status, 200, 'the file of the alias is found though the path is shorter than the location';
is $answer->body, 'found', 'and sent';
$answer = $w->get('/also/long/location/x?name=b');
is $answer->body, 'b', 'the same with a name from a variable';
is $answer->header('X-Path'), '/also/long/location/b', 'the path is that of the location and the name';
$w->allow_log(qr/cause: file\.none|not found/);
is $w->get('/also/long/location/x?name=c')->status, 404, 'a name that is not there is a 404';
done_testing;
