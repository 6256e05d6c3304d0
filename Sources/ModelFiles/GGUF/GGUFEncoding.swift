/// How a GGUF file of version 3 is written: the header with all names and offsets first, then tensor after tensor.
///
/// Memory: the header alone; tensor data passes through in the pieces that the caller hands over.
public enum GGUFEncoding {
  public struct Tensor: Sendable {
    public let name: String
    public let type: TensorType
    /// Innermost first.
    public let dimensions: [Int]

    public init(name: String, type: TensorType, dimensions: [Int]) {
      self.name = name
      self.type = type
      self.dimensions = dimensions
    }

    public var byteCount: Int { self.dimensions.reduce(1, *) / self.type.blockElements * self.type.blockBytes }
  }

  private static let alignment = GGUFLimits.defaultAlignment

  /// The bytes before the first tensor's data.
  public static func header(metadata: GGUFMetadata, tensors: [Tensor]) -> [UInt8] {
    var out = Bytes()
    out.all += "GGUF".utf8
    out.append(UInt32(3))
    out.append(UInt64(tensors.count))
    out.append(UInt64(metadata.keys.count))
    for key in metadata.keys {
      guard let value = metadata[key] else { continue }
      out.append(key)
      out.append(value.type.rawValue)
      out.append(value)
    }
    var offset = 0
    for tensor in tensors {
      out.append(tensor.name)
      out.append(UInt32(tensor.dimensions.count))
      for length in tensor.dimensions { out.append(UInt64(length)) }
      out.append(tensor.type.rawValue)
      out.append(UInt64(offset))
      offset += tensor.byteCount + self.padding(after: tensor.byteCount)
    }
    out.all += [UInt8](repeating: 0, count: self.padding(after: out.all.count))
    return out.all
  }

  /// Zero bytes that follow `count` bytes of data.
  public static func padding(after count: Int) -> Int { (self.alignment - count % self.alignment) % self.alignment }

  /// Little-endian fields, one behind the other.
  private struct Bytes {
    var all: [UInt8] = []

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
      withUnsafeBytes(of: number.littleEndian) { self.all.append(contentsOf: $0) }
    }

    mutating func append(_ text: String) {
      self.append(UInt64(text.utf8.count))
      self.all += text.utf8
    }

    mutating func append(_ value: GGUFValue) {
      switch value {
      case .uint8(let number): self.append(number)
      case .int8(let number): self.append(number)
      case .uint16(let number): self.append(number)
      case .int16(let number): self.append(number)
      case .uint32(let number): self.append(number)
      case .int32(let number): self.append(number)
      case .float32(let number): self.append(number.bitPattern)
      case .bool(let flag): self.append(UInt8(flag ? 1 : 0))
      case .string(let text): self.append(text)
      case .array(let array): self.append(array)
      case .uint64(let number): self.append(number)
      case .int64(let number): self.append(number)
      case .float64(let number): self.append(number.bitPattern)
      }
    }

    mutating func append(_ array: GGUFArray) {
      self.append(array.elementType.rawValue)
      self.append(UInt64(array.count))
      switch array {
      case .uint8(let elements): for element in elements { self.append(element) }
      case .int8(let elements): for element in elements { self.append(element) }
      case .uint16(let elements): for element in elements { self.append(element) }
      case .int16(let elements): for element in elements { self.append(element) }
      case .uint32(let elements): for element in elements { self.append(element) }
      case .int32(let elements): for element in elements { self.append(element) }
      case .float32(let elements): for element in elements { self.append(element.bitPattern) }
      case .bool(let elements): for element in elements { self.append(UInt8(element ? 1 : 0)) }
      case .string(let elements): for element in elements { self.append(element) }
      case .array(let elements): for element in elements { self.append(element) }
      case .uint64(let elements): for element in elements { self.append(element) }
      case .int64(let elements): for element in elements { self.append(element) }
      case .float64(let elements): for element in elements { self.append(element.bitPattern) }
      }
    }
  }
}
