internal import AuditSigning
internal import AuditTrail
internal import Billing
internal import Documents
internal import Foundation
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import LicenseTerms

/// Gathers what an audit bundle is made of and writes it into a directory.
struct BundleAssembly: Sendable {
  let gate: Gate
  let store: SQLiteStore
  let signer: LogSigner
  let keys: KeyMaterial
  let operatorName: String
  let audit: GatewayConfiguration.Audit

  /// A bundle of the entries whose time is from `from` up to, and without, `to`. On a thread of its own, for as long as it takes.
  @concurrent
  func write(to directory: String, from: Timestamp?, to: Timestamp?) async throws {
    let end = try to.map { try self.sequence(at: $0) } ?? self.store.logSize
    let first = try from.map { min(try self.sequence(at: $0), end) } ?? 0
    guard end > 0 else { throw Refusal(.notFound, "The log has no entry before the end of the span.") }
    let tree = self.signer.logTree
    let checkpoint = Array(try await self.signer.checkpointNote(atSize: end).utf8)
    let previous = first == 0 ? nil : try await self.store.checkpoint(atOrBefore: first)
    let description = BundleDescription(
      software: "weighbridge \(GatewayApp.version)", created: wallClock(), period: try self.period(first, end, from, to),
      frontier: try tree.tree.frontier(size: first, subtree: tree.subtree),
      previousCheckpoint: previous.map { Array($0.note.utf8) },
      consistencyProof: try previous.map { try tree.consistencyProof(from: $0.size, to: end) } ?? [],
      checkpoint: checkpoint, opening: try self.opening(before: first), logKeys: self.keys.logKeys,
      successions: self.keys.successions, witnesses: self.audit.witnesses.map(\.key),
      signerCertificate: self.keys.manifest.certificate, timestampCertificate: try self.audit.timestamp?.certificateBytes())
    let tables = try SettlementTables(gate: self.gate, operatorName: self.operatorName, path: directory + ".rows")
    var pages = LogPages(store: self.store, next: first, end: end) { try tables.take($0) }
    var sink = try BundleDirectorySink(path: directory)
    _ = try BundleWriter(digests: .openSSL, verifySignature: Ed25519Key.verify).write(
      description,
      entries: { try pages.next() }, contents: tables.contents + self.terms(), to: &sink,
      proof: { sequence in
        guard let line = try self.store.linesNow(from: sequence, limit: 1).first else {
          throw Refusal(.storeUnavailable, "Entry \(sequence) of the log cannot be read.")
        }
        return try tree.proof(of: Array(line.utf8), at: sequence, size: end, checkpoint: checkpoint)
      }, sign: { try self.keys.manifest.sign($0) },
      timestamp: self.audit.timestamp.map { authority in { try authority.stamp($0) } })
  }

  /// The first sequence number whose entry is not before an instant: `at` never decreases, so a binary search finds it.
  private func sequence(at time: Timestamp) throws -> Int {
    var (low, high) = (0, self.store.logSize)
    while low < high {
      let middle = (low + high) / 2
      if try self.time(of: middle) < time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func time(of sequence: Int) throws -> Timestamp {
    guard let line = try self.store.linesNow(from: sequence, limit: 1).first,
      case .string(let text)? = try Document.parseJSON(Array(line.utf8))["at"]?.content, let time = Timestamp(text)
    else { throw Refusal(.storeUnavailable, "Entry \(sequence) of the log cannot be read.") }
    return time
  }

  /// The period must contain the time of every entry; without bounds it is that of the entries themselves.
  private func period(_ first: Int, _ end: Int, _ from: Timestamp?, _ to: Timestamp?) throws -> Range<Timestamp> {
    guard first < end else { return (from ?? Timestamp(nanoseconds: 0))..<(to ?? wallClock()) }
    let begin = try from ?? self.time(of: first)
    let last = try to ?? self.time(of: end - 1).advanced(by: .milliseconds(1))
    return begin..<last
  }

  /// What the rules need to know of the log before the first entry. O(entries before it).
  private func opening(before first: Int) throws -> BundleOpening {
    var prefix = LogPrefix()
    var pages = LogPages(store: self.store, next: 0, end: first)
    while let line = try pages.next() { try prefix.take(line) }
    return prefix.opening
  }

  /// The term files in force, as JSON with their digests.
  private func terms() -> [BundleContent] {
    self.gate.termFiles().map { file in
      let documents = file.documents.map { document -> JSON in
        [
          "role": .string(document.role), "name": .string(document.name), "url": .string(document.url),
          "accepted_sha256": .array(document.accepted.map { .string($0.digest.hexadecimal) }),
        ]
      }
      let body: JSON = [
        "id": .string(file.id.name), "revision": .integer(file.revision), "title": .string(file.title),
        "sha256": .string(file.digest.hexadecimal), "documents": .array(documents),
        "clauses": .array(
          file.clauses.map { ["id": .string($0.id), "ref": .string($0.ref), "summary": .string($0.summary)] }),
      ]
      return BundleContent(path: "\(BundlePath.terms)\(file.id).json", bytes: body.bytes + [0x0A])
    }
  }
}

/// Lines of the log in order, read page by page.
struct LogPages {
  let store: SQLiteStore
  private var following: Int
  private let end: Int
  private var page: [String] = []
  private var index = 0
  /// Is shown each page.
  private let look: ([String]) throws -> Void

  /// Lines that are in memory at once: some hundred kilobytes.
  private static let length = 1024

  init(store: SQLiteStore, next: Int, end: Int, look: @escaping ([String]) throws -> Void = { _ in }) {
    self.store = store
    self.following = next
    self.end = end
    self.look = look
  }

  mutating func next() throws -> [UInt8]? {
    if self.index == self.page.count {
      guard self.following < self.end else { return nil }
      self.page = []
      self.page = try self.store.linesNow(from: self.following, limit: min(Self.length, self.end - self.following))
      self.index = 0
      guard !self.page.isEmpty else { throw Refusal(.storeUnavailable, "Entry \(self.following) of the log cannot be read.") }
      self.following += self.page.count
      try self.look(self.page)
    }
    defer { self.index += 1 }
    return Array(self.page[self.index].utf8)
  }
}
