// The parts of libcrypto (OpenSSL 3.0) that AuditSigning calls.
//
// The block functions SHA256_Init, _Update and _Final are asked for by name: they work on a plain struct on the stack, so a
// hash needs no allocation and no provider look-up, which in 3.0 cost more than hashing a short line.
#ifndef WEIGHBRIDGE_COPENSSL_H
#define WEIGHBRIDGE_COPENSSL_H

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/// How a certificate's subject is written: RFC 2253, with UTF-8 left as it is. A constant, as the macros carry casts.
static const unsigned long weighbridge_name_flags = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;

#endif
