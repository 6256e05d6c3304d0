internal import AcceptableUse
internal import AuditSigning
internal import Completions
internal import Documents
internal import Glibc
internal import Governance
internal import GovernanceStore
internal import GovernanceTypes
internal import LicenseTerms

/// Registered with the models whose standings are looked up; nothing is ever asked of it.
private struct SilentEngine: CompletionEngine {
  let contextLength = 4096

  func prepare(_ request: CompletionRequest) async throws(CompletionError) -> PreparedPrompt {
    PreparedPrompt(request: request, tokens: [], promptTokens: 0, isExact: true, completionCeiling: 0)
  }

  func start(_ prompt: PreparedPrompt, allowance: TokenAllowance) -> CompletionStream {
    CompletionStream(AsyncThrowingStream { $0.finish() }, cancel: {})
  }
}

/// The gate's own look-up as a request and the admin route make it: the customer known, the model known, the verdict current. A
/// real store takes the standings that are compiled first.
///
/// A request looks up customer and model once for all its steps, so this is more than the license costs it.
func gateLookUps(_ files: [TermFile], at time: Timestamp) async throws {
  let directory = "/tmp/terms-bench-\(getpid())"
  guard mkdir(directory, 0o700) == 0 else { throw TermFolder.Unreadable(path: directory) }
  defer { TermFolder.remove(directory) }
  let store = try SQLiteStore.open(directory: directory, boot: BootID(1), digest: sha256)
  let gate = Gate(
    environment: GateEnvironment(
      now: { time }, uptime: { .zero }, randomBytes: { count in (0..<count).map { _ in UInt8.random(in: 0...255) } },
      digest: sha256, keyedDigest: hmacSHA256, tagKey: [1, 2, 3], boot: BootID(1)),
    policy: GatePolicy(), journal: store, archive: store, acceptableUse: try AcceptableUsePolicy(packs: []), terms: files)
  for file in files {
    try gate.register(
      ServedModel(
        id: ModelID(file.id.name), engine: SilentEngine(), weights: sha256(Array(file.id.name.utf8)), terms: [file.id],
        facts: .empty, registeredAt: time, owner: "bench"))
  }
  var customers: [CustomerID] = []
  for number in 0..<100 {
    let body = try Document.parseJSON(Array(#"{"name":"Customer \#(number)","country":"DE"}"#.utf8))
    let made = try await gate.createCustomer(body, by: Actor("bench"))
    if case .string(let text)? = made["id"], let id = CustomerID(text) { customers.append(id) }
  }
  let models = files.map { ModelID($0.id.name) }
  for customer in customers { for model in models { _ = try gate.standing(of: customer, model: model) } }
  var allowed = 0
  let time = try best(of: 9) {
    for index in 0..<100_000 {
      let customer = customers[index &* 7919 % customers.count]
      allowed += try gate.standing(of: customer, model: models[index % models.count]).verdict == .allow ? 1 : 0
    }
  }
  say(
    "the gate's look-up of a customer, a model and their standing among \(customers.count * models.count): "
      + "\(microseconds(time / 100_000)) (\(allowed / 9) of 100000 allow)")
  await store.close()
}
