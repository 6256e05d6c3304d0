public import GovernanceTypes

/// How a line is taxed: a VAT category of EN 16931 and its rate, as the operator configured them. Nothing is decided here.
public struct TaxTreatment: Sendable, Hashable {
  /// Codes of UNTDID 5305.
  public enum Code: String, Sendable, CaseIterable {
    case standard = "S"
    case zeroRated = "Z"
    case exempt = "E"
    case reverseCharge = "AE"
    case outOfScope = "O"
    case export = "G"
    case intraCommunity = "K"

    /// Whether an invoice must say why there is no tax.
    var needsReason: Bool { self != .standard && self != .zeroRated }
    /// Whether the customer must be identified for tax.
    var needsBuyerID: Bool { self == .reverseCharge || self == .intraCommunity }
  }

  public let code: Code
  /// Hundredths of a percent: 19 % is 1900.
  public let basisPoints: Int
  public let reason: String?

  public enum Defect: Error, Sendable, Equatable {
    /// A standard rate must be more than nothing and at most 100 %; all others are nothing.
    case rate(Code, Int)
    case missingReason(Code)
    case needlessReason(Code)
  }

  public init(_ code: Code, basisPoints: Int = 0, reason: String? = nil) throws(Defect) {
    guard code == .standard ? (1...10_000).contains(basisPoints) : basisPoints == 0 else { throw .rate(code, basisPoints) }
    if code.needsReason, (reason ?? "").isBlank { throw .missingReason(code) }
    if !code.needsReason, reason != nil { throw .needlessReason(code) }
    self.code = code
    self.basisPoints = basisPoints
    self.reason = reason
  }

  /// The rate in percent, as EN 16931 writes it: `19`, `7.5`.
  var percent: String {
    let fraction = self.basisPoints % 100
    if fraction == 0 { return String(self.basisPoints / 100) }
    let digits = fraction < 10 ? "0\(fraction)" : "\(fraction)"
    return "\(self.basisPoints / 100).\(digits.hasSuffix("0") ? String(digits.dropLast()) : digits)"
  }
}

/// Which treatment a line gets: everyone's, or that of its model.
public struct TaxPlan: Sendable, Equatable {
  public var usual: TaxTreatment
  public var byModel: [ModelID: TaxTreatment]

  public init(usual: TaxTreatment, byModel: [ModelID: TaxTreatment] = [:]) {
    self.usual = usual
    self.byModel = byModel
  }

  func treatment(of line: InvoiceLine.Kind) -> TaxTreatment { line.model.flatMap { self.byModel[$0] } ?? self.usual }
}

/// The tax of all lines with one treatment, reckoned once from their sum (EN 16931, BR-CO-17).
public struct TaxSubtotal: Sendable, Equatable {
  public let treatment: TaxTreatment
  public let taxable: NanoAmount
  public let tax: NanoAmount

  init(_ treatment: TaxTreatment, taxable: NanoAmount, currency: Currency) {
    self.treatment = treatment
    self.taxable = taxable
    self.tax = NanoAmount(divideHalfUp(taxable.nano * Int128(treatment.basisPoints), by: 10_000)).rounded(in: currency)
  }

  init(_ treatment: TaxTreatment, taxable: NanoAmount, tax: NanoAmount) {
    self.treatment = treatment
    self.taxable = taxable
    self.tax = tax
  }

  /// One for each treatment of the lines, in the order of codes and rates.
  static func all(of lines: [InvoiceLine], currency: Currency) -> [TaxSubtotal] {
    var sums: [TaxTreatment: NanoAmount] = [:]
    for line in lines { sums[line.treatment, default: .zero] += line.amount }
    return sums.map { TaxSubtotal($0.key, taxable: $0.value, currency: currency) }.sorted {
      ($0.treatment.code.rawValue, $0.treatment.basisPoints) < ($1.treatment.code.rawValue, $1.treatment.basisPoints)
    }
  }
}
