# auto/manual.awk - the words of the manual as C: `awk -f auto/manual.awk FILE.md...` prints the file that core/conf/manual.c reads.
#
# A file beside a module (modules/http/limit_req.md; in core any *.md) is
#
#     # MODULE[, and MODULE with PREFIX_ for PREFIX_]        its name, as the rows have it; the second one gets the same words, with the other prefix
#     an introduction, which may be missing
#     ## DIRECTIVE
#     what the line of help does not say
#
# A file of docs/pages is "# PAGE", then an introduction and an example, in blocks that begin with ```nginx (a configuration) and ```console
# ("$ command" and what it prints); t/conf/every-example-of-the-manual-answers-as-it-says.t runs them.
#
# It is one long text without a pointer, so that it lies in pages of the file that all processes share and no worker touches.

function fail(why) { print FILENAME ":" FNR ": " why > "/dev/stderr"; failed = 1; exit 1 }

# As a literal of C.  (What gsub makes of backslashes differs from awk to awk.)
function quoted(s,   piece, n, i, out) {
    n = split(s, piece, "\\")
    out = piece[1]
    for (i = 2; i <= n; i++) out = out "\\\\" piece[i]
    gsub(/"/, "\\\"", out)
    return "\"" out "\""
}

function record(module, name, words,   lines, n, i) {
    print "    " quoted(module) " \"\\0\" " quoted(name) " \"\\0\""
    n = split(words, lines, "\n")
    for (i = 1; i <= n; i++) print "        " quoted(lines[i]) (i < n ? " \"\\n\"" : " \"\\0\"")
}

function finish() {
    sub(/^\n+/, "", text)
    sub(/\n+$/, "", text)
    if (text == "" && name != "") fail("\"" name "\" has no words")
    if (text != "") {
        record(module, name, text)
        if (other != "") {
            gsub(from, to, name)
            gsub(from, to, text)
            record(other, name, text)
        }
    }
    text = ""
}

BEGIN { print "/* Written by auto/manual.awk: the words of the manual. */\nextern const char weir_manual_texts[];\n\nconst char weir_manual_texts[] =" }

FNR == 1 {
    finish()
    name = other = ""
    code = 0
    if (!/^# ./) fail("expected \"# MODULE\" or \"# PAGE\"")
    module = substr($0, 3)
    if (FILENAME ~ /docs\/pages\//) {
        module = "page:" module
    } else if (module !~ /^[a-z0-9_]+(, and [a-z0-9_]+ with [a-z0-9_]+_ for [a-z0-9_]+_)?$/) {
        fail("expected \"# MODULE\"")
    }
    if (match(module, /, and [a-z0-9_]+ with [a-z0-9_]+_ for [a-z0-9_]+_$/)) {
        split(substr(module, RSTART + 6), word, " ")
        module = substr(module, 1, RSTART - 1)
        other = word[1]; to = word[3]; from = word[5]
    }
    next
}

/^```/ { code = !code }
!code && /^## / {
    finish()
    name = substr($0, 4)
    if (module ~ /^page:/ || name !~ /^[a-z0-9_]+$/) fail("expected \"## DIRECTIVE\" in the text of a module")
    if ((module, name) in seen) fail("\"" name "\" is here twice")
    seen[module, name] = 1
    next
}
!code && /^#/ { fail("unexpected heading") }
{ text = text $0 "\n" }

END {
    if (failed) exit 1
    finish()
    if (failed) exit 1
    print "    \"\";"
}
