internal import GovernanceTypes

/// The part of one request's charge that belongs to a category.
struct FocusShare: Equatable {
  let category: UsageCategory
  /// Tokens, or one request.
  let quantity: Int128
  var billed: NanoAmount = .zero
}

/// Quantity and money of a row.
struct FocusSum: Equatable {
  let category: UsageCategory
  private(set) var quantity: Int128 = 0
  private(set) var billed: NanoAmount = .zero
  /// Price per million times quantity, exactly, or what was billed where there is no such price: units of 10^-15, a millionth of a nano-unit.
  private(set) var listed: Int128 = 0

  init(category: UsageCategory) { self.category = category }

  /// Adds a share; false, and nothing added, if a sum would leave 128 bits.
  ///
  /// Where units have no price of their own, the listed cost is what was billed.
  mutating func add(_ share: FocusShare, unitPrice: NanoAmount?) -> Bool {
    let (quantity, overflow) = self.quantity.addingReportingOverflow(share.quantity)
    let (billed, carry) = self.billed.nano.addingReportingOverflow(share.billed.nano)
    let (listed, excess) =
      unitPrice.map { $0.nano.multipliedReportingOverflow(by: quantity) } ?? billed.multipliedReportingOverflow(by: 1_000_000)
    guard !overflow, !carry, !excess else { return false }
    self.quantity = quantity
    self.billed = NanoAmount(billed)
    self.listed = listed
    return true
  }
}

/// Divides a request's charge over the categories that it used, so that the parts make up the charge exactly.
///
/// A charge with no usage to carry it falls to the category `request`. A charge below what the price gives is used up in the
/// order of the categories.
func focusShares(of line: UsageLine, price: Price) -> [FocusShare] {
  var shares = focusQuantities(of: line, price: price)
  guard let receiver = shares.lastIndex(where: { $0.category == .completion }) ?? shares.indices.last else { return [] }
  var rest = line.amount
  for index in shares.indices where index != receiver {
    let (product, overflow) = price.unitPrice(shares[index].category).nano.multipliedReportingOverflow(by: shares[index].quantity)
    shares[index].billed = min(overflow ? rest : NanoAmount(product / 1_000_000), max(rest, .zero))
    rest -= shares[index].billed
  }
  shares[receiver].billed = rest
  return shares
}

private func focusQuantities(of line: UsageLine, price: Price) -> [FocusShare] {
  let counts: [(UsageCategory, TokenCount)] = [
    (.promptUncached, line.tokens.promptUncached), (.promptCached, line.tokens.promptCached),
    (.completion, line.tokens.completion), (.training, line.tokens.training),
  ]
  var shares = counts.filter { $0.1 > .zero }.map { FocusShare(category: $0.0, quantity: Int128($0.1.value)) }
  let isCharged = price.unitPrice(.request) > .zero && !(shares.isEmpty && line.amount == .zero)
  if isCharged || (shares.isEmpty && line.amount != .zero) { shares.append(FocusShare(category: .request, quantity: 1)) }
  return shares
}

/// Divides a request's charge where tiers, packages, allowances or maxima decide what a category makes of it, after what its customer's
/// month already has at that price. The parts make up the charge exactly.
func focusShares(of line: UsageLine, price: Price, after settled: PeriodQuantities) -> [FocusShare] {
  let used = price.shares(of: settled.adding(line.tokens), after: settled).filter { share in
    share.quantity > 0 && (share.category != .request || share.amount > .zero)
  }
  var shares = used.map { FocusShare(category: $0.category, quantity: Int128($0.quantity)) }
  if shares.isEmpty, line.amount != .zero { shares = [FocusShare(category: .request, quantity: 1)] }
  guard let receiver = shares.lastIndex(where: { $0.category == .completion }) ?? shares.indices.last else { return [] }
  var rest = line.amount
  for index in shares.indices where index != receiver {
    shares[index].billed = min(used[index].amount, max(rest, .zero))
    rest -= shares[index].billed
  }
  shares[receiver].billed = rest
  return shares
}
