import AuditSigning
import AuditTrail
import Documents
import Glibc
import GovernanceTypes

/// A log with the traffic of a few customers, made from a number: holds, extensions, settlements, voids, and entries that move no
/// money, with several holds open at any time.
struct SampleLog {
  private(set) var lines: [[UInt8]] = []
  private var open: [(usage: UsageID, customer: CustomerID, currency: String, held: Int, sequence: Int)] = []
  private var state: UInt64
  private(set) var settlements: [(sequence: Int, usage: UsageID, customer: CustomerID, currency: String, amount: Int)] = []
  private(set) var openAt: [Int: [OpenHold]] = [:]
  private var customers: [String: Int] = [:]
  private var moved: [String: [Int]] = [:]

  static let start = Timestamp(seconds: 1_795_000_000)
  private let boot = BootID(0x0B00)

  /// - Parameter marks: Sequence numbers before which the open holds are noted.
  init(entries: Int, seed: UInt64 = 42, marks: Set<Int> = []) {
    self.state = seed
    self.lines.reserveCapacity(entries)
    while self.lines.count < entries {
      if marks.contains(self.lines.count) { self.note() }
      self.step()
    }
    self.note()
  }

  private mutating func note() {
    self.openAt[self.lines.count] = self.open.compactMap { hold in
      Currency(hold.currency).map {
        OpenHold(
          usage: hold.usage, customer: hold.customer, held: Money(NanoAmount(Int128(hold.held)), $0), sequence: hold.sequence)
      }
    }
  }

  private mutating func random(_ bound: Int) -> Int {
    self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(self.state >> 33) % bound
  }

  private mutating func step() {
    if self.lines.count % 25 == 24 { return self.heartbeat() }
    let choice = self.lines.isEmpty ? 9 : self.open.count < 3 ? 0 : self.open.count > 8 ? 2 + self.random(4) : self.random(10)
    switch choice {
    case 0, 1, 6, 7: self.hold()
    case 2, 3, 4: self.settle(self.random(self.open.count))
    case 5: self.void(self.random(self.open.count))
    case 8: self.extend(self.random(self.open.count))
    default:
      self.append(
        self.lines.isEmpty ? "boot" : "decision", [JSONMember("reason", "say \"née\" \\ \u{1}"), JSONMember("ok", true)])
    }
  }

  /// What was settled and voided so far, by currency, summed here once more.
  private mutating func heartbeat() {
    let totals = self.moved.map { currency, sums in
      JSONMember(
        currency,
        [
          "amount_nano": .string(String(sums[0])), "requests": .integer(sums[1]), "voided": .integer(sums[2]),
          "prompt_uncached": .string(String(sums[3])), "prompt_cached": .string(String(sums[4])),
          "completion": .string(String(sums[5])),
        ])
    }
    self.append("heartbeat", [JSONMember("totals", .object(totals)), JSONMember("open_holds", .integer(self.open.count))])
  }

  private mutating func move(_ currency: String, _ sums: [Int]) {
    self.moved[currency] = zip(self.moved[currency] ?? [0, 0, 0, 0, 0, 0], sums).map { $0 + $1 }
  }

  private mutating func append(_ type: String, _ fields: [JSONMember]) {
    var members = fields
    if case .string(let customer)? = members.first(where: { $0.key == "customer" })?.value {
      members.append(JSONMember("customer_seq", .integer(self.customers[customer] ?? 0)))
      self.customers[customer, default: 0] += 1
    }
    let at = Self.start.advanced(by: .milliseconds(self.lines.count * 3))
    self.lines.append(LogEntry.line(type: type, sequence: self.lines.count, at: at, boot: self.boot, members: members))
  }

