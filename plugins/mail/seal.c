/* seal.c -- secretbox (XSalsa20-Poly1305); stored as base64 of nonce and box. */
#include "plugins/mail/seal.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE = crypto_secretbox_NONCEBYTES, MAC = crypto_secretbox_MACBYTES };

int seal_close(const unsigned char key[32], const unsigned char nonce[24], parley_str text,
               text_out *out)
{
    size_t n = NONCE + MAC + text.n;
    size_t chars = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
    unsigned char *box = malloc(n);
    char *encoded = malloc(chars);

    if (box && encoded) {
        memcpy(box, nonce, NONCE);
        (void)crypto_secretbox_easy(box + NONCE, (const unsigned char *)text.p, text.n, nonce, key);
        (void)sodium_bin2base64(encoded, chars, box, n, sodium_base64_VARIANT_ORIGINAL);
        text_out_text(out, encoded);
    } else {
        out->is_broken = 1;
    }
    free(box);
    free(encoded);
    return out->is_broken ? PARLEY_ENOMEM : 0;
}

int seal_open(const unsigned char key[32], parley_str sealed, text_out *out)
{
    unsigned char *box = malloc(sealed.n + 1);
    unsigned char *text = malloc(sealed.n + 1);
    size_t n = 0;
    int err = box && text ? 0 : PARLEY_ENOMEM;

    if (err == 0 && (sodium_base642bin(box, sealed.n, sealed.p, sealed.n, NULL, &n, NULL,
                                       sodium_base64_VARIANT_ORIGINAL) != 0 ||
                     n < NONCE + MAC ||
                     crypto_secretbox_open_easy(text, box + NONCE, n - NONCE, box, key) != 0))
        err = PARLEY_EINVAL;
    if (err == 0) {
        text_out_add(out, (const char *)text, n - NONCE - MAC);
        sodium_memzero(text, sealed.n);
        err = out->is_broken ? PARLEY_ENOMEM : 0;
    }
    free(box);
    free(text);
    return err;
}
