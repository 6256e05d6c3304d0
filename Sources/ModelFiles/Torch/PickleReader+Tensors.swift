extension PickleReader {
  /// A storage from its persistent id: ("storage", type, key, device, element count).
  func storage(_ id: PickleValue) throws(ModelFileError) -> PickleValue.Storage {
    guard let parts = id.elements, parts.count == 5, parts[0].text == "storage", case .known(let known) = parts[1],
      let type = known.elementType, let key = parts[2].text, FileName.isPlain(key), let count = parts[4].integer, count >= 0
    else {
      throw self.error("A storage is not described as (storage, type, key, device, count) with a floating-point type.")
    }
    return PickleValue.Storage(type: type, key: key, count: count)
  }

  /// A tensor from the arguments of its maker: storage, offset, shape, strides, and two that say nothing about weights.
  func tensor(_ arguments: [PickleValue]) throws(ModelFileError) -> PickleValue.Tensor {
    guard arguments.count >= 4, case .storage(let storage) = arguments[0], let offset = arguments[1].integer, offset >= 0,
      let shape = arguments[2].elements?.compactMap(\.integer), shape.count == arguments[2].elements?.count,
      let strides = arguments[3].elements?.compactMap(\.integer), strides.count == shape.count,
      (1...Limits.dimensions).contains(shape.count), shape.allSatisfy({ $0 >= 1 })
    else {
      throw self.error("A tensor is not described as (storage, offset, shape, strides) with 1 to \(Limits.dimensions) lengths.")
    }
    var step = 1
    for (length, stride) in zip(shape, strides).reversed() {
      guard stride == step || length == 1 else {
        throw self.error("A tensor of shape \(shape) has the strides \(strides): it is not stored row by row.")
      }
      let (next, overflow) = step.multipliedReportingOverflow(by: length)
      guard !overflow else { throw self.error("The shape \(shape) overflows.", .limitExceeded) }
      step = next
    }
    guard offset <= storage.count, step <= storage.count - offset else {
      throw self.error("A tensor of shape \(shape) at \(offset) is larger than its storage of \(storage.count).")
    }
    return PickleValue.Tensor(storage: storage, offset: offset, shape: shape)
  }
}
