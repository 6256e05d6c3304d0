internal import GovernanceTypes

/// `README.txt`: what a bundle proves, what it does not, and the commands that check it by hand.
enum BundleReadme {
  static func text(origin: String, key: NoteKey, period: Range<Timestamp>) -> String {
    """
    Audit bundle of the log \(origin)
    Period: \(period.lowerBound) up to but not including \(period.upperBound)
    Log key: \(key.vkey)

    CHECK IT ALL

        python3 verify.py .            needs Python 3.9 or later and the openssl program (3.0 or later)
        weighbridge audit verify .     the same by another program

    Both end with status 0 where everything holds, and with status 1 and the file and line at fault where it does not.
    The script and the keys lie in this directory, so whoever could replace the bundle could replace them too. Compare the log key
    above and the certificate keys/signer.pem with what you were given when the contract began, and pass them in:

        python3 verify.py . LOG-KEY CERTIFICATE.pem

    CHECK IT BY HAND

    The signature over the manifest:
        openssl cms -verify -binary -inform DER -in manifest.cms -content manifest.json \\
          -CAfile keys/signer.pem -out /dev/null
    The files that the manifest lists:
        grep -o '"path":"[^"]*","sha256":"[^"]*"' manifest.json |
          sed 's/"path":"\\(.*\\)","sha256":"\\(.*\\)"/\\2  \\1/' | sha256sum -c
    The signature over the checkpoint (for previous-checkpoint likewise):
        sed '/^$/,$d' checkpoint > /tmp/text
        tail -n 1 checkpoint | cut -d ' ' -f 3 | base64 -d | tail -c 64 > /tmp/signature
        openssl pkeyutl -verify -pubin -inkey keys/log.pem -rawin -in /tmp/text -sigfile /tmp/signature
    One entry, here that of line 17, against its leaf hash:
        (printf '\\0'; sed -n 17p entries.jsonl | tr -d '\\n') | sha256sum; sed -n 17p leaves.txt
    The timestamp, where there is a manifest.tsr:
        openssl ts -verify -data manifest.cms -in manifest.tsr -CAfile keys/tsa.pem

    WHAT IS IN IT

    entries.jsonl        the log's entries of the period, one a line, canonical JSON (RFC 8785)
    leaves.txt           the leaf hash of each entry, SHA-256(0x00, line without its newline), on the line of the same number
    checkpoint           the size and the root of the log's Merkle tree (RFC 6962) after the last entry, signed (C2SP signed-note)
    previous-checkpoint  the same from the bundle before this one, where there was one
    consistency.json     the tree before the first entry, and the proof that the earlier tree is a part of the later one
    usage.csv, focus.csv what was charged, a row for each settlement or part of it
    summary.json         totals per customer and currency, and the holds that were open at both ends
    terms/               the license terms in force
    keys/                the log's public key, and the certificate of the manifest's signer
    manifest.json        the SHA-256 of every other file; manifest.cms is the signature over it

    WHAT IS PROVEN

    No entry of the period was changed, removed, added or moved since the checkpoint was signed, and none before the previous
    checkpoint since that one was. Sequence numbers have no gap. Every hold is settled once, voided once, or listed as open;
    no settlement is above its hold; the totals and usage.csv are the sums of the settlements.

    WHAT IS NOT PROVEN

    That a request was logged at all. A customer can tell by the usage id in each response (x-weighbridge-usage): ask for the
    entry of an id that is not here. That the times are true, beyond what manifest.tsr says. That the operator shows the same log
    to everyone: keep the checkpoints that you were given, and compare them with those of others. The holds listed as open before
    the first entry are proven by the bundle that has their entries, not by this one.

    """
  }
}

extension NoteKey {
  /// The public key as PEM, in the SubjectPublicKeyInfo of RFC 8410.
  public var pem: String {
    let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
    return "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(prefix + self.publicKey))\n-----END PUBLIC KEY-----\n"
  }
}
