// EndToEndTests: the command as its users meet it: real processes, real sockets, real files, real kills.
// Holds a gateway as a child process, an HTTP client on raw sockets, and suites that read as the promises of the product.
// It must never know the product's modules: what is not visible from outside is not tested here.

internal import Testing

/// All suites that start processes. One at a time: they would fight for the processor, and some of them measure what arrives when.
@Suite(
  "end to end", .serialized, .timeLimit(.minutes(10)),
  .enabled(if: Installation.isAvailable, "the weighbridge executable or the demonstration model is not there; build it first"))
enum EndToEnd {}
