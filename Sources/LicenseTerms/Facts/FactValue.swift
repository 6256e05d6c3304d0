public import GovernanceTypes

/// The value of a fact. Counts and amounts are intervals: a bound is enough, a number is not asked for.
public enum FactValue: Sendable, Hashable {
  case bool(Bool)
  /// Inclusive ends; nil is open. Counts in units, money in nano-units.
  case interval(lower: Int128?, upper: Int128?)
  /// A value of an enumeration.
  case choice(String)
  /// Sorted, without repetition.
  case set([String])
  /// An ISO 3166-1 alpha-2 code.
  case region(String)
  case day(CalendarDay)
  case digest(Digest)
  case text(String)
}

extension FactValue: CustomStringConvertible {
  /// The value as a short text for records: `true`, `at most 700000000`, `5 to 9`, `a, b`, `DE`, `2026-11-23`.
  public var description: String {
    switch self {
    case .bool(let flag): flag ? "true" : "false"
    case .interval(nil, nil): "any number"
    case .interval(let lower?, nil): "at least \(lower)"
    case .interval(nil, let upper?): "at most \(upper)"
    case .interval(let lower?, let upper?): lower == upper ? "\(lower)" : "\(lower) to \(upper)"
    case .choice(let text), .region(let text), .text(let text): text
    case .set(let values): values.isEmpty ? "none" : values.joined(separator: ", ")
    case .day(let day): day.description
    case .digest(let digest): digest.hexadecimal
    }
  }
}
