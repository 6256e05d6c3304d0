/// What a checkpoint's pickle may consist of: data, and tensors described by data. Nothing in it is code.
enum PickleValue: Sendable {
  case none
  case bool(Bool)
  case integer(Int)
  case text(String)
  /// The depth counts tuples in tuples, so that none nests deeper than the reader allows.
  case tuple([PickleValue], depth: Int)
  /// Lists and dictionaries are numbers of the reader's own tables: a value that holds itself costs nothing.
  case list(Int)
  case dictionary(Int)
  case known(Known)
  case storage(Storage)
  case tensor(Tensor)

  /// The names that a pickle may mention.
  enum Known: String, Sendable {
    case tensor = "torch._utils _rebuild_tensor_v2"
    case parameter = "torch._utils _rebuild_parameter"
    case orderedDictionary = "collections OrderedDict"
    case float = "torch FloatStorage"
    case half = "torch HalfStorage"
    case bfloat16 = "torch BFloat16Storage"

    var elementType: TensorType? {
      switch self {
      case .float: .f32
      case .half: .f16
      case .bfloat16: .bf16
      case .tensor, .parameter, .orderedDictionary: nil
      }
    }
  }

  /// A run of numbers that is an entry of the archive.
  struct Storage: Sendable {
    let type: TensorType
    let key: String
    let count: Int
  }

  /// A view of a storage, row-major.
  struct Tensor: Sendable {
    let storage: Storage
    /// In elements.
    let offset: Int
    /// Outermost first.
    let shape: [Int]
  }

  var depth: Int {
    if case .tuple(_, let depth) = self { depth } else { 0 }
  }

  var integer: Int? {
    if case .integer(let value) = self { value } else { nil }
  }

  var text: String? {
    if case .text(let value) = self { value } else { nil }
  }

  var elements: [PickleValue]? {
    if case .tuple(let elements, _) = self { elements } else { nil }
  }
}
