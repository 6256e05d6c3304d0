internal import CKernels

/// How keys and values are stored.
public enum KVType: String, Sendable, CaseIterable {
  case f32, f16
  /// 8-bit integers with a scale for every 32 of them: half the memory of `f16`.
  case q8_0

  var identifier: ck_kv_type {
    switch self {
    case .f32: CK_KV_F32
    case .f16: CK_KV_F16
    case .q8_0: CK_KV_Q8_0
    }
  }
}

/// What the keys and values of one position are made of.
public struct KVShape: Sendable, Equatable {
  public let layers: Int
  public let heads: Int
  public let headDimension: Int
  public let type: KVType

  public init(layers: Int, heads: Int, headDimension: Int, type: KVType = .f32) {
    self.layers = layers
    self.heads = heads
    self.headDimension = headDimension
    self.type = type
  }

  /// Positions in one block.
  public static let blockPositions = 32
  /// Positions whose scores are computed together; a whole number of blocks.
  static let segmentPositions = 256

  var headBytes: Int { ck_kv_head_bytes(self.type.identifier, self.headDimension) }
  public var blockBytes: Int { self.layers * 2 * self.heads * self.headBytes }

  /// Blocks that `positions` positions take.
  public func blocks(positions: Int) -> Int { (positions + Self.blockPositions - 1) / Self.blockPositions }

  // A block: (layer, keys then values, head), each as ckattention.h says.
  func keyOffset(layer: Int, head: Int) -> Int { (layer * 2 * self.heads + head) * self.headBytes }
  func valueOffset(layer: Int, head: Int) -> Int { (layer * 2 * self.heads + self.heads + head) * self.headBytes }
}
