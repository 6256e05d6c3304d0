internal import GovernanceTypes

/// `README.txt`: what a bundle proves, what it does not, and the commands that check it by hand.
enum BundleReadme {
  static func text(origin: String, key: NoteKey, period: Range<Timestamp>) -> String {
    """
    Audit bundle of the log \(origin)
    Period: \(period.lowerBound) up to but not including \(period.upperBound)
    Log key: \(key.vkey)

    CHECK IT ALL

        python3 verify.py .            needs proof.py beside it, Python 3.9 or later, and the openssl program (3.0 or later)
        weighbridge audit verify .     the same by another program

    Both end with status 0 where everything holds, and with status 1 and the file and line at fault where it does not.
    The script and the keys lie in this directory, so whoever could replace the bundle could replace them too. Compare the log key
    above and the certificate keys/signer.pem with what you were given when the contract began, and pass them in:

        python3 verify.py . LOG-KEY CERTIFICATE.pem

    CHECK IT BY HAND

    The signature over the manifest:
        openssl cms -verify -binary -inform DER -in manifest.cms -content manifest.json \\
          -CAfile keys/signer.pem -out /dev/null
    The manifest and its signatures, byte by byte, and the files that the manifest lists:
        sha256sum -c manifest.sha256
        grep -o '"path":"[^"]*","sha256":"[^"]*"' manifest.json |
          sed 's/"path":"\\(.*\\)","sha256":"\\(.*\\)"/\\2  \\1/' | sha256sum -c
    The signature over the checkpoint (for previous-checkpoint likewise):
        sed '/^$/,$d' checkpoint > /tmp/text
        sed '1,/^$/d' checkpoint | head -n 1 | cut -d ' ' -f 3 | base64 -d | tail -c 64 > /tmp/signature
        openssl pkeyutl -verify -pubin -inkey keys/log.pem -rawin -in /tmp/text -sigfile /tmp/signature
    A witness's signature over the checkpoint, where there is one; here the last of the file:
        seconds=$(tail -n 1 checkpoint | cut -d ' ' -f 3 | base64 -d | tail -c 72 | head -c 8 | od -A n -t x1 | tr -d ' ')
        (printf 'cosignature/v1\\ntime %d\\n' "0x$seconds"; sed '/^$/,$d' checkpoint) > /tmp/text
        tail -n 1 checkpoint | cut -d ' ' -f 3 | base64 -d | tail -c 64 > /tmp/signature
        (printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'; tail -n 1 keys/witnesses | cut -d + -f 3- | base64 -d | tail -c 32) > /tmp/key
        openssl pkeyutl -verify -pubin -keyform DER -inkey /tmp/key -rawin -in /tmp/text -sigfile /tmp/signature
    One entry, here that of line 17, against its leaf hash:
        (printf '\\0'; sed -n 17p entries.jsonl | tr -d '\\n') | sha256sum; sed -n 17p leaves.txt
    The timestamp, where there is a manifest.tsr:
        openssl ts -verify -data manifest.cms -in manifest.tsr -CAfile keys/tsa.pem
    The proof of one entry, which is printed; each file below proofs/ can be handed on without the rest:
        python3 proof.py proofs/ID.tlog-proof LOG-KEY


    """ + Self.statement
  }

  /// What is in a bundle, and what that proves.
  private static let statement = """
    WHAT IS IN IT

    entries.jsonl        the log's entries of the period, one a line, canonical JSON (RFC 8785)
    leaves.txt           the leaf hash of each entry, SHA-256(0x00, line without its newline), on the line of the same number
    checkpoint           the size and the root of the log's Merkle tree (RFC 6962) after the last entry, signed (C2SP signed-note)
    previous-checkpoint  the same from the bundle before this one, where there was one
    consistency.json     the tree before the first entry, and the proof that the earlier tree is a part of the later one
    usage.csv, focus.csv what was charged, a row for each settlement or part of it
    summary.json         totals per customer and currency, the holds that were open at both ends, and what came before the first entry
    terms/               the license terms in force
    keys/                the log's public key and how it followed on earlier ones, the witnesses' keys, the manifest signer's certificate
    proofs/              of each customer's newest settlement, that it is in the log (C2SP tlog-proof)
    manifest.json        the SHA-256 of every other file; manifest.cms is the signature over it, manifest.tsr a timestamp over that
    manifest.sha256      the SHA-256 of these, as their own encodings have bytes that no signature covers

    WHAT IS PROVEN

    No entry of the period was changed, removed, added or moved since the checkpoint was signed, and none before the previous
    checkpoint since that one was. Sequence numbers have no gap, and no customer's entries have one. Every hold is settled once, voided once, or listed as open;
    no settlement is above its hold; the totals and usage.csv are the sums of the settlements, and so are
    the running totals that the log states of itself every minute. Each witness has signed that it saw this log grow and never change.

    WHAT IS NOT PROVEN

    That a request was logged at all. A customer can tell by the receipt in each response (usage id, customer sequence, leaf hash): a
    number that it was never told of, or a receipt without its entry, shows. That the times are true, beyond what manifest.tsr and
    the witnesses say. That the operator shows the same log to everyone, beyond what witnesses say that you trust: keep the
    checkpoints that you were given, and compare them with those of others. What summary.json tells of the time before the first
    entry is proven by the bundle that has those entries, not by this one.

    """
}

extension NoteKey {
  /// The public key as PEM, in the SubjectPublicKeyInfo of RFC 8410.
  public var pem: String {
    let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
    return "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(prefix + self.publicKey))\n-----END PUBLIC KEY-----\n"
  }
}
