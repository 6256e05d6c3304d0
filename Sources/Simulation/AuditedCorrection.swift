internal import Documents
internal import Governance
internal import GovernanceTypes
internal import Synchronization

/// A correction of a charge as its stored object tells it, read by what the log shows of it.
struct AuditedCorrection {
  let usage: UsageID
  let amount: NanoAmount
  let reference: String?

  init?(_ effect: StoreEffect) {
    guard case .object(let object) = effect, object.kind == .adjustment,
      case .string(let usage)? = object.body["usage"], let usage = UsageID(usage),
      case .string(let text)? = object.body["amount"], let amount = NanoAmount(decimal: text)
    else { return nil }
    self.usage = usage
    self.amount = amount
    if case .string(let reference)? = object.body["reference"] { self.reference = reference } else { self.reference = nil }
  }
}

/// What is charged more counts from when it is submitted, so that no two go beyond a limit together; what is given back counts when it
/// is on disk, where nothing takes it away again.
extension IndependentAuditor.State {
  mutating func correctionSubmitted(_ effect: StoreEffect, of records: [JournalRecord]) {
    guard let correction = AuditedCorrection(effect) else { return }
    let (usage, amount) = (correction.usage, correction.amount.nano)
    func complain(_ text: String) { self.violations.append("the correction of \(usage) by \(amount) \(text)") }
    guard let item = self.durable[usage], item.end?.outcome == .settled else { return complain("is of nothing that was charged") }
    let used = records.flatMap(\.effects).reduce(Int128(0)) { sum, effect in
      if case .creditUsed(let use) = effect { sum + use.used.nano } else { sum }
    }
    if item.isPrepaid, used != max(0, amount) { complain("takes \(used) of the credit") }
    let said = records.compactMap(\.entry).flatMap(\.fields).contains {
      $0.key == "amount_nano" && $0.value == .string(String(amount))
    }
    if !said { complain("is not what its entry says") }
    if amount > 0 { self.change(usage) { $0.belief[usage]?.correctedNano += amount } }
  }

  mutating func correctionIsDurable(_ effect: StoreEffect) {
    guard let correction = AuditedCorrection(effect) else { return }
    let (usage, amount) = (correction.usage, correction.amount.nano)
    self.counts["corrections", default: 0] += 1
    self.durable[usage]?.correctedNano += amount
    if amount < 0 { self.change(usage) { $0.belief[usage]?.correctedNano += amount } }
    if let reference = correction.reference, !self.references.insert(reference).inserted {
      self.violations.append("the correction '\(reference)' is made twice")
    }
    if let item = self.durable[usage], let end = item.end, end.amount.nano + item.correctedNano < 0 {
      self.violations.append("\(usage) costs less than nothing after its correction")
    }
  }

  mutating func correctionFailed(_ effect: StoreEffect) {
    guard let correction = AuditedCorrection(effect), correction.amount > .zero else { return }
    self.change(correction.usage) { $0.belief[correction.usage]?.correctedNano -= correction.amount.nano }
  }
}

extension Schedule {
  /// The operator corrects a charge: up or down, at times by more than was charged, at times under a name that was used before.
  func correct() {
    guard let process = self.process, process.isReady else { return }
    let charged = self.auditor.state.withLock { state in
      state.durable.filter { $0.value.end?.outcome == .settled }.map { ($0.key, $0.value.end?.amount.nano ?? 0) }
        .sorted { $0.0 < $1.0 }
    }
    guard let (usage, amount) = charged.randomElement(using: &self.generator) else { return }
    let up = Bool.random(using: &self.generator)
    let most = up ? 20 : Int(amount) + 2
    let change = Int.random(in: 1...max(1, most), using: &self.generator)
    let name = Bool.random(using: &self.generator) ? Int.random(in: 0..<4, using: &self.generator) : nil
    let text = (up ? "" : "-") + NanoAmount(Int128(change)).description
    let reference = name.map { #","reference":"correction \#($0)""# } ?? ""
    let body = SimulatedWorld.document(#"{"usage":"\#(usage)","amount":"\#(text)","reason":"as scheduled"\#(reference)}"#)
    let auditor = self.auditor
    auditor.note("correct", change)
    self.spawn {
      do throws(Refusal) {
        let made = try await process.gate.adjust(body, by: Actor("simulation"))
        auditor.require(process.store.holds(made) || !process.isAlive, "a correction is answered before it is on disk: \(made)")
      } catch {
        let known: [Refusal.Code] = [.invalidRequest, .spendLimitReached, .conflict, .storeUnavailable, .notFound]
        auditor.require(known.contains(error.code), "a correction is refused as \(error.code.rawValue)")
      }
    }
  }
}
