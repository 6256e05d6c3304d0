// audit-bench: how long a bundle takes to be written and to be verified, and in how much memory, beside `sha256sum` over the same bytes.
// Makes a log of traffic by itself, writes its bundle with BundleWriter, and prints one line of JSON for each step.

import AuditSigning
import AuditTrail
import Documents
import Glibc
import GovernanceTypes

/// Traffic of a thousand customers, line by line, as a gateway would log it: decision, hold, settlement, and a heartbeat at times.
struct Traffic {
  private static let start = Timestamp(seconds: 1_795_000_000)
  private static let customers = 1000
  private var state: UInt64 = 42
  private var sequence = 0
  private var customerSequences = [Int](repeating: 0, count: Self.customers)
  private var settled = (requests: 0, amount: 0, prompt: 0, completion: 0)
  /// Usage, customer, amount held.
  private var open: (usage: UsageID, customer: Int, amount: Int)?
  /// What the latest line settled, if it is a settlement.
  private(set) var settlement: (usage: UsageID, customer: Int, amount: Int)?
  private let boot = BootID(0xB00)

  static func customer(_ index: Int) -> CustomerID { CustomerID(UInt128(0x0198_0000_0000) << 80 | UInt128(index)) }

  private mutating func random(_ bound: Int) -> Int {
    self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(self.state >> 33) % bound
  }

  private mutating func line(_ type: String, _ fields: [JSONMember], customer: Int? = nil) -> [UInt8] {
    var members = fields
    if let customer {
      members.append(JSONMember("customer", .string(Self.customer(customer).description)))
      members.append(JSONMember("customer_seq", .integer(self.customerSequences[customer])))
      self.customerSequences[customer] += 1
    }
    defer { self.sequence += 1 }
    return LogEntry.line(
      type: type, sequence: self.sequence, at: Self.start.advanced(by: .milliseconds(self.sequence)), boot: self.boot,
      members: members)
  }

  mutating func next() -> [UInt8] {
    self.settlement = nil
    if let open = self.open {
      self.open = nil
      return self.settle(open)
    }
    if self.sequence.isMultiple(of: 1000) { return self.heartbeat() }
    let customer = self.random(Self.customers)
    let usage = UsageID(at: Self.start.advanced(by: .milliseconds(self.sequence)), random: UInt128(self.random(1 << 30)) << 40)
    let amount = 1_000_000 + self.random(1_000_000)
    self.open = (usage, customer, amount)
    return self.line(
      "hold",
      [
        JSONMember("usage", .string(usage.description)), JSONMember("decision", .string(DecisionID(usage.value).description)),
        JSONMember("key", .string(KeyID(7).description)), JSONMember("model", "llama-2-7b-chat"),
        JSONMember("price", .string(PriceID(3).description)), JSONMember("currency", "USD"),
        JSONMember("amount_nano", .string(String(amount))), JSONMember("prompt_tokens", "128"),
        JSONMember("completion_ceiling", "512"),
      ], customer: customer)
  }

  private mutating func settle(_ open: (usage: UsageID, customer: Int, amount: Int)) -> [UInt8] {
    let (amount, completion) = (open.amount - self.random(1_000_000), self.random(512))
    self.settlement = (open.usage, open.customer, amount)
    self.settled = (
      self.settled.requests + 1, self.settled.amount + amount, self.settled.prompt + 128, self.settled.completion + completion
    )
    return self.line(
      "settle",
      [
        JSONMember("usage", .string(open.usage.description)), JSONMember("key", .string(KeyID(7).description)),
        JSONMember("model", "llama-2-7b-chat"), JSONMember("decision", .string(DecisionID(open.usage.value).description)),
        JSONMember("price", .string(PriceID(3).description)), JSONMember("currency", "USD"),
        JSONMember("amount_nano", .string(String(amount))), JSONMember("prompt_uncached", "128"),
        JSONMember("prompt_cached", "0"), JSONMember("completion", .string(String(completion))),
        JSONMember("undelivered", "0"), JSONMember("finish", "stop"), JSONMember("settlement_policy", "delivered"),
        JSONMember("usage_source", "engine_counted"), JSONMember("held_at", .string(Self.start.description)),
      ], customer: open.customer)
  }

