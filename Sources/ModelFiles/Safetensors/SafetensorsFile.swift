internal import Documents

/// A safetensors file, checked in full; the tensor data stays in the file.
///
/// Format: 8 bytes with the length of a JSON object that names each tensor's type, shape and place, then the data without holes.
/// Reading costs O(header).
public struct SafetensorsFile: Sendable {
  /// The format's own bound is 100 MB; a model of 1,000 layers stays below 2 MB.
  static let headerLimit = 16 << 20
  static let tensorLimit = 1 << 16

  public let file: MappedFile
  /// In the order of the data.
  public let tensors: [TensorInfo]

  /// - Throws: every fault, named by tensor and field.
  public init(path: String) throws(ModelFileError) { try self.init(file: MappedFile(path: path)) }

  public init(file: MappedFile) throws(ModelFileError) {
    var cursor = ByteCursor(file.bytes, path: file.path, limit: file.byteCount)
    let length = try cursor.count(atMost: Self.headerLimit, "header length")
    let header = try cursor.take(length, "header")
    let text = try JSONFile(bytes: header, path: file.path, offset: 8)
    guard let members = text.document.members, members.count <= Self.tensorLimit else {
      throw text.error(.wrongFormat, "header", "The header is not a JSON object of at most \(Self.tensorLimit) tensors.")
    }
    let data = cursor.offset..<file.byteCount
    var tensors: [TensorInfo] = []
    for member in members where member.key != "__metadata__" {
      tensors.append(try Self.tensor(member, data: data, text))
    }
    tensors.sort { ($0.byteOffset, $0.name) < ($1.byteOffset, $1.name) }
    try Self.checkPlaces(tensors, data: data, text)
    self.file = file
    self.tensors = tensors
  }

  private static func tensor(
    _ member: Document.Member, data: Range<Int>, _ text: JSONFile
  ) throws(ModelFileError) -> TensorInfo {
    let name = member.key
    guard !name.isEmpty, name.utf8.count <= GGUFLimits.tensorNameBytes else {
      throw text.error(.invalidValue, "name of a tensor", "A name has \(name.utf8.count) bytes, not 1 to 256.")
    }
    guard let stored = member.value["dtype"]?.text else {
      throw text.error(.missingKey, name, "dtype is missing or no string; save the model again.")
    }
    guard let type = Self.types[stored] else {
      throw text.error(
        .unsupportedTensorType, name, "dtype \(stored) is not supported; save the model as F32, F16 or BF16.")
    }
    let dimensions = try Self.shape(member.value["shape"], name, text)
    guard let offsets = member.value["data_offsets"]?.elements?.map(\.integer), offsets.count == 2,
      let begin = offsets[0], let end = offsets[1], begin >= 0, begin <= end, end <= data.count
    else {
      throw text.error(
        .truncated, name,
        "data_offsets do not lie inside the \(data.count) bytes of data; copy or download the file again.")
    }
    let elements = dimensions.reduce((product: 1, overflow: false)) { result, length in
      let (product, overflow) = result.product.multipliedReportingOverflow(by: length)
      return (product, result.overflow || overflow)
    }
    let (bytes, overflow) = elements.product.multipliedReportingOverflow(by: type.blockBytes)
    guard !elements.overflow, !overflow, bytes == end - begin else {
      throw text.error(
        .invalidValue, name, "The shape \(dimensions.reversed() as [Int]) of \(stored) does not take \(end - begin) bytes.")
    }
    return TensorInfo(
      name: name, type: type, dimensions: dimensions, byteOffset: data.lowerBound + begin, byteCount: bytes)
  }

  private static let types: [String: TensorType] = ["F32": .f32, "F16": .f16, "BF16": .bf16]

  /// Innermost first, as everywhere above.
  private static func shape(_ shape: Document?, _ name: String, _ text: JSONFile) throws(ModelFileError) -> [Int] {
    guard let lengths = shape?.elements, (1...GGUFLimits.dimensions).contains(lengths.count) else {
      throw text.error(.invalidValue, name, "shape is not a list of 1 to \(GGUFLimits.dimensions) lengths.")
    }
    var dimensions: [Int] = []
    for length in lengths.reversed() {
      guard let length = length.integer, length >= 1 else {
        throw text.error(.invalidValue, name, "A length in shape is not a whole number of 1 or more.")
      }
      dimensions.append(length)
    }
    return dimensions
  }

  /// The data is covered once, without holes, as the format demands: a byte that no tensor names could be anything.
  private static func checkPlaces(_ tensors: [TensorInfo], data: Range<Int>, _ text: JSONFile) throws(ModelFileError) {
    var end = data.lowerBound
    for tensor in tensors {
      guard tensor.byteOffset >= end else {
        throw text.error(.overlapping, tensor.name, "data_offsets overlap those of another tensor; save the model again.")
      }
      guard tensor.byteOffset == end else {
        throw text.error(
          .invalidValue, tensor.name, "data_offsets leave a hole of \(tensor.byteOffset - end) bytes; save the model again.")
      }
      end += tensor.byteCount
    }
    guard end == data.upperBound else {
      throw text.error(
        .invalidValue, "data", "\(data.upperBound - end) bytes after the last tensor belong to none; download the file again.")
    }
  }
}
