/// The key-value section of a GGUF file.
///
/// A getter without `require` answers `nil` where the key is absent or of another type. Where a wrong type must not pass
/// for absence, use the `require` form: it names the key and both types, and takes a value for absence only.
public struct GGUFMetadata: Sendable {
  /// All keys in file order.
  public let keys: [String]
  let path: String
  private let values: [String: GGUFValue]

  /// - Precondition: `keys` are exactly the keys of `values`.
  init(path: String, keys: [String], values: [String: GGUFValue]) {
    self.path = path
    self.keys = keys
    self.values = values
  }

  /// What another kind of file says, in the same words; of a key that occurs twice the later value is kept.
  public init(path: String, entries: [(key: String, value: GGUFValue)]) {
    let values = Dictionary(entries.map { ($0.key, $0.value) }) { _, later in later }
    var seen: Set<String> = []
    self.init(path: path, keys: entries.map(\.key).filter { seen.insert($0).inserted }, values: values)
  }

  public subscript(key: String) -> GGUFValue? { self.values[key] }

  public func string(_ key: String) -> String? { self.values[key]?.stringValue }
  /// A non-negative value of any integer type.
  public func unsigned(_ key: String) -> UInt64? { self.values[key]?.unsignedValue }
  /// A 32- or 64-bit floating-point value.
  public func float(_ key: String) -> Double? { self.values[key]?.floatValue }
  public func bool(_ key: String) -> Bool? { self.values[key]?.boolValue }
  public func stringArray(_ key: String) -> [String]? { self.values[key]?.stringArrayValue }
  /// An array of 32-bit floating-point numbers.
  public func floatArray(_ key: String) -> [Float]? { self.values[key]?.floatArrayValue }
  /// An array of any integer type whose elements all fit 32 bits; O(n) unless stored as `int32`.
  public func intArray(_ key: String) -> [Int32]? { self.values[key]?.intArrayValue }
}

extension GGUFMetadata {
  /// - Throws: `missingKey` where the key is absent and there is no `absent` value; `wrongType`.
  public func requireString(_ key: String, ifAbsent absent: String? = nil) throws(ModelFileError) -> String {
    try self.require(key, as: "a string", absent, \.stringValue)
  }

  /// - Throws: `missingKey` where the key is absent and there is no `absent` value; `wrongType`, also for a negative integer.
  public func requireUnsigned(_ key: String, ifAbsent absent: UInt64? = nil) throws(ModelFileError) -> UInt64 {
    try self.require(key, as: "a non-negative integer", absent, \.unsignedValue)
  }

  /// - Throws: `missingKey` where the key is absent and there is no `absent` value; `wrongType`.
  public func requireFloat(_ key: String, ifAbsent absent: Double? = nil) throws(ModelFileError) -> Double {
    try self.require(key, as: "a floating-point number", absent, \.floatValue)
  }

  /// - Throws: `missingKey` where the key is absent and there is no `absent` value; `wrongType`.
  public func requireBool(_ key: String, ifAbsent absent: Bool? = nil) throws(ModelFileError) -> Bool {
    try self.require(key, as: "a boolean", absent, \.boolValue)
  }

  /// - Throws: `missingKey`, `wrongType`.
  public func requireStringArray(_ key: String) throws(ModelFileError) -> [String] {
    try self.require(key, as: "an array of strings", nil, \.stringArrayValue)
  }

  /// - Throws: `missingKey`, `wrongType`.
  public func requireFloatArray(_ key: String) throws(ModelFileError) -> [Float] {
    try self.require(key, as: "an array of float32", nil, \.floatArrayValue)
  }

  /// - Throws: `missingKey`, `wrongType`.
  public func requireIntArray(_ key: String) throws(ModelFileError) -> [Int32] {
    try self.require(key, as: "an array of integers that fit 32 bits", nil, \.intArrayValue)
  }

  private func require<Wanted>(
    _ key: String, as wanted: String, _ absent: Wanted?, _ read: (GGUFValue) -> Wanted?
  ) throws(ModelFileError) -> Wanted {
    guard let value = self.values[key] else {
      if let absent { return absent }
      throw ModelFileError(
        .missingKey, path: self.path, field: key,
        message: "The metadata key is missing, \(wanted) is required; convert the model again with a current converter.")
    }
    guard let result = read(value) else {
      throw ModelFileError(
        .wrongType, path: self.path, field: key,
        message: "The metadata key holds \(value.typeDescription) where \(wanted) is required; convert the model again.")
    }
    return result
  }
}

extension GGUFValue {
  /// The stored type in words, `array of int32` for arrays.
  public var typeDescription: String {
    guard case .array(let elements) = self else { return "\(self.type)" }
    return "array of \(elements.elementType)"
  }

  var stringValue: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  var unsignedValue: UInt64? {
    switch self {
    case .uint8(let value): UInt64(value)
    case .uint16(let value): UInt64(value)
    case .uint32(let value): UInt64(value)
    case .uint64(let value): value
    case .int8(let value): UInt64(exactly: value)
    case .int16(let value): UInt64(exactly: value)
    case .int32(let value): UInt64(exactly: value)
    case .int64(let value): UInt64(exactly: value)
    case .float32, .float64, .bool, .string, .array: nil
    }
  }

  var floatValue: Double? {
    switch self {
    case .float32(let value): Double(value)
    case .float64(let value): value
    default: nil
    }
  }

  var boolValue: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  var stringArrayValue: [String]? {
    guard case .array(.string(let elements)) = self else { return nil }
    return elements
  }

  var floatArrayValue: [Float]? {
    guard case .array(.float32(let elements)) = self else { return nil }
    return elements
  }

  var intArrayValue: [Int32]? {
    guard case .array(let array) = self else { return nil }
    return switch array {
    case .int32(let elements): elements
    case .uint8(let elements): elements.map(Int32.init)
    case .int8(let elements): elements.map(Int32.init)
    case .uint16(let elements): elements.map(Int32.init)
    case .int16(let elements): elements.map(Int32.init)
    case .uint32(let elements): GGUFValue.narrowed(elements)
    case .uint64(let elements): GGUFValue.narrowed(elements)
    case .int64(let elements): GGUFValue.narrowed(elements)
    case .float32, .float64, .bool, .string, .array: nil
    }
  }

  private static func narrowed(_ elements: [some BinaryInteger]) -> [Int32]? {
    var result: [Int32] = []
    result.reserveCapacity(elements.count)
    for element in elements {
      guard let narrow = Int32(exactly: element) else { return nil }
      result.append(narrow)
    }
    return result
  }
}
