/// Verifies a bundle offline, from its files alone, in one pass over the entries.
public struct BundleVerifier: Sendable {
  /// Checks a detached CMS signature (DER) over the manifest against a certificate (PEM), and says who signed.
  public typealias ManifestSignatureCheck =
    @Sendable (
      _ manifest: [UInt8], _ signature: [UInt8], _ certificate: [UInt8]
    ) throws -> String
  /// Checks an RFC 3161 response (DER) over the CMS signature against the authority's certificate (PEM), and says when it was.
  public typealias TimestampCheck =
    @Sendable (
      _ signature: [UInt8], _ response: [UInt8], _ certificate: [UInt8]
    ) throws -> String

  /// What the caller knows from elsewhere; without it the bundle is checked against the keys that it carries.
  public struct Trust: Sendable {
    public var logKey: NoteKey?
    /// The signer's certificate, PEM.
    public var signerCertificate: [UInt8]?
    /// Witnesses that must have cosigned the checkpoint.
    public var witnesses: [NoteKey]
    /// An earlier checkpoint of the log, as a signed note: the log must extend it.
    public var checkpoint: [UInt8]?

    public init(
      logKey: NoteKey? = nil, signerCertificate: [UInt8]? = nil, witnesses: [NoteKey] = [], checkpoint: [UInt8]? = nil
    ) {
      self.logKey = logKey
      self.signerCertificate = signerCertificate
      self.witnesses = witnesses
      self.checkpoint = checkpoint
    }
  }

  let digests: DigestSuite
  let verifySignature: SignatureVerification
  let verifyManifest: ManifestSignatureCheck
  let verifyTimestamp: TimestampCheck
  let trust: Trust
  let usagesMaximum: Int

  /// Usages whose state is kept; it bounds memory at some 500 MB whatever the bundle says.
  public static let usualUsagesMaximum = 6_000_000

  public init(
    digests: DigestSuite, verifySignature: @escaping SignatureVerification,
    verifyManifest: @escaping ManifestSignatureCheck, verifyTimestamp: @escaping TimestampCheck, trust: Trust = Trust(),
    usagesMaximum: Int = Self.usualUsagesMaximum
  ) {
    self.digests = digests
    self.verifySignature = verifySignature
    self.verifyManifest = verifyManifest
    self.verifyTimestamp = verifyTimestamp
    self.trust = trust
    self.usagesMaximum = usagesMaximum
  }

  /// Never throws: what cannot be read is a finding. O(bytes) time; memory for one line at a time, for the small files, and for
  /// the state of each usage id in the bundle (some 60 bytes), of which there may be a number that the verifier is told.
  public func verify(_ source: some BundleSource) -> BundleReport {
    var verification = BundleVerification(verifier: self, source: source)
    verification.run()
    return verification.report
  }
}
