import FuzzHarnesses

#if canImport(Glibc)
  import Glibc
#endif

/// What libFuzzer calls. The target comes from the environment, so that one build serves all.
private let target: FuzzTarget = {
  guard let name = getenv("WEIGHBRIDGE_FUZZ_TARGET"), let target = FuzzTarget(rawValue: String(cString: name)) else {
    fatalError("Set WEIGHBRIDGE_FUZZ_TARGET to one of \(FuzzTarget.allCases.map(\.rawValue)).")
  }
  return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 0 else { return 0 }
  target.run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