  private mutating func heartbeat() -> [UInt8] {
    let totals: [JSONMember] =
      self.settled.requests == 0
      ? []
      : [
        JSONMember(
          "USD",
          [
            "amount_nano": .string(String(self.settled.amount)), "requests": .integer(self.settled.requests), "voided": 0,
            "prompt_uncached": .string(String(self.settled.prompt)), "prompt_cached": "0",
            "completion": .string(String(self.settled.completion)),
          ])
      ]
    return self.line("heartbeat", [JSONMember("totals", .object(totals)), JSONMember("interval_seconds", 60)])
  }
}

struct Failure: Error, CustomStringConvertible {
  let message: String
  var description: String { self.message }
}

struct Clock {
  private let start = ContinuousClock.now

  var seconds: String {
    let (seconds, attoseconds) = (ContinuousClock.now - self.start).components
    return "\(seconds).\(String(1000 + attoseconds / 1_000_000_000_000_000).dropFirst())"
  }
}

/// The most memory that the process has had, in KiB.
func peakMemory() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss
}

/// Seconds of a processor that the process has used.
func processorSeconds() -> String {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  let microseconds = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
  return "\(microseconds / 1_000_000).\(String(1000 + microseconds / 1000 % 1000).dropFirst())"
}

func say(_ step: String, _ clock: Clock, _ more: JSON = nil) {
  let line: JSON = [
    "step": .string(step), "seconds": .string(clock.seconds), "processor_seconds": .string(processorSeconds()),
    "peak_kib": .integer(peakMemory()), "note": more,
  ]
  print(line.text)
}

func write(_ entries: Int, to path: String) throws {
  let tree = MerkleTree(digest: sha256)
  let key = try Ed25519Key.generate()
  let signer = try CheckpointSigner(name: "bench.example/log", key: key)
  let certificate = try SigningCertificate.generate(commonName: "bench", from: Timestamp(seconds: Int64(time(nil)) - 60))
  // The root comes first, as the store has it; this pass stands for the one in which the log was written.
  var frontier = MerkleFrontier()
  var traffic = Traffic()
  guard let spool = fopen(path + ".usage", "w+") else { throw Failure(message: "\(path).usage cannot be written") }
  defer {
    fclose(spool)
    unlink(path + ".usage")
  }
  fputs("usage,customer,currency,amount_nano\n", spool)
  for _ in 0..<entries {
    frontier.append(tree.leafHash(traffic.next()), in: tree)
    guard let row = traffic.settlement else { continue }
    fputs("\(row.usage),\(Traffic.customer(row.customer)),USD,\(row.amount)\n", spool)
  }
  let start = Timestamp(seconds: 1_795_000_000)
  let description = BundleDescription(
    software: "audit-bench", created: start, period: start..<start.advanced(by: .seconds(1 << 24)), frontier: MerkleFrontier(),
    previousCheckpoint: nil, consistencyProof: [],
    checkpoint: try signer.sign(Checkpoint(origin: "bench.example/log", size: entries, root: frontier.root(in: tree))),
    opening: BundleOpening(), logKeys: LogKeys(signer.key), signerCertificate: certificate.certificate)
  let clock = Clock()
  traffic = Traffic()
  var left = entries
  var sink = try BundleDirectorySink(path: path)
  _ = try BundleWriter(digests: .openSSL, verifySignature: Ed25519Key.verify).write(
    description,
    entries: {
      guard left > 0 else { return nil }
      left -= 1
      return traffic.next()
    },
    contents: [
      BundleContent(path: BundlePath.usage) { emit in
        rewind(spool)
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        while case let count = fread(&piece, 1, piece.count, spool), count > 0 { try emit(Array(piece[..<count])) }
      }
    ], to: &sink, sign: { try certificate.sign($0) })
  say("write", clock, .integer(entries))
}

func verify(_ path: String) -> Bool {
  let clock = Clock()
  let report = BundleVerifier(
    digests: .openSSL, verifySignature: Ed25519Key.verify, verifyManifest: { try verifyCMS($0, $1, $2) },
    verifyTimestamp: { try Timestamping.verify($0, $1, $2) }
  ).verify(BundleDirectory(path: path))
  say("verify", clock, report.isSound ? "sound" : .string(report.findings.prefix(3).map(\.description).joined(separator: "; ")))
  return report.isSound
}

let words = CommandLine.arguments.dropFirst()
switch (words.first, words.dropFirst().first, words.dropFirst(2).first.flatMap { Int($0) }) {
case ("write", let path?, let entries?) where entries > 0: try write(entries, to: path)
case ("verify", let path?, nil): exit(verify(path) ? 0 : 1)
default:
  print("usage: audit-bench write DIR ENTRIES | verify DIR")
  exit(2)
}
