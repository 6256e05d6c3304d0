public import Documents
public import GovernanceTypes

/// `manifest.json`: what a bundle covers, and the SHA-256 of every file in it but itself and the signatures over it.
public struct BundleManifest: Equatable, Sendable {
  public struct File: Hashable, Sendable {
    public var path: String
    public var sha256: Digest
    /// In bytes.
    public var size: Int

    public init(path: String, sha256: Digest, size: Int) {
      self.path = path
      self.sha256 = sha256
      self.size = size
    }
  }

  static let bytesMaximum = 16 << 20
  public static let format = "weighbridge-audit-bundle/1"

  /// Names the log.
  public var origin: String
  /// The software that wrote the bundle, with its version.
  public var software: String
  public var created: Timestamp
  /// The `at` of every entry lies in it; the end is exclusive.
  public var period: Range<Timestamp>
  /// The sequence number of the first entry.
  public var firstSequence: Int
  /// The number of entries, and of them by type.
  public var entries: Int
  public var counts: [String: Int]
  /// The size of the tree after the last entry, and that of the previous checkpoint (0 where there is none).
  public var size: Int
  public var previousSize: Int
  /// By path in the order of bytes.
  public var files: [File]

  public init(
    origin: String, software: String, created: Timestamp, period: Range<Timestamp>, firstSequence: Int, entries: Int,
    counts: [String: Int], size: Int, previousSize: Int, files: [File]
  ) {
    self.origin = origin
    self.software = software
    self.created = created
    self.period = period
    self.firstSequence = firstSequence
    self.entries = entries
    self.counts = counts
    self.size = size
    self.previousSize = previousSize
    self.files = files
  }

  /// The file's bytes: canonical JSON and a newline.
  public var bytes: [UInt8] {
    let json: JSON = [
      "format": .string(Self.format), "origin": .string(self.origin), "software": .string(self.software),
      "created": .string(self.created.description),
      "period": ["from": .string(self.period.lowerBound.description), "to": .string(self.period.upperBound.description)],
      "first_seq": .integer(self.firstSequence), "entries": .integer(self.entries),
      "counts": .object(self.counts.map { JSONMember($0.key, .integer($0.value)) }),
      "size": .integer(self.size), "previous_size": .integer(self.previousSize),
      "files": .array(
        self.files.map { ["path": .string($0.path), "sha256": .string($0.sha256.hexadecimal), "size": .integer($0.size)] }),
    ]
    return json.canonicalBytes + [0x0A]
  }

  /// Reads the file strictly.
  ///
  /// - Throws: ``DocumentError`` with the field at fault; also where the bytes are not those that ``bytes`` would write.
  public init(_ bytes: [UInt8]) throws(DocumentError) {
    let document = try Document.parseJSON(bytes, limits: JSONLimits(bytes: Self.bytesMaximum, depth: 8, nodes: 1 << 18))
    var reader = try DocumentReader(document)
    let format = try reader.string("format")
    guard format == Self.format else { throw reader.failure("format", "is '\(format)', not '\(Self.format)'") }
    var period = try reader.reader("period")
    let (from, to) = (try period.timestamp("from"), try period.timestamp("to"))
    try period.finish()
    guard from <= to else { throw reader.failure("period", "ends before it begins") }
    var counts: [String: Int] = [:]
    var types = try reader.reader("counts")
    for type in types.keys { counts[type] = try types.integer(type, in: 0...largestSequence) }
    self.init(
      origin: try reader.string("origin"), software: try reader.string("software"), created: try reader.timestamp("created"),
      period: from..<to, firstSequence: try reader.integer("first_seq", in: 0...largestSequence),
      entries: try reader.integer("entries", in: 0...largestSequence), counts: counts,
      size: try reader.integer("size", in: 0...largestSequence),
      previousSize: try reader.integer("previous_size", in: 0...largestSequence), files: try Self.files(&reader))
    try reader.finish()
    guard self.bytes == bytes else {
      throw DocumentError(position: document.position, message: "the text is not canonical JSON and a newline")
    }
  }

  private static func files(_ reader: inout DocumentReader) throws(DocumentError) -> [File] {
    var files: [File] = []
    for (path, element) in try reader.list("files") {
      var entry = try DocumentReader(element, path: path)
      let name = try entry.string("path")
      guard BundlePath.isPlain(name) else { throw entry.failure("path", "'\(name.prefix(80))' is no plain relative path") }
      if let last = files.last, !last.path.utf8.lexicographicallyPrecedes(name.utf8) {
        throw entry.failure("path", "'\(name)' stands out of order")
      }
      guard let digest = Digest(hexadecimal: try entry.string("sha256")) else {
        throw entry.failure("sha256", "64 hexadecimal digits belong here")
      }
      files.append(File(path: name, sha256: digest, size: try entry.integer("size", in: 0...largestSequence)))
      try entry.finish()
    }
    return files
  }
}

/// Sequence numbers, sizes and counts stay below 2^53, where JSON integers are exact everywhere.
let largestSequence = 1 << 53 - 1

extension DocumentReader {
  mutating func timestamp(_ key: String) throws(DocumentError) -> Timestamp {
    let text = try self.string(key)
    guard let timestamp = Timestamp(text), timestamp.description == text else {
      throw self.failure(key, "an instant of the form 2026-11-23T09:03:54.123Z belongs here")
    }
    return timestamp
  }
}
