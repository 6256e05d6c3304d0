internal import GovernanceTypes
internal import UsageLedger

/// Holds and settlements in memory: key, project and customer, each with a spend and a tokens limit, among a thousand keys.
func measureMemory() {
  guard let usd = Currency("USD") else { return }
  var ledger = Ledger()
  var number: UInt128 = 0
  func limit(_ subject: LedgerSubject, _ measure: Limit.Measure) {
    number += 1
    ledger.set(Limit(id: LimitID(number), subject: subject, measure: measure))
  }
  let most = NanoAmount(1_000_000_000_000_000)
  for customer in 0..<100 {
    limit(.customer(CustomerID(UInt128(customer))), .spend(most, usd, .month))
    limit(.customer(CustomerID(UInt128(customer))), .tokensPerMinute(1_000_000_000))
    limit(.project(ProjectID(UInt128(customer))), .spend(most, usd, .day))
    limit(.project(ProjectID(UInt128(customer))), .tokens(TokenCount(1 << 48), .week))
  }
  for key in 0..<1000 {
    limit(.key(KeyID(UInt128(key))), .spend(most, usd, .total))
    limit(.key(KeyID(UInt128(key))), .requestsPerMinute(1_000_000_000))
  }
  let start = Timestamp(seconds: 1_795_424_400)
  var holds: [Duration] = []
  var settlements: [Duration] = []
  for request in 0..<300_000 {
    let key = request &* 7919 % 1000
    let customer = CustomerID(UInt128(key % 100))
    let chain: [LedgerSubject] = [.key(KeyID(UInt128(key))), .project(ProjectID(UInt128(key % 100))), .customer(customer)]
    let now = start.advanced(by: .milliseconds(request))
    let usage = UsageID(UInt128(request))
    let before = ContinuousClock.now
    let room = ledger.headroom(chain: chain, customer: customer, currency: usd, heldAt: now)
    let held = ledger.hold(
      usage: usage, customer: customer, chain: chain, currency: usd, amount: NanoAmount(15_360_000), tokens: TokenCount(266),
      at: now)
    let after = ContinuousClock.now
    guard room.amount != nil, case .success = held else { return say("a hold was refused") }
    holds.append(after - before)
    // 256 requests are open at any time.
    guard request >= 256 else { continue }
    let closed = ContinuousClock.now
    _ = ledger.settle(UsageID(UInt128(request - 256)), amount: NanoAmount(7_400_000), tokens: TokenCount(130), at: now)
    settlements.append(ContinuousClock.now - closed)
  }
  for (name, times) in [("hold, limits asked twice", holds.sorted()), ("settle", settlements.sorted())] {
    say(
      "\(name): p50 \(fixed(times.percentile(0.5).microseconds, 2)) µs, p99 \(fixed(times.percentile(0.99).microseconds, 2)) µs, "
        + "p99.9 \(fixed(times.percentile(0.999).microseconds, 2)) µs")
  }
}
