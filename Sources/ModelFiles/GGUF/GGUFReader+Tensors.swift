extension GGUFReader {
  /// A tensor as listed, its offset still counted from the start of the data.
  private struct Listed {
    var name: String
    var type: TensorType
    var dimensions: [Int]
    var byteCount: Int
    var relativeOffset: UInt64
    var listedAt: Int
  }

  mutating func readTensors(
    count: Int, alignment: Int
  ) throws(ModelFileError) -> (tensors: [TensorInfo], positions: [String: Int]) {
    var listed: [Listed] = []
    var positions: [String: Int] = [:]
    listed.reserveCapacity(count)
    positions.reserveCapacity(count)
    for number in 0..<count {
      let tensor = try self.readTensor(number)
      guard positions.updateValue(number, forKey: tensor.name) == nil else {
        throw self.error(.duplicate, tensor, "The tensor is listed twice; convert the model again.")
      }
      listed.append(tensor)
    }
    let dataStart = (self.cursor.offset + alignment - 1) & ~(alignment - 1)
    var tensors: [TensorInfo] = []
    tensors.reserveCapacity(count)
    for tensor in listed { tensors.append(try self.place(tensor, dataStart: dataStart, alignment: alignment)) }
    try self.checkOverlaps(tensors)
    return (tensors, positions)
  }

  private mutating func readTensor(_ number: Int) throws(ModelFileError) -> Listed {
    let start = self.cursor.offset
    let name = try self.cursor.text(atMost: GGUFLimits.tensorNameBytes, "name of tensor \(number)")
    guard !name.isEmpty else {
      throw self.cursor.error(.invalidValue, "name of tensor \(number)", "The name is empty; convert the model again.")
    }
    let dimensions = try self.readDimensions(name)
    let type = try self.readTensorType(name)
    let byteCount = try self.byteCount(name, type, dimensions)
    let offset = try self.cursor.integer(UInt64.self, "offset of \(name)")
    return Listed(
      name: name, type: type, dimensions: dimensions, byteCount: byteCount, relativeOffset: offset, listedAt: start)
  }

  private mutating func readDimensions(_ name: String) throws(ModelFileError) -> [Int] {
    let place = self.cursor
    let count = try self.cursor.integer(UInt32.self, "dimension count of \(name)")
    guard count >= 1, count <= GGUFLimits.dimensions else {
      throw place.error(
        .invalidValue, name, "The tensor has \(count) dimensions, not 1 to \(GGUFLimits.dimensions); the file is damaged.")
    }
    var dimensions: [Int] = []
    for _ in 0..<count {
      let length = try self.cursor.count(atMost: Int.max, "dimensions of \(name)")
      guard length >= 1 else { throw place.error(.invalidValue, name, "A dimension is 0; convert the model again.") }
      dimensions.append(length)
    }
    return dimensions
  }

  private mutating func readTensorType(_ name: String) throws(ModelFileError) -> TensorType {
    let place = self.cursor
    let stored = try self.cursor.integer(UInt32.self, "type of \(name)")
    guard let type = TensorType(rawValue: stored) else {
      let known = TensorType.allCases.map(\.name).joined(separator: ", ")
      throw place.error(
        .unsupportedTensorType, name, "Tensor type \(stored) is not supported; requantise the model to one of \(known).")
    }
    return type
  }

  /// Bytes of the whole tensor, every product checked.
  private func byteCount(_ name: String, _ type: TensorType, _ dimensions: [Int]) throws(ModelFileError) -> Int {
    let columns = dimensions[0]
    guard columns.isMultiple(of: type.blockElements) else {
      throw self.cursor.error(
        .invalidValue, name,
        "A row of \(columns) is not a whole number of \(type.name) blocks of \(type.blockElements); requantise the model.")
    }
    var elements = 1
    for length in dimensions {
      let (product, overflow) = elements.multipliedReportingOverflow(by: length)
      guard !overflow else { throw self.oversized(name, dimensions) }
      elements = product
    }
    let (bytes, overflow) = (elements / type.blockElements).multipliedReportingOverflow(by: type.blockBytes)
    guard !overflow else { throw self.oversized(name, dimensions) }
    return bytes
  }

  private func oversized(_ name: String, _ dimensions: [Int]) -> ModelFileError {
    self.cursor.error(.limitExceeded, name, "The shape \(dimensions) overflows; the file is damaged.")
  }

  private func place(_ tensor: Listed, dataStart: Int, alignment: Int) throws(ModelFileError) -> TensorInfo {
    guard tensor.relativeOffset.isMultiple(of: UInt64(alignment)) else {
      throw self.error(
        .misaligned, tensor,
        "The data offset \(tensor.relativeOffset) is not a multiple of \(alignment); convert the model again.")
    }
    guard let relative = Int(exactly: tensor.relativeOffset) else { throw self.missingData(tensor) }
    let (start, startOverflow) = dataStart.addingReportingOverflow(relative)
    let (end, endOverflow) = start.addingReportingOverflow(tensor.byteCount)
    guard !startOverflow, !endOverflow, end <= self.file.byteCount else { throw self.missingData(tensor) }
    return TensorInfo(
      name: tensor.name, type: tensor.type, dimensions: tensor.dimensions, byteOffset: start, byteCount: tensor.byteCount)
  }

  private func missingData(_ tensor: Listed) -> ModelFileError {
    self.error(
      .truncated, tensor,
      "The file of \(self.file.byteCount) bytes ends before the tensor's data does; copy or download it again.")
  }

  private func checkOverlaps(_ tensors: [TensorInfo]) throws(ModelFileError) {
    let ordered = tensors.sorted { $0.byteOffset < $1.byteOffset }
    for (earlier, later) in zip(ordered, ordered.dropFirst()) where later.byteOffset < earlier.byteOffset + earlier.byteCount {
      throw ModelFileError(
        .overlapping, path: self.file.path, offset: later.byteOffset, field: later.name,
        message: "The tensor's data overlaps that of \(earlier.name); convert the model again.")
    }
  }

  private func error(_ code: ModelFileError.Code, _ tensor: Listed, _ message: String) -> ModelFileError {
    ModelFileError(code, path: self.file.path, offset: tensor.listedAt, field: tensor.name, message: message)
  }
}
