internal import LlamaModel
internal import ModelFiles
internal import Tensors

/// Which tensor is stored how, by the name under which such files are known.
public enum QuantizationRecipe: String, Sendable, CaseIterable {
  case f16 = "F16"
  case q8_0 = "Q8_0"
  case q6_K = "Q6_K"
  case q4_K_M = "Q4_K_M"
  case q4_0 = "Q4_0"

  /// GGUF's `general.file_type`.
  var fileType: UInt32 {
    switch self {
    case .f16: 1
    case .q8_0: 7
    case .q6_K: 18
    case .q4_K_M: 15
    case .q4_0: 2
    }
  }

  /// How one tensor is stored. Vectors keep full precision; what turns logits out, and in `Q4_K_M` half of the matrices that suffer
  /// most, get more bits. A row that is no whole number of blocks is stored in the next layout that fits.
  func layout(of tensor: StoredTensor, layers: Int, isTied: Bool) -> Quantiser {
    guard tensor.dimensions.count > 1 else { return .f32 }
    let isOutput = tensor.name == "output.weight" || isTied && tensor.name == "token_embd.weight"
    let wanted: Quantiser =
      switch self {
      case .f16: .f16
      case .q8_0: .q8_0
      case .q6_K: .q6_K
      case .q4_0: isOutput ? .q6_K : .q4_0
      case .q4_K_M: isOutput || self.isSensitive(tensor.name, layers: layers) ? .q6_K : .q4_K
      }
    return [wanted, .q8_0, .f16].first { tensor.columns.isMultiple(of: $0.type.blockElements) } ?? .f16
  }

  /// Value and down matrices of the first and the last eighth of the layers and of every third between.
  private func isSensitive(_ name: String, layers: Int) -> Bool {
    let parts = name.split(separator: ".")
    guard parts.count == 4, ["attn_v", "ffn_down"].contains(parts[2]), let layer = Int(parts[1]) else { return false }
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2
  }
}
