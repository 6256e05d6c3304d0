/// Runs work on the threads that tasks run on by default, and not on the event loop of the connection that asked for it: what reads the
/// disk, or computes for longer than others on the loop should wait.
@concurrent
func offLoop<Result: Sendable>(_ work: @concurrent () async throws -> Result) async rethrows -> Result {
  try await withTaskExecutorPreference(globalConcurrentExecutor, operation: work)
}

/// The largest body of a request that is read, admitted and answered on its connection's event loop.
let loopBodyLimit = 32 << 10

/// Routes that are handled there as long as their bodies are that small: they wait for nothing but engines and the journal.
let loopPaths: Set<String> = [
  "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/models", "/healthz",
]