  private mutating func hold() {
    let usage = UsageID(at: Self.start, random: UInt128(self.lines.count))
    let customer = CustomerID(UInt128(1 + self.random(3)))
    let (currency, amount) = (self.random(4) == 0 ? "EUR" : "USD", 1000 + self.random(1_000_000))
    self.open.append((usage, customer, currency, amount, self.lines.count))
    self.append(
      "hold",
      [
        JSONMember("usage", .string(usage.description)), JSONMember("customer", .string(customer.description)),
        JSONMember("key", .string(KeyID(7).description)), JSONMember("model", "llama-2-7b-chat"),
        JSONMember("currency", .string(currency)),
        JSONMember("amount_nano", .string(String(amount))), JSONMember("prompt_tokens", "128"),
        JSONMember("completion_ceiling", "512"),
        JSONMember("price", .string(PriceID(3).description)), JSONMember("decision", .string(DecisionID(4).description)),
      ])
  }

  private mutating func extend(_ index: Int) {
    self.open[index].held += 500
    let usage = self.open[index].usage
    self.append("extend", [JSONMember("usage", .string(usage.description)), JSONMember("amount_nano", "500")])
  }

  private mutating func void(_ index: Int) {
    let hold = self.open.remove(at: index)
    self.move(hold.currency, [0, 0, 1, 0, 0, 0])
    self.append(
      "void",
      [
        JSONMember("usage", .string(hold.usage.description)), JSONMember("reason", "engine_failed"),
        JSONMember("customer", .string(hold.customer.description)),
      ])
  }

  private mutating func settle(_ index: Int) {
    let hold = self.open.remove(at: index)
    let amount = hold.held - self.random(1000)
    let completion = self.random(512)
    self.move(hold.currency, [amount, 1, 0, 100, 28, completion])
    self.settlements.append((self.lines.count, hold.usage, hold.customer, hold.currency, amount))
    self.append(
      "settle",
      [
        JSONMember("usage", .string(hold.usage.description)), JSONMember("customer", .string(hold.customer.description)),
        JSONMember("currency", .string(hold.currency)), JSONMember("amount_nano", .string(String(amount))),
        JSONMember("prompt_uncached", "100"), JSONMember("prompt_cached", "28"),
        JSONMember("completion", .string(String(completion))),
        JSONMember("undelivered", "0"), JSONMember("finish", "stop"), JSONMember("settlement_policy", "exact"),
        JSONMember("usage_source", "engine"),
      ])
  }
}

/// The keys of one operator.
struct SampleKeys {
  let origin = "weighbridge.example/log/one"
  let log: Ed25519Key
  let witness: Ed25519Key
  let signer: SigningCertificate

  init() throws {
    self.log = try Ed25519Key.generate()
    self.witness = try Ed25519Key.generate()
    self.signer = try SigningCertificate.generate(commonName: "Example GmbH", from: Timestamp(seconds: Int64(time(nil)) - 60))
  }

  var witnessKey: NoteKey {
    get throws {
      try NoteKey(name: "witness.example", publicKey: self.witness.publicKey, use: .cosignature, digest: sha256)
    }
  }
  var noteKey: NoteKey { get throws { try NoteKey(name: self.origin, publicKey: self.log.publicKey, digest: sha256) } }
}

/// A bundle of the entries from `first` on, written into a directory.
struct SampleBundle {
  let log: SampleLog
  let keys: SampleKeys
  let first: Int
  let path: String
  private let directory: TemporaryDirectory
  private let authority: SampleAuthority?

  static let tree = MerkleTree(digest: sha256)

  init(log: SampleLog, keys: SampleKeys, first: Int, previous: Int, authority: SampleAuthority? = nil) throws {
    (self.log, self.keys, self.first, self.authority) = (log, keys, first, authority)
    self.directory = try TemporaryDirectory()
    self.path = "\(self.directory.path)/bundle"
    try self.write(previous: previous)
  }

