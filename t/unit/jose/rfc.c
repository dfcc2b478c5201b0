/*
 * rfc.c - the examples of RFC 7515 appendix A, RFC 7516 appendix A, RFC 7519 §6.1 and RFC 8037 appendix A; those of RFC
 * 7520 are in vectors.c.  The one of RFC 7516 A.2 (RSA1_5) is refused on purpose.
 */
#include "jose/jwe.h"
#include "jose/jws.h"
#include "jose/jwt.h"

#include "../tap.h"

#define JOE "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

static const char hs_key[] = "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4h"
                             "cgUuTwjAzZr1Z9CAow\"}";
static const char hs_token[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." JOE
                               ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char rs_key[] =
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4"
    "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"
    "UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kz"
    "k2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}";
static const char rs_token[] =
    "eyJhbGciOiJSUzI1NiJ9." JOE
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t"
    "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jz"
    "DwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe"
    "77Rw";
static const char es_key[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                             "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
static const char es_token[] = "eyJhbGciOiJFUzI1NiJ9." JOE
                               ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
static const char es512_key[] =
    "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4q"
    "UxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}";
static const char es512_token[] =
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0"
    "aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
static const char none_token[] = "eyJhbGciOiJub25lIn0." JOE ".";
static const char ed_key[] = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
static const char ed_token[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09"
                               "PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

static const char oaep_key[] =
    "{\"kty\":\"RSA\",\"n\":\"oahUIoWw0K0usKNuOR6H4wkf4oBUXHTxRvgb48E-BVvxkeDNjbC4he8rUWcJoZmds2h7M70imEVhRU5djINXtqllXI4D"
    "FqcI1DgjT9LewND8MW2Krf3Spsk_ZkoFnilakGygTwpZ3uesH-PFABNIUYpOiN15dsQRkgr0vEhxN92i2asbOenSZeyaxziK72UwxrrKoExv6kc5t"
    "wXTq4h-QChLOln0_mtUZwfsRaMStPs6mS6XrgxnxbWhojf663tuEQueGC-FCMfra36C9knDFGzKsNa7LZK2djYgyD3JR_MB_4NUJW_TqOQtwHYbx"
    "evoJArm-L5StowjzGy-_bq6Gw\",\"e\":\"AQAB\",\"d\":\"kLdtIj6GbDks_ApCSTYQtelcNttlKiOyPzMrXHeI-yk1F7-kpDxY4-WY5NWV5KntaE"
    "eXS1j82E375xxhWMHXyvjYecPT9fpwR_M9gV8n9Hrh2anTpTD93Dt62ypW3yDsJzBnTnrYu1iwWRgBKrEYY46qAZIrA2xAwnm2X7uGR1hghkqDp0V"
    "qj3kbSCz1XyfCs6_LehBwtxHIyh8Ripy40p24moOAbgxVw3rxT_vlt3UVe4WO3JkJOzlpUf-KTVI2Ptgm-dARxTEtE-id-4OJr0h-K-VFs3VSndVTI"
    "znSxfyrj8ILL6MG_Uv8YAu7VILSB3lOW085-4qE3DzgrTjgyQ\",\"p\":\"1r52Xk46c-LsfB5P442p7atdPUrxQSy4mti_tZI3Mgf2EuFVbUoDBvaRQ"
    "-SWxkbkmoEzL7JXroSBjSrK3YIQgYdMgyAEPTPjXv_hI2_1eTSPVZfzL0lffNn03IXqWF5MDFuoUYE0hzb2vhrlN_rKrbfDIwUbTrjjgieRbwC6Cl0"
    "\",\"q\":\"wLb35x7hmQWZsWJmB_vle87ihgZ19S8lBEROLIsZG4ayZVe9Hi9gDVCOBmUDdaDYVTSNx_8Fyw1YYa9XGrGnDew00J28cRUoeBB_jKI1om"
    "a0Orv1T9aXIWxKwd4gvxFImOWr3QRL9KEBRzk2RatUBnmDZJTIAfwTs0g68UZHvtc\",\"dp\":\"ZK-YwE7diUh0qR1tR7w8WHtolDx3MZ_OTowiFvgf"
    "eQ3SiresXjm9gZ5KLhMXvo-uz-KUJWDxS5pFQ_M0evdo1dKiRTjVw_x4NyqyXPM5nULPkcpU827rnpZzAJKpdhWAgqrXGKAECQH0Xt4taznjnd_zVp"
    "AmZZq60WPMBMfKcuE\",\"dq\":\"Dq0gfgJ1DdFGXiLvQEZnuKEN0UUmsJBxkjydc3j4ZYdBiMRAy86x0vHCjywcMlYYg4yoC4YZa9hNVcsjqA3FeiL"
    "19rk8g6Qn29Tt0cj8qqyFpz9vNDBUfCAiJVeESOjJDZPYHdHY8v1b-o-Z2X5tvLx-TCekf7oxyeKDUqKWjis\",\"qi\":\"VIMpMYbPf47dT1w_zDUXfP"
    "imsSegnMOA1zTaX7aGk_8urY6R8-ZW1FxU7AlWAyLWybqq6t16VFd7hQd0y6flUK4SlOydB61gwanOsXGOAOv82cHq0E3eL4HrtZkUuKvnPrMnsUUF"
    "lfUdybVzxyjz9JF_XyaY14ardLSjf4L_FNY\"}";
static const char oaep_token[] =
    "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT03JGeip"
    "sEdY3mx_etLbbWSrFr05kLzcSr4qKAq7YN7e9jwQRb23nfa6c9d-StnImGyFDbSv04uVuxIp5Zms1gNxKKK2Da14B8S4rzVRltdYwam_lDp5XnZAY"
    "pQdb76FdIKLaVmqgfwX7XWRxv2322i-vDxRfqNzo_tETKzpVLzfiwQyeyPGLBIO56YJ7eObdv0je81860ppamavo35UgoRdbYaBcoh9QcfylQr66o"
    "c6vFWXRcZ_ZT2LawVCWTIy3brGPi6UklfCpIMfIjf7iGdXKHzg.48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vp"
    "zs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A.XFBoMYUZodetZdvTiFvSkQ";
static const char kw_key[] = "{\"kty\":\"oct\",\"k\":\"GawgguFyGrWKav7AX4VKUg\"}";
static const char kw_token[] = "eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.6KB707dM9YTIgHtLvtgWQ8mKwboJW3of9loc"
                               "izkDTHzBC2IlrT1oOQ.AxY8DCtDaGlsbGljb3RoZQ.KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY."
                               "U0m_YmjN04DJvceFICbCVQ";

static weir_arena_t arena;

static weir_jwks_t *
keys_of(const char *text)
{
    weir_error_t error = { .text = "" };
    weir_jwks_t *keys = weir_jwks_parse(weir_str_from_z(text), &error);

    if (keys == NULL) {
        printf("# %s\n", error.text);
        exit(1);
    }
    return keys;
}

static void
verifies(const char *key, const char *token, const char *payload, const char *what)
{
    weir_jwks_t      *keys = keys_of(key);
    const weir_jwk_t *used;
    weir_jws_t        jws;
    char              other[2048];

    ok(weir_jws_read(&arena, weir_str_from_z(token), &jws) == WEIR_JOSE_GOOD
       && weir_jws_verify(&jws, keys, WEIR_JOSE_ALL_ALGS, &used) == WEIR_JOSE_GOOD, what);
    ok(weir_jws_verify(&jws, keys, WEIR_JOSE_ALL_ALGS, &used) == WEIR_JOSE_GOOD, "… and again");
    is_str(jws.payload, payload, "its payload");
    ok(weir_jws_verify(&jws, keys, WEIR_JOSE_ALL_ALGS & ~WEIR_JOSE_BIT(jws.alg), &used) == WEIR_JOSE_ALGORITHM,
       "an algorithm that is not allowed");
    strcpy(other, token);                    /* a letter of the payload */
    strchr(other, '.')[3] ^= 1;
    ok(weir_jws_read(&arena, weir_str_from_z(other), &jws) != WEIR_JOSE_GOOD
       || weir_jws_verify(&jws, keys, WEIR_JOSE_ALL_ALGS, &used) == WEIR_JOSE_SIGNATURE, "another payload");
    weir_jwks_destroy(keys);
}

static void
decrypts(const char *key, const char *token, const char *want, const char *what)
{
    weir_jwks_t      *keys = keys_of(key);
    const weir_jwk_t *used;
    weir_jwe_t        jwe;
    weir_str_t        plain = WEIR_STR_NONE;

    ok(weir_jwe_read(&arena, weir_str_from_z(token), &jwe) == WEIR_JOSE_GOOD
       && weir_jwe_decrypt(&arena, &jwe, keys, WEIR_JOSE_ALL_ALGS, &plain, &used) == WEIR_JOSE_GOOD, what);
    is_str(plain, want, "its plaintext");
    weir_jwks_destroy(keys);
}

int
main(void)
{
    static const char joe[] = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    weir_jws_t        jws;
    weir_jwe_t        jwe;
    weir_jwt_t        jwt;

    weir_arena_init(&arena, 4096);
    verifies(hs_key, hs_token, joe, "RFC 7515 A.1: HS256");
    verifies(rs_key, rs_token, joe, "RFC 7515 A.2: RS256");
    verifies(es_key, es_token, joe, "RFC 7515 A.3: ES256");
    verifies(es512_key, es512_token, "Payload", "RFC 7515 A.4: ES512");
    is_int(weir_jws_read(&arena, weir_str_from_z(none_token), &jws), WEIR_JOSE_UNSIGNED, "RFC 7515 A.5: none");
    verifies(ed_key, ed_token, "Example of Ed25519 signing", "RFC 8037 A.4: EdDSA");
    decrypts(oaep_key, oaep_token, "The true sign of intelligence is not knowledge but imagination.",
             "RFC 7516 A.1: RSA-OAEP and A256GCM");
    decrypts(kw_key, kw_token, "Live long and prosper.", "RFC 7516 A.3: A128KW and A128CBC-HS256");
    is_int(weir_jwe_read(&arena, WEIR_STR("eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.AA.AA.AA.AA"), &jwe),
           WEIR_JOSE_ALGORITHM, "RFC 7516 A.2: RSA1_5 is not taken");
    is_int(weir_jws_read(&arena, weir_str_from_z(kw_token), &jws), WEIR_JOSE_TYPE, "an encrypted one is not signed");
    is_int(weir_jwe_read(&arena, weir_str_from_z(hs_token), &jwe), WEIR_JOSE_TYPE, "a signed one is not encrypted");

    is_int(weir_jwt_read(&arena, weir_str_from_z(joe), &jwt), WEIR_JOSE_GOOD, "claims");
    is_int(jwt.expires, 1300819380, "exp");
    is_int(weir_jwt_check_time(jwt.expires, jwt.not_before, 1300819379, 0), WEIR_JWT_VALID, "a second before");
    is_int(weir_jwt_check_time(jwt.expires, jwt.not_before, 1300819380, 0), WEIR_JWT_EXPIRED, "on time it has expired");
    is_int(weir_jwt_check_time(jwt.expires, jwt.not_before, 1300819380, 5), WEIR_JWT_VALID, "with leeway it has not");
    is_int(weir_jwt_check_time(WEIR_JWT_NEVER, 1000, 999, 0), WEIR_JWT_NOT_YET, "not yet");
    is_int(weir_jwt_check_time(WEIR_JWT_NEVER, 1000, 999, 1), WEIR_JWT_VALID, "with leeway it is");
    weir_arena_wipe(&arena);
    weir_arena_fini(&arena);
    return done();
}
