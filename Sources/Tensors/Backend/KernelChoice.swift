internal import CKernels

extension ck_kernels {
  func dequantize(_ type: ElementType) -> @convention(c) (UnsafeMutablePointer<Float>?, UnsafeRawPointer?, Int) -> Void {
    switch type {
    case .f32: self.dequantize_f32
    case .f16: self.dequantize_f16
    case .bf16: self.dequantize_bf16
    case .q8_0: self.dequantize_q8_0
    case .q4_0: self.dequantize_q4_0
    case .q4_1: self.dequantize_q4_1
    case .q5_0: self.dequantize_q5_0
    case .q5_1: self.dequantize_q5_1
    case .iq4_NL: self.dequantize_iq4_nl
    case .q2_K: self.dequantize_q2_k
    case .q3_K: self.dequantize_q3_k
    case .q4_K: self.dequantize_q4_k
    case .q5_K: self.dequantize_q5_k
    case .q6_K: self.dequantize_q6_k
    }
  }

  /// The matrix product for one element type: (out, out stride, weights, rows, columns, x, x stride, batch).
  typealias Product =
    @convention(c) (
      UnsafeMutablePointer<Float>?, Int, UnsafeRawPointer?, Int, Int, UnsafePointer<Float>?, Int, Int
    ) -> Void

  func matmul(_ type: ElementType) -> Product {
    switch type {
    case .f32: self.matmul_f32
    case .f16: self.matmul_f16
    case .bf16: self.matmul_bf16
    case .q8_0: self.matmul_q8_0
    case .q4_0: self.matmul_q4_0
    case .q4_1: self.matmul_q4_1
    case .q5_0: self.matmul_q5_0
    case .q5_1: self.matmul_q5_1
    case .iq4_NL: self.matmul_iq4_nl
    case .q2_K: self.matmul_q2_k
    case .q3_K: self.matmul_q3_k
    case .q4_K: self.matmul_q4_k
    case .q5_K: self.matmul_q5_k
    case .q6_K: self.matmul_q6_k
    }
  }
}
