internal import CKernels

extension ElementType {
  /// The values by definition: (out, stored, count).
  var dequantize: @convention(c) (UnsafeMutablePointer<Float>?, UnsafeRawPointer?, Int) -> Void {
    switch self {
    case .f32: ck_dequantize_f32_ref
    case .f16: ck_dequantize_f16_ref
    case .bf16: ck_dequantize_bf16_ref
    case .q8_0: ck_dequantize_q8_0_ref
    case .q4_0: ck_dequantize_q4_0_ref
    case .q4_1: ck_dequantize_q4_1_ref
    case .q5_0: ck_dequantize_q5_0_ref
    case .q5_1: ck_dequantize_q5_1_ref
    case .iq4_NL: ck_dequantize_iq4_nl_ref
    case .q2_K: ck_dequantize_q2_k_ref
    case .q3_K: ck_dequantize_q3_k_ref
    case .q4_K: ck_dequantize_q4_k_ref
    case .q5_K: ck_dequantize_q5_k_ref
    case .q6_K: ck_dequantize_q6_k_ref
    }
  }
}

extension ck_products {
  /// The product for one element type: (out, out stride, panels, rows, columns, x, x stride in bytes, batch).
  typealias Product =
    @convention(c) (
      UnsafeMutablePointer<Float>?, Int, UnsafeRawPointer?, Int, Int, UnsafeRawPointer?, Int, Int
    ) -> Void

  func product(_ type: ElementType) -> Product {
    switch type {
    case .f32: self.f32
    case .f16: self.f16
    case .bf16: self.bf16
    case .q8_0: self.q8_0
    case .q4_0: self.q4_0
    case .q4_1: self.q4_1
    case .q5_0: self.q5_0
    case .q5_1: self.q5_1
    case .iq4_NL: self.iq4_nl
    case .q2_K: self.q2_k
    case .q3_K: self.q3_k
    case .q4_K: self.q4_k
    case .q5_K: self.q5_k
    case .q6_K: self.q6_k
    }
  }
}
