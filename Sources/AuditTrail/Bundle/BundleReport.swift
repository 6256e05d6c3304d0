public import GovernanceTypes

/// Something in a bundle that is not as it must be.
public struct BundleFinding: Hashable, Sendable, CustomStringConvertible {
  public var file: String
  /// Counted from 1; nil where no single line can be named.
  public var line: Int?
  public var message: String

  public init(file: String, line: Int? = nil, message: String) {
    self.file = file
    self.line = line
    self.message = message
  }

  /// `entries.jsonl line 17: …`
  public var description: String {
    self.line.map { "\(self.file) line \($0): \(self.message)" } ?? "\(self.file): \(self.message)"
  }
}

/// What verifying a bundle has shown.
public struct BundleReport: Sendable {
  /// Empty where the bundle is sound. At most ``findingsMaximum`` are kept.
  public internal(set) var findings: [BundleFinding] = []
  /// How many findings there were beyond those kept.
  public internal(set) var findingsOmitted = 0
  /// Nil where the manifest could not be read.
  public internal(set) var manifest: BundleManifest?
  /// The verified checkpoint of the log.
  public internal(set) var checkpoint: Checkpoint?
  /// The key that signed the checkpoint. It comes from the bundle itself unless the caller passed one in as trusted.
  public internal(set) var logKey: NoteKey?
  public internal(set) var isLogKeyTrusted = false
  /// The witnesses that cosigned the checkpoint, and when.
  public internal(set) var cosigned: [(witness: NoteKey, at: Timestamp)] = []
  /// Whether the log extends the checkpoint that the caller had; nil where none was given.
  public internal(set) var extendsKnownCheckpoint: Bool?
  /// The number of proofs of single entries.
  public internal(set) var proofs = 0
  /// Who signed the manifest, in the words of the function that checked the signature.
  public internal(set) var signer: String?
  public internal(set) var isSignerTrusted = false
  /// When the manifest was stamped, likewise; nil where no timestamp authority is configured.
  public internal(set) var timestamp: String?
  public internal(set) var totals: [SettledTotal] = []
  public internal(set) var openBefore: [OpenHold] = []
  public internal(set) var openAfter: [OpenHold] = []

  public static let findingsMaximum = 100
  public var isSound: Bool { self.findings.isEmpty }

  mutating func add(_ file: String, line: Int? = nil, _ message: String) {
    guard self.findings.count < Self.findingsMaximum else {
      self.findingsOmitted += 1
      return
    }
    self.findings.append(BundleFinding(file: file, line: line, message: message))
  }
}
