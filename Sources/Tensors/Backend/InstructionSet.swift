internal import CKernels
internal import Glibc

/// Which form of the kernels runs.
public enum InstructionSet: String, Sendable, CaseIterable {
  case scalar, avx2, avx512, neon

  /// The environment variable that overrides the choice.
  public static let environmentKey = "WEIGHBRIDGE_ISA"

  public var isAvailable: Bool { ck_kernels_for(self.identifier) != nil }

  /// The widest one that this build and this processor have.
  public static var widest: InstructionSet { Self.allCases.last(where: \.isAvailable) ?? .scalar }

  /// The one named by `WEIGHBRIDGE_ISA`, else the widest.
  ///
  /// - Throws: `instructionSetUnavailable` where the variable names one that is unknown or missing here.
  public static func selected() throws(TensorError) -> InstructionSet {
    guard let value = getenv(Self.environmentKey) else { return .widest }
    return try InstructionSet(named: String(cString: value))
  }

  /// - Throws: `instructionSetUnavailable` where the name is unknown or the set is missing here.
  public init(named name: String) throws(TensorError) {
    let available = Self.allCases.filter(\.isAvailable).map(\.rawValue).joined(separator: ", ")
    guard let set = InstructionSet(rawValue: name), set.isAvailable else {
      throw TensorError(
        .instructionSetUnavailable, "\(Self.environmentKey)=\(name) cannot be had on this machine; it has \(available).")
    }
    self = set
  }

  private var identifier: ck_isa {
    switch self {
    case .scalar: CK_ISA_SCALAR
    case .avx2: CK_ISA_AVX2
    case .avx512: CK_ISA_AVX512
    case .neon: CK_ISA_NEON
    }
  }

  /// The kernels of this set; the table is constant and lives as long as the program.
  ///
  /// - Precondition: the set is available.
  var kernels: UnsafePointer<ck_kernels> {
    guard let table = ck_kernels_for(self.identifier) else { preconditionFailure("\(self) is not available here.") }
    return table
  }
  /// As ``kernels``, for attention.
  var attention: UnsafePointer<ck_attention_kernels> {
    guard let table = ck_attention_for(Int32(self.identifier.rawValue)) else {
      preconditionFailure("\(self) is not available here.")
    }
    return table
  }
}