  private func write(previous: Int) throws {
    var description = try Self.description(self.log, self.keys, first: self.first, previous: previous)
    description.timestampCertificate = self.authority?.certificate
    var sink = try BundleDirectorySink(path: self.path)
    var next = self.first
    let lines = self.log.lines
    let writer = BundleWriter(digests: .openSSL, verifySignature: Ed25519Key.verify)
    let contents = [
      BundleContent(path: BundlePath.usage, write: self.usage),
      BundleContent(path: BundlePath.focus, bytes: Array("BilledCost\n".utf8)),
      BundleContent(path: "terms/llama-2.yaml", bytes: Array("id: llama-2\n".utf8)),
    ]
    _ = try writer.write(
      description,
      entries: {
        guard next < lines.count else { return nil }
        defer { next += 1 }
        return lines[next]
      }, contents: contents, to: &sink,
      proof: { sequence in
        let hashes = lines.map(Self.tree.leafHash)
        let path = try Self.tree.inclusionProof(
          index: sequence, size: lines.count, subtree: Self.tree.subtrees { Array(hashes[$0]) })
        return LogProof(entry: lines[sequence], index: sequence, path: path, checkpoint: description.checkpoint)
      }, sign: self.keys.signer.sign, timestamp: self.authority.map { authority in { try authority.stamp($0) } })
  }

  /// What the rules know of the log before an entry.
  static func opening(_ log: SampleLog, _ first: Int) throws -> BundleOpening {
    var prefix = LogPrefix()
    for line in log.lines.prefix(first) { try prefix.take(line) }
    return prefix.opening
  }

  static func description(_ log: SampleLog, _ keys: SampleKeys, first: Int, previous: Int) throws -> BundleDescription {
    let hashes = log.lines.map(Self.tree.leafHash)
    let subtree = Self.tree.subtrees { Array(hashes[$0]) }
    let signer = try CheckpointSigner(name: keys.origin, key: keys.log)
    func checkpoint(_ size: Int) throws -> [UInt8] {
      let checkpoint = Checkpoint(origin: keys.origin, size: size, root: try Self.tree.root(size: size, subtree: subtree))
      let note = try SignedNote(try signer.sign(checkpoint))
      let time = Timestamp(seconds: 1_795_050_000)
      return note.adding([try Cosignature.sign(note.text, at: time, by: try keys.witnessKey, sign: keys.witness.sign)]).bytes
    }
    let size = log.lines.count
    return BundleDescription(
      software: "weighbridge 0.1.0", created: Timestamp(seconds: 1_795_100_000),
      period: SampleLog.start..<SampleLog.start.advanced(by: .seconds(86_400)),
      frontier: try Self.tree.frontier(size: first, subtree: subtree),
      previousCheckpoint: previous > 0 ? try checkpoint(previous) : nil,
      consistencyProof: previous > 0 ? try Self.tree.consistencyProof(from: previous, to: size, subtree: subtree) : [],
      checkpoint: try checkpoint(size), opening: try Self.opening(log, first),
      logKeys: LogKeys(try keys.noteKey), witnesses: [try keys.witnessKey], signerCertificate: keys.signer.certificate)
  }

  private func usage(_ emit: ([UInt8]) throws -> Void) throws {
    try emit(Array("note,usage,customer,currency,amount_nano\r\n".utf8))
    for row in self.log.settlements where row.sequence >= self.first {
      try emit(Array("\"a \"\"quoted\"\", note\",\(row.usage),\(row.customer),\(row.currency),\(row.amount)\r\n".utf8))
    }
  }

  func file(_ name: String) throws -> [UInt8] { try readFile("\(self.path)/\(name)") }
  func replace(_ name: String, _ bytes: [UInt8]) throws { try writeFile("\(self.path)/\(name)", bytes) }

  func verify(trust: BundleVerifier.Trust = BundleVerifier.Trust()) -> BundleReport {
    BundleVerifier(
      digests: .openSSL, verifySignature: Ed25519Key.verify, verifyManifest: verifyCMS, verifyTimestamp: Timestamping.verify,
      trust: trust
    ).verify(BundleDirectory(path: self.path))
  }

  func verifyByScript(_ arguments: [String] = []) throws -> (status: Int32, output: String) {
    try run("python3", ["\(self.path)/verify.py", self.path] + arguments)
  }
}
