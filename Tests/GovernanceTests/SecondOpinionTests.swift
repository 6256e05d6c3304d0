import AcceptableUse
import AuditSigning
import Completions
import Documents
import Governance
import GovernanceTypes
import LicenseTerms
import Simulation
import Testing

@Suite("A guard model's second opinion")
struct SecondOpinionTests {
  /// Forbids two uses, one of them critical, and says which were found.
  static let terms = #"""
    {"schema":"model-terms/1","id":"test","revision":1,"title":"Test terms","status":"in-force","sections":["1","2","policy/1a","policy/2b"],
     "documents":[{"role":"policy","name":"POLICY","url":"https://example.org/policy"}],"use_list":"policy",
     "facts":{"request.use_findings":{"type":"set","subject":"request","source":["classifier","rule"]}},
     "uses":[{"id":"1a","text":"gizmos","category":"weapons","seen":["classifier"],"severity":"critical"},
             {"id":"2b","text":"trinkets","category":"illegal","seen":["classifier"]}],
     "clauses":[
       {"id":"grant","ref":"1","kind":"grant","summary":"Use is granted.","actions":["use"]},
       {"id":"aup","ref":"2","sections":["2","policy/1a","policy/2b"],"kind":"prohibition","summary":"None of the uses.","binds":["customer"],"moments":["request","response"],
        "forbids":{"uses":"all","findings":"request.use_findings"},"on_true":"deny","on_unknown":"allow_and_record"}]}
    """#

  /// Both rules only annotate; both are grave.
  static func pack() throws -> RulePack {
    func rule(_ id: String, _ use: String, _ phrase: String) -> String {
      #"{"id":"\#(id)","uses":["\#(use)"],"severity":"high","mode":"annotate","score":800,"direction":["prompt","response"],"phrases":["\#(phrase)"],"examples":{"match":["a \#(phrase)"],"clear":["nothing"]}}"#
    }
    return try RulePack(
      GateFixture.document(
        #"{"schema":"weighbridge/rule-pack/v1","id":"widgets","version":"1","policy":"test","rules":[\#(rule("gizmo", "1a", "shady gizmo")),\#(rule("trinket", "2b", "shady trinket"))]}"#
      ), digest: sha256)
  }

  struct World {
    let fixture: GateFixture
    let watcher: ScriptedEngine
  }

  static func world(
    _ answer: [String], mode: RuleMode = .enforce, sampled: Int = 0, served: [String] = ["fine ", "words"],
    pause: Duration = .zero,
    timeout: Duration = .seconds(3600)
  ) async throws -> World {
    let prompt = try GuardPrompt(
      categories: [
        GuardPrompt.Category(code: "O1", title: "Gizmos", description: "", uses: [ProhibitedUseID("1a")]),
        GuardPrompt.Category(code: "O2", title: "Trinkets", description: "", uses: [ProhibitedUseID("2b")]),
      ], policy: TermFileID("test"))
    var opinion = SecondOpinion(model: ModelID("watcher"), prompt: prompt, digest: sha256([7]), mode: mode)
    opinion.sampledPerMillion = sampled
    opinion.timeout = timeout
    var policy = GatePolicy()
    policy.secondOpinion = opinion
    let fixture = try await GateFixture(
      script: .init(tokens: served), terms: Self.terms, policy: policy, rules: [try Self.pack()])
    let watcher = ScriptedEngine(.init(tokens: answer, pause: pause))
    var model = GateFixture.model(watcher)
    model.id = ModelID("watcher")
    try fixture.gate.register(model)
    return World(fixture: fixture, watcher: watcher)
  }

  @Test("a grave doubt about a prompt is asked about before the answer: unsafe refuses, safe lets through, no doubt asks nobody")
  func prompt() async throws {
    let unsafe = try await Self.world(["unsafe\n", "O1"])
    let refused = await refusal { _ = try await unsafe.fixture.gate.admit(unsafe.fixture.call("a shady gizmo")) }
    #expect(refused?.code == .acceptableUse && refused?.message.contains("1a") == true)
    let entry = try await unsafe.fixture.gate.decision(try #require(refused?.decision))
    #expect(entry["second_opinion"]?["outcome"] == "unsafe" && entry["second_opinion"]?["codes"] == ["O1"])
    let before = unsafe.watcher.producedTokens
    #expect(try await unsafe.fixture.serve(unsafe.fixture.call("a fine gizmo")).finish?.reason == .stop)
    #expect(unsafe.watcher.producedTokens == before)
    let safe = try await Self.world(["safe"])
    #expect(try await safe.fixture.serve(safe.fixture.call("a shady gizmo")).finish?.reason == .stop)
    #expect(safe.watcher.producedTokens == 1)
    let shadow = try await Self.world(["unsafe\nO1"], mode: .shadow)
    #expect(try await shadow.fixture.serve(shadow.fixture.call("a shady gizmo")).finish?.reason == .stop)
  }

  @Test(
    "no answer: a critical use is refused for the moment, another goes on with a record",
    arguments: [
      (["I think it is unsafe"], "indeterminate", Duration.zero), (["unsafe\nO9"], "indeterminate", .zero),
      ([String](repeating: "x", count: 40), "timeout", .milliseconds(50)),
    ])
  func failsClosed(answer: [String], outcome: String, pause: Duration) async throws {
    let world = try await Self.world(answer, pause: pause, timeout: outcome == "timeout" ? .milliseconds(100) : .seconds(3600))
    let refused = await refusal { _ = try await world.fixture.gate.admit(world.fixture.call("a shady gizmo")) }
    #expect(refused?.code == .modelUnavailable && refused?.message.contains("1a") == true && refused?.retryAfter != nil)
    let entry = try await world.fixture.gate.decision(try #require(refused?.decision))
    #expect(entry["second_opinion"]?["outcome"] == .string(outcome))
    let served = try await world.fixture.serve(world.fixture.call("a shady trinket"))
    #expect(served.finish?.reason == .stop)
    let kept = try await world.fixture.gate.decision(try #require(served.record?.decision))
    #expect(kept["second_opinion"]?["outcome"] == .string(outcome) && kept["verdict"] == "allow")
  }

  @Test("a broken guard model is an outcome, not an error; a conversation that is too long is one too")
  func broken() async throws {
    let world = try await Self.world(["safe"])
    world.watcher.follow(.init(tokens: ["safe"], breaksAfter: 0))
    let refused = await refusal { _ = try await world.fixture.gate.admit(world.fixture.call("a shady gizmo")) }
    #expect(refused?.code == .modelUnavailable && refused?.message.contains("engine_error") == true)
    let long = String(repeating: "word ", count: 8000) + "a shady gizmo"
    let other = await refusal { _ = try await world.fixture.gate.admit(world.fixture.call(long)) }
    #expect(other?.message.contains("buffer_cap") == true)
  }

  @Test("a grave doubt about an answer ends it as filtered, and where all of it is held not a byte was shown")
  func response() async throws {
    let world = try await Self.world(["unsafe\nO1"], served: ["here is ", "a shady ", "gizmo", " for you."])
    let shown = try await world.fixture.serve(world.fixture.call("tell me"))
    #expect(shown.finish?.reason == .contentFilter && shown.finish?.detail == .acceptableUse)
    #expect(shown.text.hasPrefix("here is"))
    _ = try await world.fixture.gate.setConduct(
      of: world.fixture.customer, GateFixture.document(#"{"stream":{"hold":"all"}}"#), by: GateFixture.actor)
    let held = try await world.fixture.serve(world.fixture.call("tell me again"))
    #expect(held.finish?.reason == .contentFilter && held.text.isEmpty, "\(held.text)")
    let entry = try await world.fixture.gate.decision(try #require(held.record?.decision))
    #expect(entry["response"]?["acceptable_use"]?["flagged"] == true)
    let safe = try await Self.world(["safe"], served: ["a shady ", "gizmo"])
    _ = try await safe.fixture.gate.setConduct(
      of: safe.fixture.customer, GateFixture.document(#"{"stream":{"hold":"all"}}"#), by: GateFixture.actor)
    #expect(try await safe.fixture.serve(safe.fixture.call("tell me")).text == "a shady gizmo")
  }

  @Test("a sample of what nobody doubted is asked about afterwards, prompt and answer, and the record is found by the decision")
  func sampled() async throws {
    let world = try await Self.world(["safe"], sampled: 1_000_000)
    let served = try await world.fixture.serve(world.fixture.call("hello"))
    #expect(served.finish?.reason == .stop)
    let decision = try #require(served.record?.decision)
    var sample: JSON?
    for _ in 0..<12_000 where sample == nil {
      try await Task.sleep(for: .milliseconds(5))
      sample = try await world.fixture.gate.decision(decision)["sample"]
    }
    #expect(sample?["second_opinion"]?["prompt"]?["outcome"] == "safe")
    #expect(sample?["second_opinion"]?["response"]?["outcome"] == "safe")
    let never = try await Self.world(["safe"])
    _ = try await never.fixture.serve(never.fixture.call("hello"))
    #expect(never.watcher.producedTokens == 0)
  }
}
