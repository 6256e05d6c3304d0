import GovernanceTypes
import Testing
import UsageLedger

/// The order of docs/http-errors.md, as a table: of two bounds that both refuse, the one that stands higher here is reported.
@Suite("Which refusal is reported")
struct PrecedenceTests {
  private static let usd = Currency("USD") ?? { preconditionFailure("USD is a currency") }()
  private static let start = Timestamp(seconds: 1_795_424_400)
  private static let subjects: [LedgerSubject] = [.key(KeyID(2)), .project(ProjectID(3)), .customer(CustomerID(1))]
  private static let measures: [(String, Limit.Measure)] = [
    ("requests per minute", .requestsPerMinute(0)), ("tokens per minute", .tokensPerMinute(0)),
    ("concurrent requests", .concurrentRequests(0)), ("tokens", .tokens(.zero, .day)), ("spend", .spend(.zero, usd, .month)),
  ]

  /// Every bound in the order of the contract: by level, then by measure; nil is the customer's credit, which comes last.
  private static let table: [(name: String, limit: Limit?)] =
    subjects.enumerated().flatMap { level, subject in
      measures.enumerated().map { place, measure in
        (
          "\(measure.0) of \(subject)",
          Limit(id: LimitID(UInt128(100 - level * 10 - place)), subject: subject, measure: measure.1)
        )
      }
    } + [("credit", nil)]

  private func refusal(with bounds: [Limit?]) -> LedgerRefusal? {
    var ledger = Ledger()
    for bound in bounds {
      if let bound {
        ledger.set(bound)
      } else {
        ledger.grant(CreditGrant(id: CreditID(1), amount: NanoAmount(1)), Self.usd, to: CustomerID(1))
      }
    }
    let held = ledger.hold(
      usage: UsageID(1), customer: CustomerID(1), chain: Self.subjects, currency: Self.usd, amount: NanoAmount(10),
      tokens: TokenCount(5), at: Self.start)
    guard case .failure(let refusal) = held else { return nil }
    #expect(ledger.holds.isEmpty && ledger.accounts(of: CustomerID(1))[Self.usd]?[.pending] == nil)
    return refusal
  }

  private func limit(of refusal: LedgerRefusal?) -> Limit?? {
    switch refusal {
    case .rate(let limit, _), .concurrency(let limit), .tokens(let limit, _, _), .spend(let limit, _, _): .some(limit)
    case .insufficientCredit: .some(nil)
    default: nil
    }
  }

  @Test("Each bound refuses by itself")
  func alone() {
    for bound in Self.table { #expect(self.limit(of: self.refusal(with: [bound.limit])) == .some(bound.limit), "\(bound.name)") }
  }

  @Test("Of any two, in whatever order they were set, the one higher in the table is reported")
  func pairs() {
    for (place, higher) in Self.table.enumerated() {
      for lower in Self.table[(place + 1)...] {
        for bounds in [[higher.limit, lower.limit], [lower.limit, higher.limit]] {
          #expect(
            self.limit(of: self.refusal(with: bounds)) == .some(higher.limit), "\(higher.name) stands above \(lower.name)")
        }
      }
    }
  }
}
