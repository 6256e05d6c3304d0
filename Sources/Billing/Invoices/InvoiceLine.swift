public import GovernanceTypes

/// One line of an invoice: what it is for, what it comes to exactly, and the rounded amount that is asked for.
public struct InvoiceLine: Sendable, Equatable {
  public enum Kind: Sendable, Hashable {
    /// What the requests of a month were charged for one category at one price.
    case usage(PriceID, ModelID, UsageCategory)
    /// What a cheaper volume tier gives back when the month is complete; never positive.
    case giveBack(PriceID, ModelID)
    /// The difference between what was charged and what the price gives, where a charge was held to its hold.
    case held(PriceID, ModelID)
    /// What is missing to the committed amount.
    case trueUp
    /// What usage beyond the commitment costs more, or less, than its price.
    case overage
    /// A correction by entry.
    case adjustment(String)
    /// Promotional credit that was used up; never positive.
    case promotion(CreditID)

    var model: ModelID? {
      switch self {
      case .usage(_, let model, _), .giveBack(_, let model), .held(_, let model): model
      case .trueUp, .overage, .adjustment, .promotion: nil
      }
    }

    var credit: CreditID? {
      if case .promotion(let credit) = self { credit } else { nil }
    }

    var price: PriceID? {
      switch self {
      case .usage(let price, _, _), .giveBack(let price, _), .held(let price, _): price
      case .trueUp, .overage, .adjustment, .promotion: nil
      }
    }
  }

  /// From 1, without gaps.
  public let id: Int
  public let kind: Kind
  /// Tokens or requests of a usage line; 1 of all others.
  public let quantity: Int
  /// Nano-units per million, where every unit of the line costs the same.
  public let perMillion: NanoAmount?
  /// Unrounded.
  public let exact: NanoAmount
  /// `exact` in whole minor units, halves away from zero.
  public let amount: NanoAmount
  public let treatment: TaxTreatment
  /// In a credit note, the line of the invoice that is corrected.
  public let corrects: Int?

  /// What a reader sees.
  public var title: String {
    switch self.kind {
    case .usage(_, let model, let category): "\(category.title), \(model)"
    case .giveBack(_, let model): "Volume price reached, \(model)"
    case .held(_, let model): "Charges held to what was reserved, \(model)"
    case .trueUp: "True-up to the committed amount"
    case .overage: "Usage beyond the committed amount"
    case .adjustment(let reason): reason
    case .promotion: "Promotional credit"
    }
  }

  /// A word for programs.
  public var code: String {
    switch self.kind {
    case .usage(_, _, let category): category.rawValue
    case .giveBack: "give_back"
    case .held: "held"
    case .trueUp: "true_up"
    case .overage: "overage"
    case .adjustment: "adjustment"
    case .promotion: "promotion"
    }
  }
}

extension UsageCategory {
  var title: String {
    switch self {
    case .promptUncached: "Input Tokens"
    case .promptCached: "Cached Input Tokens"
    case .completion: "Output Tokens"
    case .training: "Training Tokens"
    case .request: "Requests"
    }
  }

  var unit: String { self == .request ? "Requests" : "Tokens" }
}
