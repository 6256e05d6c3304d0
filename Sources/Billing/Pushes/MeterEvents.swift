public import Documents
public import GovernanceTypes

/// What one customer used of one category of one model in one minute: what metering services are told.
public struct MeterEvent: Sendable, Hashable {
  /// The same for the same minute whenever it is made: origin, category, customer, minute and a digest of the model's name. At most
  /// 100 characters.
  public let id: String
  public let customer: CustomerID
  public let model: ModelID
  public let category: UsageCategory
  /// The first instant of the minute, by when requests were settled.
  public let minute: Timestamp
  public let quantity: Int
}

extension MeterEvent {
  /// The event as it is kept until it is acknowledged.
  public var json: JSON {
    [
      "id": .string(self.id), "customer": .string(self.customer.description), "model": .string(self.model.name),
      "category": .string(self.category.rawValue), "minute": .string(self.minute.description),
      "quantity": .integer(self.quantity),
    ]
  }

  /// Reads back what ``json`` wrote.
  public init(reading document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let (id, model) = (try reader.string("id"), ModelID(try reader.string("model")))
    guard let customer = CustomerID(try reader.string("customer")) else { throw reader.failure("customer", "is no id") }
    guard let category = UsageCategory(rawValue: try reader.string("category")) else {
      throw reader.failure("category", "is no category")
    }
    guard let minute = Timestamp(try reader.string("minute")) else { throw reader.failure("minute", "is no time") }
    let quantity = try reader.integer("quantity", in: 0...TokenCount.largest.value)
    try reader.finish()
    self.init(id: id, customer: customer, model: model, category: category, minute: minute, quantity: quantity)
  }
}

/// Adds up settled requests by minute, and gives each minute out once, when it is closed.
public struct MeterWindows: Sendable {
  public enum Defect: Error, Sendable, Equatable {
    /// Its minute is closed: the caller closed it before all of its settlements were handed in.
    case late(UsageID)
    case twice(UsageID)
    /// A sum would leave what a count can be.
    case beyondRange(UsageID)
  }

  private struct Place: Hashable {
    var customer: CustomerID
    var model: ModelID
    var category: UsageCategory
  }

  private struct Window {
    var sums: [Place: Int] = [:]
    var seen: Set<UsageID> = []
  }

  public let origin: String
  private let digest: DigestFunction
  private var open: [Int64: Window] = [:]
  /// Minutes before this one are closed.
  private var closed = Int64.min

  /// Nil unless `origin`, the name of this gateway, has 1 to 24 letters of ASCII, digits or `-`.
  public init?(origin: String, digest: @escaping DigestFunction) {
    guard InvoiceNumbers(prefix: origin) != nil, !origin.isEmpty else { return nil }
    self.origin = origin
    self.digest = digest
  }

  /// Adds a settled request, or throws and adds nothing.
  public mutating func add(_ line: UsageLine) throws(Defect) {
    let minute = Self.minute(line.settledAt)
    guard minute >= self.closed else { throw .late(line.usage) }
    var window = self.open[minute] ?? Window()
    guard window.seen.insert(line.usage).inserted else { throw .twice(line.usage) }
    for (category, quantity) in Self.quantities(line) where quantity > 0 {
      let place = Place(customer: line.customer, model: line.model, category: category)
      let sum = window.sums[place, default: 0] + quantity
      guard sum <= TokenCount.largest.value else { throw .beyondRange(line.usage) }
      window.sums[place] = sum
    }
    self.open[minute] = window
  }

  /// Closes all minutes that end at `instant` or before, and gives what they had, oldest first.
  ///
  /// - Parameter instant: the ledger has handed in everything that was settled before it.
  public mutating func close(before instant: Timestamp) -> [MeterEvent] {
    let end = Self.minute(instant)
    guard end > self.closed else { return [] }
    self.closed = end
    let minutes = self.open.keys.filter { $0 < end }.sorted()
    return minutes.flatMap { minute -> [MeterEvent] in
      let window = self.open.removeValue(forKey: minute) ?? Window()
      return window.sums.map { self.event($0.key, $0.value, minute) }.sorted { $0.id < $1.id }
    }
  }

  private func event(_ place: Place, _ quantity: Int, _ minute: Int64) -> MeterEvent {
    let model = self.digest(Array(place.model.name.utf8)).hexadecimal.prefix(16)
    return MeterEvent(
      id: "\(self.origin):\(place.category.rawValue):\(place.customer):\(minute * 60):\(model)", customer: place.customer,
      model: place.model, category: place.category, minute: Timestamp(seconds: minute * 60), quantity: quantity)
  }

  private static func minute(_ instant: Timestamp) -> Int64 {
    let (quotient, remainder) = instant.seconds.quotientAndRemainder(dividingBy: 60)
    return remainder < 0 ? quotient - 1 : quotient
  }

  private static func quantities(_ line: UsageLine) -> [(UsageCategory, Int)] {
    [
      (.promptUncached, line.tokens.promptUncached.value), (.promptCached, line.tokens.promptCached.value),
      (.completion, line.tokens.completion.value), (.training, line.tokens.training.value), (.request, 1),
    ]
  }
}
