/// Where a bundle's files go; two may be open at once.
public protocol BundleSink {
  /// Begins a file. The path is relative, of plain segments divided by `/`.
  mutating func open(_ path: String) throws
  mutating func append(_ bytes: [UInt8], to path: String) throws
  /// Ends the file, after which its bytes are complete.
  mutating func close(_ path: String) throws
}

/// Where a bundle's files are read from.
public protocol BundleSource {
  /// The relative paths of all files, in any order. Anything that is no regular file is an error.
  func paths() throws -> [String]
  /// The file's bytes in pieces, in order; nil after the last.
  func open(_ path: String) throws -> () throws -> [UInt8]?
}

/// A file of a bundle that comes from elsewhere: `usage.csv`, `focus.csv`, term files.
public struct BundleContent {
  public let path: String
  /// Hands the file's bytes over in pieces.
  public let write: (_ emit: ([UInt8]) throws -> Void) throws -> Void

  public init(path: String, write: @escaping (_ emit: ([UInt8]) throws -> Void) throws -> Void) {
    self.path = path
    self.write = write
  }

  public init(path: String, bytes: [UInt8]) {
    self.init(path: path) { emit in try emit(bytes) }
  }
}

/// The names of the files in a bundle.
public enum BundlePath {
  public static let manifest = "manifest.json"
  public static let signature = "manifest.cms"
  public static let timestamp = "manifest.tsr"
  /// The SHA-256 of the manifest and of the signatures over it, in the form of `sha256sum`: these have bytes that they do not cover.
  public static let sums = "manifest.sha256"
  public static let entries = "entries.jsonl"
  /// Line `n` is the leaf hash of line `n` of `entries.jsonl`, so that a changed line can be told from its neighbours.
  public static let leaves = "leaves.txt"
  public static let checkpoint = "checkpoint"
  public static let previousCheckpoint = "previous-checkpoint"
  public static let consistency = "consistency.json"
  public static let summary = "summary.json"
  public static let usage = "usage.csv"
  public static let focus = "focus.csv"
  public static let logKey = "keys/log.vkey"
  public static let logKeyPEM = "keys/log.pem"
  /// The verifier keys of the witnesses, one a line.
  public static let witnessKeys = "keys/witnesses"
  /// The notes by which one log key followed another: `keys/succession-1` and so on.
  public static let succession = "keys/succession-"
  /// Proofs of single entries, to be handed on: `proofs/<usage>.tlog-proof`.
  public static let proofs = "proofs/"
  public static let signerCertificate = "keys/signer.pem"
  public static let timestampCertificate = "keys/tsa.pem"
  public static let readme = "README.txt"
  public static let script = "verify.py"
  /// Verifies proofs of single entries; `verify.py` takes from it what it needs of trees, notes and keys.
  public static let proofScript = "proof.py"
  public static let terms = "terms/"

  /// Whether a path is relative, has plain segments and no surprise in it: letters, digits, `.`, `-`, `_`, no leading dot.
  static func isPlain(_ path: String) -> Bool {
    let segments = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return path.utf8.count <= 200 && segments.count <= 4
      && segments.allSatisfy { segment in
        segment.first != UInt8(ascii: ".") && !segment.isEmpty && segment.allSatisfy(isPathByte)
      }
  }
}

private func isPathByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
    UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
    true
  default: false
  }
}

/// A bundle that cannot be written as asked.
public struct BundleError: Error, Equatable, Sendable, CustomStringConvertible {
  public var file: String
  public var line: Int?
  public var message: String

  public init(file: String, line: Int? = nil, message: String) {
    self.file = file
    self.line = line
    self.message = message
  }

  public var description: String {
    self.line.map { "\(self.file) line \($0): \(self.message)" } ?? "\(self.file): \(self.message)"
  }
}
