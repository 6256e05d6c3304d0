internal import AuditSigning
internal import Documents
internal import Glibc
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes

// One command for each number that is promised of the ledger:
//
//   ledger-bench memory               time of a hold and of a settlement in memory, on three levels with six limits
//   ledger-bench rows [DIRECTORY]     rows per second of the store beside raw SQLite, at the same batch size and durability
//   ledger-bench pairs [DIRECTORY [CLIENTS [SECONDS]]]   durable hold and settle pairs per second, and their latency
@main
enum LedgerBench {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let directory = arguments.count > 1 ? arguments[1] : "/tmp/ledger-bench-\(getpid())"
    switch arguments.first {
    case "memory": measureMemory()
    case "rows": try await measureRows(in: directory)
    case "pairs":
      try await measurePairs(
        in: directory, clients: arguments.count > 2 ? Int(arguments[2]) ?? 256 : 256,
        seconds: arguments.count > 3 ? Int(arguments[3]) ?? 10 : 10)
    default:
      say("usage: ledger-bench memory | rows [DIRECTORY] | pairs [DIRECTORY [CLIENTS [SECONDS]]]")
      exit(2)
    }
  }
}

func say(_ line: String) {
  puts(line)
  fflush(nil)
}

func fixed(_ value: Double, _ places: Int = 1) -> String {
  var scale = 1.0
  for _ in 0..<places { scale *= 10 }
  let scaled = Int((value * scale).rounded())
  guard places > 0 else { return "\(scaled)" }
  let fraction = String(scaled % Int(scale))
  return "\(scaled / Int(scale)).\(String(repeating: "0", count: places - fraction.utf8.count))\(fraction)"
}

extension Duration {
  var seconds: Double { Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18 }
  var microseconds: Double { self.seconds * 1e6 }
}

extension Array where Element == Duration {
  func percentile(_ share: Double) -> Duration {
    self.isEmpty ? .zero : self[Swift.min(self.count - 1, Int(Double(self.count) * share))]
  }
}

/// A store of its own in a directory that must not exist.
func freshStore(in directory: String) throws -> SQLiteStore {
  guard mkdir(directory, 0o700) == 0 else {
    say("\(directory) is there already, or cannot be made")
    exit(1)
  }
  return try SQLiteStore.open(directory: directory, boot: BootID(1), digest: sha256)
}

/// What the gate submits for one request of a customer: the decision with the hold, and the settlement.
struct PairRecords {
  let hold: HoldRecord
  private static let currency = Currency("USD") ?? { preconditionFailure("USD is a currency") }()
  private static let start = Timestamp(seconds: 1_795_424_400)

  init(number: Int) {
    let at = Self.start.advanced(by: .microseconds(number))
    func id<Kind>(_: Kind.Type = Kind.self) -> Identifier<Kind> { Identifier(at: at, random: UInt128(number)) }
    self.hold = HoldRecord(
      usage: id(), boot: BootID(1), decision: id(), customer: CustomerID(UInt128(number % 50)), project: nil,
      key: KeyID(UInt128(number % 200)), model: ModelID("llama-2-7b-chat"), price: PriceID(7), currency: Self.currency,
      amount: NanoAmount(15_360_000), tokens: TokenCount(266), promptTokens: TokenCount(10), heldAt: at, isPrepaid: false,
      highWater: TokenCount(64))
  }

  private func text(_ name: String, _ value: some CustomStringConvertible) -> JSONMember {
    JSONMember(name, .string(value.description))
  }

  var opening: [JournalRecord] {
    let hold = self.hold
    let decision = LogEntry(
      .decision, at: hold.heldAt,
      [
        text("id", hold.decision), text("moment", "request"), text("verdict", "allow"), text("customer", hold.customer),
        text("key", hold.key), text("model", hold.model), text("usage", hold.usage), text("standing", StandingID(3)),
      ], lookup: hold.decision.description)
    let entry = LogEntry(
      .hold, at: hold.heldAt,
      [
        text("usage", hold.usage), text("decision", hold.decision), text("customer", hold.customer), text("key", hold.key),
        text("model", hold.model), text("price", hold.price), text("currency", hold.currency),
        text("amount_nano", hold.amount.nano), text("prompt_tokens", hold.promptTokens), text("completion_ceiling", 4086),
      ])
    return [JournalRecord(decision), JournalRecord(entry, effects: [.holdOpened(hold)])]
  }

  var closing: [JournalRecord] {
    let record = UsageRecord(
      closing: self.hold, amount: NanoAmount(7_400_000),
      tokens: TokenUsage(promptUncached: TokenCount(10), completion: TokenCount(120)), undelivered: .zero, outcome: .settled,
      finish: "stop", policy: .delivered, source: .engine, settledAt: self.hold.heldAt)
    let entry = LogEntry(
      .settle, at: record.settledAt,
      [
        text("usage", record.usage), text("customer", record.customer), text("undelivered", "0"),
        text("settlement_policy", "delivered"), text("currency", record.currency), text("key", record.key),
        text("model", record.model), text("decision", record.decision), text("price", record.price),
        text("amount_nano", record.amount.nano), text("prompt_uncached", "10"), text("prompt_cached", "0"),
        text("completion", "120"), text("finish", "stop"), text("usage_source", "engine_counted"), text("held_at", record.heldAt),
      ], lookup: record.usage.description)
    return [JournalRecord(entry, effects: [.usage(record)])]
  }
}
