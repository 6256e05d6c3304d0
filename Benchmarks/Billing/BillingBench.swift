internal import Billing
internal import Glibc
internal import GovernanceTypes

// Billing, measured, and sample files for outside validators:
//
//   billing-bench tables [RECORDS]       CSV, JSON Lines and FOCUS of so many usage records, and the peak of memory
//   billing-bench invoices [CUSTOMERS]   a month's invoices of so many customers, rendered as JSON, HTML and UBL
//   billing-bench samples FOLDER         invoices and credit notes as UBL and HTML, and FOCUS tables, for `make conformance`
//   billing-bench fill DATA CUSTOMERS PRICE MODEL MONTH RECORDS
//                                        a month of requests, such as 2026-10-01, into a gateway's store; customers by line in a file
@main
enum BillingBench {
  static func main() async throws {
    let arguments = CommandLine.arguments
    let number = arguments.count > 2 ? Int(arguments[2]) : nil
    switch arguments.count > 1 ? arguments[1] : "" {
    case "tables": try tables(records: number ?? 1_000_000)
    case "invoices": try invoices(customers: number ?? 10_000)
    case "samples" where arguments.count > 2: try Samples.write(to: arguments[2])
    case "fill" where arguments.count > 7:
      try await fillStore(
        in: arguments[2], records: known(Int(arguments[7]), "RECORDS"),
        customers: try lines(of: arguments[3]).map { try known(CustomerID($0), "a customer's id: \($0)") },
        price: arguments[4], model: ModelID(arguments[5]), month: known(Timestamp(arguments[6]), "MONTH"))
    default:
      say(
        "usage: billing-bench tables [RECORDS] | invoices [CUSTOMERS] | samples FOLDER | fill DATA CUSTOMERS PRICE MODEL MONTH RECORDS"
      )
      exit(2)
    }
  }
}

func say(_ line: String) {
  puts(line)
  fflush(nil)
}

struct Missing: Error {
  let what: String
}

func known<Value>(_ value: Value?, _ what: String) throws -> Value {
  guard let value else { throw Missing(what: what) }
  return value
}

func seconds(_ work: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  let start = clock.now
  try work()
  let (whole, attoseconds) = (clock.now - start).components
  return Double(whole) + Double(attoseconds) / 1e18
}

/// The lines of a small file.
func lines(of path: String) throws -> [String] {
  let file = try known(fopen(path, "r"), path)
  defer { fclose(file) }
  var text: [UInt8] = []
  while case let byte = getc(file), byte != EOF { text.append(UInt8(truncatingIfNeeded: byte)) }
  return String(decoding: text, as: UTF8.self).split(separator: "\n").map { String($0) }
}

/// The most memory that the process has had, in MiB.
func peakMemory() -> Int {
  var usage = rusage()
  getrusage(numericCast(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss / 1024
}

/// A price per unit, or one with tiers, packages and an allowance.
func price(_ id: UInt128, tiered: Bool, currency: String = "EUR", model: String = "llama-2-7b-chat") throws -> Price {
  let tiers = [
    Tariff.Tier(upTo: 10_000_000, perMillion: NanoAmount(600_000_000)),
    Tariff.Tier(upTo: nil, perMillion: NanoAmount(400_000_000)),
  ]
  return try Price(
    id: PriceID(id), model: ModelID(model), currency: known(Currency(currency), currency),
    effectiveFrom: Timestamp(seconds: 0),
    rates: tiered
      ? [
        .promptUncached: Rate(.package(size: 1000, amount: NanoAmount(200_000)), free: 5000), .completion: Rate(.volume(tiers)),
        .promptCached: Rate(.graduated(tiers)),
      ]
      : [
        .promptUncached: Rate(.perUnit(NanoAmount(200_000_000))), .promptCached: Rate(.perUnit(NanoAmount(37_500_000))),
        .completion: Rate(.perUnit(NanoAmount(600_000_001))),
      ])
}

/// A month's requests, one after the other and never all at once: 500 customers with a key each, in turn.
struct UsageStream {
  let price: Price
  let customers: Int
  private var settled: [PeriodQuantities]
  private var state: UInt64 = 0x1234_5678

  init(price: Price, customers: Int) {
    self.price = price
    self.customers = customers
    self.settled = Array(repeating: .none, count: customers)
  }

  mutating func line(_ index: Int, of count: Int) -> UsageLine {
    self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let customer = index % self.customers
    let tokens = TokenUsage(
      promptUncached: TokenCount(Int(self.state >> 54)), promptCached: TokenCount(Int(self.state >> 44 & 255)),
      completion: TokenCount(Int(self.state >> 34 & 511)))
    let amount = self.price.charge(tokens, after: self.settled[customer])
    self.settled[customer] = self.settled[customer].adding(tokens)
    let month = 1_790_812_800  // 2026-10-01
    let held = Timestamp(seconds: Int64(month + index * (30 * 86_400 / count)))
    return UsageLine(
      usage: UsageID(UInt128(index)), decision: DecisionID(UInt128(index)), customer: CustomerID(UInt128(customer)),
      project: ProjectID(UInt128(customer)), key: KeyID(UInt128(customer)), model: self.price.model, price: self.price.id,
      currency: self.price.currency, amount: amount, tokens: tokens, undelivered: .zero, finish: "stop",
      settlementPolicy: "delivered", usageSource: "engine_counted", heldAt: held, settledAt: held)
  }
}

func tables(records: Int) throws {
  for tiered in [false, true] {
    let price = try price(1, tiered: tiered)
    let title = tiered ? "tiers" : "per unit"
    var stream = UsageStream(price: price, customers: 500)
    var (written, buffer) = (0, [UInt8]())
    func flush() {
      guard buffer.count >= 1 << 16 else { return }
      written += buffer.count
      buffer.removeAll(keepingCapacity: true)
    }
    let making = seconds { for index in 0..<records { _ = stream.line(index, of: records) } }
    stream = UsageStream(price: price, customers: 500)
    var usage = UsageCSV()
    let csv = seconds {
      for index in 0..<records {
        usage.append(stream.line(index, of: records), to: &buffer)
        flush()
      }
    }
    stream = UsageStream(price: price, customers: 500)
    let lines = seconds {
      for index in 0..<records {
        UsageJSONLines.append(stream.line(index, of: records), to: &buffer)
        flush()
      }
    }
    stream = UsageStream(price: price, customers: 500)
    var table = try FocusTable(issuer: "Example GmbH", provider: "Example GmbH")
    var rows = 0
    let focus = try seconds {
      for index in 0..<records { try table.add(stream.line(index, of: records), price: price) }
      table.write { rows += $0.count { $0 == UInt8(ascii: "\n") } }
    }
    say(
      "\(title): \(records) records: making them \(making) s, CSV \(csv - making) s, JSON Lines \(lines - making) s, "
        + "FOCUS \(focus - making) s for \(rows) rows, peak memory \(peakMemory()) MiB")
  }
}
