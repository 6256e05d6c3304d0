extension GGUFReader {
  mutating func readMetadata(count: Int) throws(ModelFileError) -> GGUFMetadata {
    var keys: [String] = []
    var values: [String: GGUFValue] = [:]
    keys.reserveCapacity(count)
    values.reserveCapacity(count)
    for number in 0..<count {
      let place = self.cursor
      let key = try self.cursor.text(atMost: GGUFLimits.keyBytes, "metadata key \(number)")
      guard !key.isEmpty else { throw place.error(.invalidValue, "metadata key \(number)", "The key is empty.") }
      let value = try self.readValue(key)
      guard values.updateValue(value, forKey: key) == nil else {
        throw place.error(.duplicate, key, "The metadata key occurs twice; convert the model again.")
      }
      keys.append(key)
    }
    return GGUFMetadata(path: self.file.path, keys: keys, values: values)
  }

  private mutating func readType(_ field: String) throws(ModelFileError) -> GGUFValueType {
    let place = self.cursor
    let stored = try self.cursor.integer(UInt32.self, field)
    guard let type = GGUFValueType(rawValue: stored) else {
      throw place.error(.invalidValue, field, "Value type \(stored) is unknown; the file is damaged or newer than this program.")
    }
    return type
  }

  private mutating func readValue(_ key: String) throws(ModelFileError) -> GGUFValue {
    switch try self.readType(key) {
    case .uint8: .uint8(try self.cursor.integer(UInt8.self, key))
    case .int8: .int8(try self.cursor.integer(Int8.self, key))
    case .uint16: .uint16(try self.cursor.integer(UInt16.self, key))
    case .int16: .int16(try self.cursor.integer(Int16.self, key))
    case .uint32: .uint32(try self.cursor.integer(UInt32.self, key))
    case .int32: .int32(try self.cursor.integer(Int32.self, key))
    case .uint64: .uint64(try self.cursor.integer(UInt64.self, key))
    case .int64: .int64(try self.cursor.integer(Int64.self, key))
    case .float32: .float32(Float(bitPattern: try self.cursor.integer(UInt32.self, key)))
    case .float64: .float64(Double(bitPattern: try self.cursor.integer(UInt64.self, key)))
    case .bool: .bool(try self.readBool(key))
    case .string: .string(try self.cursor.text(atMost: GGUFLimits.stringBytes, key))
    case .array: .array(try self.readArray(key, depth: 1))
    }
  }

  private mutating func readBool(_ key: String) throws(ModelFileError) -> Bool {
    let place = self.cursor
    let stored = try self.cursor.integer(UInt8.self, key)
    guard stored <= 1 else { throw place.error(.invalidValue, key, "\(stored) is not a boolean (0 or 1).") }
    return stored == 1
  }

  private mutating func readArray(_ key: String, depth: Int) throws(ModelFileError) -> GGUFArray {
    guard depth <= GGUFLimits.arrayDepth else {
      throw self.cursor.error(.limitExceeded, key, "Arrays are nested deeper than \(GGUFLimits.arrayDepth).")
    }
    let type = try self.readType(key)
    let count = try self.readArrayCount(key, type)
    return switch type {
    case .uint8: .uint8(try self.readIntegers(count, key))
    case .int8: .int8(try self.readIntegers(count, key))
    case .uint16: .uint16(try self.readIntegers(count, key))
    case .int16: .int16(try self.readIntegers(count, key))
    case .uint32: .uint32(try self.readIntegers(count, key))
    case .int32: .int32(try self.readIntegers(count, key))
    case .uint64: .uint64(try self.readIntegers(count, key))
    case .int64: .int64(try self.readIntegers(count, key))
    case .float32: .float32(try self.readIntegers(count, key).map(Float.init(bitPattern:)))
    case .float64: .float64(try self.readIntegers(count, key).map(Double.init(bitPattern:)))
    case .bool: .bool(try self.readElements(count) { reader throws(ModelFileError) in try reader.readBool(key) })
    case .string: .string(try self.readStrings(count, key))
    case .array:
      .array(try self.readElements(count) { reader throws(ModelFileError) in try reader.readArray(key, depth: depth + 1) })
    }
  }

  /// An element count that the rest of the file could hold.
  private mutating func readArrayCount(_ key: String, _ type: GGUFValueType) throws(ModelFileError) -> Int {
    let count = try self.cursor.count(atMost: GGUFLimits.arrayElements, "element count of \(key)")
    guard count <= self.cursor.remaining / type.minimumBytes else { throw self.cursor.tooShort("\(count) elements", key) }
    return count
  }

  private mutating func readIntegers<Element: FixedWidthInteger>(
    _ count: Int, _ key: String
  ) throws(ModelFileError) -> [Element] {
    let stride = MemoryLayout<Element>.size
    let raw = try self.cursor.take(count * stride, key)
    return (0..<count).map { Element(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * stride, as: Element.self)) }
  }

  private mutating func readStrings(_ count: Int, _ key: String) throws(ModelFileError) -> [String] {
    var strings: [String] = []
    strings.reserveCapacity(count)
    for number in 0..<count {
      strings.append(try self.cursor.text(atMost: GGUFLimits.stringBytes, "\(key)[\(number)]"))
    }
    return strings
  }

  private mutating func readElements<Element>(
    _ count: Int, _ read: (inout GGUFReader) throws(ModelFileError) -> Element
  ) throws(ModelFileError) -> [Element] {
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try read(&self)) }
    return elements
  }
}
