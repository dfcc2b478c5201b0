/*
 * sf.c - dictionaries of structured fields (RFC 9651): what is read, written in its one form; and what is none.
 */
#include "http/message/sf.h"

#include "../../tap.h"

static void
add_all(weir_buf_t *out, const weir_sf_member_t *first)
{
    for (; first != NULL; first = first->next) {
        weir_buf_add_str(out, first->key);
        weir_buf_add_char(out, '=');
        weir_sf_add_member(out, first);
        weir_buf_add_char(out, '|');
    }
}

static void
is_read(const char *text, const char *want)
{
    const weir_sf_member_t *first;
    weir_arena_t            arena;
    char                    room[1000];
    weir_buf_t              out;

    weir_arena_init(&arena, 1024);
    weir_buf_init(&out, room, sizeof(room));
    if (weir_sf_parse_dictionary(&arena, weir_str_from_z(text), 20, &first)) {
        add_all(&out, first);
    } else {
        weir_buf_add_lit(&out, "none");
    }
    ok(weir_str_eq(weir_buf_str(&out), weir_str_from_z(want)), text);
    weir_arena_fini(&arena);
}

int
main(void)
{
    is_read("", "");
    is_read("   ", "");
    is_read("a", "a=?1|");
    is_read("a=?0", "a=?0|");
    is_read("  a=1,\t b=2 ,c ", "a=1|b=2|c=?1|");
    is_read("a=1;x;y=?0;z=\"q\\\"\\\\\"", "a=1;x;y=?0;z=\"q\\\"\\\\\"|");
    is_read("a=-999999999999999", "a=-999999999999999|");
    is_read("a=00012", "a=12|");
    is_read("a=-0", "a=0|");
    is_read("a=1.5, b=-0.050, c=123456789012.345, d=1.0", "a=1.5|b=-0.05|c=123456789012.345|d=1.0|");
    is_read("a=:aGVsbG8=:, b=::", "a=:aGVsbG8=:|b=::|");
    is_read("a=tok/en:x*, b=*y", "a=tok/en:x*|b=*y|");
    is_read("a=@1659578233, b=@-1", "a=@1659578233|b=@-1|");
    is_read("a=(), b=(1  \"x\";k=t ), c=( a);p", "a=()|b=(1 \"x\";k=t)|c=(a);p|");
    is_read("sig1=(\"@method\" \"@query-param\";name=\"Pet\");created=1618884473;  keyid=\"k\"",
            "sig1=(\"@method\" \"@query-param\";name=\"Pet\");created=1618884473;keyid=\"k\"|");
    is_read("*a_b-c.d*9=1", "*a_b-c.d*9=1|");

    is_read("A=1", "none");
    is_read("1a=1", "none");
    is_read("a=1,", "none");
    is_read("a=1,,b=2", "none");
    is_read(",a", "none");
    is_read("a=1 b=2", "none");
    is_read("a=1, a=2", "none");
    is_read("a=1;x=1;x=2", "none");
    is_read("a =1", "none");
    is_read("a= 1", "none");
    is_read("a=", "none");
    is_read("a=1;", "none");
    is_read("a=1;X", "none");
    is_read("a=1 ;x", "none");
    is_read("a=1000000000000000", "none");
    is_read("a=1234567890123.1", "none");
    is_read("a=1.2345", "none");
    is_read("a=1.", "none");
    is_read("a=.1", "none");
    is_read("a=-", "none");
    is_read("a=--1", "none");
    is_read("a=@1.5", "none");
    is_read("a=@", "none");
    is_read("a=\"x", "none");
    is_read("a=\"\\x\"", "none");
    is_read("a=\"x\\", "none");
    is_read("a=\"\t\"", "none");
    is_read("a=\"\x7f\"", "none");
    is_read("a=\"\xc3\xa4\"", "none");
    is_read("a=:aGVsbG8:", "none");
    is_read("a=:aGVsbG8=", "none");
    is_read("a=:a b=:", "none");
    is_read("a=?", "none");
    is_read("a=?2", "none");
    is_read("a=(1", "none");
    is_read("a=(1\"x\")", "none");
    is_read("a=(1,2)", "none");
    is_read("a=((1))", "none");
    is_read("a=(1\t2)", "none");
    is_read("a=%\"x\"", "none");
    is_read("\ta=1", "none");
    is_read("a=1\t", "a=1|");
    is_read("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t",
            "a=?1|b=?1|c=?1|d=?1|e=?1|f=?1|g=?1|h=?1|i=?1|j=?1|k=?1|l=?1|m=?1|n=?1|o=?1|p=?1|q=?1|r=?1|s=?1|t=?1|");
    is_read("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u", "none");
    return done();
}
