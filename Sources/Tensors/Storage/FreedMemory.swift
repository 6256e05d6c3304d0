internal import CKernels

/// Gives memory that was freed back to the system: after work that used much more of it than what follows, such as a start on a large
/// store. O(pages of the heap).
public func returnFreedMemory() { ck_trim_heap() }
