// GovernanceTypes: the nouns and units that all of the governance column shares.
// Holds typed ids, digests, token counts, money, instants and calendar periods, with arithmetic that refuses what it cannot hold.
// It must never know a rule, a store, a clock or a wire format.

/// Names the kind of thing an ``Identifier`` stands for, and its prefix on the wire.
public protocol IdentifierKind: Sendable {
  static var prefix: String { get }
}

/// A 128-bit id, written `prefix_` and 26 characters of Crockford's base 32; ids made later sort later.
public struct Identifier<Kind: IdentifierKind>: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let value: UInt128

  public init(_ value: UInt128) { self.value = value }

  /// An id of the ULID shape: 48 bits of milliseconds, then 80 bits of `random`.
  public init(at time: Timestamp, random: UInt128) {
    let milliseconds = UInt128(UInt64(clamping: time.nanoseconds / 1_000_000) & 0xFFFF_FFFF_FFFF)
    self.value = milliseconds << 80 | (random & ((1 << 80) - 1))
  }

  /// The id that `text` writes; nil unless it has this kind's prefix and 26 valid characters.
  public init?(_ text: String) { self.init(ascii: text.utf8.span) }

  /// The same of bytes: a report reads a dozen ids of each request, and none needs a string of its own.
  public init?(ascii text: Span<UInt8>) {
    let prefix = Kind.prefix.utf8.span
    guard text.count == prefix.count + 27, text[prefix.count] == UInt8(ascii: "_") else { return nil }
    for place in prefix.indices where text[place] != prefix[place] { return nil }
    // 26 digits hold 130 bits: the first has three of the 128. Whether all are digits is asked once, at the end.
    let first = prefix.count + 1
    var seen: UInt8 = 0
    let high = crockfordNumber(text, first..<first + 2, &seen)
    guard high < 1 << 8 else { return nil }
    let middle = crockfordNumber(text, first + 2..<first + 14, &seen)
    let low = crockfordNumber(text, first + 14..<first + 26, &seen)
    guard seen < 32 else { return nil }
    self.value = UInt128(high) << 120 | UInt128(middle) << 60 | UInt128(low)
  }

  public var description: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Kind.prefix.utf8.count + 27)
    self.write(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the text of the id, as ASCII: a settlement writes a dozen ids, and none needs a string of its own.
  public func write(to bytes: inout [UInt8]) {
    bytes.append(contentsOf: Kind.prefix.utf8)
    bytes.append(UInt8(ascii: "_"))
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: 26))
    // 26 digits hold 130 bits: the first has three of the 128.
    var rest = self.value
    for place in (start..<start + 26).reversed() {
      bytes[place] = crockfordDigits[Int(truncatingIfNeeded: rest & 31)]
      rest >>= 5
    }
  }

  public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

private let crockfordDigits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

/// The value of each digit; 255 for what is none.
private let crockfordValues: [UInt8] = {
  var values = [UInt8](repeating: 255, count: 256)
  for (value, digit) in crockfordDigits.enumerated() { values[Int(digit)] = UInt8(value) }
  return values
}()

/// The number that up to twelve digits write; `seen` collects their values, and is beyond 31 once one of them is no digit.
private func crockfordNumber(_ text: Span<UInt8>, _ places: Range<Int>, _ seen: inout UInt8) -> UInt64 {
  var number: UInt64 = 0
  for place in places {
    let value = crockfordValues[Int(text[place])]
    seen |= value
    number = number << 5 | UInt64(value)
  }
  return number
}

public enum CustomerKind: IdentifierKind { public static let prefix = "cus" }
public enum ProjectKind: IdentifierKind { public static let prefix = "prj" }
public enum KeyKind: IdentifierKind { public static let prefix = "key" }
public enum AdminKeyKind: IdentifierKind { public static let prefix = "adk" }
public enum DecisionKind: IdentifierKind { public static let prefix = "dec" }
public enum StandingKind: IdentifierKind { public static let prefix = "std" }
public enum UsageKind: IdentifierKind { public static let prefix = "usg" }
public enum InvoiceKind: IdentifierKind { public static let prefix = "inv" }
public enum AttestationKind: IdentifierKind { public static let prefix = "att" }
public enum GrantKind: IdentifierKind { public static let prefix = "gra" }
public enum TerminationKind: IdentifierKind { public static let prefix = "ter" }
public enum DeliveryKind: IdentifierKind { public static let prefix = "del" }
public enum AffiliationKind: IdentifierKind { public static let prefix = "aff" }
public enum DeletionKind: IdentifierKind { public static let prefix = "erd" }
public enum ReviewKind: IdentifierKind { public static let prefix = "rev" }
public enum ExemptionKind: IdentifierKind { public static let prefix = "exm" }
public enum AppealKind: IdentifierKind { public static let prefix = "apl" }
public enum IncidentKind: IdentifierKind { public static let prefix = "inc" }
public enum LimitKind: IdentifierKind { public static let prefix = "lim" }
public enum PriceKind: IdentifierKind { public static let prefix = "pri" }
public enum CreditKind: IdentifierKind { public static let prefix = "crd" }
public enum AdjustmentKind: IdentifierKind { public static let prefix = "adj" }
public enum ExportKind: IdentifierKind { public static let prefix = "exp" }
public enum BootKind: IdentifierKind { public static let prefix = "boot" }

public typealias CustomerID = Identifier<CustomerKind>
public typealias ProjectID = Identifier<ProjectKind>
public typealias KeyID = Identifier<KeyKind>
public typealias AdminKeyID = Identifier<AdminKeyKind>
public typealias DecisionID = Identifier<DecisionKind>
public typealias StandingID = Identifier<StandingKind>
/// One governed request: its hold, its settlement and its usage record.
public typealias UsageID = Identifier<UsageKind>
public typealias InvoiceID = Identifier<InvoiceKind>
public typealias AttestationID = Identifier<AttestationKind>
public typealias GrantID = Identifier<GrantKind>
public typealias TerminationID = Identifier<TerminationKind>
public typealias DeliveryID = Identifier<DeliveryKind>
public typealias AffiliationID = Identifier<AffiliationKind>
public typealias DeletionID = Identifier<DeletionKind>
public typealias ReviewID = Identifier<ReviewKind>
public typealias ExemptionID = Identifier<ExemptionKind>
public typealias AppealID = Identifier<AppealKind>
public typealias IncidentID = Identifier<IncidentKind>
public typealias LimitID = Identifier<LimitKind>
public typealias PriceID = Identifier<PriceKind>
public typealias CreditID = Identifier<CreditKind>
public typealias AdjustmentID = Identifier<AdjustmentKind>
public typealias ExportID = Identifier<ExportKind>
/// One run of the process, from start to end.
public typealias BootID = Identifier<BootKind>

/// The name under which clients ask for a model; chosen by the operator.
public struct ModelID: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let name: String

  public init(_ name: String) { self.name = name }

  public var description: String { self.name }
  public static func < (left: Self, right: Self) -> Bool { left.name < right.name }
}

/// The id that a term file gives itself.
public struct TermFileID: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let name: String

  public init(_ name: String) { self.name = name }

  public var description: String { self.name }
  public static func < (left: Self, right: Self) -> Bool { left.name < right.name }
}
