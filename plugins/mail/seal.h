/* seal.h -- mails at rest hold live links, so they are sealed with a key made from secret_key. */
#ifndef MAIL_SEAL_H
#define MAIL_SEAL_H
#include "plugins/mail/text_out.h"

/* Seals `text` under a fresh nonce; appends base64 to `out`.  returns 0 or PARLEY_ENOMEM */
int seal_close(const unsigned char key[32], const unsigned char nonce[24], parley_str text,
               text_out *out);
/* Opens it; appends the text.  returns 0, PARLEY_EINVAL (another key, or damaged), PARLEY_ENOMEM */
int seal_open(const unsigned char key[32], parley_str sealed, text_out *out);
#endif
