# `weir fmt FILE`: the layout, what is kept (comments, blank lines, line ends between words, quotes), -w and --check.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('fmt writes a configuration in one layout')->needs_weir;
my $fmt = sub (@words) { $w->run('fmt', @words) };
my $read = sub ($name) { open my $fh, "<", $w->dir . "/$name" or die $!; local $/; <$fh> };
my $file = $w->write_file('conf/a.conf', <<'END_OF_FILE');
user   nobody;   # who
events{}


http { # all
  log_format main '$remote_addr '  # first
     "it's $status";


  server { server_name "a" a.b ''; location ~ \.php$ { return 200 "a\tb\n"; } if ($a = "x") { return 403; } }
# end
}
END_OF_FILE
my $want = <<'END_OF_FILE';
user nobody; # who
events {
}

http { # all
    log_format main '$remote_addr ' # first
            "it's $status";

    server {
        server_name "a" a.b "";
        location ~ \.php$ {
            return 200 "a\tb\n";
        }
        if ($a = "x") {
            return 403;
        }
    }
    # end
}
END_OF_FILE
$want =~ s/'(\$remote_addr )'/"$1"/;

my ($code, $said) = $fmt->($file);
is $said, $want, 'the text is written in one layout';
is $code, 0, 'and that is no error';
($code, $said) = $fmt->('--check', $file);
is $code, 3, '--check has a code for files that are not in it';
like $said, qr{a\.conf$}m, 'and names them';
chmod 0640, $file;
is +($fmt->('-w', $file))[0], 0, '-w writes the file';
is $read->('conf/a.conf'), $want, 'in the layout';
is +(stat $file)[2] & 07777, 0640, 'and its mode stays';
is +($fmt->('--check', $file))[0], 0, 'then --check is content';
$w->write_file('conf/bad.conf', "http {\n  server {\n");
($code, $said) = $fmt->('-w', $w->dir . '/conf/bad.conf');
is $code, 1, 'what cannot be read is an error';
like $said, qr/expecting "\}" of "server" in line 2 in \S*bad\.conf:3$/, 'which says where, once';
is $read->('conf/bad.conf'), "http {\n  server {\n", 'and the file stays as it is';
is +($fmt->('-w'))[0], 2, 'without a file it says how it is used';
done_testing;
