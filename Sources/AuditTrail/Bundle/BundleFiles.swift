internal import GovernanceTypes

/// The files written so far, with their digests.
struct BundleFiles {
  /// One file while it is written; small pieces are gathered.
  struct Open {
    fileprivate let path: String
    fileprivate var hasher: any StreamingDigest
    fileprivate var size = 0
    fileprivate var gathered: [UInt8] = []

    mutating func append(_ bytes: [UInt8], to sink: inout some BundleSink) throws {
      self.gathered.append(contentsOf: bytes)
      if self.gathered.count >= 1 << 18 { try self.flush(to: &sink) }
    }

    /// A digest in lower-case hexadecimal, and a newline.
    mutating func appendLine(_ digest: Digest, to sink: inout some BundleSink) throws {
      for byte in digest.bytes {
        self.gathered.append(Self.digits[Int(byte >> 4)])
        self.gathered.append(Self.digits[Int(byte & 15)])
      }
      self.gathered.append(0x0A)
      if self.gathered.count >= 1 << 18 { try self.flush(to: &sink) }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    fileprivate mutating func flush(to sink: inout some BundleSink) throws {
      guard !self.gathered.isEmpty else { return }
      let gathered = self.gathered
      self.gathered = []
      self.hasher.update(gathered.span)
      self.size += gathered.count
      try sink.append(gathered, to: self.path)
    }
  }

  private let digests: DigestSuite
  private var files: [BundleManifest.File] = []

  init(digests: DigestSuite) { self.digests = digests }

  /// By path in the order of bytes.
  var sorted: [BundleManifest.File] { self.files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) } }

  func open(_ path: String, in sink: inout some BundleSink) throws -> Open {
    try sink.open(path)
    return Open(path: path, hasher: self.digests.streaming())
  }

  mutating func close(_ file: Open, in sink: inout some BundleSink) throws {
    var file = file
    try file.flush(to: &sink)
    try sink.close(file.path)
    self.files.append(BundleManifest.File(path: file.path, sha256: file.hasher.finish(), size: file.size))
  }

  mutating func write(_ path: String, _ bytes: [UInt8], to sink: inout some BundleSink) throws {
    try self.write(BundleContent(path: path, bytes: bytes), to: &sink)
  }

  mutating func write(_ content: BundleContent, to sink: inout some BundleSink) throws {
    var file = try self.open(content.path, in: &sink)
    try content.write { bytes in try file.append(bytes, to: &sink) }
    try self.close(file, in: &sink)
  }
}
