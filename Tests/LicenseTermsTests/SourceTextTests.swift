import Documents
import Foundation
import GovernanceTypes
import LicenseTerms
import Testing

/// The license texts themselves, which do not stand in this repository: `$WEIGHBRIDGE_SHARED`, or the folder `shared` beside it.
enum SourceTexts {
  static let folder =
    "\(ProcessInfo.processInfo.environment["WEIGHBRIDGE_SHARED"] ?? "\(TestFiles.root)/../shared")/data/license-texts"
  static let absence: Comment =
    "The license texts are absent: set WEIGHBRIDGE_SHARED to the folder that holds data/license-texts."
  static let areThere = FileManager.default.fileExists(atPath: Self.folder)

  struct Text {
    let path: String
    /// The bytes as they are and, where a catalogue put a head before them, without it.
    let copies: [[UInt8]]
    /// The digests of those copies that have the size of an accepted one: hashing takes long without optimisation.
    let digests: [Digest]

    /// The copy without a head.
    var body: [UInt8] { self.copies.last ?? [] }

    func isCopy(of document: TermDocument) -> Bool { self.digests.contains(where: document.matches) }
  }

  static func all(sizes: Set<Int>) throws -> [Text] {
    guard let files = FileManager.default.enumerator(atPath: self.folder) else { return [] }
    return try files.compactMap { $0 as? String }.sorted().compactMap { path in
      var isFolder: ObjCBool = false
      let isThere = FileManager.default.fileExists(atPath: "\(self.folder)/\(path)", isDirectory: &isFolder)
      guard isThere, !isFolder.boolValue, path.contains("/") else { return nil }
      let text = Array(try Data(contentsOf: URL(fileURLWithPath: "\(self.folder)/\(path)")))
      let copies = [text] + Self.bodies(text)
      return Text(path: path, copies: copies, digests: copies.filter { sizes.contains($0.count) }.map(sha256))
    }
  }

  private static func bodies(_ text: [UInt8]) -> [[UInt8]] {
    let fence = Array("\n---".utf8)
    guard text.starts(with: fence.dropFirst()), let end = text.dropFirst(3).firstRange(of: fence) else { return [] }
    let body = Array(text[end.upperBound...])
    let isBreak = { (byte: UInt8) in byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: " ") }
    let trimmed = Array(body.drop(while: isBreak).reversed().drop(while: isBreak).reversed())
    return [body, Array(body.drop { $0 == UInt8(ascii: "\n") }), trimmed]
  }
}

@Suite("Term files and the texts that they read", .enabled(if: SourceTexts.areThere, SourceTexts.absence))
struct SourceTextTests {
  private static func texts(of files: [TermFile]) throws -> [SourceTexts.Text] {
    try SourceTexts.all(sizes: Set(files.flatMap(\.documents).flatMap(\.accepted).map(\.bytes)))
  }

  @Test("every accepted copy is known by its words as well, however they are set")
  func digests() throws {
    let files = try ShippedLicenseTests.terms(in: "Licenses")
    let documents = files.flatMap(\.documents)
    var raw = 0
    var normal = 0
    for text in try Self.texts(of: files) {
      let read = documents.filter { text.isCopy(of: $0) }
      raw += read.count
      guard let digests = read.first(where: { !$0.normalizedDigests.isEmpty }) else { continue }
      let words = NormalizedText.bytes(of: text.body, compatibility: compatibility)
      #expect(digests.match(sha256(words)) == .normalized, "\(text.path)")
      normal += 1
    }
    #expect(raw > 50 && normal > 30, "\(raw) raw, \(normal) normalised")
  }

  @Test("every numbered section of every text is accounted for by its term file")
  func sections() throws {
    let files = try ShippedLicenseTests.terms(in: "Licenses")
    let texts = try Self.texts(of: files)
    var checked = 0
    // The license of a model's code alone is the reading of another term file.
    for file in files {
      let own = file.sections.map { section in section.split(separator: "/").last.map(String.init) ?? section }
      let roles = Set(file.sections)
      for document in file.documents where !roles.contains(document.role) && document.role != "code-license" {
        guard let text = texts.first(where: { $0.isCopy(of: document) })?.body else { continue }
        let missing = Headings(String(decoding: text, as: UTF8.self)).paths.filter { path in
          !own.contains { isAccounted(path, by: $0) } && !self.isListed(path, in: file)
        }
        #expect(missing == [], "\(file.id), \(document.role)")
        checked += 1
      }
    }
    #expect(checked > 40, "\(checked) texts")
  }

  /// A section accounts for its parts: `5` for 5.a; and a part that stands for itself accounts for what it is.
  private func isAccounted(_ path: [String], by section: String) -> Bool {
    for length in 1...path.count {
      for joined in [path.prefix(length).joined(separator: "."), path.prefix(length).joined()] {
        if section == joined { return true }
        guard length == path.count, section.hasPrefix(joined) else { continue }
        if let next = section.dropFirst(joined.count).first, !next.isNumber { return true }
      }
    }
    return false
  }

  /// Lists of uses number their items through, whatever the headings between: item 8 is the eighth of them.
  private func isListed(_ path: [String], in file: TermFile) -> Bool {
    guard path.count == 1, let number = Int(path[0]) else { return false }
    return number <= file.uses.count
  }
}

/// The numbered headings of a text: `1.`, `2.1`, `(a)`, each only where it follows on the one before.
struct Headings {
  private(set) var paths: [[String]] = []
  private var top = 0
  private var below = 0
  private var letter = 0

  init(_ text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      let bare = line.drop { $0.isWhitespace || "#>*_\\".contains($0) }
      if self.takeDecimal(bare) || self.takeNumber(bare) { continue }
      self.takeLetter(bare)
    }
  }

  /// `2.1` below 2, or as the first of 2.
  private mutating func takeDecimal(_ line: Substring) -> Bool {
    guard let match = line.prefixMatch(of: /(\d{1,2})\.(\d{1,2})(?=\D|$)/), let number = Int(match.1), let part = Int(match.2)
    else {
      return false
    }
    if number == self.top + 1, part == 1 { (self.top, self.below) = (number, 0) }
    guard number == self.top, part == self.below + 1 else { return true }
    self.below = part
    self.letter = 0
    self.paths.append([String(number), String(part)])
    return true
  }

  private mutating func takeNumber(_ line: Substring) -> Bool {
    guard let match = line.prefixMatch(of: /(?:(?i)section\s+|article\s+|paragraph\s+)?(\d{1,2})\s*(?:\\?[.):]|\s-)/),
      let number = Int(match.1), number == self.top + 1
    else { return false }
    (self.top, self.below, self.letter) = (number, 0, 0)
    self.paths.append([String(number)])
    return true
  }

  private mutating func takeLetter(_ line: Substring) {
    guard self.top > 0, let match = line.prefixMatch(of: /\(?([a-z])\\?[.)]\s/), let first = match.1.unicodeScalars.first,
      Int(first.value) == 97 + self.letter
    else { return }
    self.letter += 1
    self.paths.append([String(self.top)] + (self.below > 0 ? [String(self.below)] : []) + [String(match.1)])
  }
}
