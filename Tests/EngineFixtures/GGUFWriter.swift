/// Writes GGUF version 3 files for tests, right or wrong ones as asked.
public struct GGUFWriter: Sendable {
  public enum Value: Sendable {
    case unsigned(UInt32)
    case float(Float)
    case bool(Bool)
    case string(String)
    case strings([String])
    case floats([Float])
    case integers([Int32])
  }

  public struct Tensor: Sendable {
    public var name: String
    public var type: UInt32
    /// Innermost first.
    public var dimensions: [Int]
    public var bytes: [UInt8]

    public init(name: String, type: UInt32, dimensions: [Int], bytes: [UInt8]) {
      self.name = name
      self.type = type
      self.dimensions = dimensions
      self.bytes = bytes
    }
  }

  public var metadata: [(key: String, value: Value)] = []
  public var tensors: [Tensor] = []

  public init() {}

  /// Sets a key, or removes it.
  public mutating func set(_ key: String, _ value: Value?) {
    self.metadata.removeAll { $0.key == key }
    if let value { self.metadata.append((key, value)) }
  }

  public func bytes() -> [UInt8] {
    var out = Array("GGUF".utf8)
    Self.append(UInt32(3), to: &out)
    Self.append(UInt64(self.tensors.count), to: &out)
    Self.append(UInt64(self.metadata.count), to: &out)
    for (key, value) in self.metadata {
      Self.append(key, to: &out)
      Self.append(value, to: &out)
    }
    var offset = 0
    for tensor in self.tensors {
      Self.append(tensor.name, to: &out)
      Self.append(UInt32(tensor.dimensions.count), to: &out)
      for length in tensor.dimensions { Self.append(UInt64(length), to: &out) }
      Self.append(tensor.type, to: &out)
      Self.append(UInt64(offset), to: &out)
      offset += (tensor.bytes.count + 31) / 32 * 32
    }
    for tensor in self.tensors {
      Self.pad(&out)
      out += tensor.bytes
    }
    Self.pad(&out)
    return out
  }

  private static func pad(_ out: inout [UInt8]) {
    while !out.count.isMultiple(of: 32) { out.append(0) }
  }

  private static func append<Number: FixedWidthInteger>(_ number: Number, to out: inout [UInt8]) {
    withUnsafeBytes(of: number.littleEndian) { out.append(contentsOf: $0) }
  }

  private static func append(_ text: String, to out: inout [UInt8]) {
    Self.append(UInt64(text.utf8.count), to: &out)
    out += text.utf8
  }

  private static func append(_ value: Value, to out: inout [UInt8]) {
    switch value {
    case .unsigned(let number):
      Self.append(UInt32(4), to: &out)
      Self.append(number, to: &out)
    case .float(let number):
      Self.append(UInt32(6), to: &out)
      Self.append(number.bitPattern, to: &out)
    case .bool(let flag):
      Self.append(UInt32(7), to: &out)
      out.append(flag ? 1 : 0)
    case .string(let text):
      Self.append(UInt32(8), to: &out)
      Self.append(text, to: &out)
    case .strings(let texts): Self.appendArray(8, texts, to: &out) { Self.append($0, to: &$1) }
    case .floats(let numbers): Self.appendArray(6, numbers, to: &out) { Self.append($0.bitPattern, to: &$1) }
    case .integers(let numbers): Self.appendArray(5, numbers, to: &out) { Self.append($0, to: &$1) }
    }
  }

  private static func appendArray<Element>(
    _ type: UInt32, _ elements: [Element], to out: inout [UInt8], _ append: (Element, inout [UInt8]) -> Void
  ) {
    Self.append(UInt32(9), to: &out)
    Self.append(type, to: &out)
    Self.append(UInt64(elements.count), to: &out)
    for element in elements { append(element, &out) }
  }
}
